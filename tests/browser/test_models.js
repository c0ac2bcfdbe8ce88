// Models on the mock: the list, a model's versions as picture and table, comparison, another champion, the way back.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { fixtures, startMock } from "../../web/dev/mock.js";
import { rewritesOf } from "../../web/dev/mock_rewrites.js";
import { lowContrast, stumbles } from "./looks.js";
import { shot, startBrowser } from "./support.js";

const NAME = "item-similarity";
const recorded = () => rewritesOf(fixtures(new URL("../../web/dev/fixtures/rewrites", import.meta.url).pathname));
let browser, mock;
before(async () => void ([browser, mock] = await Promise.all([startBrowser(), startMock()])));
after(async () => void (await Promise.all([browser?.close(), mock?.close()])));
beforeEach(() => void (mock.state.rewrites = recorded()));

const versions = () => mock.state.rewrites.versions[NAME];
const champion = () => mock.state.rewrites.models.find((m) => m.name === NAME).aliases.champion;

async function open(path = `/models/${NAME}`, options) {
  const page = await browser.open(mock.url + path, options);
  await page.locator("main h1").waitFor();
  return page;
}

async function end(page) {
  assert.deepEqual(page.complaints, []);
  await page.close();
}

test("the list says which version is served and how the metric went", async () => {
  const page = await open("/models");
  const card = page.locator(".model-card", { has: page.getByRole("link", { name: NAME }) });
  await card.locator(".model-spark svg").waitFor();
  assert.match(await card.textContent(), new RegExp(`Version ${champion()} is champion`));
  assert.equal(await card.locator("circle, path").count(), versions().length);
  assert.equal(await card.locator(".is-refused").count(), versions().filter((v) => v.status === "refused").length);
  assert.equal(await page.locator(".model-card").count(), mock.state.rewrites.models.length);
  await end(page);
});

