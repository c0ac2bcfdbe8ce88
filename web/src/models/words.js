// Versions, gates and metrics as words.
import { fixed, NONE, percent } from "../format.js";

export const statuses = {
  ready: { word: "Passed", sign: "\u2713", tone: "good" },
  refused: { word: "Refused", sign: "\u2715", tone: "bad" },
  pending: { word: "Pending", sign: "\u2026", tone: "waits" },
  deleted: { word: "Deleted", sign: "\u2013", tone: "off" },
};
export const kinds = {
  recommender: "recommendations", queries: "related queries", boosts: "boosts", clicks: "click models", rewrites: "rewrites of queries",
  catalogue: "catalogue for filters", ranker: "ranking", classifier: "what a text is", clusters: "groups of documents", vectors: "word vectors",
};

/** What is whole is written whole. */
export function metricValue(x) {
  if (x === null || x === undefined) return NONE;
  return Number.isInteger(x) ? fixed(x, 0) : fixed(x, Math.abs(x) < 0.1 ? 4 : 3);
}
export const interval = (m) => (m?.low === null || m?.low === undefined ? "" : `${metricValue(m.low)} to ${metricValue(m.high)}`);

/** Of models whose gate compares no metric. */
const TELLING = ["recovered", "documents"];

/** The metric that says most: the one that the gate looked at, else the first with an interval, else the first. */
export function mainMetric(versions) {
  const named = versions.map((v) => v.card?.params?.gate_metric).find((name) => name && versions.some((v) => v.metrics?.[name]));
  if (named) return named;
  const names = metricNames(versions);
  return names.find((name) => TELLING.includes(name)) ?? names.find((name) => versions.some((v) => Number.isFinite(v.metrics?.[name]?.low))) ?? names[0] ?? null;
}

/** Beside metrics a version may have tables, which have no value. */
export const metricNames = (versions) => [...new Set(versions.flatMap((v) => Object.entries(v.metrics ?? {}).filter(([, m]) => m && "value" in m).map(([name]) => name)))];
export const isChampion = (v) => v.aliases?.includes("champion");

/** Why the gate let it pass, or not. */
export const reasonOf = (v) => v.gate?.reason ?? (v.status === "ready" ? "nothing looked at it" : "");
const whole = (date) => date.replaceAll("-", "\u2011"); /* it does not break */
export const days = (window) => (window?.until ? (window.from ? `${whole(window.from)} to ${whole(window.until)}` : `up to ${whole(window.until)}`) : NONE);
export const bytes = (n) => (n >= 1 << 20 ? `${fixed(n / (1 << 20), 1)} MiB` : `${fixed(n / 1024, 1)} KiB`);
export const overlap = (x) => (x === null ? NONE : percent(x));
/** What a group is called: clusters have numbers. */
const groupNames = { short_doc: "Short", long_doc: "Long", outlier_alone: "Alone" };
export const groupWord = (g) => groupNames[g.cluster] ?? (/^\d+$/.test(g.cluster) ? `Group ${g.cluster}` : g.cluster.startsWith("outlier_group") ? `Outliers ${g.cluster.slice(13)}` : g.cluster);

/** What versions of a kind are judged on, where it is not later days. */
export const judgedOn = {
  classifier: "On texts that were held out.", clusters: "On documents that nothing was trained on.", vectors: "On sentences that nothing was trained on.",
};
