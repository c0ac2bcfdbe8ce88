// Sets, grades and agreement as words.
import { fixed, NONE } from "../format.js";

export const sources = { human: "by people", clicks: "from clicks", merged: "people and clicks", import: "imported" };
export const methods = { model: "click model", coec: "clicks over expected clicks", click_skip: "clicks among clicked and passed over" };
export const samplings = { manual: "by people", topn: "most searched", pptss: "in proportion to searches", random: "at random", stratified: "head, torso, tail" };
export const formats = {
  judgments: { quepid: ["Quepid CSV", "csv"], srw: ["Search Relevance Workbench", "json"], trec: ["TREC qrels", "qrels"], csv: ["CSV", "csv"], jsonl: ["JSON lines", "jsonl"],
    letor: ["LETOR", "txt"], rre: ["Rated Ranking Evaluator", "json"] },
  "query-sets": { text: ["Text, a query a line", "txt"], csv: ["CSV", "csv"], jsonl: ["JSON lines", "jsonl"], srw: ["Search Relevance Workbench", "json"] },
};

export const grade = (g) => (g === null || g === undefined ? NONE : Number.isInteger(g) ? String(g) : fixed(g, 2));
/** The grades that are buttons: whole ones, while they are few. */
export const buttons = (max) => (max <= 10 ? Array.from({ length: Math.floor(max) + 1 }, (_, i) => i) : null);

/** What kappa is called: Landis and Koch, 1977. */
export function kappaWord(k) {
  if (k === null || k === undefined) return "";
  return k < 0 ? "worse than chance" : k <= 0.2 ? "slight" : k <= 0.4 ? "fair" : k <= 0.6 ? "moderate" : k <= 0.8 ? "substantial" : "almost perfect";
}
