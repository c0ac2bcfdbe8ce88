// Looks and access: both widths, both colour schemes, contrast, names, headings, print. Leaves screenshots in BUILD_DIR/screenshots.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startMock } from "../../web/dev/mock.js";
import { drawn, shot, startBrowser } from "./support.js";

let browser, mock;
before(async () => void ([browser, mock] = await Promise.all([startBrowser(), startMock()])));
after(async () => void (await Promise.all([browser?.close(), mock?.close()])));

const VIEWS = { list: "/", ...Object.fromEntries(["wikimedia-2016", "shop-ranker", "shop-aa", "synonyms-abn", "autocomplete-v3"]
  .map((key) => [key, `/experiments/${key}`])) };

async function view(name, options) {
  const page = await browser.open(mock.url + VIEWS[name], options);
  if (name === "list") await page.waitForSelector(".row");
  else await drawn(page, name === "autocomplete-v3" ? 0 : 3);
  return page;
}

/** Every piece of visible text whose contrast with what lies behind it is under 4.5 : 1 (WCAG AA). */
function lowContrast() {
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
function stumbles() {
  const found = [];
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map((h) => Number(h.tagName[1]));
  if (levels.filter((l) => l === 1).length !== 1) found.push("not exactly one h1");
  levels.forEach((l, i) => i && l > levels[i - 1] + 1 && found.push(`h${levels[i - 1]} is followed by h${l}`));
  const ids = [...document.querySelectorAll("[id]")].map((n) => n.id);
  ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => found.push(`id ${id} twice`));
  document.querySelectorAll("[aria-labelledby]").forEach((n) => document.getElementById(n.getAttribute("aria-labelledby")) || found.push("label missing"));
  document.querySelectorAll("a, button, select, input").forEach((n) => n.textContent.trim() || n.labels?.length || found.push(`${n.tagName} without a name`));
  document.querySelectorAll("input, select").forEach((n) => n.labels?.length || found.push(`${n.tagName} without a label`));
  document.querySelectorAll(".chart svg").forEach((n) => (n.getAttribute("role") === "img" && n.getAttribute("aria-label")) || found.push("figure without words"));
  document.querySelectorAll("table").forEach((n) => n.querySelector("thead th[scope=col]") && n.querySelector("tbody th[scope=row]") || found.push("table without headers"));
  if (!document.documentElement.lang) found.push("no language");
  if (!document.querySelector("main")) found.push("no main");
  return found;
}

for (const size of ["wide", "phone"])
  for (const scheme of ["light", "dark"])
    describe(`${size}, ${scheme}`, () => {
      for (const name of Object.keys(VIEWS))
        test(`${name}: contrast, no sideways scroll, nothing blocked`, async () => {
          const page = await view(name, { size, scheme });
          await shot(page, `${name}-${size}-${scheme}`);
          assert.deepEqual(await page.evaluate(lowContrast), []);
          const [seen, wide] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
          assert.ok(wide <= seen, `${wide} > ${seen}`);
          const cut = await page.evaluate(() => [...document.querySelectorAll(".chart text")].filter((t) => {
            const box = t.getBoundingClientRect(), figure = t.closest(".chart").getBoundingClientRect();
            return box.left < figure.left - 1 || box.right > figure.right + 1;
          }).map((t) => t.textContent));
          assert.deepEqual(cut, [], "text that leaves its figure");
          const narrow = await page.evaluate(() => [...document.querySelectorAll(".numbers :is(.main, .under, .outcome)")].filter((n) => {
            const text = document.createRange();
            text.selectNodeContents(n);
            return text.getBoundingClientRect().right > n.closest("td, th").getBoundingClientRect().right + 1;
          }).map((n) => n.textContent));
          assert.deepEqual(narrow, [], "text that leaves its cell");
          assert.deepEqual(page.complaints, []);
          await page.close();
        });
    });

test("a screen reader stumbles over nothing", async () => {
  for (const name of Object.keys(VIEWS)) {
    const page = await view(name);
    assert.deepEqual(await page.evaluate(stumbles), [], name);
    await page.close();
  }
});

test("the tab key reaches everything that can be used, visibly, in reading order", async () => {
  const page = await view("shop-ranker");
  const stops = [];
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const n = document.activeElement;
      if (n === document.body) return null;
      const style = getComputedStyle(n);
      return { name: (n.textContent || n.tagName).trim().slice(0, 30), tag: n.tagName, y: n.getBoundingClientRect().top + scrollY,
        outline: style.outlineStyle !== "none" };
    });
    if (!stop) break;
    stops.push(stop);
  }
  const usable = await page.evaluate(() => document.querySelectorAll("a, button, select, input, summary, .scroll[tabindex]").length);
  const closed = await page.evaluate(() => document.querySelectorAll("details:not([open]) .scroll").length);
  assert.equal(stops.length, usable - closed, JSON.stringify(stops.map((s) => s.tag)));
  stops.forEach((s) => assert.ok(s.outline, `no focus ring on ${s.tag} ${s.name}`));
  stops.slice(1).forEach((s, i) => i === 0 || assert.ok(s.y >= stops[i].y - 60, `${s.name} before ${stops[i].name}`));
  await page.close();
});

test("the collector of complaints does hear what the policy forbids", async () => {
  const page = await view("list");
  await page.evaluate(() => document.head.append(Object.assign(document.createElement("style"), { textContent: "body { color: red }" })));
  await page.waitForTimeout(100);
  assert.ok(page.complaints.some((c) => c.includes("style-src")), String(page.complaints));
  await page.close();
});

test("print: pictures and numbers, no controls", async () => {
  const page = await view("shop-ranker");
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator("select:visible, .crumbs:visible").count(), 0);
  assert.ok(await page.locator(".chart svg:visible").count() >= 3);
  assert.ok(await page.locator("table.numbers:visible").count() >= 6);
  assert.deepEqual(await page.evaluate(lowContrast), []);
  await page.close();
});

test("the figures follow the width of the window", async () => {
  const page = await view("shop-ranker");
  const before = await page.locator(".chart svg").first().getAttribute("width");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.locator(`.chart svg:not([width="${before}"])`).nth(2).waitFor();
  const widths = await page.evaluate(() => [...document.querySelectorAll(".chart")].map((c) =>
    [c.clientWidth, Number(c.querySelector("svg").getAttribute("width"))]));
  assert.equal(widths.length, 3);
  widths.forEach(([box, svg]) => assert.equal(svg, box));
  await page.close();
});
