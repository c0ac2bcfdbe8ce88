// The story of a model as trials: what was tried, how it ended and by what, from steps that the daemon wrote, newest first.
import { tick } from "../axis.js";
import { count, lift, NONE, percent, plural } from "../format.js";
import { metricValue } from "./words.js";

/** How a step reads: its word, a sign, and what it means for the reader. */
export const stepWords = {
  on: { word: "Loop on", sign: "\u25cf", tone: "off" },
  changed: { word: "Loop changed", sign: "\u270e", tone: "off" },
  off: { word: "Loop off", sign: "\u25cb", tone: "off" },
  trained: { word: "Trained", sign: "\u2713", tone: "good" },
  refused: { word: "Refused by its gate", sign: "\u2715", tone: "bad" },
  queued: { word: "Waits", sign: "\u2026", tone: "waits" },
  challenger: { word: "Challenger", sign: "\u2713", tone: "good" },
  started: { word: "Tried on users", sign: "\u25b6", tone: "waits" },
  noticed: { word: "Noticed", sign: "!", tone: "waits" },
  paused: { word: "Paused", sign: "\u2016", tone: "waits" },
  awaiting: { word: "Waits for a person", sign: "?", tone: "waits" },
  approved: { word: "Approved", sign: "\u2713", tone: "good" },
  rejected: { word: "Rejected", sign: "\u2715", tone: "bad" },
  promoted: { word: "Champion", sign: "\u2191", tone: "good" },
  dropped: { word: "Dropped", sign: "\u2193", tone: "bad" },
  timed_out: { word: "Timed out", sign: "\u2193", tone: "off" },
  rolled_back: { word: "Rolled back", sign: "\u21a9", tone: "bad" },
  stopped: { word: "Stopped", sign: "\u25a0", tone: "off" },
};

const ENDS = ["promoted", "dropped", "timed_out", "rolled_back", "rejected", "stopped"];
/** The way to users: what the gate said of a version belongs to its trial. */
const BEFORE = ["challenger", "queued"];

/** Trials, newest first: {version, against, steps (oldest first), end, evidence}; `end` null: it is under way. */
export function trialsOf(steps) {
  const trials = [];
  let open = null, before = [];
  for (const step of [...steps].reverse()) {
    if (step.step === "started") {
      open = { version: step.version, experiment: step.experiment, phase: step.phase, started: step, steps: [...before.filter((s) => s.version === step.version), step], end: null };
      before = before.filter((s) => s.version !== step.version);
      trials.unshift(open);
    } else if (BEFORE.includes(step.step)) {
      before.push(step);
    } else if (open && step.version === open.version) {
      open.steps.push(step);
      if (ENDS.includes(step.step)) {
        open.end = step;
        open = null;
      }
    }
  }
  return trials;
}

/** The evidence of what is under way, from the experiment's own answers. */
export function liveEvidence(results, series) {
  if (!results) return null;
  const pair = results.preference?.pairs?.[0];
  if (pair) return { measure: "delta", value: pair.units_test?.delta, low: pair.units_test?.delta_ci?.[0], high: pair.units_test?.delta_ci?.[1], level: results.level,
    text: results.verdict?.text, series: (pair.days ?? []).map((d) => ({ day: d.day, units: d.units, value: d.delta, low: d.delta_ci?.[0], high: d.delta_ci?.[1] })) };
  const metric = results.metrics.find((m) => m.role === "primary") ?? results.metrics[0];
  const c = metric?.variants?.[1]?.comparison;
  if (!c) return null;
  const asLift = c.lift_kind === "bounded";
  const days = series?.metrics.find((m) => m.metric === metric.metric)?.days ?? [];
  const of = (v) => (asLift ? { value: v.lift, low: v.lift_ci?.[0], high: v.lift_ci?.[1] } : { value: v.difference, low: v.difference_ci?.[0], high: v.difference_ci?.[1] });
  return { measure: asLift ? "lift" : "difference", metric_name: metric.name, ...of(c), level: results.level, text: results.decision?.text,
    units: Object.fromEntries(metric.variants.map((v) => [v.variant, v.n])),
    series: days.map((d) => ({ day: d.day, units: d.variants.reduce((all, v) => all + v.n, 0), ...of(d.variants[1]) })) };
}

