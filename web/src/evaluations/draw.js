// The figures of an evaluation: means with intervals, how queries differ, one search against another. Nothing is computed but where a bar begins and ends.
import { inks, score, signed, between, metricWord } from "./words.js";

const BARS = 21;

export const meansHeight = (n) => () => 52 + 34 * n;

/** A dot and its interval a search. */
export async function drawMeans(searches, metric, width) {
  const Plot = await import("../plot.js");
  const rows = searches.map((s, i) => ({ name: s.name, ink: inks[i % inks.length], ...s.metrics[metric] })).filter((r) => r.mean !== null && r.mean !== undefined);
  const far = Math.max(...rows.map((r) => r.high ?? r.mean), 0.01);
  const left = Math.min(150, 16 + 8 * Math.max(...rows.map((r) => r.name.length)));
  return Plot.plot({
    width, height: meansHeight(rows.length)(), marginLeft: left, marginRight: 20, marginBottom: 34, className: "plot",
    x: { domain: [0, far * 1.05], label: metricWord(metric), ticks: width < 500 ? 4 : 8 }, y: { domain: rows.map((r) => r.name), label: null },
    marks: [
      Plot.gridX({ stroke: "var(--line)", strokeOpacity: 1 }),
      Plot.barX(rows, { x: "mean", y: "name", fill: "ink", fillOpacity: 0.28, insetTop: 6, insetBottom: 6 }),
      Plot.ruleY(rows.filter((r) => r.low !== null), { x1: "low", x2: "high", y: "name", stroke: "ink", strokeWidth: 2.5, className: "interval" }),
      Plot.dot(rows, { x: "mean", y: "name", fill: "ink", r: 5, className: "estimate" }),
      Plot.axisY({ label: null, tickSize: 0 }),
      Plot.tip(rows, Plot.pointerX({ x: "mean", y: "name", title: (r) => `${r.name}\n${score(r.mean)}\n${between(r.low, r.high)}` })),
    ],
  });
}

/** Bars of equal width around 0; their sides by sign. */
export function bars(points) {
  const differences = points.map((x) => x.b - x.a), far = Math.max(...differences.map(Math.abs), 0.05), step = (2 * far) / BARS;
  const counts = Array.from({ length: BARS }, (_, i) => ({ from: -far + i * step, to: -far + (i + 1) * step, count: 0 }));
  for (const d of differences) counts[Math.min(BARS - 1, Math.floor((d + far) / step))].count++;
  return counts;
}

const side = (r) => (r.to <= 0 || r.from + r.to < -1e-9 ? "var(--worse)" : r.from + r.to > 1e-9 ? "var(--better)" : "var(--even)");

export const differencesHeight = () => 230;

export async function drawDifferences(points, pair, metric, width) {
  const Plot = await import("../plot.js");
  const rows = bars(points).filter((r) => r.count > 0), far = Math.max(...rows.map((r) => Math.max(Math.abs(r.from), Math.abs(r.to))));
  return Plot.plot({
    width, height: differencesHeight(), marginLeft: 44, marginRight: 14, marginBottom: 38, className: "plot",
    x: { domain: [-far, far], label: `\u2190 ${pair.a} better     ${metricWord(metric)}, ${pair.b} \u2212 ${pair.a}     ${pair.b} better \u2192`, labelAnchor: "center", labelArrow: "none", ticks: width < 420 ? 4 : 8, tickFormat: signed },
    y: { label: "queries", grid: false, ticks: 4 },
    marks: [
      Plot.gridY({ ticks: 4, stroke: "var(--line)", strokeOpacity: 1 }),
      Plot.rectY(rows, { x1: "from", x2: "to", y: "count", fill: side, insetLeft: 0.5, insetRight: 0.5, className: "bars" }),
      Plot.ruleX([0], { stroke: "var(--ink)" }),
      Plot.ruleY([0], { stroke: "var(--edge)" }),
    ],
  });
}

export const scatterHeight = (width) => Math.min(Math.max(width, 240), 380);

export async function drawScatter(points, pair, metric, width) {
  const Plot = await import("../plot.js");
  const far = Math.max(...points.flatMap((x) => [x.a, x.b]), 0.05);
  return Plot.plot({
    width, height: scatterHeight(width), marginLeft: 44, marginBottom: 38, marginRight: 14, className: "plot",
    x: { domain: [0, far], label: `${pair.a} \u2192`, ticks: 5 }, y: { domain: [0, far], label: `\u2191 ${pair.b}`, ticks: 5 },
    marks: [
      Plot.gridX({ ticks: 5, stroke: "var(--line)", strokeOpacity: 1 }),
      Plot.gridY({ ticks: 5, stroke: "var(--line)", strokeOpacity: 1 }),
      Plot.line([[0, 0], [far, far]], { stroke: "var(--even)", strokeDasharray: "4 3" }),
      Plot.dot(points, { x: "a", y: "b", r: 4, fill: (x) => (x.b > x.a ? "var(--better)" : x.b < x.a ? "var(--worse)" : "var(--even)"), fillOpacity: 0.55, symbol: (x) => (x.b > x.a ? "triangle" : x.b < x.a ? "square" : "circle"), className: "points" }),
      Plot.tip(points, Plot.pointer({ x: "a", y: "b", title: (x) => `${x.query}\n${pair.a} ${score(x.a)}\n${pair.b} ${score(x.b)}` })),
    ],
    symbol: { legend: false },
  });
}
