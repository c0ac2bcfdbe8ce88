// The story of a model on the mock, of what a simulation was: what is being tried, what decided, what a person does, step by step.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fixtures, startMock } from "../../web/dev/mock.js";
import { awaiting, loopsOf } from "../../web/dev/mock_loops.js";
import { lowContrast, stumbles } from "./looks.js";
import { shot, startBrowser } from "./support.js";

const NAME = "ranker", OTHER = "item-similarity";
const recorded = (which) => loopsOf(fixtures(new URL("../../web/dev/fixtures/loops", import.meta.url).pathname), { which });
let browser, mock;
before(async () => void ([browser, mock] = await Promise.all([startBrowser(), startMock()])));
after(async () => void (await Promise.all([browser?.close(), mock?.close()])));

async function open(which, options, path = `/models/${NAME}/story`) {
  mock.state.loops = recorded(which);
  const page = await browser.open(mock.url + path, options);
  await page.locator("main h1").waitFor();
  return page;
}

async function end(page) {
  assert.deepEqual(page.complaints, []);
  await page.close();
}

const story = () => mock.state.loops.stories[NAME];

test("what is being tried is shown with its result by day", async () => {
  const page = await open("trying"), { version, against } = story().loop.state;
  await page.getByRole("heading", { name: `Version ${version} is being tried against version ${against}` }).waitFor();
  await page.locator(".story-now .chart svg").waitFor();
  const days = mock.state.loops.experiments[story().loop.experiment].timeseries.metrics[0].days;
  assert.equal(await page.locator(".story-now .estimate :is(circle, path)").count(), days.length);
  assert.equal(await page.getByRole("button", { name: "Approve" }).count(), 0, "nothing waits for a person");
  await end(page);
});

test("each trial says how it ended, by which numbers, and what its gate had said", async () => {
  const page = await open("dropped");
  await page.locator(".story-trial .chart svg").nth(1).waitFor();
  const trials = await page.locator(".story-trial").evaluateAll((list) => list.map((t) => t.textContent));
  assert.equal(trials.length, 2);
  assert.match(trials[0], /Dropped/);
  assert.match(trials[1], /Champion/);
  const ended = story().steps.filter((s) => ["dropped", "promoted"].includes(s.step));
  ended.forEach((s, i) => assert.ok(trials[i].includes(s.reason), trials[i]));
  const gates = story().versions.map((v) => v.gate.reason);
  assert.ok(trials[0].includes(gates[0]), "the gate let it pass");
  assert.match(await page.locator(".story-trial .story-figure strong").first().getAttribute("class"), /worse/);
  assert.match(await page.locator(".story-trial .story-figure strong").nth(1).getAttribute("class"), /better/);
  assert.equal(await page.locator(".story-steps li").count(), story().steps.length);
  await end(page);
});

test("a person approves, when asked twice", async () => {
  const page = await open("trying");
  awaiting(mock.state.loops, NAME);
  await page.reload();
  await page.getByRole("heading", { name: "was shown better and waits for a person" }).waitFor();
  const { version } = story().loop.state;
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Go back" }).click();
  assert.equal(story().loop.state.phase, "awaiting");
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
  await page.getByRole("heading", { name: `Version ${version} is champion, and nothing is being tried` }).waitFor();
  assert.equal(story().aliases.champion, version);
  await end(page);
});

test("a model without a loop says how to turn it on; the model's page leads to the story", async () => {
  let page = await open("trying", {}, "/models/als/story");
  await page.getByRole("heading", { name: "This model has no loop" }).waitFor();
  await end(page);
  page = await open("trying", {}, `/models/${OTHER}`);
  await page.locator(".loop-box").getByRole("link", { name: "Its story" }).click();
  await page.getByRole("heading", { name: `The story of ${OTHER}`, level: 1 }).waitFor();
  await end(page);
});

describe("looks", () => {
  for (const size of ["wide", "phone"])
    for (const scheme of ["light", "dark"])
      for (const which of ["trying", "dropped"])
        test(`${which}, ${size}, ${scheme}: contrast, names, no sideways scroll`, async () => {
          const page = await open(which, { size, scheme });
          await page.locator(".chart svg").first().waitFor();
          await shot(page, `story-${which}-${size}-${scheme}`);
          assert.deepEqual(await page.evaluate(lowContrast), []);
          assert.deepEqual(await page.evaluate(stumbles), []);
          const [seen, wide] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
          assert.ok(wide <= seen, `${wide} > ${seen}`);
          await end(page);
        });
});
