// A metric of versions, one after the other: a point a version with its interval, the champion marked, what was refused as a cross.
import { isChampion, metricValue, reasonOf, statuses } from "./words.js";

/** One record a version that has the metric, oldest first. */
export const historyRows = (versions, metric) => versions.filter((v) => Number.isFinite(v.metrics?.[metric]?.value)).map((v) => ({
  version: v.version,
  value: v.metrics[metric].value,
  low: v.metrics[metric].low ?? NaN,
  high: v.metrics[metric].high ?? NaN,
  status: v.status,
  champion: Boolean(isChampion(v)),
  reason: reasonOf(v),
  made: v.created_at,
})).reverse();

export const historyHeight = (width) => (width < 640 ? 240 : 280);

function domain(rows) {
  const all = rows.flatMap((r) => [r.value, r.low, r.high]).filter(Number.isFinite);
  const from = Math.min(...all), to = Math.max(...all), room = (to - from || Math.abs(to) || 1) * 0.12;
  return [from >= 0 ? Math.max(0, from - room) : from - room, to + room];
}

const words = (r) => `Version ${r.version}${r.champion ? ", champion" : ""}: ${metricValue(r.value)}\n${Number.isFinite(r.low) ? `${metricValue(r.low)} to ${metricValue(r.high)}\n` : ""}` +
  `${statuses[r.status].word}: ${r.reason}`;

export async function drawHistory(rows, width) {
  const Plot = await import("../plot.js");
  const shown = rows.filter((r) => r.status !== "refused"), refused = rows.filter((r) => r.status === "refused");
  const every = Math.ceil(rows.length / (width < 640 ? 6 : 16));
  return Plot.plot({
    className: "plot",
    width,
    height: historyHeight(width),
    marginLeft: 64,
    marginRight: 24,
    marginTop: 22,
    marginBottom: 36,
    style: { fontSize: "12px" },
    x: { domain: [rows[0].version - 0.6, rows[rows.length - 1].version + 0.6], label: null },
    y: { domain: domain(rows), label: null, insetBottom: 12 },
    marks: [
      Plot.gridY({ ticks: 5, stroke: "var(--line)", strokeOpacity: 1 }),
      Plot.axisY({ ticks: 5, tickFormat: metricValue, tickSize: 0, label: null, fill: "var(--quiet)" }),
      Plot.axisX({ ticks: rows.filter((r, i) => (rows.length - 1 - i) % every === 0).map((r) => r.version), tickFormat: (v) => `v${v}`, tickSize: 4, label: null, fill: "var(--quiet)" }),
      Plot.line(shown, { x: "version", y: "value", stroke: "var(--line)", strokeWidth: 2 }),
      Plot.ruleX(rows.filter((r) => Number.isFinite(r.low)), { x: "version", y1: "low", y2: "high", stroke: (r) => (r.status === "refused" ? "var(--worse)" : "var(--better)"),
        strokeWidth: 2.5, strokeOpacity: 0.55, className: "interval" }),
      Plot.dot(shown, { x: "version", y: "value", r: 4.5, fill: "var(--better)", className: "estimate" }),
      Plot.dot(refused, { x: "version", y: "value", r: 5, symbol: "times", stroke: "var(--worse)", strokeWidth: 2.25, className: "refused" }),
      Plot.dot(rows.filter((r) => r.champion), { x: "version", y: "value", r: 9, stroke: "var(--ink)", strokeWidth: 2, className: "champion" }),
      Plot.text(rows.filter((r) => r.champion), { x: "version", y: (r) => (Number.isFinite(r.high) ? r.high : r.value), text: () => "champion", dy: -16, fontWeight: 600, fill: "var(--ink)" }),
      Plot.tip(rows, Plot.pointerX({ x: "version", y: "value", title: words, fill: "var(--paper)", stroke: "var(--line)", fontSize: 12, lineHeight: 1.35, lineWidth: 24 })),
    ],
  });
}