export const told = (measure, x) => (!Number.isFinite(x) ? NONE : measure === "difference" ? `${x > 0 ? "+" : ""}${metricValue(x)}` : lift(x));
export const toldInterval = (e) => (Number.isFinite(e?.low) && Number.isFinite(e?.high) ? `${told(e.measure, e.low)} to ${told(e.measure, e.high)}` : NONE);
export const subject = (e) => (e.measure === "delta" ? "Preference (delta)" : e.metric_name ?? e.metric ?? "Primary metric");
export const outcomeOf = (e) => (e?.low > 0 ? "better" : e?.high < 0 ? "worse" : "even");
export const unitsOf = (e) => (e?.units && typeof e.units === "object" ? Object.entries(e.units).map(([variant, n]) => `${variant} ${count(n)}`).join(", ") : Number.isFinite(e?.units) ? plural(e.units, "unit") : "");
export const traffic = (loop) => percent(loop.traffic, loop.traffic < 0.01 ? 1 : 0);

/** Rows of the figure: days with an estimate. */
export const trialRows = (e) => (e?.series ?? []).filter((d) => Number.isFinite(d.value)).map((d) => ({ ...d, day: new Date(d.day), low: d.low ?? NaN, high: d.high ?? NaN, measure: e.measure }));
export const trialHeight = (width) => (width < 640 ? 200 : 230);

export async function drawTrial(rows, width, outcome) {
  const Plot = await import("../plot.js");
  const ends = rows.flatMap((r) => [r.value, r.low, r.high, 0]).filter(Number.isFinite);
  const room = (Math.max(...ends) - Math.min(...ends) || 1) * 0.08;
  const short = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  const every = Math.ceil(rows.length / (width < 640 ? 4 : 10)), ink = `var(--${outcome})`, sure = rows.filter((r) => Number.isFinite(r.low));
  const write = (x) => told(rows[0].measure, x);
  return Plot.plot({
    className: "plot", width, height: trialHeight(width), marginLeft: 72, marginRight: 24, marginTop: 14, marginBottom: 32, style: { fontSize: "12px" },
    x: { type: "utc", label: null, inset: 14 },
    y: { domain: [Math.min(...ends) - room, Math.max(...ends) + room], label: null },
    marks: [
      Plot.gridY({ ticks: 5, stroke: "var(--line)", strokeOpacity: 1 }),
      Plot.axisY({ ticks: 5, tickFormat: rows[0].measure === "difference" ? write : tick, tickSize: 0, label: null, fill: "var(--quiet)" }),
      Plot.axisX({ ticks: rows.filter((r, i) => (rows.length - 1 - i) % every === 0).map((r) => r.day), tickFormat: (d) => short.format(d), tickSize: 4, label: null, fill: "var(--quiet)" }),
      Plot.areaY(sure, { x: "day", y1: "low", y2: "high", fill: ink, fillOpacity: 0.14 }),
      Plot.ruleX(sure, { x: "day", y1: "low", y2: "high", stroke: ink, strokeWidth: 2.5, strokeOpacity: 0.55, className: "interval" }),
      Plot.ruleY([0], { stroke: "var(--ink)", strokeWidth: 1.25, className: "no-difference" }),
      Plot.line(rows, { x: "day", y: "value", stroke: ink, strokeWidth: 2 }),
      Plot.dot(rows, { x: "day", y: "value", r: 4, fill: ink, className: "estimate" }),
      Plot.tip(rows, Plot.pointerX({ x: "day", y: "value", title: (r) => `${short.format(r.day)}: ${write(r.value)}\n${write(r.low)} to ${write(r.high)}\n${plural(r.units ?? 0, "unit")}`,
        fill: "var(--paper)", stroke: "var(--line)", fontSize: 12, lineHeight: 1.35 })),
    ],
  });
}
