// Rewrites and models of the mock: recorded answers that can be filtered, reviewed, added to, set and rolled back.
const copy = (x) => JSON.parse(JSON.stringify(x));
const listed = (text) => (text ? text.split(",") : null);

/** What was recorded, or nothing. */
export function rewritesOf(fixtures, { empty = false } = {}) {
  const { models, versions, compare } = copy(fixtures.get("models")), ranker = copy(fixtures.get("ranker")), classifier = copy(fixtures.get("classifier"));
  models.push(ranker.model, classifier.model);
  versions[classifier.model.name] = classifier.versions;
  versions[ranker.model.name] = ranker.versions;
  const clicks = copy(fixtures.get("clicks"));
  models.push(clicks.model);
  versions[clicks.model.name] = clicks.versions;
  return { section: clicks.section, summary: ranker.summary, rewrites: empty ? [] : copy(fixtures.get("rewrites").rewrites), tried: empty ? {} : fixtures.get("tried"), models: empty ? [] : models, versions: empty ? {} : versions, compare, before: [] };
}

const orders = {
  confidence: (a, b) => b.confidence - a.confidence, searches: (a, b) => b.searches - a.searches, created_at: (a, b) => b.created_at.localeCompare(a.created_at),
  updated_at: (a, b) => b.updated_at.localeCompare(a.updated_at), input: (a, b) => (a.input < b.input ? -1 : a.input > b.input ? 1 : 0),
};

function fitting(state, get) {
  const several = ["type", "review", "source", "confidence_class"].map((name) => [name, listed(get(name))]), text = get("text")?.toLowerCase();
  return state.rewrites.filter((r) => several.every(([name, wanted]) => !wanted || wanted.includes(r[name])) && (!text || r.input.includes(text) || r.output.includes(text)));
}

const reviewed = (r, review) => Object.assign(r, { review, reviewed_at: new Date().toISOString(), reviewed_by: "admin.key", version: r.version + 1 });

function listRewrites(state, query, reply) {
  const size = Number(query.get("page_size") ?? 50), from = Number(query.get("page_token") ?? 0);
  const all = fitting(state, (name) => query.get(name)).sort((a, b) => orders[query.get("sort") ?? "confidence"](a, b) || a.id - b.id);
  return reply.json(200, { rewrites: all.slice(from, from + size), next_page_token: from + size < all.length ? String(from + size) : null });
}

function countRewrites(state, query, reply) {
  const counts = new Map();
  const all = fitting(state, (name) => query.get(name));
  for (const r of all) {
    const key = `${r.type} ${r.review}`, c = counts.get(key) ?? { type: r.type, review: r.review, rewrites: 0, searches: 0 };
    counts.set(key, { ...c, rewrites: c.rewrites + 1, searches: c.searches + r.searches });
  }
  return reply.json(200, { counts: [...counts.values()], total: all.length });
}

function addRewrite(state, body, reply) {
  const made = { id: 1 + Math.max(0, ...state.rewrites.map((r) => r.id)), output: body.input, bidirectional: false, confidence: 1, confidence_class: "high", review: "approved", source: "manual", job: null,
    run: null, evidence: {}, searches: 0, note: "", created_at: new Date().toISOString(), updated_at: new Date().toISOString(), reviewed_at: null, reviewed_by: "admin.key", version: 1, ...body };
  if (state.rewrites.some((r) => r.type === made.type && r.input === made.input && r.output === made.output))
    return reply.problem(409, "Conflict", `rewrite "${made.id}" has this type, input and output already`);
  if (made.type !== "phrase" && made.input === made.output) return reply.problem(400, "Bad Request", "rewrite: output is the same as input");
  state.rewrites.push(made);
  return reply.json(201, made);
}

function reviewMany(state, body, reply) {
  const all = body.ids ? state.rewrites.filter((r) => body.ids.includes(r.id)) : fitting(state, (name) => body.filter[name]);
  if (body.count !== undefined && body.count !== all.length)
    return reply.problem(409, "Conflict", `these are ${all.length} rewrites by now, not as many as "count" says; nothing was changed`);
  const changed = all.filter((r) => r.review !== body.review);
  changed.forEach((r) => reviewed(r, body.review));
  return reply.json(200, { matched: all.length, changed: changed.length });
}

