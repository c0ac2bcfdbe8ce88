// The forest plot: one row a comparison, the estimate of the lift as a point, its interval as a line, zero as the line of no
// difference. What has no end is drawn to the edge with an arrow: an interval with an infinite end, one that leaves the figure,
// "everything but (lo, hi)" (exclusive) as two lines that leave a gap, and the whole line dashed.
import { reach, tick } from "./axis.js";
import { interval, lift, liftInterval } from "./format.js";

const NARROW = 640;      /* below this, labels stand above their line instead of beside it */
const WIDEST = 3;        /* an estimate beyond +300 % leaves the figure: its arrow and its number say so */
const STUB = 0.03;       /* of the axis: what is left of an interval that lies beyond the edge */
const inks = { better: "var(--better)", worse: "var(--worse)", no_difference: "var(--even)", not_yet: "var(--even)", none: "var(--even)" };
const symbols = { better: "triangle", worse: "triangle", no_difference: "circle", not_yet: "circle", none: "circle" };

/** The rows of the figure: metric × treatment, in the order of the table. */
export function forestRows(result, names) {
  const many = result.experiment.variants.length > 2;
  return result.metrics.flatMap((m) => m.variants.filter((v) => v.comparison).map((v, i) => ({
    id: `${m.metric}/${v.variant}`,
    first: i === 0,
    title: m.name,
    variant: many ? names.get(v.variant) : "",
    role: m.role,
    ...v.comparison,
  })));
}

/** The same of one metric by the values of a dimension: what is said of a value is what holds for all of them together. */
export function segmentRows(metric, experiment, names) {
  const many = experiment.variants.length > 2;
  return metric.values.flatMap((s) => s.variants.filter((v) => v.comparison).map((v, i) => ({
    id: `${s.value}/${v.variant}`,
    first: i === 0,
    title: s.value,
    variant: many ? names.get(v.variant) : "",
    ...v.comparison,
    outcome: v.comparison.outcome_adjusted,
    shrunk: v.comparison.shrunk?.lift ?? null,
  })));
}

/** The drawn pieces of one interval: [from, to], with an arrow where the interval goes on beyond the edge or without end. */
function pieces(row, edges) {
  const { lift_kind: kind, lift_ci: ci } = row;
  if (kind === "none") return [];
  if (kind === "whole_line" || !ci) return [piece(row, null, null, edges)];
  if (kind !== "exclusive") return [piece(row, ci[0], ci[1], edges)];
  return [piece(row, null, ci[0], edges), piece(row, ci[1], null, edges)];
}

/** A piece that lies beyond the edge altogether is a stub at that edge. */
function piece(row, lo, hi, [left, right]) {
  const stub = (right - left) * STUB;
  const from = Math.min(Math.max(lo ?? left, left), right - stub), to = Math.max(Math.min(hi ?? right, right), left + stub);
  return { ...row, from, to, goesLeft: lo === null || lo < left, goesRight: hi === null || hi > right,
    dashed: lo === null && hi === null };
}

const estimate = (r) => (r.lift_kind === "none" ? "no lift" : lift(r.lift));
const within = (r) => (r.lift_kind === "exclusive" ? `outside ${interval(r.lift_ci, lift)}` : liftInterval(r));
const summary = (r) => (r.lift_kind === "none" ? "no lift" : `${lift(r.lift)}  (${within(r)})`);
const quiet = { fontSize: 12, fill: "var(--quiet)", fontWeight: 400 };

/** On a narrow figure: title above the line, numbers below it, both with a rim so that the axis does not cross them. */
function labelsAround(Plot, rows, width) {
  const base = { y: "id", frameAnchor: "left", textAnchor: "start", dx: -10, fontSize: 13, fill: "var(--ink)", stroke: "var(--paper)",
    strokeWidth: 5, lineWidth: width / 15.5, textOverflow: "ellipsis" };
  const title = (r) => (r.variant ? `${r.title} \u00b7 ${r.variant}` : r.title);
  return [
    Plot.text(rows, { ...base, text: title, dy: -17, fontWeight: 600 }),
    Plot.text(rows, { ...base, ...quiet, text: summary, dy: 17 }),
  ];
}

