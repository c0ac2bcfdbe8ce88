// What the views of models ask the daemon.
import { ask, saveFile } from "../api.js";
import { liveEvidence } from "./steps.js";

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
  const [model, versions, loop] = await Promise.all([ask(of(name)), pages(`${of(name)}/versions`, "versions", 500), getLoop(name)]);
  return { model, versions, loop };
}

/** A section that is JSON. */
export const getSection = (name, version, section) => ask(`${of(name)}/versions/${version}/export?section=${section}`);
export const compare = (name, a, b) => ask(`${of(name)}/compare?a=${a}&b=${b}`);
/** Size, importances and formats of a version of a ranker. */
export const getSummary = (name, version) => ask(`${of(name)}/versions/${version}/export?format=summary`);
/** Returns what users of the file are to know, or null. */
export const saveRanker = (name, version, format) => saveFile(`${of(name)}/versions/${version}/export?format=${format}`, "x-export-note");
/** `expected`: what the alias pointed to when it was read; another's change in between is refused. */
export const pointTo = (name, alias, version, expected, force) =>
  ask(`${of(name)}/aliases/${encodeURIComponent(alias)}`, { method: "PUT", body: { version, ...(expected && { expected }), ...(force && { force }) } });
export const rollBack = (name, alias) => ask(`${of(name)}/aliases/${encodeURIComponent(alias)}/rollback`, { method: "POST", body: {} });

/** The story, and the result of what is being tried now. */
export async function getStory(name) {
  const story = await ask(`${of(name)}/story?page_size=200`), state = story.loop?.state;
  if (!state?.experiment) return { story, live: null };
  const path = `/v1/experiments/${encodeURIComponent(state.experiment)}`;
  const [results, series] = await Promise.all([ask(`${path}/results`), ask(`${path}/timeseries`)].map((wait) => wait.catch(() => null)));
  return { story, live: liveEvidence(results, series) };
}
/** The loop of a model; null: it has none. */
export const getLoop = (name) => ask(`${of(name)}/story?page_size=1`).then((s) => ({ loop: s.loop, last: s.steps[0] ?? null }));
export const loopAct = (name, what) => ask(`${of(name)}/loop/${what}`, { method: "POST", body: {} });
/** What the served version says of each input, in their order. */
export const predict = (name, inputs) => ask(`${of(name)}/predict`, { body: { inputs } }).then((a) => a.predictions);
