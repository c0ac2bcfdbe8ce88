// Planned looks: Z of a comparison at each look, between the bounds that it has to leave.

/** The bounds as two lines and the looks as dots, over the share of the plan; a look beyond them has the colour of the outcome. */
export async function drawBounds(path, width, outcome) {
  const Plot = await import("./plot.js");
  const known = path.filter((l) => l.bound !== null), most = Math.max(3, ...path.map((l) => Math.max(Math.abs(l.z), l.bound ?? 0)));
  const beyond = (l) => l.bound !== null && Math.abs(l.z) >= l.bound;
  return Plot.plot({
    className: "plot",
    width,
    height: 220,
    marginLeft: 44,
    marginRight: 30,
    marginTop: 12,
    marginBottom: 40,
    style: { fontSize: "12px" },
    x: { domain: [0, 1], label: "share of the plan", tickFormat: (v) => `${Math.round(v * 100)} %`, ticks: [0, 0.25, 0.5, 0.75, 1] },
    y: { domain: [-most * 1.1, most * 1.1], label: "Z", ticks: 5 },
    marks: [
      Plot.gridY({ ticks: 5 }),
      Plot.ruleY([0], { className: "zero" }),
      ...[1, -1].flatMap((side) => [
        Plot.line(known, { x: "share", y: (l) => side * l.bound, stroke: "var(--ink)", strokeDasharray: "4 4", className: "bound" }),
        Plot.dot(known, { x: "share", y: (l) => side * l.bound, r: 3, fill: "var(--ink)" })]),
      Plot.line(path, { x: "share", y: "z", stroke: "var(--even)", strokeWidth: 1.5 }),
      Plot.dot(path, { x: "share", y: "z", r: 6, fill: (l) => (beyond(l) ? `var(--${outcome === "worse" ? "worse" : "better"})` : "var(--even)"), stroke: "var(--paper)", className: "look" }),
    ],
  });
}
