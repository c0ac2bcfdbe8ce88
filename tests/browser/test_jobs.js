// The jobs on the mock: the picture of what runs after what, one job with its form, and what stands in the place of data.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startMock } from "../../web/dev/mock.js";
import { lowContrast, stumbles } from "./looks.js";
import { shot, startBrowser } from "./support.js";

const PACE_MS = 2500; /* how long a run of the mock takes */
let browser, mock;
before(async () => void ([browser, mock] = await Promise.all([startBrowser(), startMock({ pace: PACE_MS })])));
after(async () => void (await Promise.all([browser?.close(), mock?.close()])));

const jobOf = (id) => mock.state.jobs.jobs.find((job) => job.id === id);
const runsOf = (id) => mock.state.jobs.runs.filter((run) => run.job === id);
const nameOf = (id) => jobOf(id).name;
const words = (locator) => locator.evaluate((node) => node.textContent.replace(/\s+/g, " ").trim());

async function open(path = "/jobs", options) {
  const page = await browser.open(mock.url + path, options);
  await page.locator("main h1").waitFor();
  return page;
}

async function end(page) {
  assert.deepEqual(page.complaints, []);
  await page.close();
}

describe("the list", () => {
  test("the picture has a line for each job that starts another, onwards or to the next row", async () => {
    const page = await open();
    await page.locator(".chain-jobs li").first().waitFor();
    const wanted = mock.state.jobs.jobs.flatMap((job) => job.triggers.filter((t) => t.type === "job").map((t) => [t.job, job.id]));
    assert.ok(wanted.length > 2);
    assert.equal(await page.locator(".chain-lines path").count(), wanted.length);
    const box = (id) => page.locator(".chain-jobs li", { has: page.getByRole("link", { name: nameOf(id), exact: true }) }).boundingBox();
    for (const [from, to] of wanted) {
      const [a, b] = [await box(from), await box(to)];
      assert.ok(a.x + a.width < b.x || a.y + a.height < b.y, `${from} → ${to}`);
    }
    await end(page);
  });

  test("a strip has a bar a run, as high as the run took long, and says so in words", async () => {
    const page = await open();
    const id = mock.state.jobs.jobs.map((job) => job.id).find((key) => runsOf(key).slice(0, 14).some((run) => run.state === "failed"));
    const runs = runsOf(id).slice(0, 14).reverse();
    const strip = page.locator(".jobs-table tr", { has: page.getByRole("link", { name: nameOf(id), exact: true }) }).locator(".strip");
    await strip.waitFor();
    const heights = await strip.locator("rect").evaluateAll((list) => list.map((r) => Number(r.getAttribute("height"))));
    assert.equal(heights.length, runs.length);
    const most = Math.max(...runs.map((run) => run.seconds));
    runs.forEach((run, i) => assert.ok(Math.abs(heights[i] / 20 - Math.max(0.15, run.seconds / most)) < 0.01, `${heights[i]} of ${run.seconds}`));
    const bad = runs.filter((run) => ["failed", "timeout", "lost"].includes(run.state)).length;
    assert.equal(await strip.locator(".strip-mark").count(), bad);
    assert.match(await strip.getAttribute("aria-label"), new RegExp(`^${runs.length} runs, ${bad} of them bad`));
    await end(page);
  });

  test("every job is in the table with what starts it and how it went", async () => {
    const page = await open();
    const rows = await page.locator(".jobs-table tbody tr").evaluateAll((list) => list.map((row) => row.textContent));
    assert.equal(rows.length, mock.state.jobs.jobs.length);
    const at = (job) => rows.findIndex((row) => row.startsWith(job.name + job.summary));
    for (const job of mock.state.jobs.jobs) {
      assert.ok(at(job) >= 0, job.id);
      for (const t of job.triggers) assert.ok(t.type !== "job" || at(jobOf(t.job)) < at(job), `${job.id} stands behind ${t.job}`);
    }
    await end(page);
  });

  test("what did not end well stands first, with its reason", async () => {
    const page = await open(), bad = mock.state.jobs.jobs.filter((job) => ["failed", "timeout", "lost"].includes(runsOf(job.id)[0]?.state));
    assert.ok(bad.length > 0);
    const told = await page.locator(".wrong-list li").allTextContents();
    assert.equal(told.length, bad.length);
    bad.forEach((job, i) => assert.ok(told[i].includes(job.name) && told[i].includes(runsOf(job.id)[0].error), told[i]));
    await end(page);
  });

  test("what runs is at the top while it runs, and in its box; it is asked for again by itself", async () => {
    const page = await open();
    await page.getByText("Nothing runs.").waitFor();
    await fetch(`${mock.url}/v1/jobs/seal/runs`, { method: "POST", body: "{}" });
    await page.reload();
    const now = page.getByRole("region", { name: "Now" });
    await now.getByRole("link", { name: nameOf("seal") }).waitFor();
    await now.getByRole("progressbar").waitFor();
    await page.locator(".chain-job").getByRole("progressbar").waitFor();
    assert.equal(await now.getByRole("status").textContent(), `running: ${nameOf("seal")}`);
    await page.getByText("Nothing runs.").waitFor();
    await end(page);
  });

  test("without jobs it says how to make one, without an answer what to do", async () => {
    const empty = await startMock({ empty: true });
    const page = await browser.open(`${empty.url}/jobs`);
    await page.getByRole("heading", { name: "No jobs" }).waitFor();
    empty.state.broken = true;
    await page.reload();
    await page.getByRole("heading", { name: "The daemon could not answer" }).waitFor();
    empty.state.broken = false;
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { name: "No jobs" }).waitFor();
    await page.close();
    await empty.close();
  });

  test("when the page's own part does not come, it says so and can be asked for again", async () => {
    const page = await browser.open(mock.url);
    await page.route("**/assets/jobs-*.js", (route) => route.abort());
    await page.getByRole("link", { name: "Jobs" }).click();
    await page.getByText("a part of this page did not come").waitFor();
    await page.unroute("**/assets/jobs-*.js");
    await page.getByRole("button", { name: "Try now" }).click();
    await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
    await page.close();
  });

  test("the navigation leads to it, and there is nothing behind unknown addresses", async () => {
    const page = await open("/");
    await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Jobs" }).click();
    await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
    assert.equal(await page.title(), "Jobs · experimentd");
    await page.getByRole("region", { name: "All jobs" }).getByRole("link", { name: nameOf("seal") }).click();
    await page.getByRole("heading", { level: 1, name: nameOf("seal") }).waitFor();
    await end(page);
    const nowhere = await browser.open(`${mock.url}/jobs/no-such`);
    await nowhere.getByText("There is no job no-such.").waitFor();
    await nowhere.getByRole("link", { name: "See all jobs" }).click();
    await nowhere.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
    await nowhere.close();
  });
});

