// What stands in the place of data, and what happens while the page is open.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startMock } from "../../web/dev/mock.js";
import { drawn, startBrowser } from "./support.js";

let browser;
before(async () => void (browser = await startBrowser()));
after(async () => void (await browser?.close()));

async function withMock(options, body) {
  const mock = await startMock(options);
  try {
    await body(mock);
  } finally {
    await mock.close();
  }
}

const heading = (page, name) => page.getByRole("heading", { name }).waitFor();

test("a 401 asks for a key; a wrong one is told so, the right one shows the results and stays in this tab only", () =>
  withMock({ key: "right-key" }, async (mock) => {
    const page = await browser.open(`${mock.url}/experiments/shop-aa`);
    await heading(page, "A key is needed");
    await page.getByLabel("Key").fill("wrong-key");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("not known or was revoked").waitFor();
    await page.getByLabel("Key").fill("right-key");
    await page.getByRole("button", { name: "Show results" }).click();
    await drawn(page);
    assert.ok(!page.url().includes("right-key"));
    assert.deepEqual(await page.evaluate(() => [sessionStorage.length, localStorage.length, document.cookie]), [1, 0, ""]);
    await page.getByRole("button", { name: "Forget key" }).click();
    await heading(page, "A key is needed");
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    await page.close();
  }));

test("an experiment that is not there, and an address that is not there", () =>
  withMock({}, async (mock) => {
    const page = await browser.open(`${mock.url}/experiments/no-such`);
    await heading(page, "Nothing here");
    assert.match(await page.locator("main").textContent(), /no-such/);
    await page.goto(`${mock.url}/nowhere/at/all`);
    await heading(page, "Nothing here");
    await page.getByRole("link", { name: "See all experiments" }).click();
    await page.waitForSelector(".row");
    await page.close();
  }));

test("a key with odd characters is asked for as it is", () =>
  withMock({}, async (mock) => {
    mock.state.experiments.set("a b/ü%", mock.state.experiments.get("shop-aa"));
    const page = await browser.open(`${mock.url}/experiments/${encodeURIComponent("a b/ü%")}`);
    await drawn(page);
    await page.close();
  }));

test("text from the API is text, never markup", () =>
  withMock({}, async (mock) => {
    const bad = structuredClone(mock.state.experiments.get("shop-aa"));
    const markup = "<img src=x onerror=\"document.title='owned'\"><b>x</b>";
    Object.assign(bad.results.experiment, { name: markup, hypothesis: markup });
    bad.results.verdict.text = markup;
    bad.results.experiment.variants[0].name = markup;
    bad.results.metrics[0].name = markup;
    mock.state.experiments.set("bad", bad);
    const page = await drawn(await browser.open(`${mock.url}/experiments/bad`));
    assert.equal(await page.locator("main img, main b").count(), 0);
    assert.equal(await page.locator(".verdict-text").textContent(), markup);
    assert.deepEqual(page.complaints, []);
    await page.close();
  }));

test("the daemon's own error is shown with its status", () =>
  withMock({}, async (mock) => {
    mock.state.broken = true;
    const page = await browser.open(mock.url);
    await heading(page, "The daemon could not answer");
    assert.match(await page.locator("main").textContent(), /PostgreSQL is away.*503/);
    mock.state.broken = false;
    await page.getByRole("button", { name: "Try again" }).click();
    await page.waitForSelector(".row");
    await page.close();
  }));

test("a daemon that is away: help, and back by itself", async () => {
  const mock = await startMock();
  const page = await browser.open(mock.url);
  await page.waitForSelector(".row");
  await page.route("**/v1/**", (route) => route.abort());
  await page.clock.install();
  await page.goto(`${mock.url}/experiments/shop-aa`);
  await heading(page, "The daemon is not reachable");
  await page.unroute("**/v1/**");
  await page.clock.runFor(11000);
  await page.waitForSelector(".result");
  await page.close();
  await mock.close();
});

test("a running experiment is asked for again, and a change appears without a redraw of the rest", () =>
  withMock({}, async (mock) => {
    const page = await browser.open("about:blank");
    await page.clock.install();
    await page.goto(`${mock.url}/experiments/shop-ranker`);
    await drawn(page);
    await page.evaluate(() => void (document.querySelector(".chart svg").marked = true));
    const asked = mock.state.requests.length;
    await page.clock.runFor(10500);
    await page.waitForTimeout(300);
    assert.ok(mock.state.requests.length > asked, "asked again");
    assert.equal(await page.evaluate(() => document.querySelector(".chart svg").marked), true, "an unchanged answer redraws nothing");
    mock.state.experiments.get("shop-ranker").results.verdict.text = "Another verdict.";
    await page.clock.runFor(10500);
    await page.getByText("Another verdict.").waitFor();
    assert.equal(await page.locator(".loading").count(), 0);
    mock.state.broken = true;
    await page.clock.runFor(10500);
    await page.getByText("Not refreshed: PostgreSQL is away").waitFor();
    assert.equal(await page.locator(".verdict-text").textContent(), "Another verdict.", "old data stay on the screen");
    await page.close();
  }));

test("a database that is behind is told, one that is not is no news", () =>
  withMock({}, async (mock) => {
    const told = mock.state.experiments.get("shop-aa");
    for (const [lag, wanted] of [[0.2, 0], [42.4, 1]]) {
      told.results.lag_seconds = lag;
      const page = await browser.open(`${mock.url}/experiments/shop-aa`);
      await drawn(page);
      assert.equal(await page.getByText("PostgreSQL is 42 seconds behind").count(), wanted);
      await page.close();
    }
  }));

test("a stopped experiment is asked for once", () =>
  withMock({}, async (mock) => {
    const page = await browser.open("about:blank");
    await page.clock.install();
    await page.goto(`${mock.url}/experiments/wikimedia-2016`);
    await drawn(page);
    const asked = mock.state.requests.length;
    await page.clock.runFor(60000);
    await page.waitForTimeout(300);
    assert.equal(mock.state.requests.length, asked);
    await page.close();
  }));

test("a draft says what is missing", () =>
  withMock({}, async (mock) => {
    const page = await drawn(await browser.open(`${mock.url}/experiments/autocomplete-v3`), 0);
    await heading(page, "What is missing");
    assert.match(await page.locator("main").textContent(), /POST \/v1\/experiments\/autocomplete-v3\/start/);
    assert.equal(await page.locator("#forest, #split, #numbers").count(), 0); /* no results; test_preflight.js is about what there is */
    assert.deepEqual(page.complaints, []);
    await page.close();
  }));
