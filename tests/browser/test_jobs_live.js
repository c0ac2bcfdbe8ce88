// Jobs in Chromium on a real daemon with its trainer: what is started on the page runs, can be followed, and ends as it should.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fixtures } from "../../web/dev/mock.js";
import { startBrowser } from "./support.js";

const { DAEMON_URL, ADMIN_KEY } = process.env;
const JOBS = new URL("../../web/dev/fixtures/jobs", import.meta.url).pathname;
const SLOW = { rows: 4000, splits: 8, passes: 1, fault: "slow", slow_ms: 150 };
const ENDED_MS = 60000;
let browser;
before(async () => void (browser = await startBrowser()));
after(async () => void (await browser?.close()));

async function ask(path, body, method = body ? "POST" : "GET") {
  const reply = await fetch(DAEMON_URL + path, { method, headers: { Authorization: `Bearer ${ADMIN_KEY}` }, body: body && JSON.stringify(body) });
  const answer = await reply.json();
  assert.ok(reply.ok, JSON.stringify(answer));
  return answer;
}

/** The nightly set is made when the daemon has taken the lead. */
async function nightly() {
  for (;;) {
    const { jobs } = await ask("/v1/jobs");
    if (jobs.some((job) => job.id === "metrics")) return jobs;
    await new Promise((later) => setTimeout(later, 100));
  }
}

const makeJob = (id, params, more = {}) => ask("/v1/jobs", { id, name: `Golden, ${id}`, type: "golden", params, ...more });

/** A view, with the key given as a person would. */
async function open(path) {
  const page = await browser.open(DAEMON_URL + path);
  await page.getByLabel("Key").fill(ADMIN_KEY);
  await page.keyboard.press("Enter");
  await page.locator(".result").waitFor();
  page.complaints = page.complaints.filter((c) => !c.includes("401")); /* Chromium tells of the first try, which had no key */
  return page;
}

const state = (page, word) => page.locator("#state .run-state").getByText(word).waitFor({ timeout: ENDED_MS });
const idOf = (page) => page.url().split("/").pop();

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

test("the nightly set is drawn as the daemon made it", async () => {
  const jobs = await nightly(), page = await open("/jobs");
  await page.locator(".chain-jobs li").first().waitFor();
  const drawn = await page.locator(".chain-job h3").allTextContents();
  assert.deepEqual(drawn.sort(), jobs.map((job) => job.name).sort());
  assert.equal(await page.locator(".chain-lines path").count(), jobs.flatMap((job) => job.triggers.filter((t) => t.type === "job")).length);
  await end(page);
});

test("the daemon's refusal stands beside its field; what it takes is saved", async () => {
  await nightly();
  const page = await open("/jobs/sessions"), field = page.locator("#param-gap_minutes");
  await field.fill("0");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("#param-gap_minutes-error").getByText('parameter "gap_minutes" is 0').waitFor();
  await page.locator("#param-gap_minutes:focus[aria-invalid=true]").waitFor();
  await field.fill("45");
  await page.getByLabel("Time zone of its clock").fill("Mars/Olympus");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("#job-timezone-error").getByText("no time zone").waitFor();
  await page.getByLabel("Time zone of its clock").fill("Europe/Berlin");
  await page.getByRole("button", { name: "Add what starts it" }).click();
  await page.getByLabel("Minute, hour, day, month, weekday, 2").fill("0 25 * * *");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator(".triggers li").nth(1).getByRole("alert").getByText("is no schedule").waitFor();
  await page.getByLabel("Minute, hour, day, month, weekday, 2").fill("0 3 * * 1");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("✓ Saved.").waitFor();
  const job = await ask("/v1/jobs/sessions");
  assert.deepEqual([job.params.gap_minutes, job.timezone, job.triggers[1].value], [45, "Europe/Berlin", "0 3 * * 1"]);
  await page.getByText("Every Monday at 03:00 Europe/Berlin").waitFor();
  assert.equal(await page.locator(".instants li").count(), 5);
  assert.match(await page.locator(".instants").textContent(), /^(Mon \d+ \w+, 03:00){5}$/);
  page.complaints = page.complaints.filter((c) => !c.includes("400")); /* Chromium tells of the refusals */
  await end(page);
});

