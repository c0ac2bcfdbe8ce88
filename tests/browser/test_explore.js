// The views of a result that are asked for when they are opened, and numbers that explain themselves; the answers are a daemon's (web/dev/record_result.py).
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startMock } from "../../web/dev/mock.js";
import { lowContrast, stumbles } from "./looks.js";
import { axisOf, drawn, readFigure, shot, startBrowser } from "./support.js";

const KEY = "search-everywhere";
let browser, mock, told;
before(async () => {
  [browser, mock] = await Promise.all([startBrowser(), startMock()]);
  told = mock.state.experiments.get(KEY);
});
after(async () => void (await Promise.all([browser?.close(), mock?.close()])));

const plain = (text) => text.replace(/\u202f/g, " ").replace(/\u2212/g, "-");
const near = (seen, wanted, within, what) => assert.ok(Math.abs(seen - wanted) <= within, `${what}: drawn ${seen}, JSON ${wanted}`);
const open = async (options, key = KEY) => drawn(await browser.open(`${mock.url}/experiments/${key}`, options), 3);

async function show(page, tab, heading) {
  await page.getByRole("tab", { name: tab }).click();
  await page.locator(`#${heading}`).waitFor();
  return page.locator(".tabbed .chart svg").waitFor();
}

describe("tabs", () => {
  test("arrow keys, Home and End move, and only what is shown is asked for", async () => {
    const page = await open();
    assert.equal(mock.state.requests.filter((r) => r === `/v1/experiments/${KEY}/timeseries`).length, 1);
    await page.getByRole("tab", { name: "By day" }).focus();
    for (const [key, title] of [["ArrowRight", "Days since exposure"], ["End", "Segments"], ["ArrowRight", "By day"], ["ArrowLeft", "Segments"], ["Home", "By day"]]) {
      await page.keyboard.press(key);
      const tab = page.getByRole("tab", { name: title });
      assert.equal(await tab.getAttribute("aria-selected"), "true", title);
      assert.ok(await tab.evaluate((n) => n === document.activeElement), title);
      assert.equal(await page.locator('[role="tab"][tabindex="0"]').count(), 1);
    }
    assert.deepEqual(page.complaints, []);
    await page.close();
  });

  test("what has not been counted says so", async () => {
    const page = await open({}, "shop-aa");
    await page.getByRole("tab", { name: "Cohorts" }).click();
    await page.getByText("Nothing to show: no cohorts have been counted.").waitFor();
    await page.getByRole("tab", { name: "Days since exposure" }).click();
    await page.getByText("Nothing to show: no days since exposure have been counted.").waitFor();
    await page.getByRole("tab", { name: "Segments" }).click();
    await page.getByText("No segments have been counted.").waitFor();
    assert.deepEqual(page.complaints, []);
    await page.close();
  });
});

describe("segments", () => {
  test("every interval, estimate and shrunk effect lies where the JSON says", async () => {
    const page = await open();
    await show(page, "Segments", "segments");
    for (const dimension of ["country", "device"]) {
      await page.getByLabel("Dimension").selectOption(dimension);
      await page.locator(`.chart svg[aria-label^="Click-through by ${dimension}"]`).waitFor();
      const figure = await readFigure(page, "segments"), axis = axisOf(figure.xTicks.map((t) => ({ text: t.text, at: t.x })));
      const wanted = told.segments[dimension].metrics.find((m) => m.metric === "ctr").values.map((v) => v.variants[1].comparison);
      const lines = figure.lines.sort((a, b) => a.y - b.y), points = figure.estimates.sort((a, b) => a.y - b.y);
      assert.equal(lines.length, wanted.length);
      wanted.forEach((c, i) => {
        near(axis.toValue(lines[i].x), c.lift_ci[0], axis.pixel, "lower end");
        near(axis.toValue(lines[i].end), c.lift_ci[1], axis.pixel, "upper end");
        near(axis.toValue(points[i].x), c.lift, axis.pixel, "estimate");
      });
      const shrunk = await page.locator(".tabbed .shrunk path").count();
      assert.equal(shrunk, wanted.filter((c) => c.shrunk).length, "four values or more are drawn to the common effect");
    }
    assert.deepEqual(page.complaints, []);
    await page.close();
  });

  test("the table has p for all looks, says how many there were, and whether the segments differ", async () => {
    const page = await open();
    await show(page, "Segments", "segments");
    const answer = told.segments.country, metric = answer.metrics.find((m) => m.metric === "ctr");
    const words = plain(await page.locator(".tabbed").evaluate((n) => n.textContent));
    assert.ok(words.includes(`${answer.looks} comparisons`), "how many looks");
    assert.ok(words.includes(metric.effects[0].heterogeneity.text));
    const rows = await page.locator("table.segments tbody tr").evaluateAll((all) => all.map((tr) => [...tr.children].map((c) => c.textContent)));
    assert.equal(rows.length, 2 * metric.values.length);
    metric.values.forEach((v, i) => {
      assert.equal(rows[2 * i][0], v.value);
      assert.equal(rows[2 * i + 1][2], v.variants[1].n.toLocaleString("en"));
      const better = v.variants[1].comparison.outcome_adjusted === "better";
      assert.equal(rows[2 * i + 1].at(-1).includes("better"), better, v.value);
    });
    await page.close();
  });
});

