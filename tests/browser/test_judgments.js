// Judgments on the mock: the sets, one query by query with mouse and keyboard, agreement as a picture, query sets.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { fixtures, startMock } from "../../web/dev/mock.js";
import { judgmentsOf } from "../../web/dev/mock_judgments.js";
import { lowContrast, stumbles } from "./looks.js";
import { shot, startBrowser } from "./support.js";

const NAME = "ground-truth";
const recorded = () => judgmentsOf(fixtures(new URL("../../web/dev/fixtures/judgments", import.meta.url).pathname));
let browser, mock;
before(async () => void ([browser, mock] = await Promise.all([startBrowser(), startMock()])));
after(async () => void (await Promise.all([browser?.close(), mock?.close()])));
beforeEach(() => void (mock.state.judgments = recorded()));

const set = (name = NAME) => mock.state.judgments.sets.find((s) => s.name === name);
const ratings = (query, name = NAME) => mock.state.judgments.ratings[name].filter((r) => r.query === query);

async function open(path = `/judgments/${NAME}`, options) {
  const page = await browser.open(mock.url + path, options);
  await page.locator("main h1").waitFor();
  return page;
}

async function end(page) {
  assert.deepEqual(page.complaints, []);
  await page.close();
}

test("the list says where each set is from and how often each grade was given", async () => {
  const page = await open("/judgments");
  assert.equal(await page.locator(".judgment-list > li").count(), mock.state.judgments.sets.length);
  const card = page.locator(".model-card", { has: page.getByRole("link", { name: NAME }) });
  assert.match(await card.textContent(), /people and clicks/);
  const heights = await card.locator(".grade-bar").evaluateAll((list) => list.map((b) => b.getBoundingClientRect().height));
  const counts = set().tally.grades.map((g) => g.count);
  assert.equal(heights.length, counts.length);
  counts.forEach((n, i) => assert.ok(Math.abs(heights[i] / Math.max(...heights) - n / Math.max(...counts)) < 0.06, `${heights} for ${counts}`));
  assert.match(await card.textContent(), new RegExp(`kappa ${set().spec.agreement.kappa.toFixed(2)}`));
  await end(page);
});

describe("a set", () => {
  test("shows how often people and clicks gave which grades", async () => {
    const page = await open();
    const cells = await page.locator(".agree tbody tr").evaluateAll((rows) => rows.map((r) => [...r.querySelectorAll(".agree-n")].map((c) => Number(c.textContent) || 0)));
    assert.deepEqual(cells, set().spec.agreement.table);
    assert.equal(await page.locator(".agree-cell.is-same").count(), cells.length);
    await end(page);
  });

  test("is edited query by query with buttons", async () => {
    const page = await open();
    await page.getByLabel("Find a query").fill("oak");
    await page.getByRole("heading", { name: "oak table" }).waitFor();
    const row = ratings("oak table").find((r) => r.source === "clicks"), other = row.grade === 2 ? 1 : 2;
    await page.getByRole("group", { name: `Grade of ${row.doc}` }).getByRole("button", { name: String(other), exact: true }).click();
    await page.locator(".doc", { hasText: row.doc }).getByText("admin.key").waitFor();
    assert.equal(ratings("oak table").find((r) => r.doc === row.doc).grade, other);
    await page.getByPlaceholder("document").fill("new-thing");
    await page.getByRole("button", { name: "Add to judge" }).click();
    await page.locator(".doc.is-open", { hasText: "new-thing" }).waitFor();
    await page.getByLabel("with documents to judge").check();
    await page.locator(".query-pick", { hasText: "oak table" }).getByText("of").waitFor();
    await end(page);
  });

  test("is edited by keyboard: a digit grades and goes on, n is the next query, x takes out", async () => {
    const page = await open();
    await page.locator(".doc.is-current").waitFor();
    const first = mock.state.judgments.ratings[NAME][0].query, docs = ratings(first).map((r) => r.doc);
    await page.keyboard.press("3");
    await page.locator(".doc.is-current", { hasText: docs[1] }).waitFor();
    await page.locator(".doc", { hasText: docs[0] }).locator('.grade[aria-pressed="true"]', { hasText: "3" }).waitFor();
    assert.equal(ratings(first)[0].grade, 3);
    await page.keyboard.press("x");
    await page.locator(".doc", { hasText: docs[1] }).waitFor({ state: "detached" });
    await page.keyboard.press("n");
    const queries = [...new Set(mock.state.judgments.ratings[NAME].map((r) => r.query))];
    await page.getByRole("heading", { name: queries[1], exact: true }).waitFor();
    await page.keyboard.press("9"); /* no such grade: nothing happens */
    assert.equal(ratings(queries[1]).some((r) => r.grade === 9), false);
    await end(page);
  });

  test("takes a file and says what came of it", async () => {
    const page = await open();
    await page.getByText("Bring a file").click();
    await page.getByLabel("File").setInputFiles({ name: "q.csv", mimeType: "text/csv", buffer: Buffer.from("query,docid,rating\nlamp,a,3\n") });
    await page.getByRole("button", { name: "Bring it" }).click();
    await page.getByText("1 judgment read").or(page.getByText("2 judgments read")).waitFor();
    await end(page);
  });
});

test("query sets say what of head, torso and tail was drawn", async () => {
  const page = await open("/query-sets");
  const nightly = mock.state.judgments.querySets.find((s) => s.name === "nightly");
  const card = page.locator(".model-card", { has: page.getByRole("link", { name: "nightly" }) });
  assert.match(await card.locator(".strata").textContent(), new RegExp(`${nightly.spec.head.drawn} of ${nightly.spec.head.queries}`));
  await page.getByRole("link", { name: "must-work" }).click();
  await page.locator(".query-table").waitFor();
  await page.getByPlaceholder("another query").fill("opening hours");
  await page.getByRole("button", { name: "Add the query" }).click();
  await page.getByRole("rowheader", { name: "opening hours" }).waitFor();
  await page.getByRole("button", { name: "Take out returns" }).click();
  await page.getByRole("rowheader", { name: "returns" }).waitFor({ state: "detached" });
  await end(page);
});

for (const size of ["wide", "phone"])
  for (const scheme of ["light", "dark"])
    test(`it can be read: ${size}, ${scheme}`, async () => {
      for (const [path, name] of [["/judgments", "judgments"], [`/judgments/${NAME}`, "judgment-set"], ["/query-sets", "query-sets"], ["/query-sets/nightly", "query-set"]]) {
        const page = await open(path, { size, scheme });
        await page.locator(".grade-bars, .strata, .query-table").first().waitFor();
        if (name === "judgment-set") await page.locator(".doc.is-current").waitFor();
        assert.deepEqual(await page.evaluate(lowContrast), [], path);
        assert.deepEqual(await page.evaluate(stumbles), [], path);
        const [seen, needed] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
        assert.ok(needed <= seen, `${path}: ${needed} > ${seen}`);
        await shot(page, `${name}-${size}-${scheme}`);
        await end(page);
      }
    });