describe("a model", () => {
  test("the picture has a point a version, an interval each, a cross for what was refused, a ring for the champion", async () => {
    const page = await open();
    await page.locator(".chart svg").waitFor();
    const refused = versions().filter((v) => v.status === "refused").length;
    assert.equal(await page.locator(".chart .estimate :is(circle, path)").count(), versions().length - refused);
    assert.equal(await page.locator(".chart .refused path").count(), refused);
    assert.equal(await page.locator(".chart .interval line").count(), versions().length);
    assert.equal(await page.locator(".chart .champion :is(circle, path)").count(), 1);
    const heights = await page.locator(".chart .estimate circle").evaluateAll((list) => list.map((c) => Number(c.getAttribute("cy"))));
    const values = versions().filter((v) => v.status !== "refused").map((v) => v.metrics["ndcg@10"].value).reverse();
    values.forEach((v, i) => i && assert.equal(v > values[i - 1], heights[i] < heights[i - 1], `version ${i}`));
    await page.getByLabel("Metric").selectOption("coverage");
    await page.getByRole("heading", { name: "coverage of its versions" }).waitFor();
    await page.locator(".chart svg[aria-label^=coverage]").waitFor();
    assert.equal(await page.locator(".chart .interval line").count(), 0, "it has none");
    await end(page);
  });

  test("every version is in the table with what its gate said", async () => {
    const page = await open();
    const rows = await page.locator(".versions tbody tr").evaluateAll((list) => list.map((row) => row.textContent));
    assert.equal(rows.length, versions().length);
    versions().forEach((v, i) => assert.ok(rows[i].includes(v.gate.reason) && rows[i].includes(v.status === "refused" ? "Refused" : "Passed"), rows[i]));
    await end(page);
  });

  test("two versions are compared", async () => {
    const page = await open();
    for (const version of [13, 14]) await page.getByRole("checkbox", { name: String(version), exact: true }).check();
    await page.getByRole("heading", { name: "Version 14 beside version 13" }).waitFor();
    const c = mock.state.rewrites.compare;
    await page.getByRole("region", { name: "Metrics" }).waitFor();
    assert.equal(await page.getByRole("region", { name: "Metrics" }).locator("tbody tr").count(), c.metrics.length);
    assert.match(await page.locator(".alike").textContent(), /in common/);
    await page.getByRole("button", { name: "Close" }).click();
    assert.equal(await page.getByRole("heading", { name: "Version 14 beside version 13" }).count(), 0);
    await end(page);
  });

  test("rolled back, when asked twice", async () => {
    const page = await open(), was = champion();
    await page.getByRole("button", { name: "Roll back" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Go back" }).click();
    assert.equal(champion(), was);
    await page.getByRole("button", { name: "Roll back" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
    await page.getByRole("heading", { name: "Version 13 is served" }).waitFor();
    assert.equal(champion(), 13);
    await end(page);
  });

  test("another champion; of one that was refused its reason is said first", async () => {
    const page = await open(), bad = versions().find((v) => v.status === "refused");
    const row = page.locator(".versions tbody tr", { has: page.getByRole("checkbox", { name: String(bad.version), exact: true }) });
    await row.getByRole("button", { name: "Make champion" }).click();
    await page.getByRole("dialog").getByText(bad.gate.reason).waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Make it champion" }).click();
    await page.getByRole("heading", { name: `Version ${bad.version} is served` }).waitFor();
    assert.equal(champion(), bad.version);
    await end(page);
  });
});

describe("a ranker", () => {
  const importance = (page) => page.locator("section", { has: page.getByRole("heading", { name: /^What matters to version/ }) });

  test("what its features matter stands as bars, longest first, by several measures", async () => {
    const page = await open("/models/shop-ranker"), summary = mock.state.rewrites.summary;
    const bars = () => importance(page).locator(".chart .bars rect").evaluateAll((list) => list.map((bar) => Number(bar.getAttribute("width"))));
    await importance(page).locator(".chart svg[aria-label^='loss when shuffled']").waitFor();
    const lost = summary.measured.map((m) => m.permutation), widths = await bars();
    assert.equal(widths.length, 15);
    widths.forEach((w, i) => assert.ok(Math.abs(w / widths[0] - Math.abs(lost[i]) / lost[0]) < 0.01, `bar ${i}`));
    assert.match(await importance(page).textContent(), new RegExp(`${summary.trees} trees .* over ${summary.features} features, of which 3 are filled in from signals`));
    await importance(page).getByLabel("By").selectOption("splits");
    await importance(page).locator(`.chart svg[aria-label^='splits: ${summary.importance[0].name} ${summary.importance[0].splits}']`).waitFor();
    await importance(page).getByText("All 18 features").click();
    assert.equal(await page.getByRole("region", { name: "All features" }).locator("tbody tr").count(), 18);
    await end(page);
  });

  test("saved for an engine under the daemon's name, and the note is said", async () => {
    const page = await open("/models/shop-ranker");
    await page.getByLabel("Format").selectOption("ranklib");
    await page.getByText("RankLib's LambdaMART").waitFor();
    await page.getByLabel("Format").selectOption("solr");
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: /^Save version/ }).click()]);
    assert.equal(file.suggestedFilename(), `shop-ranker_v${mock.state.rewrites.models.find((m) => m.name === "shop-ranker").aliases.champion}-solr.json`);
    await page.getByText("Note: missing values need Solr 9.2 or later.").waitFor();
    await end(page);
  });
});

test("what is not there is said: no models, no such model", async () => {
  Object.assign(mock.state.rewrites, { models: [], versions: {} });
  let page = await open("/models");
  await page.getByRole("heading", { name: "No models yet" }).waitFor();
  await end(page);
  page = await open("/models/nothing");
  await page.getByText("There is no model").waitFor();
  await page.close();
});

