// One run on the mock, whose runs go on by the clock: progress, passes, log, cancel, again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startMock } from "../../web/dev/mock.js";
import { lowContrast, stumbles } from "./looks.js";
import { shot, startBrowser } from "./support.js";

const PACE_MS = 6000;
let browser, mock;
before(async () => void ([browser, mock] = await Promise.all([startBrowser(), startMock({ pace: PACE_MS })])));
after(async () => void (await Promise.all([browser?.close(), mock?.close()])));

const runsOf = (id) => mock.state.jobs.runs.filter((run) => run.job === id);
const finished = (job, state) => runsOf(job).find((run) => run.state === state);
const state = (page) => page.locator("#state .run-state");
const lines = (page) => page.locator(".log li");

async function open(path) {
  const page = await browser.open(mock.url + path);
  await page.locator("main h1").waitFor();
  return page;
}

/** Starts a run as a person does, and is on its page. */
async function begin(job) {
  const page = await open(`/jobs/${job}`);
  await page.getByRole("button", { name: "Run now" }).click();
  await page.getByRole("heading", { level: 1, name: `Run of ${job}` }).waitFor();
  return page;
}

async function end(page) {
  assert.deepEqual(page.complaints, []);
  await page.close();
}

test("by keyboard alone: run now, and on to what can be done with the run", async () => {
  const page = await open("/jobs/history");
  await page.getByRole("button", { name: "Run now" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Run of history" }).waitFor();
  await page.getByRole("button", { name: "Cancel" }).waitFor();
  const stops = [];
  for (let i = 0; i < 3; i++) {
    await page.keyboard.press("Tab");
    stops.push(await page.evaluate(() => document.activeElement.textContent));
  }
  assert.deepEqual(stops, ["Jobs", "history", "Cancel"]);
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Cancel this run?" }).waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await state(page).getByText("Cancelled").waitFor();
  await end(page);
});

test("from run now to done: state, bar, passes and result follow by themselves", async () => {
  const page = await begin("seal"), seen = [];
  await page.getByText("▶ Running").waitFor();
  await page.locator(".pass").first().waitFor();
  await page.getByText(/about .* left/).first().waitFor();
  await shot(page, "run-live-wide-light");
  while (!(await state(page).getByText("Done").count())) {
    const at = await page.getByRole("progressbar", { name: "Progress of the run" }).getAttribute("aria-valuenow", { timeout: 500 }).catch(() => null);
    if (at !== null) seen.push(Number(at));
    await page.waitForTimeout(200);
  }
  assert.ok(new Set(seen).size > 1, `progress was seen to go on: ${seen}`);
  assert.deepEqual(seen, [...seen].sort((a, b) => a - b));
  assert.equal(await page.locator(".pass.is-done").count(), 2);
  assert.match(await page.getByRole("region", { name: "What came of it" }).textContent(), /rows4,200/);
  assert.equal(await page.title(), "Done: seal · experimentd");
  await end(page);
});

test("the log follows its end, can be held still, and goes on where it was", async () => {
  const page = await begin("sessions");
  await lines(page).nth(1).waitFor();
  await page.getByRole("button", { name: "Hold still" }).click();
  const held = await lines(page).count();
  await page.getByRole("button", { name: /Follow the end \([1-9]\d* new\)/ }).waitFor();
  assert.equal(await lines(page).count(), held);
  await page.getByRole("button", { name: /Follow the end/ }).click();
  await lines(page).filter({ hasText: "published 4200 rows" }).waitFor();
  const run = runsOf("sessions")[0];
  assert.deepEqual(await page.locator(".log-line").allTextContents(), run.lines.map((line) => line.line), "each line once, in order");
  assert.equal(await page.locator(".log").evaluate((n) => n.scrollHeight - n.scrollTop - n.clientHeight < 2), true);
  await end(page);
});

test("words are found in the log and stand out", async () => {
  const run = finished("seal", "success"), page = await open(`/jobs/seal/runs/${run.id}`);
  await lines(page).first().waitFor();
  const all = await page.locator(".log-line").allTextContents(), word = all[0].split(" ").pop();
  const wanted = all.filter((text) => text.toLowerCase().includes(word.toLowerCase())).length;
  await page.getByLabel("Find in the log").fill(word.toUpperCase());
  await page.locator("mark").first().waitFor();
  assert.equal(await lines(page).count(), wanted);
  assert.equal(await page.locator("mark").first().textContent(), word);
  await page.getByLabel("Find in the log").fill("nothing says this");
  await page.getByText(`0 lines of ${all.length} with “nothing says this”`).waitFor();
  await end(page);
});

test("a run is cancelled when that is confirmed, and not before", async () => {
  const page = await begin("retention");
  await page.getByRole("button", { name: "Cancel" }).click();
  const dialog = page.getByRole("dialog", { name: "Cancel this run?" });
  await dialog.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Let it run", "the safe answer has the focus");
  await page.keyboard.press("Escape");
  assert.equal(await dialog.count(), 0);
  assert.equal(runsOf("retention")[0].cancel_requested, false);
  await page.getByRole("button", { name: "Cancel" }).click();
  await dialog.getByRole("button", { name: "Cancel the run" }).click();
  await state(page).getByText("Cancelled").waitFor();
  await page.getByText("Nothing of it was published").waitFor();
  assert.equal(runsOf("retention")[0].state, "cancelled");
  await end(page);
});

test("a run that failed says why, what to do, and can be run again", async () => {
  const run = finished("clicks", "failed"), page = await open(`/jobs/clicks/runs/${run.id}`);
  const told = page.getByRole("region", { name: "What went wrong" });
  assert.ok((await told.textContent()).includes(run.error));
  assert.equal(await told.locator("p").count(), 2, "the error, and what to do");
  await page.getByRole("button", { name: "Run again" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Run again" }).click();
  await page.getByText("as another try").waitFor();
  assert.notEqual(page.url(), `${mock.url}/jobs/clicks/runs/${run.id}`);
  assert.deepEqual(runsOf("clicks")[0].params, run.params);
  await end(page);
});

test("what started a run and what it started are a click away", async () => {
  const all = mock.state.jobs.runs, run = all.find((r) => r.trigger_run && all.some((next) => next.trigger_run === r.id));
  const page = await open(`/jobs/${run.job}/runs/${run.id}`), next = all.find((r) => r.trigger_run === run.id), before = all.find((r) => r.id === run.trigger_run);
  const around = page.getByRole("region", { name: "Before and after" });
  assert.ok((await around.getByRole("link", { name: next.job }).first().getAttribute("href")).endsWith(next.id));
  await around.getByRole("link", { name: /a run of/ }).click();
  await page.getByRole("heading", { level: 1, name: `Run of ${before.job}` }).waitFor();
  assert.ok(page.url().endsWith(run.trigger_run));
  await end(page);
});

test("a run that a shell started is shown without a job, and is not run again from here", async () => {
  const run = { ...structuredClone(finished("metrics", "success")), id: "0196aaaa-0000-7000-8000-000000000001", job: null, trigger: "shell", trigger_run: null, due_at: null };
  mock.state.jobs.runs.push(run);
  const page = await open(`/runs/${run.id}`);
  await page.getByRole("heading", { level: 1, name: "Run of metrics" }).waitFor();
  await page.getByText("Started from a shell").waitFor();
  await lines(page).first().waitFor();
  assert.equal(await page.getByRole("button", { name: "Run again" }).count(), 0);
  assert.equal(await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Jobs" }).getAttribute("aria-current"), "page");
  await end(page);
});

test("a run that waits says for what; one that was taken up again says so", async () => {
  const run = { ...structuredClone(finished("metrics", "success")), id: "0196aaaa-0000-7000-8000-000000000002", state: "queued", started_at: null, finished_at: null, seconds: null, progress: 0,
    passes: [], attempt: 2, resumes: 1, not_before: new Date(Date.now() + 3600e3).toISOString() };
  mock.state.jobs.runs.push(run);
  const page = await open(`/jobs/metrics/runs/${run.id}`), card = page.getByRole("region", { name: "Waiting" });
  await card.getByText(/Waits before another try: it starts in (60 min|1 h 00 min)/).waitFor();
  await card.getByText("taken up again 1 time after its process was lost").waitFor();
  run.not_before = null;
  await card.getByText("Waits for its turn.").waitFor();
  mock.state.jobs.runs.pop();
  await end(page);
});

test("Spark's own page is linked while there is one", async () => {
  const run = finished("seal", "success");
  run.ui_url = "http://spark-1.example:4040";
  const page = await open(`/jobs/seal/runs/${run.id}`), link = page.getByRole("link", { name: "Spark’s own page" });
  assert.deepEqual([await link.getAttribute("href"), await link.getAttribute("rel")], ["http://spark-1.example:4040", "noreferrer"]);
  run.ui_url = null;
  await page.reload();
  await page.locator("main h1").waitFor();
  assert.equal(await link.count(), 0);
  await end(page);
});

test("a run that is no longer kept says so", async () => {
  const page = await browser.open(`${mock.url}/jobs/seal/runs/00000000-0000-7000-8000-000000000000`);
  await page.getByText(/There is no run 0.*old runs are let go/).waitFor();
  await page.close();
});

test("a daemon that is away while a run goes on: old figures stay, and it goes on when it is back", async () => {
  const page = await begin("preferences");
  await page.getByText("▶ Running").waitFor();
  mock.state.broken = true;
  await page.getByText("Not refreshed: PostgreSQL is away").waitFor();
  await page.getByRole("heading", { level: 1, name: "Run of preferences" }).waitFor();
  mock.state.broken = false;
  await state(page).getByText("Done").waitFor();
  assert.equal(await page.getByText("Not refreshed").count(), 0);
  await page.close(); /* Chromium tells of the 503 */
});

for (const [size, scheme] of [["wide", "light"], ["phone", "dark"]])
  test(`off-policy, ${size}, ${scheme}: the verdict, each estimate, what is to be distrusted`, async () => {
    const run = finished("off-policy", "success"), { result } = run;
    result.warnings = ["effective sample size is 12 of 6000 decisions"];
    const page = await browser.open(`${mock.url}/jobs/off-policy/runs/${run.id}`, { size, scheme });
    await page.locator(".chart svg").waitFor();
    const card = page.locator("section", { has: page.getByRole("heading", { name: "It would have won" }) }), d = result.estimates.find((e) => e.name === result.primary).difference;
    assert.ok((await card.textContent()).includes(`${d.value.toFixed(4)} a decision more than what was served`));
    assert.ok((await card.textContent()).includes(result.warnings[0]));
    await card.getByText("All estimates").click();
    assert.equal(await card.locator("tbody tr").count(), result.estimates.length);
    assert.equal(await page.getByText("estimates", { exact: true }).count(), 0); /* what is drawn is not written out, too */
    await shot(page, `off-policy-${size}-${scheme}`);
    assert.deepEqual(await page.evaluate(lowContrast), []);
    assert.deepEqual(await page.evaluate(stumbles), []);
    await end(page);
  });