describe("over time", () => {
  for (const [tab, id, name] of [["Days since exposure", "since_exposure", "days_since"], ["Cohorts", "cohort", "day"]])
    test(`${tab}: each lift is drawn where the JSON says, and the test of a change is told`, async () => {
      const page = await open();
      await show(page, tab, id);
      const metric = told[id].metrics.find((m) => m.metric === "ctr");
      const figure = await readFigure(page, id), axis = axisOf(figure.yTicks.map((t) => ({ text: t.text, at: t.y })));
      const points = figure.days.sort((a, b) => a.x - b.x), wanted = metric.periods.filter((p) => p.variants[1].comparison.lift !== null);
      assert.equal(points.length, wanted.length);
      wanted.forEach((p, i) => {
        const { lift } = p.variants[1].comparison;
        if (lift > axis.toValue(figure.yTicks[0].y) || lift < axis.toValue(figure.yTicks.at(-1).y)) return;
        near(axis.toValue(points[i].y), lift, 1.5 * axis.pixel, `${p[name]}`);
      });
      const words = plain(await page.locator(".tabbed .reasons").first().textContent());
      assert.ok(words.includes(metric.trends[0].text ?? metric.trends[0].reason), words);
      await page.locator(".tabbed summary").click();
      assert.equal(await page.locator(".tabbed tbody tr").count(), 2 * metric.periods.length);
      assert.deepEqual(page.complaints, []);
      await page.close();
    });
});

describe("an explained number", () => {
  test("opens with words, counts, and the lines that give it again; Escape closes and leaves the focus where it was", async () => {
    const page = await open();
    const c = told.results.metrics.find((m) => m.metric === "clicks_per_query").variants[1].comparison;
    const number = page.locator('#metric-clicks_per_query td[data-label="Lift"] .explained');
    await number.focus();
    await page.keyboard.press("Enter");
    const drawer = page.getByRole("dialog");
    await drawer.waitFor();
    const words = await drawer.evaluate((n) => n.textContent);
    for (const step of c.explain.steps) {
      assert.ok(words.includes(`| xstat ${step.method}`), step.method);
      for (const [key, value] of Object.entries(step.input)) assert.ok(words.includes(`"${key}": ${JSON.stringify(value)}`), `${step.method} ${key}`);
      assert.ok(words.includes(told.results.methods[step.method].source), `source of ${step.method}`);
    }
    for (const part of [c.explain.method, c.explain.looks, String(c.lift), c.explain.counts.treatment.units.toLocaleString("en")]) assert.ok(words.includes(part), part);
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
    assert.ok(await number.evaluate((n) => n === document.activeElement), "focus is back");
    assert.deepEqual(page.complaints, []);
    await page.close();
  });

  test("what was drawn anew stands beside the formula, and says when it is older than the results", async () => {
    const page = await open();
    const metric = told.results.metrics[0], drawn = metric.variants[1].comparison.bootstrap, four = (x) => plain(x.toPrecision(4));
    const ask = (of) => of.locator(`#metric-${metric.metric} td[data-label="Lift"] .explained`).click();
    await ask(page);
    const words = async () => plain(await page.getByRole("dialog").textContent());
    for (const x of [drawn.lift, drawn.lift_se, ...drawn.lift_ci, drawn.difference_se]) assert.ok((await words()).includes(four(x)), four(x));
    assert.ok((await words()).includes(drawn.method));
    assert.equal(await page.getByText("Older than these results").count(), 0);
    await page.close();
    drawn.stale = true;
    const later = await open();
    await ask(later);
    await later.getByText("Older than these results").waitFor();
    drawn.stale = false;
    await later.close();
  });

  test("every value, difference, lift and p of every metric can be asked; so can each segment", async () => {
    const page = await open();
    const rows = told.results.metrics.flatMap((m) => m.variants);
    const wanted = rows.filter((v) => v.explain).length + 3 * rows.filter((v) => v.comparison?.explain).length;
    assert.equal(await page.locator(".numbers .explained").count(), wanted);
    await show(page, "Segments", "segments");
    await page.locator("table.segments .explained").first().click();
    assert.ok((await page.getByRole("dialog").textContent()).includes("Click-through, de: Search everywhere"));
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.close();
  });
});

