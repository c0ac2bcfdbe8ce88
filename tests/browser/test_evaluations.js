// Evaluations on the mock: the list, the verdict with its figures, metrics, queries with two lists, holes, searches that were only compared.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startMock } from "../../web/dev/mock.js";
import { lowContrast, stumbles } from "./looks.js";
import { shot, startBrowser } from "./support.js";

let browser, mock, judged, compared;
before(async () => {
  [browser, mock] = await Promise.all([startBrowser(), startMock()]);
  judged = mock.state.evaluations.evaluations.find((e) => e.judgments);
  compared = mock.state.evaluations.evaluations.find((e) => !e.judgments);
});
after(async () => void (await Promise.all([browser?.close(), mock?.close()])));

async function open(path, options) {
  const page = await browser.open(mock.url + path, options);
  await page.locator("main h1").waitFor();
  return page;
}

async function end(page) {
  assert.deepEqual(page.complaints, []);
  await page.close();
}

const rows = (search) => mock.state.evaluations.queries[judged.id][search];
const drawnPoints = (page) => page.locator(".points :is(path, circle)");

test("the list says which search is better, and means", async () => {
  const page = await open("/evaluations");
  const card = page.locator(".evaluation-list .row").first();
  assert.match(await card.textContent(), /boosted is better than now/);
  assert.match(await card.textContent(), new RegExp(`boosted ${judged.summary.searches[1].metrics["ndcg@10"].mean.toFixed(3)}`));
  assert.equal(await page.locator(".evaluation-list .row").count(), 2);
  await end(page);
});

describe("an evaluation", () => {
  test("has a dot a search, a bar a group of queries, a point a query", async () => {
    const page = await open(`/evaluations/${judged.id}`);
    const both = rows("now").filter((r, i) => r.a.metrics && rows("boosted")[i].a.metrics).length;
    await drawnPoints(page).nth(both - 1).waitFor();
    assert.equal(await drawnPoints(page).count(), both);
    assert.equal(await page.locator(".estimate circle").count(), 3);
    assert.equal(await page.locator(".interval line").count(), 3);
    const m = judged.summary.pairs[0].metrics["ndcg@10"];
    assert.match(await page.locator(".chart svg").nth(1).getAttribute("aria-label"), new RegExp(`better on ${m.wins} queries, worse on ${m.losses}`));
    assert.match(await page.locator(".verdict").textContent(), /boosted is better than now/);
    await page.getByLabel("Compare").selectOption("2");
    await page.getByRole("heading", { name: "old is worse than boosted" }).waitFor();
    await page.locator("section.figure select").nth(1).selectOption("mrr@10");
    await page.getByRole("heading", { name: "MRR@10", exact: true }).waitFor();
    await end(page);
  });

  test("has every metric with its difference, and what is to be known before", async () => {
    const page = await open(`/evaluations/${judged.id}`);
    const table = page.locator("div.scroll[aria-label='Every metric']");
    assert.equal(await table.locator("tbody tr").count(), judged.metrics.length);
    assert.match(await table.locator("tbody tr").first().textContent(), new RegExp(`\\+${judged.summary.pairs[0].metrics["ndcg@10"].difference.toFixed(3)}`));
    assert.equal(await page.locator(".warnings li").count(), judged.summary.warnings.length);
    assert.match(await page.locator("div.scroll[aria-label='What was asked']").textContent(), /HTTP status 500/);
    await end(page);
  });

  test("shows the lists of a query side by side: moved, new, gone, not judged", async () => {
    const page = await open(`/evaluations/${judged.id}`);
    await page.getByLabel("Order").selectOption("position");
    await page.locator(".query-text", { hasText: rows("now")[0].query }).first().waitFor();
    const query = page.locator(".query").first();
    await query.locator("summary").click();
    const [a, b] = [rows("now")[0].a.docs, rows("boosted")[0].a.docs];
    assert.deepEqual(await query.locator(".docs").nth(0).locator(".doc").allTextContents(), a.map((d) => d.doc));
    assert.deepEqual(await query.locator(".docs").nth(1).locator(".doc").allTextContents(), b.map((d) => d.doc));
    assert.equal(await query.locator(".is-new").count(), b.filter((d) => !a.some((x) => x.doc === d.doc)).length);
    assert.equal(await query.locator(".is-gone").count(), a.filter((d) => !b.some((x) => x.doc === d.doc)).length);
    assert.equal(await query.locator(".hole").count(), [...a, ...b].filter((d) => d.grade === null).length);
    await page.getByLabel("Find").fill("vase");
    await page.locator(".query-text", { hasText: /lamp/ }).first().waitFor({ state: "detached" });
    assert.ok((await page.locator(".query-text").allTextContents()).every((x) => x.includes("vase")));
    await end(page);
  });

  test("goes on to more queries", async () => {
    const page = await open(`/evaluations/${judged.id}`);
    await page.locator(".query").nth(19).waitFor();
    await page.getByRole("button", { name: /Show more/ }).click();
    await page.locator(".query").nth(39).waitFor();
    await end(page);
  });
});

test("searches that nobody judged are only compared", async () => {
  const page = await open(`/evaluations/${compared.id}`);
  await page.getByRole("heading", { name: "How alike old and now are" }).waitFor();
  await page.locator(".query").first().waitFor();
  assert.equal(await page.locator(".verdict, #pictures, #numbers").count(), 0);
  await end(page);
});

test("what is not there is said", async () => {
  const page = await open("/evaluations/0190c5a8-0000-7000-8000-000000000000");
  await page.getByRole("heading", { name: "Nothing here" }).waitFor();
  await page.getByRole("link", { name: "See all evaluations" }).click();
  await page.getByRole("heading", { name: "Evaluations" }).waitFor();
  await page.close();
});

describe("looks", () => {
  for (const size of ["wide", "phone"])
    for (const scheme of ["light", "dark"])
      test(`${size} ${scheme}: nothing is too wide, too pale or without a name`, async () => {
        for (const [name, path] of [["evaluations", "/evaluations"], ["evaluation", `/evaluations/${judged.id}`]]) {
          const page = await open(path, { size, scheme });
          if (name === "evaluation") {
            await drawnPoints(page).first().waitFor();
            await page.locator(".query").first().locator("summary").click();
          }
          await shot(page, `${name}-${size}-${scheme}`);
          assert.deepEqual(await page.evaluate(lowContrast), []);
          assert.deepEqual(await page.evaluate(stumbles), []);
          assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} is wider than the screen`);
          await end(page);
        }
      });
});
