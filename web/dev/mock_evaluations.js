// Evaluations of the mock: what was recorded, put into order and paged as the daemon does.

/** `fixtures`: evaluations, and of each the queries by search. */
export function evaluationsOf(fixtures, { empty = false } = {}) {
  return { evaluations: empty ? [] : fixtures.get("evaluations"), queries: empty ? {} : fixtures.get("queries") };
}

const holes = (list) => (list?.docs ?? []).filter((d) => d.grade === null).length;

function rowsOf(state, e, query) {
  const a = state.queries[e.id][query.get("a")], b = query.get("b") ? state.queries[e.id][query.get("b")] : null, text = query.get("search")?.toLowerCase();
  const at = Math.max(0, e.metrics.indexOf(query.get("metric")));
  const gain = (r) => (r.a.metrics && r.b?.metrics ? r.b.metrics[at] - r.a.metrics[at] : null);
  const keys = { position: (r) => r.position, gain: (r) => (gain(r) === null ? null : -gain(r)), loss: gain, low: (r) => r.a.metrics?.[at] ?? null, holes: (r) => -holes(r.a) - holes(r.b) };
  const key = keys[query.get("sort") ?? "position"];
  const order = (x, y) => (key(x) === null) - (key(y) === null) || (key(x) ?? 0) - (key(y) ?? 0) || x.position - y.position;
  return a.map((r, i) => ({ ...r, b: b ? b[i].a : null })).filter((r) => !text || r.query.toLowerCase().includes(text)).sort(order);
}

/** False: none of its paths. */
export function answerEvaluations(state, { path, query }, reply) {
  if (path === "/v1/evaluations") return reply.json(200, { evaluations: state.evaluations, next_page_token: null });
  const [, id, what] = /^\/v1\/evaluations\/([^/]+)(?:\/(queries|points))?$/.exec(path) ?? [];
  if (!id) return false;
  const e = state.evaluations.find((x) => x.id === id);
  if (!e) return reply.problem(404, "Not Found", "there is no such evaluation");
  if (!what) return reply.json(200, e);
  const rows = rowsOf(state, e, query), at = e.metrics.indexOf(query.get("metric"));
  if (what === "points") return reply.json(200, { points: rows.filter((r) => r.a.metrics && r.b?.metrics).map((r) => ({ position: r.position, query: r.query, a: r.a.metrics[at], b: r.b.metrics[at] })) });
  const from = Number(query.get("page_token") ?? 0), limit = Number(query.get("limit") ?? 50);
  return reply.json(200, { total: rows.length, queries: rows.slice(from, from + limit), next_page_token: from + limit < rows.length ? String(from + limit) : null });
}
