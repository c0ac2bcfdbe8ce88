// What the views of models ask the daemon.
import { ask } from "../api.js";

const of = (model) => `/v1/models/${encodeURIComponent(model)}`;
const PAGE = 100;

async function pages(path, list, most) {
  const all = [];
  let token = null;
  do {
    const answer = await ask(`${path}?page_size=${PAGE}${token ? `&page_token=${encodeURIComponent(token)}` : ""}`);
    all.push(...answer[list]);
    token = answer.next_page_token ?? null;
  } while (token && all.length < most);
  return all;
}

/** Every model, with its last versions, newest first. */
export async function getModels() {
  const { models } = await ask("/v1/models");
  const versions = await Promise.all(models.map((m) => ask(`${of(m.name)}/versions?page_size=20`).then((a) => a.versions)));
  return models.map((m, i) => ({ ...m, recent: versions[i] }));
}

/** One model and its versions, newest first. */
export async function getModel(name) {
  const [model, versions] = await Promise.all([ask(of(name)), pages(`${of(name)}/versions`, "versions", 500)]);
  return { model, versions };
}

export const compare = (name, a, b) => ask(`${of(name)}/compare?a=${a}&b=${b}`);
/** `expected`: what the alias pointed to when it was read; another's change in between is refused. */
export const pointTo = (name, alias, version, expected, force) =>
  ask(`${of(name)}/aliases/${encodeURIComponent(alias)}`, { method: "PUT", body: { version, ...(expected && { expected }), ...(force && { force }) } });
export const rollBack = (name, alias) => ask(`${of(name)}/aliases/${encodeURIComponent(alias)}/rollback`, { method: "POST", body: {} });
