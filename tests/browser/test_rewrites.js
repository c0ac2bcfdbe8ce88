// Rewrites on the mock: counts, filters, review by mouse and by keyboard, many at once, a rule of one's own, what becomes of a query.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { startMock } from "../../web/dev/mock.js";
import { rewritesOf } from "../../web/dev/mock_rewrites.js";
import { fixtures } from "../../web/dev/mock.js";
import { difference, evidence } from "../../web/src/rewrites/words.js";
import { lowContrast, stumbles } from "./looks.js";
import { shot, startBrowser } from "./support.js";

const recorded = () => rewritesOf(fixtures(new URL("../../web/dev/fixtures/rewrites", import.meta.url).pathname));
let browser, mock;
before(async () => void ([browser, mock] = await Promise.all([startBrowser(), startMock()])));
after(async () => void (await Promise.all([browser?.close(), mock?.close()])));
beforeEach(() => void (mock.state.rewrites = recorded()));

const all = () => mock.state.rewrites.rewrites;
const of = (want) => all().filter((r) => Object.entries(want).every(([key, value]) => r[key] === value));

async function open(path = "/rewrites", options) {
  const page = await browser.open(mock.url + path, options);
  await page.locator("main h1").waitFor();
  return page;
}

async function end(page) {
  assert.deepEqual(page.complaints, []);
  await page.close();
}

const texts = (page) => page.locator(".rewrite-change").evaluateAll((list) => list.map((n) => n.querySelector(".from, .to").textContent));
const settled = async (check) => {
  for (let i = 0; i < 100 && !(await check()); i++) await new Promise((done) => setTimeout(done, 50));
  assert.ok(await check());
};