test("from jobs to models by the bar above, each is its own view", async () => {
  const page = await open("/jobs");
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Models" }).click();
  await page.getByRole("heading", { name: "Models", level: 1 }).waitFor();
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Rewrites" }).click();
  await page.getByRole("heading", { name: "Rewrites", level: 1 }).waitFor();
  await end(page);
});

describe("click models", () => {
  const section = () => mock.state.rewrites.section;
  const names = () => Object.keys(section()).filter((m) => section()[m].parameters);

  test("curves over positions, what was measured with its intervals, and a table with the best first", async () => {
    const page = await open("/models/click-models");
    const figure = (name) => page.locator("section", { has: page.getByRole("heading", { name }) });
    await figure("Perplexity at each position").locator(".chart svg").waitFor();
    await figure("How much more rarely a position is looked at").locator(".chart .measured circle").first().waitFor();
    assert.equal(await figure("Perplexity at each position").locator(".chart .curve path").count(), 6);
    assert.equal(await figure("How much more rarely a position is looked at").locator(".chart .measured circle").count(), section().swaps.length);
    assert.equal(await figure("How much more rarely a position is looked at").locator(".chart .interval line").count(), section().swaps.length);
    const rows = await page.getByRole("region", { name: "Click models" }).locator("tbody tr").evaluateAll((list) => list.map((row) => row.textContent));
    const best = names().sort((a, b) => section()[a].perplexity - section()[b].perplexity);
    assert.equal(rows.length, best.length);
    best.forEach((m, i) => assert.ok(rows[i].startsWith(m) && rows[i].includes(section()[m].perplexity.toFixed(4)), rows[i]));
    assert.match(rows[best.indexOf(section().chosen)], /relevance is its/);
    await end(page);
  });
});

describe("a classifier", () => {
  const version = () => mock.state.rewrites.versions["query-intent"].find((v) => v.aliases.includes("champion"));

  test("begins with what it takes for what, and says its worst mistakes", async () => {
    const page = await open("/models/query-intent"), { confusion } = version().metrics;
    const card = page.locator("section", { has: page.getByRole("heading", { name: /takes for what/ }) });
    await card.locator(".chart rect").first().waitFor();
    const cells = confusion.rows.flatMap((row, i) => row.map((n, j) => ({ n, words: `${confusion.labels[i]} taken for ${confusion.labels[j]}: ${n.toFixed(0)}`, wrong: i !== j }))).filter((c) => c.wrong);
    assert.equal(await card.locator(".chart rect").count(), confusion.rows.length ** 2);
    const worst = cells.sort((a, b) => b.n - a.n)[0];
    assert.ok((await card.locator("li").first().textContent()).startsWith(worst.words));
    await end(page);
  });

  test("tables are no metrics; each label has its row", async () => {
    const page = await open("/models/query-intent"), { metrics } = version();
    const names = await page.getByLabel("Metric").locator("option").allTextContents();
    assert.ok(names.includes("macro_f1") && !names.includes("confusion") && !names.includes("training"), names.join());
    const rows = await page.getByRole("region", { name: "Labels" }).locator("tbody tr").allTextContents();
    assert.deepEqual(rows.map((r) => metrics.classes.find((c) => r.startsWith(c.label))?.label), metrics.classes.map((c) => c.label));
    await page.getByRole("img", { name: /^Calibration: / }).waitFor();
    await end(page);
  });
});