/** Names at the left, where the metric stands above the first of its variants; numbers at the right. */
function labelsBeside(Plot, rows) {
  const left = { y: "id", frameAnchor: "left", textAnchor: "end", dx: -16, fontSize: 13, fill: "var(--ink)", lineWidth: 12,
    textOverflow: "ellipsis" };
  const right = { y: "id", frameAnchor: "right", textAnchor: "start", dx: 18, fontSize: 13, fill: "var(--ink)", fontVariant: "tabular-nums" };
  return [
    Plot.text(rows.filter((r) => r.first), { ...left, text: "title", fontWeight: 600, dy: rows.some((r) => r.variant) ? -15 : 0 }),
    Plot.text(rows.filter((r) => r.variant), { ...left, ...quiet, text: "variant", dy: 1, lineWidth: 14.5 }),
    Plot.text(rows, { ...right, text: estimate, fontWeight: 600, dy: -8 }),
    Plot.text(rows.filter((r) => r.lift_kind !== "none"), { ...right, ...quiet, text: within, dy: 8 }),
  ];
}

function intervals(Plot, parts) {
  const ink = (r) => inks[r.outcome] ?? inks.none;
  const line = (data, extra) => Plot.ruleY(data, { y: "id", x1: "from", x2: "to", stroke: ink, strokeWidth: 3, className: "interval", ...extra });
  const arrow = (data, x, rotate) => Plot.dot(data, { y: "id", x, symbol: "triangle", rotate, r: 5, fill: ink, className: "goes-on" });
  return [
    line(parts.filter((p) => !p.dashed), { strokeLinecap: "butt" }),
    line(parts.filter((p) => p.dashed), { strokeDasharray: "5 5", strokeWidth: 2 }),
    arrow(parts.filter((p) => p.goesLeft), "from", -90),
    arrow(parts.filter((p) => p.goesRight), "to", 90),
  ];
}

function estimates(Plot, rows, [left, right]) {
  const shown = rows.filter((r) => r.lift_kind !== "none" && r.lift !== null && r.lift >= left && r.lift <= right);
  const mark = (outcome, rotate) => Plot.dot(shown.filter((r) => r.outcome === outcome), { y: "id", x: "lift", r: 6, rotate,
    symbol: symbols[outcome], fill: inks[outcome], stroke: "var(--paper)", strokeWidth: 1.5, className: "estimate" });
  return [mark("better", 0), mark("worse", 180), mark("no_difference", 0), mark("not_yet", 0), mark("none", 0)];
}

/** Where an effect lies after it was drawn towards the common one. */
function shrunken(Plot, rows, [left, right]) {
  const shown = rows.filter((r) => r.shrunk !== null && r.shrunk !== undefined && r.shrunk >= left && r.shrunk <= right);
  return Plot.dot(shown, { y: "id", x: "shrunk", symbol: "diamond", r: 5, fill: "var(--paper)", stroke: "var(--ink)", strokeWidth: 1.75,
    className: "shrunk" });
}

const rowHeight = (width) => (width < NARROW ? 66 : 44);
export const forestHeight = (rows) => (width) => rows.length * rowHeight(width) + 44;

export async function drawForest(rows, width) {
  const Plot = await import("./plot.js");
  const narrow = width < NARROW;
  const domain = reach(rows.map((r) => r.lift), rows.flatMap((r) => (r.lift_kind === "bounded" ? r.lift_ci : [])), WIDEST);
  const parts = rows.flatMap((r) => pieces(r, domain));
  return Plot.plot({
    className: "plot",
    width,
    height: forestHeight(rows)(width),
    marginLeft: narrow ? 12 : 210,
    marginRight: narrow ? 12 : 224,
    marginTop: 8,
    marginBottom: 36,
    style: { fontSize: "12px" },
    x: { domain, label: null },
    y: { type: "point", domain: rows.map((r) => r.id), axis: null, padding: 0.5 },
    marks: [
      Plot.gridX({ ticks: narrow ? 4 : 7, stroke: "var(--line)", strokeOpacity: 1 }),
      Plot.axisX({ ticks: narrow ? 4 : 7, tickFormat: tick, tickSize: 0, label: null, fill: "var(--quiet)" }),
      Plot.ruleX([0], { stroke: "var(--ink)", strokeWidth: 1.25, className: "no-difference" }),
      ...intervals(Plot, parts),
      ...estimates(Plot, rows, domain),
      shrunken(Plot, rows, domain),
      ...(narrow ? labelsAround(Plot, rows, width) : labelsBeside(Plot, rows)),
    ],
  });
}