describe("the review", () => {
  test("what is pending stands first, the most confident at the top; bars count what there is", async () => {
    const page = await open();
    await page.locator(".rewrite").first().waitFor();
    const wanted = of({ review: "pending" }).sort((a, b) => b.confidence - a.confidence || a.id - b.id).map((r) => r.input);
    assert.deepEqual(await texts(page), wanted);
    for (const [type, word] of [["spelling", "Spelling"], ["synonym", "Synonym"]])
      for (const review of ["pending", "approved"]) {
        const n = of({ type, review }).length;
        assert.equal(await page.getByRole("button", { name: new RegExp(`^${n} rewrites? of ${word}: ${review}`, "i") }).count(), n ? 1 : 0);
      }
    await end(page);
  });

  test("a part of a bar and the filters choose; the order is another's", async () => {
    const page = await open();
    await page.getByRole("button", { name: /of Spelling: Auto/ }).click();
    await settled(async () => (await texts(page)).length === of({ type: "spelling", review: "auto" }).length);
    await page.locator("#type").selectOption("");
    await page.locator("#review").selectOption("");
    await page.locator("#sort").selectOption("input");
    await page.locator("#text").fill("iphone");
    const wanted = all().filter((r) => `${r.input} ${r.output}`.includes("iphone")).map((r) => r.input).sort();
    await settled(async () => JSON.stringify(await texts(page)) === JSON.stringify(wanted));
    await page.locator("#text").fill("nowhere");
    await page.getByText("Nothing that fits").waitFor();
    await end(page);
  });

  test("why: the evidence in words, who found it and what was decided", async () => {
    const page = await open();
    const row = page.locator(".rewrite", { hasText: "nokai" });
    await row.getByRole("button", { name: "Why" }).click();
    const told = await row.locator(".evidence").textContent();
    const facts = of({ input: "nokai" })[0].evidence;
    assert.ok(told.includes(`${facts.zero_results}`) && told.includes("searches of it found nothing"), told);
    assert.ok((await row.textContent()).includes("Found by spelling"));
    await end(page);
  });

  test("by mouse: approved, and taken back to denied", async () => {
    const page = await open(), first = (await (await page.locator(".rewrite").first().waitFor(), texts(page)))[0];
    const row = page.locator(".rewrite", { hasText: first }).first();
    await row.getByRole("button", { name: "Approve" }).click();
    await row.getByText("Approved").waitFor();
    assert.equal(of({ input: first })[0].review, "approved");
    await row.getByRole("button", { name: "Deny" }).click();
    await row.getByText("Denied").waitFor();
    assert.equal(of({ input: first })[0].review, "denied");
    await end(page);
  });

  test("by keyboard: next, approve, deny, take back, choose, why", async () => {
    const page = await open();
    await page.locator(".rewrite.is-at").waitFor();
    const order = await texts(page), at = () => page.locator(".rewrite.is-at .rewrite-change").textContent();
    await page.keyboard.press("a");
    await settled(async () => of({ input: order[0] })[0].review === "approved" && (await at()).startsWith(order[1]));
    await page.keyboard.press("d");
    await settled(async () => of({ input: order[1] })[0].review === "denied" && (await at()).startsWith(order[2]));
    await page.keyboard.press("k");
    await page.keyboard.press("u");
    await settled(async () => of({ input: order[1] })[0].review === "pending");
    assert.ok((await at()).startsWith(order[1]), "it stays where it was");
    await page.keyboard.press("Enter");
    await page.locator(".rewrite.is-at .evidence").waitFor();
    await page.keyboard.press("x");
    await page.keyboard.press("j");
    await page.keyboard.press("x");
    await page.getByRole("button", { name: "Approve 2 chosen" }).waitFor();
    await page.locator("#text").focus();
    await page.keyboard.press("d");
    assert.equal(of({ input: order[2] })[0].review, "pending", "who types a text does not review");
    await end(page);
  });

  test("many at once are counted and asked about; others by then are refused", async () => {
    const page = await open();
    await page.locator(".rewrite").first().waitFor();
    await page.locator("#confidence").selectOption("low");
    const wanted = of({ review: "pending", confidence_class: "low" });
    await settled(async () => (await texts(page)).length === wanted.length);
    await page.getByRole("button", { name: "Deny all that fit" }).click();
    await page.getByRole("heading", { name: `Deny ${wanted.length} rewrites?` }).waitFor();
    all().push({ ...wanted[0], id: 999, input: "one more" });
    await page.getByRole("dialog").getByRole("button", { name: "Deny", exact: true }).click();
    await page.getByText("nothing was changed").waitFor();
    assert.equal(wanted.filter((r) => r.review === "denied").length, 0);
    await page.getByRole("button", { name: "Deny all that fit" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Deny", exact: true }).click();
    await settled(async () => wanted.every((r) => r.review === "denied"));
    assert.deepEqual(page.complaints.filter((text) => !text.includes("409")), []);
    await page.close();
  });

  test("somebody else's review in between is said, not lost", async () => {
    const page = await open();
    await page.locator(".rewrite").first().waitFor();
    const r = of({ input: (await texts(page))[0] })[0];
    Object.assign(r, { review: "denied", version: r.version + 1 });
    await page.locator(".rewrite").first().getByRole("button", { name: "Approve" }).click();
    await page.getByText("somebody else changed").waitFor();
    assert.equal(r.review, "denied");
    assert.deepEqual(page.complaints.filter((text) => !text.includes("412")), []);
    await page.close();
  });

  test("a rule of one's own; what the daemon refuses is said", async () => {
    const page = await open();
    await page.getByText("Write one by hand").click();
    await page.getByLabel("Input").fill("settee");
    await page.getByLabel("Output").fill("settee");
    await page.getByRole("button", { name: "Write it" }).click();
    await page.getByText("output is the same as input").waitFor();
    await page.getByLabel("Output").fill("sofa");
    await page.getByRole("button", { name: "Write it" }).click();
    await page.getByText("Written: settee").waitFor();
    assert.deepEqual([of({ input: "settee" })[0].output, of({ input: "settee" })[0].bidirectional], ["sofa", true]);
    assert.deepEqual(page.complaints.filter((text) => !text.includes("400")), []);
    await page.close();
  });

  test("without any it says where they come from", async () => {
    mock.state.rewrites.rewrites = [];
    const page = await open();
    await page.getByRole("heading", { name: "No rewrites yet" }).waitFor();
    await end(page);
  });
});

describe("try it", () => {
  test("each step, what is searched, and the version that did it", async () => {
    const page = await open("/rewrites/try?q=new%20york%20cheap%20tv");
    await page.locator(".steps h3").first().waitFor();
    const told = mock.state.rewrites.tried["new york cheap tv"];
    assert.equal(await page.locator(".step").count(), told.steps.length);
    assert.equal(await page.locator(".expanded").textContent(), told.expanded);
    assert.deepEqual(await page.locator(".term").evaluateAll((list) => list.map((n) => n.textContent.trim())), ["new york", "tv", "or television"]);
    await page.getByLabel("A query").fill("lamp");
    await page.getByText("No rule applies").waitFor();
    assert.match(page.url(), /q=lamp$/);
    await end(page);
  });
});

test("what people searched is text, never markup", async () => {
  const markup = "<img src=x onerror=\"document.title='owned'\"><b>x</b>";
  Object.assign(of({ review: "pending" })[0], { input: markup, output: `${markup}y`, confidence: 1, note: markup, evidence: { context: markup, [markup]: 7 } });
  const page = await open();
  await page.locator(".rewrite").first().getByRole("button", { name: "Why" }).click();
  await page.getByText("<b>x</b>").first().waitFor();
  assert.equal(await page.locator("main img, main b").count(), 0);
  await end(page);
});

test("differences by characters, and by words where little is left in common", () => {
  const joined = (parts) => parts.map((p) => p.text).join("");
  for (const [a, b, gone, came] of [["nokai", "nokia", "a", "a"], ["head phones", "headphones", " ", ""], ["red shoes size 44", "shoes red", "size44", ""], ["tv", "television set", "tv", "televisionset"]]) {
    const [x, y] = difference(a, b), other = (parts) => parts.filter((p) => !p.same).map((p) => p.text).join("");
    assert.deepEqual([joined(x), joined(y)], [a, b]);
    assert.equal([...other(x)].sort().join(""), [...gone].sort().join(""), a);
    assert.equal([...other(y)].sort().join(""), [...came].sort().join(""), b);
  }
});

test("evidence in words, what says most first; what no one knows by its name", () => {
  assert.deepEqual(evidence({ distance: 1, probability: 0.953, split: false, sounds_same: true, new_thing: 7, nested: {} }),
    [["95\u202f%", "probability that this was meant"], ["1", "edit apart"], ["", "sounds the same"], ["7", "new thing"]]);
});

describe("looks", () => {
  const VIEWS = { rewrites: "/rewrites", "rewrites-try": "/rewrites/try?q=new%20york%20cheap%20tv" };
  for (const size of ["wide", "phone"])
    for (const scheme of ["light", "dark"])
      for (const name of Object.keys(VIEWS))
        test(`${name}, ${size}, ${scheme}: contrast, names, no sideways scroll`, async () => {
          const page = await open(VIEWS[name], { size, scheme });
          await page.locator(".rewrite, .steps h3").first().waitFor();
          await shot(page, `${name}-${size}-${scheme}`);
          assert.deepEqual(await page.evaluate(lowContrast), []);
          assert.deepEqual(await page.evaluate(stumbles), []);
          const [seen, wide] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
          assert.ok(wide <= seen, `${wide} > ${seen}`);
          await end(page);
        });
});