test("the tables are saved as files, asked for with the key", async () => {
  const page = await open();
  for (const format of ["CSV", "JSON"]) {
    const [file] = await Promise.all([page.waitForEvent("download"), page.locator(".tables-head").getByRole("button", { name: format }).click()]);
    assert.equal(file.suggestedFilename(), `${KEY}.${format.toLowerCase()}`);
  }
  await show(page, "Segments", "segments");
  const [file] = await Promise.all([page.waitForEvent("download"), page.locator(".tabbed .save").getByRole("button", { name: "CSV" }).click()]);
  assert.equal(file.suggestedFilename(), `${KEY}-country.csv`);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("the decision stands with its rule, line by line", async () => {
  const changed = structuredClone(told), d = changed.results.decision;
  Object.assign(d.variants[0].rule[0], { met: "no" });
  mock.state.experiments.set("decided", changed);
  const page = await drawn(await browser.open(`${mock.url}/experiments/decided`), 3);
  const words = await page.locator(".decision > p").textContent();
  assert.ok(words.includes(d.text), words);
  await page.getByText("The rule, as it stands").click();
  const lines = await page.locator(".rule li").allTextContents();
  assert.equal(lines.length, d.variants[0].rule.length);
  d.variants[0].rule.forEach((c, i) => assert.ok(lines[i].includes(c.text) && lines[i].includes(c.met === "yes" ? "Met" : "Not met"), lines[i]));
  await page.close();
});

test("how a number was adjusted, what it is read with and what is believed stand in the details", async () => {
  const page = await open();
  const c = told.results.metrics.find((m) => m.metric === "ctr").variants[1].comparison;
  assert.equal(c.adjustment.by, "cuped", "the fixture has covariates");
  const section = page.locator("#metric-ctr");
  await section.getByText("Definition and method").click();
  const words = plain(await section.locator(".facts").textContent());
  for (const part of ["Adjusted by cuped", "As measured, not adjusted", c.belief.text, c.belief.prior]) assert.ok(words.includes(part), part);
  await page.close();
});

test("metrics stand under their roles, with a line by day", async () => {
  const page = await open();
  assert.deepEqual(await page.locator(".role > h3").evaluateAll((all) => all.map((h) => h.firstChild.textContent.trim())), ["Primary", "Secondary", "Guardrails"]);
  assert.equal(await page.locator(".spark").count(), told.results.metrics.length);
  await page.close();
});

test("a bandit's weights stand beside those it began with", async () => {
  const changed = structuredClone(told);
  Object.assign(changed.results.experiment, { key: "bandit", weights_now: [0.2, 0.8], weights_version: 7 });
  changed.results.srm = null;
  mock.state.experiments.set("bandit", changed);
  const page = await drawn(await browser.open(`${mock.url}/experiments/bandit`), 2);
  const words = plain(await page.locator("section", { has: page.locator("#weights") }).evaluate((n) => n.textContent));
  for (const part of ["7 times", "20.0 %", "80.0 %", "50.0 %"]) assert.ok(words.includes(part), part);
  await page.close();
});

for (const size of ["wide", "phone"])
  test(`${size}: nothing moves while the page fills`, async () => {
    const page = await open({ size });
    await page.waitForTimeout(500);
    const moved = await page.evaluate(() => new Promise((done) => {
      new PerformanceObserver((list) => done(list.getEntries().map((e) => ({ value: e.value, of: e.sources.map((s) => s.node?.className ?? String(s.node)) }))))
        .observe({ type: "layout-shift", buffered: true });
      setTimeout(() => done([]), 1000);
    }));
    assert.ok(moved.reduce((sum, m) => sum + m.value, 0) < 0.05, JSON.stringify(moved));
    await page.close();
  });

for (const size of ["wide", "phone"])
  for (const scheme of ["light", "dark"])
    test(`${size}, ${scheme}: every view has contrast and names, and nothing scrolls sideways`, async () => {
      const page = await open({ size, scheme });
      const judge = async (what) => {
        await shot(page, `${KEY}-${what}-${size}-${scheme}`);
        assert.deepEqual(await page.evaluate(lowContrast), [], what);
        assert.deepEqual(await page.evaluate(stumbles), [], what);
        const [seen, wide] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
        assert.ok(wide <= seen, `${what}: ${wide} > ${seen}`);
      };
      await judge("days");
      for (const [tab, id] of [["Days since exposure", "since_exposure"], ["Cohorts", "cohort"], ["Segments", "segments"]]) {
        await show(page, tab, id);
        await judge(id);
      }
      await page.locator("#metric-ctr .explained").last().click();
      await page.getByRole("dialog").waitFor();
      await judge("explained");
      assert.deepEqual(page.complaints, []);
      await page.close();
    });
