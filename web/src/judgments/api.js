// What the views of judgments ask the daemon.
import { ask } from "../api.js";

const set = (name) => `/v1/judgments/${encodeURIComponent(name)}`;
const querySet = (name) => `/v1/query-sets/${encodeURIComponent(name)}`;
const asked = (pairs) => new URLSearchParams(Object.entries(pairs).filter(([, v]) => v !== "" && v !== false && v !== null && v !== undefined)).toString();

async function pages(path, list, pages) {
  const all = [];
  let token = null;
  for (let page = 0; page < pages; page++) {
    const answer = await ask(`${path}${token ? `&page_token=${encodeURIComponent(token)}` : ""}`);
    all.push(...answer[list]);
    token = answer.next_page_token ?? null;
    if (!token) break;
  }
  return { [list]: all, more: token !== null };
}

export const getSets = async () => (await ask("/v1/judgments")).judgment_sets;
export const getSet = (name) => ask(set(name));
export const makeSet = (body) => ask("/v1/judgments", { method: "POST", body });
/** The first pages of a set's queries, by text. */
export const getQueries = (name, { text, unjudged }, n) => pages(`${set(name)}/queries?${asked({ limit: 100, text, unjudged })}`, "queries", n);
export const getRatings = async (name, query) => (await pages(`${set(name)}/ratings?${asked({ limit: 1000, query })}`, "ratings", 5)).ratings;
export const putRating = (name, rating) => ask(`${set(name)}/ratings`, { method: "PUT", body: rating });
export const removeRating = (name, query, doc) => ask(`${set(name)}/ratings?${asked({ query, doc })}`, { method: "DELETE" });
export const removeSet = (name) => ask(set(name), { method: "DELETE" });

export const getQuerySets = async () => (await ask("/v1/query-sets")).query_sets;
export const getQuerySet = async (name, n) => {
  const [one, found] = await Promise.all([ask(querySet(name)), pages(`${querySet(name)}/queries?limit=200`, "queries", n)]);
  return { ...one, list: found.queries, more: found.more };
};
export const putQuery = (name, row) => ask(`${querySet(name)}/queries`, { method: "PUT", body: row });
export const removeQuery = (name, query) => ask(`${querySet(name)}/queries?${asked({ query })}`, { method: "DELETE" });
export const removeQuerySet = (name) => ask(querySet(name), { method: "DELETE" });

/** A file into a set, which is made when it is not there. kind: "judgments" or "query-sets". */
export const importFile = (kind, name, format, mode, text) => ask(`/v1/${kind}/${encodeURIComponent(name)}/import?${asked({ format, mode })}`, { method: "POST", body: text });
export const exportPath = (kind, name, format) => `/v1/${kind}/${encodeURIComponent(name)}/export?${asked({ format })}`;
