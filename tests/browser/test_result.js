// The result page: what it says and draws is what the JSON says.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startMock } from "../../web/dev/mock.js";
import { axisOf, drawn, readFigure, SHOTS, startBrowser } from "./support.js";

let browser, mock;
before(async () => void ([browser, mock] = await Promise.all([startBrowser(), startMock()])));
after(async () => void (await Promise.all([browser?.close(), mock?.close()])));

const plain = (text) => text.replace(/\u202f/g, " ").replace(/\u2212/g, "-");
const results = (key) => mock.state.experiments.get(key).results;
const near = (seen, wanted, within, what) => assert.ok(Math.abs(seen - wanted) <= within, `${what}: drawn ${seen}, JSON ${wanted}`);

async function open(key, options, figures = 3) {
  return drawn(await browser.open(`${mock.url}/experiments/${key}`, options), figures);
}

/** Number and words of every cell of a metric's row. */
async function cells(page, metric, index) {
  const row = page.locator(`#metric-${metric} table.numbers tbody tr`).nth(index);
  return row.evaluate((tr) => Object.fromEntries([...tr.querySelectorAll("td[data-label]")].map((td) =>
    [td.dataset.label, [...td.querySelectorAll(".main, .under, .outcome")].map((n) => n.textContent)])));
}

const percentOf = (text) => Number(plain(text).replace(/[^0-9.+-]/g, "")) / 100;

describe("words", () => {
  for (const key of ["wikimedia-2016", "shop-ranker", "shop-aa", "synonyms-abn"])
    test(`${key}: the verdict is the daemon's, and stands first`, async () => {
      const page = await open(key), r = results(key);
      assert.equal(await page.locator(".verdict-text").textContent(), r.verdict.text);
      const classes = await page.locator(".verdict").getAttribute("class");
      assert.ok(classes.includes(`verdict-${r.verdict.state}`));
      const order = await page.evaluate(() => document.querySelector(".verdict").compareDocumentPosition(document.querySelector(".chart")));
      assert.ok(order & 4, "verdict before the first figure");
      assert.deepEqual(page.complaints, []);
      await page.close();
    });

  test("an SRM alarm says what came, what was expected, how unlikely, and what to do", async () => {
    const page = await open("wikimedia-2016");
    const banner = plain(await page.getByRole("alert").textContent());
    for (const part of ["7,949", "6,170", "7,060", "1.1 × 10⁻⁵⁰", "What to do"]) assert.ok(banner.includes(part), part);
    await page.close();
  });

  test("no banner without an alarm", async () => {
    const page = await open("shop-ranker");
    assert.equal(await page.getByRole("alert").count(), 0);
    await page.close();
  });

  test("simulated data are labelled twice, real data never", async () => {
    let page = await open("shop-aa");
    assert.equal(await page.getByText("Simulated data").count(), 2);
    await page.close();
    page = await open("wikimedia-2016");
    assert.equal(await page.getByText("Simulated data").count(), 0);
    await page.close();
  });

  test("as of, run, multiple exposures and method are told", async () => {
    const page = await open("shop-ranker");
    const words = plain(await page.locator("main").evaluate((n) => n.textContent));
    for (const part of ["15 Mar 2026, 23:00 UTC", "40,122 signals in 1.70 s on 2 workers (local engine, 16 splits, 0 retries)",
      "3 units saw more than one variant", "Welch's t on units", "95 %", "lower is better"]) assert.ok(words.includes(part), part);
    await page.close();
  });

  test("a missing number has its reason, once", async () => {
    const changed = structuredClone(mock.state.experiments.get("shop-aa"));
    const none = Object.fromEntries(Object.keys(changed.results.metrics[1].variants[1].comparison).map((name) => [name, null]));
    changed.results.metrics[1].variants[1].comparison = { ...none, lift_kind: "none", outcome: "none", reason: "there is no variance" };
    mock.state.experiments.set("no-variance", changed);
    const reasons = async (key, metric) => {
      const page = await open(key);
      const found = await page.locator(`#metric-${metric} .reasons li`).allTextContents();
      await page.close();
      return found;
    };
    assert.deepEqual(await reasons("no-variance", "clicks_per_unit"), ["No comparison for Same again: there is no variance."]);
    assert.deepEqual(await reasons("wikimedia-2016", "time_to_first_click"),
      ["No value for Group a (control): the denominator is 0.", "No value for Group b: the denominator is 0."]);
    assert.deepEqual(await reasons("shop-aa", "ctr"), []);
  });
});

