// Judgment sets and query sets of the mock: recorded answers that can be graded, added to and deleted.
const copy = (x) => JSON.parse(JSON.stringify(x));

/** What was recorded, or nothing. */
export function judgmentsOf(fixtures, { empty = false } = {}) {
  if (empty) return { sets: [], ratings: {}, querySets: [], queries: {} };
  const { sets, ratings } = copy(fixtures.get("judgments")), { query_sets, queries } = copy(fixtures.get("query_sets"));
  return { sets, ratings, querySets: query_sets, queries };
}

const by = (a, b) => (a.query < b.query ? -1 : a.query > b.query ? 1 : a.doc < b.doc ? -1 : a.doc > b.doc ? 1 : 0);

/** The daemon's tally, for whole grades. */
function edited(state, set) {
  const rows = state.ratings[set.name], given = rows.filter((r) => r.grade !== null), grades = new Map();
  given.forEach((r) => grades.set(r.grade, (grades.get(r.grade) ?? 0) + 1));
  set.version++;
  set.tally = { queries: new Set(rows.map((r) => r.query)).size, documents: new Set(rows.map((r) => r.doc)).size, judgments: given.length, unjudged: rows.length - given.length,
    human: given.filter((r) => r.source === "human").length, grades: [...grades].sort((a, b) => a[0] - b[0]).map(([g, count]) => ({ from: g, to: g, count })) };
  return { name: set.name, version: set.version };
}

function queriesOf(state, name, query) {
  const found = new Map(), text = query.get("text")?.toLowerCase();
  for (const r of state.ratings[name].filter((x) => !text || x.query.toLowerCase().includes(text))) {
    const q = found.get(r.query) ?? { query: r.query, documents: 0, judged: 0, human: 0, highest: null, mean: null };
    found.set(r.query, { ...q, documents: q.documents + (r.doc !== ""), judged: q.judged + (r.grade !== null), human: q.human + (r.source === "human" && r.grade !== null) });
  }
  return [...found.values()].filter((q) => query.get("unjudged") !== "true" || q.judged < q.documents);
}

function putRating(state, set, body, reply) {
  if (body.grade > set.max_grade) return reply.problem(400, "Bad Request", `the grade is ${body.grade}, above ${set.max_grade}, the highest of judgment set "${set.name}"`);
  const row = { doc: "", grade: null, confidence: null, evidence: null, source: "human", judge: "admin.key", edited_at: new Date().toISOString(), ...body };
  state.ratings[set.name] = [...state.ratings[set.name].filter((r) => r.query !== row.query || (r.doc !== row.doc && r.doc !== "")), row].sort(by);
  return reply.json(200, edited(state, set));
}

function aboutSet(state, set, what, { method, query, body }, reply) {
  const rows = state.ratings[set.name];
  if (!what) return reply.json(200, set);
  if (what === "queries") return reply.json(200, { version: set.version, queries: queriesOf(state, set.name, query), next_page_token: null });
  if (what === "export") return reply.text(200, "query,docid,rating");
  if (what === "import") return reply.json(200, { ...edited(state, set), rows: String(body).split("\n").length - 1, created: 1, changed: 0, unchanged: 0, deleted: 0 });
  if (method === "PUT") return putRating(state, set, body, reply);
  if (method === "DELETE") {
    state.ratings[set.name] = rows.filter((r) => r.query !== query.get("query") || r.doc !== query.get("doc"));
    return reply.json(200, edited(state, set));
  }
  return reply.json(200, { version: set.version, ratings: rows.filter((r) => r.query === query.get("query")), next_page_token: null });
}

function aboutQuerySet(state, set, what, { method, query, body }, reply) {
  const queries = state.queries[set.name];
  if (!what) return reply.json(200, set);
  if (what === "export") return reply.text(200, queries.map((q) => q.query).join("\n"));
  if (method === "GET") return reply.json(200, { version: set.version, queries, next_page_token: null });
  if (method === "PUT") queries.push({ position: queries.length + 1, weight: 1, ...body });
  else state.queries[set.name] = queries.filter((q) => q.query !== query.get("query"));
  Object.assign(set, { version: set.version + 1, queries: state.queries[set.name].length });
  return reply.json(200, { name: set.name, version: set.version, queries: set.queries });
}

/** False: it is about something else. */
export function answerJudgments(state, request, reply) {
  const { method, path, body } = request, [kind, name, what] = path.split("/").filter(Boolean).slice(1).map(decodeURIComponent);
  const judged = kind === "judgments", list = judged ? "sets" : "querySets";
  if (!judged && kind !== "query-sets") return false;
  if (!name && method === "POST") {
    const made = { name: body.name, version: 1, description: body.description ?? "", source: "human", max_grade: body.max_grade, tally: {}, spec: {}, updated_at: new Date().toISOString(), updated_by: "admin.key" };
    state.sets.push(made);
    state.ratings[body.name] = [];
    return reply.json(201, made);
  }
  if (!name) return reply.json(200, judged ? { judgment_sets: state.sets } : { query_sets: state.querySets });
  const set = state[list].find((s) => s.name === name);
  if (!set) return reply.problem(404, "Not Found", `there is no ${judged ? "judgment" : "query"} set "${name}"`);
  if (!what && method === "DELETE") {
    state[list] = state[list].filter((s) => s !== set);
    return reply.none();
  }
  return (judged ? aboutSet : aboutQuerySet)(state, set, what, request, reply);
}