function oneRewrite(state, id, { method, body, headers }, reply) {
  const r = state.rewrites.find((x) => x.id === Number(id));
  if (!r) return reply.problem(404, "Not Found", `rewrite "${id}" is not known`);
  if (method === "PATCH" && headers["if-match"] && headers["if-match"] !== `"${r.version}"`)
    return reply.problem(412, "Precondition Failed", `If-Match is not the version of rewrite "${id}"`);
  return reply.json(200, method === "PATCH" ? reviewed(r, body.review) : r);
}

function tryQuery(state, body, reply) {
  const q = body.q.trim().toLowerCase().replace(/\s+/g, " ");
  return reply.json(200, state.tried[q] ?? { query: q, rewritten: q, changed: false, quoted: q, expanded: q, terms: q.split(" ").map((text) => ({ text, phrase: false, synonyms: [] })), steps: [],
    model: state.models.length ? "rewrites" : null, alias: state.models.length ? "champion" : null, version: state.models.length ? 1 : null });
}

function point(state, name, version) {
  const model = state.models.find((m) => m.name === name);
  state.before.push(model.aliases.champion);
  model.aliases.champion = version;
  for (const v of state.versions[name]) v.aliases = v.version === version ? ["champion"] : [];
}

function exported(state, version, format, section, reply) {
  if (section === "models") return reply.json(200, state.section);
  if (format === "summary") return reply.json(200, { ...state.summary, version });
  return reply.text(200, "{}\n", { "Content-Disposition": `attachment; filename="shop-ranker_v${version}-${format}.json"`, "X-Export-Note": "missing values need Solr 9.2 or later" });
}

function aboutModel(state, [name, what, third, fourth], { method, query, body }, reply) {
  const model = state.models.find((m) => m.name === name);
  if (!model) return reply.problem(404, "Not Found", `model "${name}" is not known`);
  if (!what) return reply.json(200, model);
  if (what === "versions" && fourth === "export") return exported(state, Number(third), query.get("format"), query.get("section"), reply);
  if (what === "versions") return reply.json(200, { versions: state.versions[name].slice(0, Number(query.get("page_size") ?? 50)) });
  if (what === "compare") return reply.json(200, { ...state.compare, a: Number(query.get("a")), b: Number(query.get("b")) });
  if (method === "PUT") {
    const version = state.versions[name].find((v) => v.version === body.version);
    if (version.status === "refused" && !body.force) return reply.problem(409, "Conflict", "the gate refused this version");
    point(state, name, body.version);
  } else if (fourth === "rollback") {
    const ready = state.versions[name].filter((v) => v.status === "ready" && v.version < model.aliases.champion);
    if (!state.before.length && !ready.length) return reply.problem(409, "Conflict", `model "${name}", alias "${third}": there is no version before to roll back to`);
    point(state, name, state.before.pop() ?? ready[0].version);
    state.before.pop();
  }
  return reply.json(200, { version: model.aliases.champion });
}

/** False: it is about something else. */
export function answerRewrites(state, request, reply) {
  const { method, path, query, body } = request, parts = path.split("/").filter(Boolean).slice(1).map(decodeURIComponent);
  if (path === "/v1/rewrite") return tryQuery(state, body ?? { q: query.get("q") ?? "" }, reply);
  if (path === "/v1/models") return reply.json(200, { models: state.models });
  if (parts[0] === "models") return aboutModel(state, parts.slice(1), request, reply);
  if (parts[0] !== "rewrites") return false;
  if (path === "/v1/rewrites") return method === "POST" ? addRewrite(state, body, reply) : listRewrites(state, query, reply);
  if (parts[1] === "counts") return countRewrites(state, query, reply);
  if (parts[1] === "review") return reviewMany(state, body, reply);
  if (parts[1] === "export") return reply.text(200, "# query rewrites: 1 spelling; left out: none\nipone => iphone\n");
  return oneRewrite(state, parts[1], request, reply);
}
