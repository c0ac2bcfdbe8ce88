// The plan view: what the form says is what is asked, and the answer is the daemon's.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startMock } from "../../web/dev/mock.js";
import { lowContrast, stumbles } from "./looks.js";
import { shot, startBrowser } from "./support.js";

let browser, mock;
before(async () => void ([browser, mock] = await Promise.all([startBrowser(), startMock()])));
after(async () => void (await Promise.all([browser?.close(), mock?.close()])));

const open = async (options) => {
  const page = await browser.open(`${mock.url}/plan`, options);
  await page.locator(".plan-form").waitFor();
  return page;
};

/** The body of the request that pressing the button sends. */
async function asked(page) {
  const [request] = await Promise.all([page.waitForRequest((r) => r.url().endsWith("/v1/plan")), page.getByRole("button", { name: "Plan it" }).click()]);
  return JSON.parse(request.postData());
}

test("the form is the request", async () => {
  const page = await open();
  assert.deepEqual(await asked(page), { baseline: { share: 0.2 }, effect: 0.05, power: 0.8, weights: [1, 1], analysis: { method: "any_time" } });
  await page.getByLabel("Kind").selectOption("mean");
  await page.getByLabel("Now").fill("10");
  await page.getByLabel("Standard deviation of a unit").fill("5");
  await page.getByLabel("Aim").selectOption("margin");
  await page.getByLabel("Size, relative").fill("2");
  await page.getByLabel("Variants").fill("3");
  await page.getByLabel("Looked at").selectOption("group_sequential");
  await page.getByLabel("Bounds").selectOption("pocock");
  await page.getByLabel("Variance that covariates take").fill("30");
  await page.getByLabel("Units a week").fill("7000");
  assert.deepEqual(await asked(page), { baseline: { mean: 10, sd: 5 }, margin: 0.02, power: 0.8, weights: [1, 1, 1],
    analysis: { method: "group_sequential", looks: 5, spending: "pocock" }, variance_reduction: 0.3, traffic: { days: 7, units: 7000 } });
  await page.close();
});

test("the answer is the daemon's, as picture and as numbers", async () => {
  for (const [size, scheme] of [["wide", "light"], ["phone", "dark"], ["phone", "light"], ["wide", "dark"]]) {
    const page = await open({ size, scheme }), told = mock.state.plan;
    await page.getByRole("button", { name: "Plan it" }).click();
    await page.getByRole("heading", { name: `${told.units.all.toLocaleString("en")} units, ${told.units.weeks} week` }).waitFor();
    await page.locator(".power-of-a-week circle").first().waitFor();
    assert.equal(await page.locator(".power-of-a-week circle").count(), told.weeks.length);
    const rows = await page.locator("section[aria-labelledby=plan-answer] tbody tr").allTextContents();
    told.weeks.forEach((w, i) => assert.ok(rows[i].includes(Math.round(w.units).toLocaleString("en")), rows[i]));
    assert.deepEqual(await page.evaluate(lowContrast), []);
    assert.deepEqual(await page.evaluate(stumbles), []);
    const [seen, wide] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
    assert.ok(wide <= seen, `${wide} > ${seen}`);
    assert.deepEqual(page.complaints, []);
    await shot(page, `plan-${size}-${scheme}`);
    await page.close();
  }
});

test("a plan that cannot be made says why", async () => {
  const page = await open();
  mock.state.plan = { ...mock.state.plan, why_not: "metric \"ctr\" has not been measured in any experiment yet" };
  await page.getByRole("button", { name: "Plan it" }).click();
  await page.getByText('No plan: metric "ctr" has not been measured').waitFor();
  mock.state.broken = true;
  await page.getByRole("button", { name: "Plan it" }).click();
  await page.getByText("No plan: PostgreSQL is away.").waitFor();
  await page.close();
});