describe("forest plot", () => {
  for (const key of ["wikimedia-2016", "shop-ranker", "shop-aa"])
    test(`${key}: every interval and estimate lies where the JSON says`, async () => {
      const page = await open(key), figure = await readFigure(page, "forest");
      const axis = axisOf(figure.xTicks.map((t) => ({ text: t.text, at: t.x })));
      const wanted = results(key).metrics.map((m) => m.variants[1].comparison).filter((c) => c.lift_kind === "bounded");
      const lines = figure.lines.sort((a, b) => a.y - b.y), points = figure.estimates.sort((a, b) => a.y - b.y);
      assert.equal(lines.length, wanted.length);
      assert.equal(points.length, wanted.length);
      wanted.forEach((c, i) => {
        near(axis.toValue(lines[i].x), c.lift_ci[0], axis.pixel, "lower end");
        near(axis.toValue(lines[i].end), c.lift_ci[1], axis.pixel, "upper end");
        near(axis.toValue(points[i].x), c.lift, axis.pixel, "estimate");
      });
      assert.equal(figure.arrows.length, 0);
      await page.close();
    });

  test("an interval without an end has arrows, and the reason in words", async () => {
    const page = await open("synonyms-abn"), figure = await readFigure(page, "forest");
    const all = results("synonyms-abn").metrics.flatMap((m) => m.variants.slice(1).map((v) => v.comparison));
    const of = (kind) => all.filter((c) => c.lift_kind === kind).length;
    assert.ok(of("exclusive") && of("whole_line") && of("none") && of("bounded"), "the fixture has every kind");
    assert.equal(figure.arrows.length, 2 * (of("exclusive") + of("whole_line")));
    assert.equal(figure.lines.length, 2 * of("exclusive") + of("whole_line") + of("bounded"));
    const words = plain(await page.locator("#forest ~ .reasons").textContent());
    for (const part of ["below -4,560 % or above +568.2 %", "any lift is possible", "no lift: the denominator is 0"])
      assert.ok(words.includes(part), part);
    await page.close();
  });

  test("colours follow the direction of the metric", async () => {
    const page = await open("shop-ranker");
    const colour = (index) => page.evaluate((i) => {
      const line = document.getElementById("forest").closest("section").querySelectorAll(".interval line")[i];
      const probe = document.createElement("i");
      document.body.append(probe);
      const named = Object.fromEntries(["better", "worse", "even"].map((name) => {
        probe.style.color = `var(--${name})`;
        return [getComputedStyle(probe).color, name];
      }));
      probe.remove();
      return named[getComputedStyle(line).stroke];
    }, index);
    const expect = { better: "better", worse: "worse", no_difference: "even" };
    const wanted = results("shop-ranker").metrics.map((m) => m.variants[1].comparison);
    const fall = wanted.find((c) => c.lift < 0 && c.outcome === "better");
    assert.ok(fall, "the fixture has a metric whose fall is better");
    for (const [i, c] of wanted.entries()) assert.equal(await colour(i), expect[c.outcome], String(i));
    await page.close();
  });
});

