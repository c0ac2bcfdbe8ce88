// A draft's page: its pre-flight as the daemon told it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startMock } from "../../web/dev/mock.js";
import { drawn, shot, startBrowser } from "./support.js";

let browser, mock;
before(async () => void ([browser, mock] = await Promise.all([startBrowser(), startMock()])));
after(async () => void (await Promise.all([browser?.close(), mock?.close()])));

const DRAFT = "autocomplete-v3";
const told = () => mock.state.preflights.get(DRAFT);

async function withTold(changed, body) {
  const before_ = told();
  mock.state.preflights.set(DRAFT, changed);
  try {
    await body();
  } finally {
    mock.state.preflights.set(DRAFT, before_);
  }
}

test("a draft shows split and power, each number the daemon's", async () => {
  const page = await drawn(await browser.open(`${mock.url}/experiments/${DRAFT}`), 2);
  await page.getByRole("heading", { name: "Ready to start" }).waitFor();
  const widths = await page.locator("section[aria-labelledby=simulated-split] .units rect").evaluateAll((bars) => bars.map((b) => Number(b.getAttribute("width"))));
  const [control, popular] = told().split.variants;
  assert.equal(widths.length, 2);
  assert.ok(Math.abs(widths[1] / widths[0] - popular.units / control.units) < 1e-3);
  const dots = await page.locator("section[aria-labelledby=power] .power-of-a-week circle").evaluateAll((all) => all.map((c) => Number(c.getAttribute("cy"))));
  assert.equal(dots.length, told().power.weeks.length);
  const [first, last] = [told().power.weeks[0].power, told().power.weeks.at(-1).power];
  const scale = (dots[0] - dots.at(-1)) / (last - first); /* pixels per unit of power */
  told().power.weeks.forEach((w, i) => assert.ok(Math.abs(dots[0] - (w.power - first) * scale - dots[i]) < 0.6));
  await page.getByText("Numbers by week").click();
  const rows = page.locator("section[aria-labelledby=power] tbody tr");
  assert.equal(await rows.count(), 8);
  assert.match(await rows.last().textContent(), /^8/);
  assert.deepEqual(page.complaints, []);
  await shot(page, "preflight-wide");
  await page.close();
});

test("findings are words, and a split that does not fit stands out", () => {
  const changed = structuredClone(told());
  Object.assign(changed, { may_start: false, findings: [
    { severity: "error", field: "seed", text: "the simulated split <b>does not</b> fit" }, { severity: "warning", field: "mde", text: "too small" }] });
  changed.split.srm.p = 0;
  return withTold(changed, async () => {
    const page = await drawn(await browser.open(`${mock.url}/experiments/${DRAFT}`, { size: "phone", scheme: "dark" }), 2);
    await page.getByRole("heading", { name: "It cannot start yet" }).waitFor();
    const items = await page.locator(".findings li").allTextContents();
    assert.deepEqual(items, ["Error seed: the simulated split <b>does not</b> fit", "Warning mde: too small"]);
    assert.equal(await page.locator("section[aria-labelledby=simulated-split] .expected").first().evaluate((g) =>
      (g.getAttribute("stroke") ?? g.firstElementChild.getAttribute("stroke"))), "var(--alarm)");
    await shot(page, "preflight-phone-dark");
    await page.close();
  });
});

test("no power: its reason; no pre-flight: the daemon's words", async () => {
  const changed = structuredClone(told());
  Object.assign(changed.power, { why_not: "no signal came in the last days", weeks: [] });
  await withTold(changed, async () => {
    const page = await drawn(await browser.open(`${mock.url}/experiments/${DRAFT}`), 1);
    await page.getByText("No power by week: no signal came in the last days.").waitFor();
    await page.close();
  });
  await withTold(undefined, async () => {
    const page = await browser.open(`${mock.url}/experiments/${DRAFT}`);
    await page.getByText(/No pre-flight: there is no experiment/).waitFor();
    await page.close();
  });
});

test("only drafts are asked about", async () => {
  mock.state.requests.length = 0;
  const page = await drawn(await browser.open(`${mock.url}/experiments/shop-aa`));
  assert.ok(!mock.state.requests.some((path) => path.endsWith("/preflight")));
  await page.close();
});
