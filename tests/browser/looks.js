// What runs inside the page to judge its looks and access; each returns what it found wrong.

/** Every piece of visible text whose contrast with what lies behind it is under 4.5 : 1 (WCAG AA). */
export function lowContrast() {
  const rgb = (text) => (/rgba?\(([^)]+)\)/.exec(text)?.[1] ?? "0,0,0,0").split(/[ ,/]+/).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (let n = node; n; n = n.parentElement) {
      const [r, g, b, a = 1] = rgb(getComputedStyle(n).backgroundColor);
      if (a > 0.99) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let t = walk.nextNode(); t; t = walk.nextNode()) {
    const parent = t.parentElement, style = getComputedStyle(parent);
    if (!t.textContent.trim() || !parent.getClientRects().length || parent.closest(".visually-hidden, noscript")) continue;
    const ink = rgb(parent.namespaceURI.endsWith("svg") ? style.fill : style.color);
    const [a, b] = [light(ink), light(behind(parent))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} "${t.textContent.trim().slice(0, 40)}" ${style.color}`);
  }
  return found;
}

/** What a screen reader would stumble over. */
export function stumbles() {
  const found = [], named = (n) => n.labels?.length || n.getAttribute("aria-label");
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map((h) => Number(h.tagName[1]));
  if (levels.filter((l) => l === 1).length !== 1) found.push("not exactly one h1");
  levels.forEach((l, i) => i && l > levels[i - 1] + 1 && found.push(`h${levels[i - 1]} is followed by h${l}`));
  const ids = [...document.querySelectorAll("[id]")].map((n) => n.id);
  ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => found.push(`id ${id} twice`));
  document.querySelectorAll("[aria-labelledby]").forEach((n) => document.getElementById(n.getAttribute("aria-labelledby")) || found.push("label missing"));
  document.querySelectorAll("a, button, select, input, textarea").forEach((n) => n.textContent.trim() || named(n) || found.push(`${n.tagName} without a name`));
  document.querySelectorAll("input, select, textarea").forEach((n) => named(n) || found.push(`${n.tagName} without a label`));
  document.querySelectorAll(".chart svg").forEach((n) => (n.getAttribute("role") === "img" && n.getAttribute("aria-label")) || found.push("figure without words"));
  document.querySelectorAll("table").forEach((n) => n.querySelector("thead th[scope=col]") && n.querySelector("tbody th[scope=row]") || found.push("table without headers"));
  if (!document.documentElement.lang) found.push("no language");
  if (!document.querySelector("main")) found.push("no main");
  return found;
}
