// The catalogue of metrics.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startMock } from "../../web/dev/mock.js";
import { startBrowser } from "./support.js";

let browser, mock;
before(async () => void ([browser, mock] = await Promise.all([startBrowser(), startMock()])));
after(async () => void (await Promise.all([browser?.close(), mock?.close()])));

const text = (locator) => locator.evaluate((node) => node.textContent.replace(/\u202f/g, " "));

async function open(path = "/metrics-catalog") {
  const page = await browser.open(mock.url + path);
  await page.waitForSelector(".metrics article");
  return page;
}

test("every metric is there with its name, key, definition and what it counts", async () => {
  const page = await open();
  assert.equal(await page.title(), "Metrics · experimentd");
  for (const m of mock.state.metrics.metrics) {
    const words = await text(page.locator(`article[id="${m.key}"]`));
    for (const part of [m.name, m.key, m.description, m.counts, m.direction === "increase" ? "higher is better" : "lower is better"])
      assert.ok(words.includes(part), `${m.key}: ${part}`);
  }
  assert.deepEqual(await page.locator("section.metrics > h2").allTextContents(), ["Your own", "Built in"]);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("words find metrics by name, key and definition", async () => {
  const page = await open();
  const keys = () => page.locator(".metrics article").evaluateAll((list) => list.map((a) => a.id));
  await page.getByLabel("Find").fill("REVENUE capped");
  assert.deepEqual(await keys(), ["revenue_capped"]);
  assert.equal(await page.getByRole("status").textContent(), "1 metric");
  await page.getByLabel("Find").fill("shoes nowhere");
  await page.getByText("No metric has all of these words.").waitFor();
  await page.getByLabel("Find").fill("");
  assert.equal((await keys()).length, mock.state.metrics.metrics.length);
  await page.close();
});

test("a metric leads to the experiments that measure it, and its SQL can be read", async () => {
  const page = await open();
  const sql = page.locator('article[id="returned_orders"]');
  await sql.getByText("SQL of the numerator").click();
  await sql.getByText("where type = 'order_returned'").waitFor();
  assert.equal(await sql.locator("details").count(), 1);
  await page.locator('article[id="zero_result_rate"]').getByRole("link", { name: "Less noisy ranking" }).click();
  await page.getByRole("heading", { level: 1, name: "Less noisy ranking" }).waitFor();
  await page.close();
});

test("an address with a key shows that metric", async () => {
  const page = await open("/metrics-catalog#search_funnel");
  const box = await page.locator('article[id="search_funnel"]').boundingBox();
  assert.ok(box.y >= 0 && box.y < 900, String(box.y));
  await page.close();
});

test("without a key the page asks for one, and then shows metrics", async () => {
  const locked = await startMock({ key: "secret" });
  const page = await browser.open(locked.url + "/metrics-catalog");
  await page.getByLabel("Key", { exact: true }).fill("secret");
  await page.getByRole("button", { name: "Show metrics" }).click();
  await page.waitForSelector(".metrics article");
  await page.close();
  await locked.close();
});
