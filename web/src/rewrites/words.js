// Types, reviews and evidence as words.
import { count, fixed, percent } from "../format.js";

/** In the order in which they are applied. `does`: what a rule of the type does to a query. */
export const types = {
  query: { word: "Whole query, by hand", does: "takes the query's place" },
  spelling: { word: "Spelling", does: "takes the words' place" },
  head_tail: { word: "Head for tail", does: "takes the query's place" },
  remove_words: { word: "Words to remove", does: "are left out" },
  phrase: { word: "Phrase", does: "belong together" },
  synonym: { word: "Synonym", does: "is searched as well" },
};
export const reviews = {
  pending: { word: "Pending", sign: "?", tone: "waits" },
  auto: { word: "Auto", sign: "\u25cb", tone: "runs" },
  approved: { word: "Approved", sign: "\u2713", tone: "good" },
  denied: { word: "Denied", sign: "\u2715", tone: "bad" },
};
export const classes = { high: "High", medium: "Medium", low: "Low" };
export const sorts = { confidence: "Most confident", searches: "Most searched", created_at: "Newest", updated_at: "Last changed", input: "A to Z" };

export const typeWord = (type) => types[type]?.word ?? type;

const share = (x) => percent(x, Math.abs(x) < 0.1 ? 1 : 0);
const number = (x) => (Number.isInteger(x) ? count(x) : fixed(x, Math.abs(x) < 1 ? 3 : 2));
const times = (x) => `${fixed(x, x < 10 ? 1 : 0)} times`;

/** What jobs write down as evidence: the words behind its number (one, many), and how it is written; of a truth the words alone, and nothing when it is not so. In
    the order in which it says most; others follow by their name. */
const known = {
  probability: ["probability that this was meant", share], reason: ["is the reason"], gain: ["more without it", share], gain_low: ["more at least", share], overlap: ["of the clicks go to the same documents", share],
  corrected_next: [["time searched next", "times searched next"]], searched_next: [["time searched next", "times searched next"]],
  lift: ["more often together than by chance", times], distance: [["edit apart", "edits apart"]], edits: [["edit apart", "edits apart"]], sounds_same: ["sounds the same"], split: ["one word is two"],
  contexts: [["query that differs by it alone", "queries that differ by it alone"]], context: ["is such a query"], example: ["is such a query"],
  documents: [["document in common", "documents in common"], (x) => (Number.isInteger(x) ? count(x) : share(x))], shared_documents: [["document in common", "documents in common"]],
  shared_words: [["word in common", "words in common"]], text: ["likeness of the words", share], sessions: ["of the sessions go on to it", share],
  searches: [["search of it", "searches of it"]], zero_results: [["search of it found nothing", "searches of it found nothing"]], clicks: [["click for it", "clicks for it"]],
  correction_searches: ["searches of the correction"], correction_clicks: ["clicks for the correction"], correction_listed: [["list has the correction", "lists have the correction"]],
  head_searches: ["searches of the head"], head_clicks: ["clicks for the head"], click_rate: ["clicks a search of it"], head_click_rate: ["clicks a search of the head"], output_clicks: ["clicks for the other"],
  with: ["with it", share], without: ["without it", share], measure: ["is measured"], queries: [["query compared", "queries compared"]], harm: ["probability of harm", share],
  inside: ["of its clicks go to documents of the other", share], inside_back: ["of the other's clicks go to documents of it", share], edit_cost: ["cost of the edits"], words_known: ["words are known"],
  likelihood: ["likelihood that they belong together"], log10_p: ["log\u2081\u2080 p of chance"], strength: ["strength"], g: ["G\u00b2 against chance"], words: ["words"],
};
const order = Object.keys(known);
const place = (name) => (order.indexOf(name) + 1 || order.length + 1);

function piece(name, v) {
  const [word, write] = known[name] ?? [name.replaceAll("_", " ")];
  const words = Array.isArray(word) ? word[v === 1 ? 0 : 1] : word;
  if (typeof v === "boolean") return ["", words];
  if (typeof v === "string") return [name === "reason" || name === "measure" ? v.replaceAll("_", " ") : `\u201c${v}\u201d`, words];
  return [(write ?? number)(v), words];
}

/** [[value, words]…] of an evidence object, what says most first. A member that is no number, text or truth is left out. */
export function evidence(object) {
  const told = Object.entries(object ?? {}).filter(([, v]) => typeof v === "number" || v === true || (typeof v === "string" && v !== ""));
  return told.sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1)).map(([name, v]) => piece(name, v));
}

/** By words, where too little is left in common to go by characters. */
function byWords(a, b) {
  const parts = (text, other) => {
    const theirs = new Set(other.split(" "));
    return text.split(" ").flatMap((word, i) => [...(i ? [{ text: " ", same: true }] : []), { text: word, same: theirs.has(word) }]);
  };
  return [parts(a, b), parts(b, a)];
}

/** Parts of two texts: [{ text, same }…] of each, by their longest common sequence of characters, or by words. */
export function difference(a, b) {
  const x = [...a], y = [...b];
  if (x.length * y.length > 40000) return byWords(a, b);
  const best = Array.from({ length: x.length + 1 }, () => new Uint16Array(y.length + 1));
  for (let i = x.length - 1; i >= 0; i--)
    for (let k = y.length - 1; k >= 0; k--) best[i][k] = x[i] === y[k] ? best[i + 1][k + 1] + 1 : Math.max(best[i + 1][k], best[i][k + 1]);
  if (best[0][0] < 0.6 * Math.max(x.length, y.length)) return byWords(a, b);
  const out = [[], []];
  const put = (side, text, same) => {
    const last = out[side][out[side].length - 1];
    if (last && last.same === same) last.text += text;
    else out[side].push({ text, same });
  };
  let i = 0, k = 0;
  while (i < x.length || k < y.length) {
    if (i < x.length && k < y.length && x[i] === y[k]) {
      put(0, x[i++], true);
      put(1, y[k++], true);
    } else if (k === y.length || (i < x.length && best[i + 1][k] >= best[i][k + 1])) put(0, x[i++], false);
    else put(1, y[k++], false);
  }
  return out;
}