describe("looks", () => {
  const VIEWS = { models: "/models", model: `/models/${NAME}`, ranker: "/models/shop-ranker", clicks: "/models/click-models", classifier: "/models/query-intent" };
  for (const size of ["wide", "phone"])
    for (const scheme of ["light", "dark"])
      for (const name of Object.keys(VIEWS))
        test(`${name}, ${size}, ${scheme}: contrast, names, no sideways scroll`, async () => {
          const page = await open(VIEWS[name], { size, scheme });
          await page.locator(".model-spark svg, .chart svg").first().waitFor();
          if (name === "clicks") await page.locator(".chart .curve").nth(6).waitFor();
          if (name === "ranker") await page.locator(".ranker .bars rect").first().waitFor();
          if (name === "model") {
            for (const version of [13, 14]) await page.getByRole("checkbox", { name: String(version), exact: true }).check();
            await page.locator(".alike").waitFor();
          }
          await shot(page, `${name}-${size}-${scheme}`);
          assert.deepEqual(await page.evaluate(lowContrast), []);
          assert.deepEqual(await page.evaluate(stumbles), []);
          const [seen, wide] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
          assert.ok(wide <= seen, `${wide} > ${seen}`);
          await end(page);
        });
});

describe("groups of documents", () => {
  const { groups, members, texts } = fixtures(new URL("../../web/dev/fixtures/clusters", import.meta.url).pathname).get("clusters");
  const filled = groups.clusters.filter((g) => g.documents > 0);

  test("bars by size with labels; the documents of the one that is chosen", async () => {
    const page = await open("/models/clusters");
    await page.locator(".group-row").first().waitFor();
    const rows = page.locator(".group-row");
    assert.equal(await rows.count(), filled.length);
    assert.match(await rows.nth(2).textContent(), new RegExp(filled[2].labels[0]));
    const widths = await page.locator(".group-row .group-bar > span").evaluateAll((list) => list.map((n) => n.getBoundingClientRect().width));
    filled.forEach((g, i) => i && assert.equal(g.documents > filled[i - 1].documents, widths[i] > widths[i - 1] + 0.5, g.cluster));
    await rows.nth(2).click();
    await page.getByRole("heading", { name: new RegExp(`^Group ${filled[2].cluster}`) }).waitFor();
    await page.locator(".group-list li", { hasText: members[filled[2].cluster].docs[0].doc }).first().waitFor();
    await end(page);
  });

  test("a text finds its group, or none", async () => {
    const page = await open("/models/clusters"), [text, place] = Object.entries(texts)[1];
    await page.getByLabel("Where does a text belong?").fill(text);
    await page.getByText(`Nearest: Group ${place.cluster}`).waitFor();
    await page.locator(".group-row[aria-pressed=true]", { hasText: place.labels[0] }).waitFor();
    await page.getByLabel("Where does a text belong?").fill("xyzzy");
    await page.getByText("nothing in common").waitFor();
    await end(page);
  });
});

test("word vectors: the nearest of a word, and from there to the next", async () => {
  const { words } = fixtures(new URL("../../web/dev/fixtures/clusters", import.meta.url).pathname).get("clusters");
  const page = await open("/models/word2vec");
  await page.getByLabel(/A word, a text/).fill("query");
  const rows = page.locator(".nearest li");
  await rows.first().waitFor();
  assert.deepEqual(await rows.locator("button").allTextContents(), words.query.nearest.map((n) => n.word));
  await rows.locator("button").first().click();
  await page.waitForFunction((word) => document.querySelector("#word").value === word, words.query.nearest[0].word);
  await page.getByLabel(/A word, a text/).fill("nosuchword");
  await page.getByText("No word of it is known").waitFor();
  await end(page);
});

for (const size of ["wide", "phone"])
  for (const scheme of ["light", "dark"])
    test(`clusters and vectors look right: ${size}, ${scheme}`, async () => {
      for (const [path, ready] of [["/models/clusters", ".group-list li"], ["/models/word2vec?word=experiment", ".nearest li"]]) {
        const page = await open(path, { size, scheme });
        await page.locator(ready).first().waitFor();
        await shot(page, `${path.slice(8).replace(/\W.*/, "")}-${size}-${scheme}`);
        assert.deepEqual(await page.evaluate(lowContrast), []);
        assert.deepEqual(await page.evaluate(stumbles), []);
        const [seen, wide] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
        assert.ok(wide <= seen, `${path}: ${wide} > ${seen}`);
        await end(page);
      }
    });