describe("lift by day", () => {
  test("every day's lift is drawn where the JSON says, for each metric chosen", async () => {
    const page = await open("shop-ranker");
    for (const m of mock.state.experiments.get("shop-ranker").timeseries.metrics) {
      await page.getByLabel("Metric").selectOption(m.metric);
      const name = results("shop-ranker").metrics.find((x) => x.metric === m.metric).name;
      await page.locator(`.chart svg[aria-label^="${name}: lift by day"]`).waitFor();
      const figure = await readFigure(page, "days");
      const axis = axisOf(figure.yTicks.map((t) => ({ text: t.text, at: t.y })));
      const days = figure.days.sort((a, b) => a.x - b.x);
      assert.equal(days.length, m.days.length, m.metric);
      m.days.forEach((d, i) => near(axis.toValue(days[i].y), d.variants[1].lift, 1.5 * axis.pixel, `${m.metric} ${d.day}`));
    }
    assert.deepEqual(page.complaints, []);
    await page.close();
  });

  test("pointing at a day tells its numbers", async () => {
    const page = await open("shop-ranker"), days = mock.state.experiments.get("shop-ranker").timeseries.metrics[0].days;
    const svg = page.locator("#days").locator("xpath=ancestor::section[1]").locator(".chart svg");
    await svg.scrollIntoViewIfNeeded();
    const box = await svg.boundingBox();
    await page.mouse.move(box.x + box.width - 22, box.y + 60);
    const said = plain((await svg.locator('[aria-label="tip"] text').textContent()));
    for (const part of ["15 Mar 2026", "Less noisy ranker: +17.94 %", `${days.at(-1).variants[1].n.toLocaleString("en")} units`])
      assert.ok(said.includes(part), `${part} in ${said}`);
    assert.deepEqual(page.complaints, []);
    await page.screenshot({ path: `${SHOTS}/tip.png` });
    await page.close();
  });

  test("more than two variants: a line each, named", async () => {
    const page = await open("synonyms-abn");
    const section = page.locator("section", { has: page.locator("#days") });
    assert.equal(await section.locator(".chart g.lift path").count(), 2);
    assert.deepEqual((await section.locator(".legend li").allTextContents()).map((t) => t.trim()), ["Synonyms mined from clicks", "No synonyms"]);
    await page.close();
  });

  test("the numbers by day are a table too", async () => {
    const page = await open("shop-aa");
    await page.getByText("Numbers by day").click();
    const rows = page.locator("#days").locator("xpath=ancestor::section[1]").locator("tbody tr");
    assert.equal(await rows.count(), 2 * mock.state.experiments.get("shop-aa").timeseries.metrics[0].days.length);
    await page.close();
  });
});

describe("tables", () => {
  test("units, sums, values, intervals and p are those of the JSON", async () => {
    const page = await open("wikimedia-2016");
    const a = await cells(page, "ctr", 0), b = await cells(page, "ctr", 1);
    assert.deepEqual([a.Units[0], a.Sum[0], plain(a.Value[0])], ["7,949", "1,154", "14.52 %"]);
    assert.deepEqual([b.Units[0], b.Sum[0], plain(b.Value[0])], ["6,170", "102", "1.65 %"]);
    assert.equal(plain(b.Difference[0]), "-12.86 pp");
    assert.equal(plain(b.p[0]), "3.9 × 10⁻¹⁹¹");
    assert.match(b.Outcome[0], /worse/);
    const zero = await cells(page, "zero_result_rate", 0);
    assert.deepEqual(zero.Sums, ["2,085", "over 10,675"]);
    await page.close();
  });

  test("a p-value below what a double holds is shown by its logarithm, inside its cell", async () => {
    const changed = structuredClone(mock.state.experiments.get("shop-aa"));
    Object.assign(changed.results.metrics[0].variants[1].comparison, { p: 0, log10_p: -412.34 });
    mock.state.experiments.set("tiny-p", changed);
    const page = await open("tiny-p");
    assert.equal(plain((await cells(page, "ctr", 1)).p[0]), "< 10⁻³⁰⁰ (log₁₀ p = -412.3)");
    const room = await page.locator('#metric-ctr td[data-label="p"]').first().evaluate((td) => td.clientWidth - td.scrollWidth);
    assert.ok(room >= 0, `${-room} pixels too wide`);
    await page.close();
  });

  test("every lift of every metric and variant stands in its cell", async () => {
    for (const key of ["shop-ranker", "synonyms-abn"]) {
      const page = await open(key);
      for (const m of results(key).metrics)
        for (const [i, v] of m.variants.entries()) {
          const shown = await cells(page, m.metric, i);
          assert.equal(shown.Units[0], v.n.toLocaleString("en"));
          if (v.comparison?.lift != null) near(percentOf(shown.Lift[0]), v.comparison.lift, Math.abs(v.comparison.lift) > 1 ? 0.01 : 0.00006, m.metric);
        }
      await page.close();
    }
  });
});
