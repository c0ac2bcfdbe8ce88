// Units per variant: a bar for what came, a tick for what the weights ask for.
import { count } from "./format.js";

export const splitHeight = (rows) => (width) => rows.length * (width < 640 ? 52 : 38) + 12;

export async function drawSplit(rows, width, alarm) {
  const Plot = await import("./plot.js");
  const narrow = width < 640;
  return Plot.plot({
    className: "plot",
    width,
    height: splitHeight(rows)(width),
    marginLeft: narrow ? 4 : 210,
    marginRight: narrow ? 70 : 210,
    marginTop: 4,
    marginBottom: 4,
    style: { fontSize: "12px" },
    x: { domain: [0, Math.max(1, ...rows.flatMap((r) => [r.observed, r.expected]))], axis: null },
    y: { domain: rows.map((r) => r.key), axis: null, padding: 0 },
    marks: [
      Plot.barX(rows, { y: "key", x: "observed", insetTop: narrow ? 24 : 10, insetBottom: 10, fill: "var(--bar)",
        className: "units" }),
      Plot.tickX(rows, { y: "key", x: "expected", insetTop: narrow ? 20 : 6, insetBottom: 6,
        stroke: alarm ? "var(--alarm)" : "var(--ink)", strokeWidth: 2.5,
        className: "expected" }),
      Plot.text(rows, narrow
        ? { y: "key", text: "name", frameAnchor: "left", textAnchor: "start", dy: -15, fill: "var(--ink)", fontSize: 13, fontWeight: 600 }
        : { y: "key", text: "name", frameAnchor: "left", textAnchor: "end", dx: -16, lineWidth: 12, textOverflow: "ellipsis", fill: "var(--ink)", fontSize: 13, fontWeight: 600 }),
      Plot.text(rows, { y: "key", text: (r) => (narrow ? count(r.observed) : `${count(r.observed)}  (expected ${count(r.expected)})`),
        frameAnchor: "right", textAnchor: "start", dx: narrow ? 8 : 16, dy: narrow ? 7 : 0, fill: "var(--ink)", fontSize: 12.5,
        fontVariant: "tabular-nums" }),
    ],
  });
}
