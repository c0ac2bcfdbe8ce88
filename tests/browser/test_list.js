// The list of experiments.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startMock } from "../../web/dev/mock.js";
import { startBrowser } from "./support.js";

let browser, mock;
before(async () => void ([browser, mock] = await Promise.all([startBrowser(), startMock()])));
after(async () => void (await Promise.all([browser?.close(), mock?.close()])));

const text = (locator) => locator.evaluate((node) => node.textContent.replace(/\u202f/g, " "));

test("every experiment is there with name, status, units, variants and verdict", async () => {
  const page = await browser.open(mock.url);
  await page.waitForSelector(".row");
  assert.equal(await page.title(), "Experiments · experimentd");
  for (const { results: r } of mock.state.experiments.values()) {
    const row = page.locator(".row", { has: page.getByRole("heading", { name: r.experiment.name, exact: true }) });
    const words = (await text(row)).toLowerCase();
    assert.ok(words.includes(r.experiment.status), r.experiment.key);
    const units = r.preference ? r.preference.pairs[0].units : r.run ? r.units : null;
    assert.ok(words.includes(units === null ? "no units counted yet" : units.toLocaleString("en") + " units"), r.experiment.key);
    r.experiment.variants.forEach((v) => assert.ok(words.includes((v.name || v.key).toLowerCase()), `${r.experiment.key} ${v.key}`));
    if (units !== null) assert.ok(words.includes(r.verdict.text.toLowerCase()), r.experiment.key);
  }
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("simulated and imported data are labelled, live data is not", async () => {
  const page = await browser.open(mock.url);
  const badges = async (name) => text(page.locator(".row", { hasText: name }).locator(".badges"));
  assert.match(await badges("Less noisy ranking"), /Simulated data/);
  assert.match(await badges("Wikimedia"), /Imported log/);
  assert.doesNotMatch(await badges("Three synonym lists"), /Simulated|Imported/);
  await page.close();
});

test("a row leads to its result and back, with the keyboard alone", async () => {
  const page = await browser.open(mock.url);
  const row = page.getByRole("link", { name: /Less noisy ranking/ });
  await row.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Less noisy ranking" }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/experiments/shop-ranker");
  await page.goBack();
  await row.waitFor();
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("without experiments the page teaches how to make the first", async () => {
  const empty = await startMock({ empty: true });
  const page = await browser.open(empty.url);
  await page.getByRole("heading", { name: "No experiments yet" }).waitFor();
  const words = await text(page.locator("main"));
  assert.ok(words.includes(`curl -H "Authorization: Bearer $(cat DIR/admin.key)" ${empty.url}/v1/experiments`));
  for (const part of ["/start", "/v1/assign/ranker-v2?unit=", "/v1/signals", "trainer run metrics"]) assert.ok(words.includes(part), part);
  const body = /-d '(\{.*?\})'/.exec(words)[1];
  assert.deepEqual(JSON.parse(body), { key: "ranker-v2", variants: [{ key: "control" }, { key: "treatment" }] });
  await page.close();
  await empty.close();
});
