// Metrics, differences and lists as words. Which of two is better the daemon has decided (Holm over the metrics).
import { fixed, NONE, p, percent } from "../format.js";

export const inks = ["var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)", "var(--series-5)", "var(--series-6)", "var(--bar)", "var(--even)"];
export const score = (x) => fixed(x, 3);
export const signed = (x) => (x === null || x === undefined ? NONE : `${x > 0 ? "+" : ""}${fixed(x, 3)}`);
export const between = (lo, hi, write = score) => (lo === null || lo === undefined ? NONE : `${write(lo)} to ${write(hi)}`);
export const share = (x) => percent(x, x !== null && x > 0.995 && x < 1 ? 1 : 0);

const asWord = { ndcg: "nDCG", mrr: "MRR", map: "MAP", err: "ERR", rbp: "RBP" };
/** "ndcg@10" → "nDCG@10" */
export const metricWord = (name) => name.replace(/^[a-z]+(?=$|[@(])/, (word) => asWord[word] ?? word);

/** One sentence of a pair's metric. */
export function verdict(pair, name) {
  const m = pair?.metrics[name];
  if (!m) return { tone: "not_yet", sign: "?", title: "Not compared", text: "Fewer than two queries have both a judgment and an answer of both searches." };
  const by = `${metricWord(name)} ${signed(m.difference)} (${between(m.low, m.high, signed)}), p ${p(m.p_adjusted)} over all metrics.`;
  if (m.better === "b") return { tone: "better", sign: "+", title: `${pair.b} is better than ${pair.a}`, text: by };
  if (m.better === "a") return { tone: "worse", sign: "\u2212", title: `${pair.b} is worse than ${pair.a}`, text: by };
  return { tone: "no_difference", sign: "=", title: `${pair.a} and ${pair.b} cannot be told apart`, text: by };
}

/** Where a document of b stands beside a: from its rank there; null: it is new. */
export function moves(a, b) {
  const was = new Map((a?.docs ?? []).map((d, i) => [d.doc, i + 1]));
  return (b?.docs ?? []).map((d, i) => ({ ...d, rank: i + 1, before: was.get(d.doc) ?? null }));
}

export function moveWord({ rank, before }) {
  if (before === null) return "new";
  return before === rank ? "" : before > rank ? `\u2191${before - rank}` : `\u2193${rank - before}`;
}
