// Looks and access: both widths, both colour schemes, contrast, names, headings, print. Leaves screenshots in BUILD_DIR/screenshots.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startMock } from "../../web/dev/mock.js";
import { lowContrast, stumbles } from "./looks.js";
import { drawn, shot, startBrowser } from "./support.js";

let browser, mock;
before(async () => void ([browser, mock] = await Promise.all([startBrowser(), startMock()])));
after(async () => void (await Promise.all([browser?.close(), mock?.close()])));

const VIEWS = { list: "/", catalog: "/metrics-catalog", ...Object.fromEntries(["wikimedia-2016", "shop-ranker", "shop-aa", "synonyms-abn", "rankers-side-by-side", "autocomplete-v3"]
  .map((key) => [key, `/experiments/${key}`])) };

async function view(name, options) {
  const page = await browser.open(mock.url + VIEWS[name], options);
  if (name === "list") await page.waitForSelector(".row");
  else if (name === "catalog") await page.waitForSelector(".metrics article");
  else await drawn(page, name === "autocomplete-v3" ? 0 : 3);
  return page;
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
  const usable = await page.evaluate(() => [...document.querySelectorAll("a, button, select, input, summary, .scroll[tabindex]")]
    .filter((n) => n.tabIndex >= 0).length);
  const closed = await page.evaluate(() => document.querySelectorAll("details:not([open]) .scroll, details:not([open]) details > summary").length);
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
