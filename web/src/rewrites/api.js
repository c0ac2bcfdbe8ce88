// What the views of rewrites ask the daemon.
import { ask } from "../api.js";

const filled = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== "" && value !== null && value !== undefined));
const PAGE = 50;

/** The first `pages` pages of what the filter asks for, in an order. */
export async function getRewrites(filter, sort, pages) {
  const all = { rewrites: [], more: false };
  for (let page = 0, token = null; page < pages && (page === 0 || token); page++) {
    const answer = await ask(`/v1/rewrites?${new URLSearchParams(filled({ ...filter, sort, page_size: PAGE, page_token: token }))}`);
    all.rewrites.push(...answer.rewrites);
    token = answer.next_page_token;
    all.more = Boolean(token);
  }
  return all;
}

export const getCounts = (filter = {}) => ask(`/v1/rewrites/counts?${new URLSearchParams(filled(filter))}`);

/** `rewrite`: as it was read; another's review in between is refused with kind "changed". */
export const review = (rewrite, decision) =>
  ask(`/v1/rewrites/${rewrite.id}`, { method: "PATCH", body: { review: decision }, headers: { "If-Match": `"${rewrite.version}"` } });

/** `what`: { ids } or { filter, count }, the count that the reviewer saw. */
export const reviewMany = (what, decision, note) => ask("/v1/rewrites/review", { method: "POST", body: { ...what, review: decision, ...(note && { note }) } });

export const addRewrite = (rewrite) => ask("/v1/rewrites", { method: "POST", body: rewrite });
export const removeRewrite = (rewrite) => ask(`/v1/rewrites/${rewrite.id}`, { method: "DELETE" });

export const rewriteQuery = (q, more = {}) => ask("/v1/rewrite", { method: "POST", body: filled({ q, ...more }) });
