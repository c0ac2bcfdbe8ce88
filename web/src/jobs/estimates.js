// What another policy would have earned: each estimate with its interval, and what was served as a line.
import { fixed } from "../format.js";

export const NAMES = {
  ips: "IPS", snips: "SNIPS", clipped: "clipped", dm: "model of rewards alone", dr: "doubly robust", sndr: "self-normalised DR", switch_dr: "switch-DR", dr_os: "DR with shrinkage",
};
const ROW = 30;
export const estimatesHeight = (rows) => ROW * rows.length + 56;
const digits = (x) => (Math.abs(x) < 0.1 ? 4 : 3);
export const written = (e) => `${fixed(e.value, digits(e.value))} (${fixed(e.low, digits(e.value))} to ${fixed(e.high, digits(e.value))})`;

export async function drawEstimates(result, width) {
  const Plot = await import("../plot.js");
  const rows = result.estimates.map((e) => ({ ...e, title: NAMES[e.name] ?? e.name, main: e.name === result.primary }));
  const narrow = width < 640, room = narrow ? 134 : 170;
  return Plot.plot({
    className: "plot",
    width,
    height: estimatesHeight(rows),
    marginLeft: room,
    marginRight: narrow ? 12 : 190,
    marginTop: 22,
    marginBottom: 34,
    style: { fontSize: "12px" },
    x: { label: "reward of a decision", labelAnchor: "center", labelArrow: "none", nice: true, grid: true, ticks: narrow ? 3 : 6 },
    y: { domain: rows.map((r) => r.title), axis: null, padding: 0.3 },
    marks: [
      Plot.axisY({ tickSize: 0, label: null, fill: "var(--ink)", lineWidth: room / 12 }),
      Plot.ruleX([result.served.value], { stroke: "var(--ink)", strokeDasharray: "4 3" }),
      Plot.text([result.served.value], { x: (x) => x, text: () => "served", frameAnchor: "top", dy: -14, fill: "var(--ink)" }),
      Plot.ruleY(rows, { x1: "low", x2: "high", y: "title", stroke: (r) => (r.main ? "var(--accent)" : "var(--bar)"), strokeWidth: (r) => (r.main ? 3.5 : 2) }),
      Plot.dot(rows, { x: "value", y: "title", r: (r) => (r.main ? 5.5 : 4), fill: (r) => (r.main ? "var(--accent)" : "var(--bar)") }),
      ...(narrow ? [] : [Plot.text(rows, { y: "title", text: written, frameAnchor: "right", dx: 186, textAnchor: "end", fill: "var(--quiet)", fontWeight: (r) => (r.main ? 600 : 400) })]),
    ],
  });
}
