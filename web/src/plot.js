// The marks of Observable Plot that this page uses. A chunk of its own, fetched with the first chart: the list needs none of it.
export { areaY, axisX, axisY, barX, cell, dot, gridX, gridY, line, plot, pointer, pointerX, rectY, ruleX, ruleY, text, tickX, tip } from "@observablehq/plot";
