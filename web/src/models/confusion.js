// The figures of a classifier: what it takes for what, and how often it is right when it is so sure.
import { fixed, percent } from "../format.js";

const DEEPEST = 0.5; /* numbers in it can still be read */
const ROW = 28, MANY = 5, NUMBERED = 14; /* more labels: shades alone */

/** {label, rows}: shares of each label's texts; what is behind the shown labels is one more. */
export function confusionRows({ labels, others, rows }) {
  const names = others > 0 ? [...labels, `${others} others`] : labels;
  return names.flatMap((label, i) => {
    const all = rows[i].reduce((sum, n) => sum + n, 0);
    return rows[i].map((n, j) => ({ label: `${i + 1} ${label}`, said: `${j + 1}`, of: names[j], n, share: all > 0 ? n / all : 0, right: i === j }));
  });
}

/** The mistakes that are made most: {label, of, n, share}. */
export const mistakes = (cells) => cells.filter((c) => !c.right && c.n >= 0.5).sort((a, b) => b.n - a.n).slice(0, 5);

export const confusionHeight = (cells) => ROW * new Set(cells.map((c) => c.label)).size + 48;
const cut = (name, most) => (name.length > most ? `${name.slice(0, most - 1)}\u2026` : name);

export async function drawConfusion(cells, width) {
  const Plot = await import("../plot.js");
  const labels = [...new Set(cells.map((c) => c.label))], said = [...new Set(cells.map((c) => c.said))];
  const most = width < 640 ? 14 : 28, room = Math.min(most, Math.max(...labels.map((l) => l.length))) * 7 + 14;
  const numbered = labels.length <= NUMBERED;
  return Plot.plot({
    className: "plot",
    width: Math.min(width, room + 64 * labels.length + 20),
    height: confusionHeight(cells),
    marginLeft: room,
    marginTop: 44,
    marginRight: 4,
    marginBottom: 4,
    style: { fontSize: "12px" },
    x: { domain: said, axis: null, padding: 0.06 },
    y: { domain: labels, axis: null, padding: 0.06 },
    marks: [
      Plot.axisX({ anchor: "top", tickSize: 0, label: "said to be", labelAnchor: "left", fill: "var(--ink)" }),
      Plot.axisY({ tickSize: 0, label: null, tickFormat: (l) => cut(l, most), fill: "var(--ink)" }),
      Plot.cell(cells, { x: "said", y: "label", fill: (c) => (c.right ? "var(--better)" : "var(--worse)"), fillOpacity: (c) => DEEPEST * c.share, stroke: "var(--line)", title: (c) => `${c.label.replace(/^\d+ /, "")} said to be ${c.of}: ${fixed(c.n, 0)} (${percent(c.share)})` }),
      ...(numbered ? [Plot.text(cells.filter((c) => c.n >= 0.5), { x: "said", y: "label", text: (c) => fixed(c.n, 0), fill: "var(--ink)" })] : []),
    ],
  });
}

export const reliabilityHeight = (width) => (width < 640 ? 260 : 300);

export async function drawReliability(bins, width) {
  const Plot = await import("../plot.js");
  const most = Math.max(...bins.map((b) => b.texts));
  return Plot.plot({
    className: "plot",
    width: Math.min(width, 560),
    height: reliabilityHeight(width),
    marginLeft: 48,
    marginTop: 24,
    marginBottom: 40,
    style: { fontSize: "12px" },
    x: { domain: [0, 1], label: "probability that it said", labelAnchor: "center", labelArrow: "none", tickFormat: (x) => percent(x), ticks: width < 640 ? 4 : 6 },
    y: { domain: [0, 1], label: "share that was right", labelArrow: "none", tickFormat: (x) => percent(x), grid: true, ticks: 5 },
    marks: [
      Plot.line([{ x: 0, y: 0 }, { x: 1, y: 1 }], { x: "x", y: "y", stroke: "var(--quiet)", strokeDasharray: "4 4" }),
      Plot.line(bins.filter((b) => b.texts >= MANY), { x: "probability", y: "accuracy", stroke: "var(--better)", strokeWidth: 1.5 }),
      Plot.dot(bins, { x: "probability", y: "accuracy", r: (b) => 3 + 6 * Math.sqrt(b.texts / most), fill: "var(--better)", title: (b) => `${fixed(b.texts, 0)} texts` }),
    ],
  });
}
