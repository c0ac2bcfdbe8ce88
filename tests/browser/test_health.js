// Health on a result's page: what alarms stands out with what to do, every check can be read, nothing is computed here.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startMock } from "../../web/dev/mock.js";
import { lowContrast } from "./looks.js";
import { drawn, SHOTS, startBrowser } from "./support.js";

let browser, mock;
before(async () => void ([browser, mock] = await Promise.all([startBrowser(), startMock()])));
after(async () => void (await Promise.all([browser?.close(), mock?.close()])));

const SICK = "wikimedia-2016", SOUND = "shop-ranker";
const open = async (key, options) => {
  const page = await drawn(await browser.open(`${mock.url}/experiments/${key}`, options));
  await page.locator("section.health").waitFor();
  return page;
};

test("alarms come first, with the daemon's numbers and what to do", async () => {
  const page = await open(SICK), told = mock.state.health.get(SICK);
  const loud = told.findings.filter((f) => f.state === "alarm" || f.state === "warning");
  assert.ok(loud.length >= 2);
  assert.equal(await page.locator("section.health > .finding").count(), loud.length);
  for (const [i, f] of loud.entries()) {
    const text = await page.locator("section.health > .finding").nth(i).textContent();
    for (const part of [f.name, f.text, f.means, f.todo]) assert.ok(text.includes(part), part);
  }
  const segments = page.locator(".finding", { hasText: "by segment" });
  await segments.getByText("Numbers").click();
  const rows = await segments.locator("tbody tr").allTextContents(), rowsTold = loud.find((f) => f.check === "srm_segments").rows;
  assert.equal(rows.length, rowsTold.length);
  assert.ok(rows[0].startsWith(rowsTold[0].of));
  assert.ok(rows[0].includes(rowsTold[0].observed[0].toLocaleString("en")));
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("a sound experiment says so in a line, and tells every check when asked", async () => {
  const page = await open(SOUND), told = mock.state.health.get(SOUND);
  await page.getByRole("heading", { name: "Health: nothing speaks against it" }).waitFor();
  assert.equal(await page.locator("section.health > .finding").count(), 0);
  await page.getByText(`All ${told.findings.length} checks`).click();
  const checks = await page.locator(".checks > li").allTextContents();
  assert.equal(checks.length, told.findings.length);
  told.findings.forEach((f, i) => assert.ok(checks[i].includes(f.text), f.text));
  await page.close();
});

test("it can be read in both schemes and on a phone", async () => {
  for (const [size, scheme] of [["wide", "light"], ["phone", "dark"]]) {
    const page = await open(SICK, { size, scheme });
    await page.getByText(/^The other \d+ checks/).click();

    assert.deepEqual(await page.evaluate(lowContrast), []);
    const [seen, wide] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
    assert.ok(wide <= seen, `${wide} > ${seen}`);
    await page.locator("section.health").screenshot({ path: join(SHOTS, `health-${size}-${scheme}.png`) });
    await page.close();
  }
});

test("a draft is not asked about", async () => {
  mock.state.requests.length = 0;
  const page = await drawn(await browser.open(`${mock.url}/experiments/autocomplete-v3`), 0);
  assert.ok(!mock.state.requests.some((path) => path.endsWith("/health")));
  await page.close();
});
