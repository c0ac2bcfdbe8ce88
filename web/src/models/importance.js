// What features matter to a ranker, as bars: the share of the gain of all splits, or how much worse queries are ranked when its values are shuffled, or its weight.
import { fixed, percent } from "../format.js";

export const SHOWN = 15;

/** What can be shown of a summary, the most telling first. */
export const measuresOf = (summary) => [
  summary.measured?.some((m) => Number.isFinite(m.permutation)) && "permutation",
  summary.importance.some((i) => i.gain > 0) && "gain",
  summary.type === "linear" && "weight",
  summary.type === "trees" && "splits",
].filter(Boolean);

export const measures = {
  permutation: { word: "loss when shuffled", what: "How much of the metric is lost when the values of a feature change places among the held-out documents." },
  gain: { word: "share of the gain", what: "The share that splits on a feature have in the gain of all splits." },
  splits: { word: "splits", what: "How many splits ask for a feature." },
  weight: { word: "weight", what: "The weight of one standard deviation of a feature; it raises the score or lowers it." },
};

/** {name, value, text}, the most important first. */
export function importanceRows(summary, measure) {
  const total = summary.importance.reduce((sum, i) => sum + (i.gain ?? 0), 0) || 1;
  const list = measure === "permutation" ? summary.measured : summary.importance;
  const value = { permutation: (i) => i.permutation, gain: (i) => i.gain / total, splits: (i) => i.splits, weight: (i) => i.weight }[measure];
  const text = { permutation: (x) => fixed(x, 4), gain: percent, splits: (x) => fixed(x, 0), weight: (x) => fixed(x, 3) }[measure];
  return list.map((i) => ({ name: i.name, value: value(i) ?? 0 })).sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).map((r) => ({ ...r, text: text(r.value) }));
}

export const importanceHeight = (rows) => 26 * rows.length + 12;
const cut = (name, most) => (name.length > most ? `${name.slice(0, most - 1)}\u2026` : name);

export async function drawImportance(rows, width) {
  const Plot = await import("../plot.js");
  const most = width < 640 ? 16 : 30, room = Math.min(most, Math.max(...rows.map((r) => r.name.length))) * 7 + 14;
  const low = Math.min(0, ...rows.map((r) => r.value)), high = Math.max(0, ...rows.map((r) => r.value)), margin = (high - low || 1) * (width < 640 ? 0.32 : 0.2);
  return Plot.plot({
    className: "plot",
    width,
    height: importanceHeight(rows),
    marginLeft: room,
    marginRight: 8,
    marginTop: 4,
    marginBottom: 8,
    style: { fontSize: "12px" },
    x: { domain: [low < 0 ? low - margin : 0, high > 0 ? high + margin : 0], axis: null },
    y: { domain: rows.map((r) => r.name), label: null, padding: 0.25 },
    marks: [
      Plot.axisY({ tickSize: 0, tickFormat: (name) => cut(name, most), label: null, fill: "var(--ink)" }),
      Plot.barX(rows, { x: "value", y: "name", fill: (r) => (r.value < 0 ? "var(--worse)" : "var(--bar)"), className: "bars" }),
      Plot.text(rows.filter((r) => r.value >= 0), { x: "value", y: "name", text: "text", textAnchor: "start", dx: 5, fill: "var(--quiet)" }),
      Plot.text(rows.filter((r) => r.value < 0), { x: "value", y: "name", text: "text", textAnchor: "end", dx: -5, fill: "var(--quiet)" }),
      Plot.ruleX([0], { stroke: "var(--line)" }),
    ],
  });
}
