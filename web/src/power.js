// Power by week: a line, and a rule at the power that planning asks for.
import { percent } from "./format.js";

/** `weeks` of a pre-flight; `asked`: the power at which an effect counts as detectable. */
export async function drawPower(weeks, asked, width) {
  const Plot = await import("./plot.js");
  return Plot.plot({
    className: "plot",
    width,
    height: width < 640 ? 220 : 260,
    marginLeft: 56,
    marginRight: 16,
    marginTop: 16,
    marginBottom: 40,
    style: { fontSize: "12px" },
    x: { domain: [1, weeks.length], label: null, inset: 8 },
    y: { domain: [0, 1], label: null },
    marks: [
      Plot.gridY({ ticks: 5, stroke: "var(--line)", strokeOpacity: 1 }),
      Plot.axisY({ ticks: 5, tickFormat: (x) => percent(x), tickSize: 0, label: null, fill: "var(--quiet)" }),
      Plot.axisX({ ticks: weeks.map((w) => w.week), tickFormat: (w) => `week ${w}`.slice(width < 640 ? 5 : 0), tickSize: 4, label: null,
        fill: "var(--quiet)" }),
      Plot.ruleY([asked], { stroke: "var(--ink)", strokeDasharray: "4 4", className: "asked" }),
      Plot.line(weeks, { x: "week", y: "power", stroke: "var(--series-1)", strokeWidth: 2.25, className: "power" }),
      Plot.dot(weeks, { x: "week", y: "power", fill: "var(--series-1)", r: 3.5, className: "power-of-a-week" }),
    ],
  });
}
