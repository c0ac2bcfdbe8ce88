// Curves over positions: of each click model its perplexity, or how much more rarely a position is looked at than the first one; measured ones with intervals.
import { fixed } from "../format.js";

export const titles = { gctr: "click rate", rctr: "click rate of the position", dctr: "click rate of the document", coec: "clicks over expected clicks", cm: "cascade",
  dcm: "dependent clicks", sdbn: "simplified DBN", pbm: "position-based", ubm: "user browsing", dbn: "dynamic Bayesian network", ccm: "click chain" };
export const INKS = ["var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)", "var(--series-5)", "var(--series-6)"];
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "5 5", "1 6"];

const names = (models) => Object.keys(models).filter((m) => titles[m]);
/** Best first: the model that foretells positions best; of those without an evaluation, as they come. */
export const ranked = (models) => names(models).sort((a, b) => (models[a].perplexity ?? 0) - (models[b].perplexity ?? 0));
/** Drawn: the best ones, and the two that a model has to beat. */
export const drawn = (models) => {
  const some = ranked(models).filter((m) => ["pbm", "ubm", "dbn", "ccm", "dctr", "rctr"].includes(m));
  return some.map((m, i) => ({ model: m, ink: INKS[i], dash: DASHES[i] }));
};

const curve = (values, series) => (values ?? []).map((value, i) => ({ position: i + 1, value, ...series }));
export const perplexityRows = (models) => drawn(models).flatMap((s) => curve(models[s.model].perplexity_at_rank, s));
export const lookedRows = (models) => drawn(models).filter((s) => s.model !== "dctr").flatMap((s) => curve(models[s.model].examination, s));
export const swapRows = (models) => (models.swaps ?? []).map((s) => ({ position: s.position, value: s.examination, low: s.low, high: s.high, model: "measured" }));

export const clicksHeight = (width) => (width < 640 ? 250 : 290);

const words = (at) => ([position, rows]) => `Position ${position}\n${rows.map((r) => `${r.model}: ${fixed(r.value, at)}`).join("\n")}`;

export async function drawClicks(rows, measured, digits, zero, width) {
  const Plot = await import("../plot.js");
  const all = [...rows, ...measured], positions = [...new Set(all.map((r) => r.position))].sort((a, b) => a - b);
  const models = [...new Set(rows.map((r) => r.model))].map((m) => rows.filter((r) => r.model === m));
  const tips = positions.map((p) => [p, all.filter((r) => r.position === p).sort((a, b) => b.value - a.value)]).map(([p, of]) => ({ position: p, value: of[0].value, title: words(digits)([p, of]) }));
  return Plot.plot({
    className: "plot",
    width,
    height: clicksHeight(width),
    marginLeft: 48,
    marginRight: 20,
    marginTop: 14,
    marginBottom: 40,
    style: { fontSize: "12px" },
    x: { domain: [0.7, positions[positions.length - 1] + 0.3], label: null },
    y: { domain: zero ? [0, Math.max(1, ...all.map((r) => r.high ?? r.value)) * 1.04] : [1, Math.max(...all.map((r) => r.value)) * 1.02], label: null },
    marks: [
      Plot.gridY({ ticks: 5, stroke: "var(--line)", strokeOpacity: 1 }),
      Plot.axisY({ ticks: 5, tickSize: 0, label: null, fill: "var(--quiet)" }),
      Plot.axisX({ ticks: positions, tickFormat: (p) => String(p), tickSize: 4, label: "position", labelArrow: "none", labelAnchor: "center", fill: "var(--quiet)" }),
      ...models.map((m) => Plot.line(m, { x: "position", y: "value", stroke: m[0].ink, strokeWidth: 2.25, strokeDasharray: m[0].dash, className: "curve" })),
      Plot.ruleX(measured, { x: "position", y1: "low", y2: "high", stroke: "var(--ink)", strokeWidth: 2, strokeOpacity: 0.6, className: "interval" }),
      Plot.dot(measured, { x: "position", y: "value", r: 4, fill: "var(--ink)", className: "measured" }),
      Plot.tip(tips, Plot.pointerX({ x: "position", y: "value", title: "title", fill: "var(--paper)", stroke: "var(--line)", fontSize: 12, lineHeight: 1.35, lineWidth: 24 })),
    ],
  });
}
