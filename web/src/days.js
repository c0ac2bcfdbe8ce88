// The lift of one metric over days (of the calendar, all so far; since exposure; of cohorts): a line with its interval as a band, a colour and
// an end label a treatment. A day whose lift has no bounded interval leaves a gap in the band. Early intervals are wide: they may leave the
// figure, the note says so.
import { reach, tick } from "./axis.js";
import { day as dayWords, lift, liftInterval, plural } from "./format.js";

export const inks = ["var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)", "var(--series-5)", "var(--series-6)"];

/** One record a day and treatment; `from` and `to` are missing where the interval has no two ends. */
export function dayRows(metric, experiment, names) {
  const treatments = experiment.variants.slice(1).map((v) => v.key);
  return metric.days.flatMap((d) => d.variants.filter((v) => treatments.includes(v.variant)).map((v) => ({
    day: new Date(d.day),
    variant: v.variant,
    name: names.get(v.variant),
    ink: inks[treatments.indexOf(v.variant) % inks.length],
    n: v.n,
    ...drawable(v),
  })));
}

const drawable = (v) => ({
  lift: v.lift_kind === "none" ? null : v.lift,
  lift_ci: v.lift_ci,
  lift_kind: v.lift_kind ?? (v.lift_ci ? "bounded" : "none"),
  bounded: Boolean(v.lift_ci) && v.lift_kind !== "exclusive" && v.lift_ci[0] !== null && v.lift_ci[1] !== null,
});

/** The same of periods: `day` is a date, or the number of days since exposure. */
export function periodRows(metric, experiment, names) {
  const treatments = experiment.variants.slice(1).map((v) => v.key);
  return metric.periods.flatMap((p) => p.variants.filter((v) => v.comparison).map((v) => ({
    day: p.day ? new Date(p.day) : p.days_since,
    variant: v.variant,
    name: names.get(v.variant),
    ink: inks[treatments.indexOf(v.variant) % inks.length],
    n: v.n,
    ...drawable(v.comparison),
  })));
}

/** The later half of the days decides the scale, so that the noise of the first days does not flatten the rest. */
function scaleOf(rows) {
  const days = [...new Set(rows.map((r) => +r.day))].sort((a, b) => a - b);
  const late = rows.filter((r) => +r.day >= days[Math.floor(days.length / 2)]);
  const lifts = late.map((r) => r.lift);
  const [from, to] = reach(lifts, late.flatMap((r) => (r.bounded ? r.lift_ci : [])));
  return reach(rows.map((r) => r.lift).filter((x) => x >= from * 2 && x <= to * 2), [from, to]);
}

export const noInterval = (rows) => rows.filter((r) => !r.bounded);
export function cut(rows) {
  const [from, to] = scaleOf(rows);
  return rows.filter((r) => r.bounded && (r.lift_ci[0] < from || r.lift_ci[1] > to));
}

const when = (d) => (typeof d === "number" ? `Day ${d} after exposure` : dayWords(d));
const words = (r) => `${when(r.day)}\n${r.name}: ${lift(r.lift)}\n${liftInterval(r)}\n${plural(r.n, "unit")}`;

function marksOf(Plot, rows, many) {
  const drawn = rows.filter((r) => r.lift !== null);
  const series = [...new Set(drawn.map((r) => r.variant))].map((v) => rows.filter((r) => r.variant === v));
  return [
    ...series.map((s) => Plot.areaY(s, { x: "day", y1: (r) => (r.bounded ? r.lift_ci[0] : NaN), y2: (r) => (r.bounded ? r.lift_ci[1] : NaN),
      fill: s[0].ink, fillOpacity: many ? 0.14 : 0.2, clip: true, className: "interval" })),
    ...series.map((s) => Plot.line(s, { x: "day", y: (r) => r.lift ?? NaN, stroke: s[0].ink, strokeWidth: 2.25, clip: true, className: "lift" })),
    ...series.map((s) => Plot.dot(s.filter((r) => r.lift !== null), { x: "day", y: "lift", fill: s[0].ink, r: 3, clip: true, className: "lift-of-a-day" })),
    Plot.tip(drawn, Plot.pointerX({ x: "day", y: "lift", title: words, fill: "var(--paper)", stroke: "var(--line)", fontSize: 12,
      lineHeight: 1.35 })),
  ];
}

function endLabels(Plot, rows) {
  const last = new Map(rows.filter((r) => r.lift !== null).map((r) => [r.variant, r]));
  return Plot.text([...last.values()], { x: "day", y: "lift", text: "name", fill: "ink", textAnchor: "start", dx: 10, fontSize: 12,
    fontWeight: 600, lineWidth: 10.5, textOverflow: "ellipsis" });
}

export const daysHeight = (width) => (width < 640 ? 260 : 300);

export async function drawDays(rows, width) {
  const Plot = await import("./plot.js");
  const many = new Set(rows.map((r) => r.variant)).size > 1;
  const narrow = width < 640;
  const days = [...new Set(rows.map((r) => +r.day))];
  const ticks = days.filter((d, i) => i % Math.ceil(days.length / (narrow ? 4 : 10)) === 0);
  const short = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  const numbered = typeof rows[0].day === "number";
  return Plot.plot({
    className: "plot",
    width,
    height: daysHeight(width),
    marginLeft: 72,
    marginRight: many && !narrow ? 150 : 24,
    marginTop: 16,
    marginBottom: 34,
    style: { fontSize: "12px" },
    x: { type: numbered ? "linear" : "utc", label: null, inset: 8 },
    y: { domain: scaleOf(rows), label: null },
    color: { type: "identity" },
    marks: [
      Plot.gridY({ ticks: 6, stroke: "var(--line)", strokeOpacity: 1 }),
      Plot.axisY({ ticks: 6, tickFormat: tick, tickSize: 0, label: null, fill: "var(--quiet)" }),
      Plot.axisX({ ticks: numbered ? ticks : ticks.map((d) => new Date(d)), tickFormat: (d) => (numbered ? String(d) : short.format(d)), tickSize: 4, label: null, fill: "var(--quiet)" }),
      Plot.ruleY([0], { stroke: "var(--ink)", strokeWidth: 1.25, className: "no-difference" }),
      ...marksOf(Plot, rows, many),
      ...(many && !narrow ? [endLabels(Plot, rows)] : []),
    ],
  });
}