describe("a job", () => {
  const param = (page, name) => page.locator(`#param-${name}`);

  test("says when it runs: in words, the next five, what follows", async () => {
    const page = await open("/jobs/seal");
    const due = page.getByRole("region", { name: "When it runs" });
    assert.match(await words(due), /Every day at 02:00 \S+/);
    assert.equal(await due.locator(".instants li").count(), 5);
    assert.match(await words(due), /Next (in \d+ (h|min)|due now)/);
    await due.getByRole("link", { name: nameOf("sessions") }).waitFor();
    await end(page);
  });

  test("what the daemon refuses stands beside its field, which has the focus; what is right is saved", async () => {
    const page = await open("/jobs/clicks"), field = param(page, "half_life_days"), { version } = jobOf("clicks");
    await field.fill("-3");
    await page.getByRole("button", { name: "Save" }).click();
    const refusal = page.locator("#param-half_life_days-error");
    await refusal.waitFor();
    assert.match(await refusal.textContent(), /^parameter "half_life_days" is -3, not a number from 0/);
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    assert.ok((await field.getAttribute("aria-describedby")).split(" ").includes("param-half_life_days-error"));
    await page.locator("#param-half_life_days:focus").waitFor();
    assert.equal(jobOf("clicks").version, version, "nothing was saved");
    await field.fill("14");
    await page.keyboard.press("Enter");
    await page.getByText("✓ Saved.").waitFor();
    assert.equal(await refusal.count(), 0);
    assert.deepEqual([jobOf("clicks").params.half_life_days, jobOf("clicks").version], [14, version + 1]);
    page.complaints = page.complaints.filter((c) => !c.includes("400")); /* Chromium tells of the refusal */
    await end(page);
  });

  test("who is second is told, and can look at what the first one did", { timeout: 60000 }, async () => {
    const page = await open("/jobs/history");
    await page.getByLabel("Tries again after a failure").fill("5");
    Object.assign(jobOf("history"), { max_retries: 7, version: jobOf("history").version + 1 });
    await page.getByRole("button", { name: "Save" }).click();
    const told = page.getByRole("alert").filter({ hasText: "somebody else changed this job" });
    await told.waitFor();
    assert.equal(jobOf("history").max_retries, 7);
    await told.getByRole("button", { name: "Show theirs" }).click();
    await told.waitFor({ state: "detached" });
    while ((await page.getByLabel("Tries again after a failure").inputValue()) !== "7") await page.waitForTimeout(50);
    await page.close();
  });

  test("triggers are added, changed, switched off and removed", async () => {
    const page = await open("/jobs/category-clicks"), first = page.locator(".triggers li").first();
    await page.getByText("By hand only.").waitFor();
    await page.getByRole("button", { name: "Add what starts it" }).click();
    await page.getByLabel("Minute, hour, day, month, weekday, 1").fill("30 4 * * 1");
    await first.getByText("every Monday at 04:30").waitFor();
    await page.getByRole("button", { name: "Add what starts it" }).click();
    await page.getByLabel("What starts it, 2").selectOption("job");
    await page.getByLabel("Which job, 2").selectOption("clicks");
    await page.getByLabel("When it ended how, 2").selectOption("failed");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("✓ Saved.").waitFor();
    assert.deepEqual(jobOf("category-clicks").triggers, [{ type: "cron", value: "30 4 * * 1", enabled: true }, { type: "job", job: "clicks", on: ["failed"], enabled: true }]);
    assert.match(await words(page.locator(".due-words")), /Every Monday at 04:30 .*After Click weights failed/);
    await first.getByRole("checkbox", { name: "on" }).uncheck();
    await page.getByRole("button", { name: "Remove 2" }).click();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("(switched off)").waitFor();
    assert.deepEqual(jobOf("category-clicks").triggers, [{ type: "cron", value: "30 4 * * 1", enabled: false }]);
    await end(page);
  });

  test("of several triggers the refused one is marked", async () => {
    const page = await open("/jobs/category-clicks"), box = page.locator(".triggers li");
    await page.getByRole("button", { name: "Add what starts it" }).click();
    await page.getByLabel("Minute, hour, day, month, weekday, 2").fill("0 4 *");
    await page.getByRole("button", { name: "Save" }).click();
    await box.nth(1).getByRole("alert").getByText('field "value" is no schedule').waitFor();
    assert.equal(await box.nth(1).locator("[aria-invalid]:focus").count(), 1);
    assert.equal(await page.getByRole("alert").count(), 1);
    page.complaints = page.complaints.filter((c) => !c.includes("400"));
    await end(page);
  });

  test("it is switched off and on", async () => {
    const page = await open("/jobs/sessions");
    await page.getByRole("button", { name: "Switch off" }).click();
    await page.getByText("Switched off: nothing starts it but you.").waitFor();
    assert.equal(jobOf("sessions").enabled, false);
    await page.getByRole("button", { name: "Switch on" }).click();
    await page.getByText("✓ Switched on.").waitFor();
    assert.equal(jobOf("sessions").enabled, true);
    await end(page);
  });

  test("its runs are a picture and a table that goes on", async () => {
    const page = await open("/jobs/seal"), rows = page.locator(".runs-table tbody tr");
    await rows.first().waitFor();
    const all = runsOf("seal");
    assert.ok(all.length > 25, "more than a page");
    assert.equal(await page.locator(".durations rect").count(), 25);
    assert.equal(await rows.count(), 8);
    await page.getByRole("button", { name: "Show earlier runs" }).click();
    assert.equal(await rows.count(), 25);
    await page.getByRole("button", { name: "Show earlier runs" }).click();
    await rows.nth(all.length - 1).waitFor();
    assert.equal(await page.getByRole("button", { name: "Show earlier runs" }).count(), 0);
    await end(page);
  });

  test("a run with other parameters leaves the job as it is", async () => {
    const page = await open("/jobs/clicks"), { version } = jobOf("clicks");
    await param(page, "full").selectOption("true");
    await page.getByRole("button", { name: "Run once with these parameters" }).click();
    await page.getByRole("heading", { level: 1, name: "Run of clicks" }).waitFor();
    assert.equal(runsOf("clicks")[0].params.full, true);
    assert.equal(jobOf("clicks").version, version);
    await end(page);
  });
});

