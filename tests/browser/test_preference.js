// Interleaved rankings: who won, what decides, the days, and the lines that give the same.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startMock } from "../../web/dev/mock.js";
import { drawn, startBrowser } from "./support.js";

let browser, mock;
before(async () => void ([browser, mock] = await Promise.all([startBrowser(), startMock()])));
after(async () => void (await Promise.all([browser?.close(), mock?.close()])));

async function open() {
  const page = await browser.open(`${mock.url}/experiments/rankers-side-by-side`);
  await drawn(page, 3);
  return page;
}
const told = () => mock.state.experiments.get("rankers-side-by-side").results;
const text = (page, selector) => page.$$eval(selector, (all) => all.map((e) => e.textContent.replace(/\s+/g, " ").trim()));

test("every pair says who won, and the bar has its shares", async () => {
  const page = await open(), pairs = told().preference.pairs;
  assert.deepEqual((await text(page, ".pair h3")).map((t) => t.split(" ").slice(0, 2).join(" ")), ["Learned ranker", "Mix of", "Learned ranker"]);
  assert.deepEqual(await text(page, ".won-words strong"), pairs.flatMap((p) => [p.wins_a, p.ties, p.wins_b].map((n) => n.toLocaleString("en"))));
  const widths = await page.$$eval(".pair:first-of-type .won-bar span", (all) => all.map((e) => e.getBoundingClientRect().width));
  const first = [pairs[0].wins_a, pairs[0].ties, pairs[0].wins_b];
  for (let i = 1; i < 3; i++) assert.ok(Math.abs(widths[i] / widths[0] - first[i] / first[0]) < 0.02, `${widths}`);
  await page.close();
});

test("the test over units decides and can be reproduced", async () => {
  const page = await open(), pair = told().preference.pairs[0];
  assert.match((await text(page, ".pair .decides th"))[0], /^224 units \(decides\)$/);
  await page.click(".pair .decides .explained");
  await page.waitForSelector(".drawer");
  const lines = await text(page, ".drawer .line code");
  assert.equal(lines.length, pair.explain.steps.length);
  assert.match(lines[1], /"kind": "user_moments".*\| xstat team_draft_sign_test$/);
  const given = await text(page, ".drawer .gives li");
  assert.ok(given.some((t) => t.startsWith(`units_test.mean = ${pair.units_test.mean}`)), given.join("\n"));
  assert.ok(!given.some((t) => t.includes("undefined") || t.includes("none")), given.join("\n"));
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("of rankings that everybody sees there are no tables of variants", async () => {
  const page = await open();
  assert.deepEqual((await text(page, "article h2")).filter((t) => /Lift|Units per variant|What is missing/.test(t)), []);
  await page.close();
});