test("run now, then progress, the log as it is said, success, and what it started", async () => {
  await makeJob("slow", SLOW);
  await makeJob("behind", { rows: 1000, splits: 2, passes: 0 }, { triggers: [{ type: "job", job: "slow", on: ["success"] }] });
  const page = await begin("slow");
  await state(page, "Running");
  await page.locator(".pass.is-now").getByText(/\d of \d splits/).first().waitFor();
  await page.getByRole("progressbar", { name: "Progress of the run" }).waitFor();
  await state(page, "Done");
  const run = await ask(`/v1/runs/${idOf(page)}`), { lines } = await ask(`${run.log_url}?from=1&size=1000`);
  assert.deepEqual([run.trigger, run.job, run.state], ["manual", "slow", "success"]);
  assert.ok(lines.length > 0);
  await page.locator(".log li").nth(lines.length - 1).waitFor();
  assert.deepEqual(await page.locator(".log-line").allTextContents(), lines.map((line) => line.line));
  assert.equal(await page.locator(".pass.is-done").count(), run.passes.length);
  const behind = page.getByRole("region", { name: "Before and after" }).getByRole("link", { name: "behind" });
  while (!(await behind.count())) await page.reload().then(() => page.waitForTimeout(500)); /* it is queued when this one has been settled */
  await behind.click();
  await state(page, "Done");
  await page.getByRole("link", { name: "a run of slow" }).waitFor();
  await end(page);
});

test("a run is cancelled, and the daemon says by whom", async () => {
  await makeJob("cut", { ...SLOW, slow_ms: 5000 });
  const page = await begin("cut");
  await state(page, "Running");
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel the run" }).click();
  await state(page, "Cancelled");
  assert.equal((await ask(`/v1/runs/${idOf(page)}`)).state, "cancelled");
  await page.getByText("cancelled by admin.key").waitFor();
  await end(page);
});

test("a run that fails says why and what to do; it is run again with what it was asked", async () => {
  await makeJob("bad", { rows: 1000, splits: 4, passes: 0, fault: "poison", fault_split: 1 });
  const page = await begin("bad"), first = idOf(page);
  await state(page, "Failed");
  const { error } = await ask(`/v1/runs/${first}`);
  assert.ok((await page.getByRole("region", { name: "What went wrong" }).textContent()).includes(error));
  await page.getByRole("button", { name: "Run again" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Run again" }).click();
  await page.getByText("as another try").waitFor();
  await state(page, "Failed");
  const again = await ask(`/v1/runs/${idOf(page)}`);
  assert.deepEqual([again.trigger, again.trigger_run, again.params.fault], ["retry", first, "poison"]);
  await page.goto(`${DAEMON_URL}/jobs`);
  await page.locator(".wrong-list").getByText(again.error).waitFor();
  await end(page);
});

test("what the mock says has the members that the daemon's answers have", async () => {
  const [{ jobs }, { runs }, { job_types: types }] = await Promise.all([ask("/v1/jobs"), ask("/v1/runs"), ask("/v1/job-types")]);
  const run = await ask(`/v1/runs/${runs.find((r) => r.type === "golden" && r.state === "success").id}`), made = fixtures(JOBS);
  const keys = (list) => [...new Set(list.flatMap(Object.keys))].sort();
  assert.deepEqual(keys(made.get("jobs").jobs), keys(jobs));
  assert.deepEqual(keys(made.get("runs").runs), keys([run]));
  assert.deepEqual(keys(made.get("runs").runs.flatMap((r) => r.passes)), keys(run.passes));
  assert.deepEqual(keys(made.get("job-types").job_types), keys(types));
  assert.deepEqual(keys(made.get("job-types").job_types.map((t) => t.params)), keys(types.map((t) => t.params)));
  for (const state of new Set(made.get("runs").runs.map((r) => r.state))) await ask(`/v1/runs?state=${state}`); /* refuses a state that is none */
});