test("a job of one's own is added, refused first, and deleted when that is confirmed", async () => {
  const page = await open();
  await page.getByText("Add a job").click();
  const form = page.getByRole("form", { name: "Add a job" });
  await form.getByLabel("Type").selectOption("clicks");
  await form.getByLabel("Id").fill("My Clicks");
  await form.getByRole("button", { name: "Add it" }).click();
  assert.match(await page.locator("#add-id-error").textContent(), /field "id" is "My Clicks"/);
  await form.getByLabel("Id").fill("my-clicks");
  await form.locator("#add-half_life_days").fill("7");
  await form.getByRole("button", { name: "Add it" }).click();
  await page.getByRole("heading", { level: 1, name: "my-clicks" }).waitFor();
  assert.deepEqual(jobOf("my-clicks").params, { half_life_days: 7 });
  await page.getByText("By hand only.").waitFor();
  await page.getByRole("button", { name: "Delete this job" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete it" }).click();
  await page.getByRole("heading", { level: 1, name: "Jobs" }).waitFor();
  assert.equal(jobOf("my-clicks"), undefined);
  page.complaints = page.complaints.filter((c) => !c.includes("400"));
  await end(page);
});

test("a missing key is asked for where it is needed, and the wish goes on with it", async () => {
  const page = await open("/jobs/retention");
  await page.getByRole("button", { name: "Run now" }).waitFor();
  mock.state.key = "admin-key";
  await page.getByRole("button", { name: "Run now" }).click();
  await page.getByRole("heading", { name: "A key is needed" }).waitFor();
  await page.getByLabel("Key").fill("admin-key");
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByRole("heading", { level: 1, name: "Run of retention" }).waitFor();
  mock.state.key = null;
  await page.close();
});

test("what a job and its runs say is text, never markup", async () => {
  const markup = "<img src=x onerror=\"document.title='owned'\"><b>x</b>", job = jobOf("bandit");
  Object.assign(job, { name: markup, summary: markup });
  Object.assign(runsOf("bandit")[0], { state: "failed", error: markup, note: markup, result: { [markup]: markup }, ui_url: "javascript:document.title='owned'" });
  for (const path of ["/jobs", "/jobs/bandit", `/jobs/bandit/runs/${runsOf("bandit")[0].id}`]) {
    const page = await open(path);
    await page.getByText("<b>x</b>").first().waitFor();
    assert.equal(await page.locator("main img, main b, main a[href^=javascript]").count(), 0, path);
    await end(page);
  }
});

describe("looks", () => {
  const failed = () => runsOf("clicks").find((run) => run.state === "failed");
  const VIEWS = { jobs: () => "/jobs", job: () => "/jobs/metrics", run: () => `/jobs/clicks/runs/${failed().id}` };
  for (const size of ["wide", "phone"])
    for (const scheme of ["light", "dark"])
      for (const name of Object.keys(VIEWS))
        test(`${name}, ${size}, ${scheme}: contrast, names, no sideways scroll`, async () => {
          const page = await open(VIEWS[name](), { size, scheme });
          await page.locator(".strip, .durations rect, .log li").first().waitFor();
          await shot(page, `${name}-${size}-${scheme}`);
          assert.deepEqual(await page.evaluate(lowContrast), []);
          assert.deepEqual(await page.evaluate(stumbles), []);
          const [seen, wide] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
          assert.ok(wide <= seen, `${wide} > ${seen}`);
          await end(page);
        });
});
