// Schedules, durations and the picture of what runs after what, without a browser.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { adviceFor } from "../../web/src/jobs/advice.js";
import { fieldNamed, fieldsOf, paramsOf, textsOf } from "../../web/src/jobs/fields.js";
import { inOrder, layout } from "../../web/src/jobs/graph.js";
import { cronWords, dueIn, duration, fromNow, moment, triggerWords } from "../../web/src/jobs/words.js";

describe("words", () => {
  test("the usual patterns of cron are words, the others are none", () => {
    const cases = { "0 2 * * *": "every day at 02:00", "0 0 2 * * *": "every day at 02:00", "30 6,18 * * *": "every day at 06:30 and 18:30", "*/15 * * * *": "every 15 minutes",
      "* * * * *": "every minute", "5 * * * *": "every hour at 05 past", "0 */6 * * *": "every 6 hours at 00 past", "0 3 * * 1": "every Monday at 03:00",
      "0 3 * * 0,7": "every Sunday at 03:00", "0 3 * * mon,THU": "every Monday and Thursday at 03:00", "0 3 * * 1-5": "every weekday at 03:00", "0 4 1 * *": "on day 1 of every month at 04:00",
      "0 2 1 1 *": null, "0 2 1 * 1": null, "30 0 2 * * *": null, "*/7 * * * *": null, "@daily": "every day at 00:00", "@weekly": "every Sunday at 00:00", "@yearly": null, "0 2 ? * MON": "every Monday at 02:00", "61 2 * * *": null, "0 2 * *": null, "0-5 2 * * *": null, "": null };
    for (const [text, words] of Object.entries(cases)) assert.equal(cronWords(text), words, text);
  });

  test("a trigger says when, with its zone where there is room", () => {
    const name = (id) => ({ clicks: "Click weights" })[id] ?? id;
    const say = (trigger, zone = "Europe/Berlin") => triggerWords(trigger, zone, name);
    assert.equal(say({ type: "cron", value: "0 2 * * *" }), "every day at 02:00 Europe/Berlin");
    assert.equal(say({ type: "cron", value: "0 2 * * *" }, null), "every day at 02:00");
    assert.equal(say({ type: "cron", value: "0 2 1 1 *" }), "by cron \u201c0 2 1 1 *\u201d Europe/Berlin");
    assert.equal(say({ type: "interval", every: 15, unit: "minute" }), "every 15 minutes");
    assert.equal(say({ type: "interval", every: 1, unit: "day" }), "every day");
    assert.equal(say({ type: "job", job: "clicks", on: ["success"] }), "after Click weights succeeded");
    assert.equal(say({ type: "job", job: "clicks" }, null), "after Click weights");
    assert.equal(say({ type: "job", job: "clicks", on: ["failed", "cancelled"] }, null), "after Click weights failed or was cancelled");
    assert.equal(say({ type: "job", job: "x", on: ["success", "failed", "cancelled"] }), "after x ended");
  });

  test("durations are as fine as they are short", () => {
    const cases = [[0.0432, "43 ms"], [2.44, "2.4 s"], [9.96, "10 s"], [59.4, "59 s"], [59.7, "1 min 00 s"], [185, "3 min 05 s"], [3600, "1 h 00 min"], [7815, "2 h 10 min"], [100000, "1 d 3 h"], [null, "\u2014"]];
    for (const [seconds, words] of cases) assert.equal(duration(seconds), words);
  });

  test("an instant is told from now, and on the job's clock", () => {
    const now = Date.parse("2026-11-27T21:48:00Z");
    assert.equal(fromNow("2026-11-28T01:00:00Z", now), "in 3 h 12 min");
    assert.equal(fromNow("2026-11-27T21:43:00Z", now), "5 min ago");
    assert.equal(fromNow("2026-11-27T06:00:00Z", now), "15 h ago");
    assert.equal(dueIn("2026-11-27T21:43:00Z", now), "due now");
    assert.equal(dueIn("2026-11-27T21:48:40Z", now), "in 40 s");
    assert.equal(moment("2026-11-28T01:00:00Z", "Europe/Berlin"), "Sat 28 Nov, 02:00");
    assert.equal(moment("2026-11-28T01:00:00Z", "No/Such"), "Sat 28 Nov, 01:00");
  });
});

test("what to do about an error, by what the trainer says", () => {
  const said = (error, state = "failed") => adviceFor({ state, error });
  const cases = [["pass \"days\", split 3, attempt 2: the split needs more than its 2048 MiB of memory (memory_mb)", /memory/], ["cannot write spool file \"/d/p0.s1\": No space left on device", /disk is full/],
    ["another attempt of the split had other rows: the kernel is not deterministic", /fault of the job's program/], ["run 01 belongs to another coordinator now, or was ended", /newest run/],
    ["PostgreSQL did not come back: connection refused", /PostgreSQL was away/], ["spool file \"p0.s3\" is damaged", /damaged/], ["pass \"days\", split 1, attempt 3: it said nothing for 60 s", /stood still/],
    ["pass \"days\", split 1, attempt 3: the worker was ended by signal 11", /crashed/], ["pass \"days\" took longer than its 600 s: 3 of 8 splits were done", /took longer/],
    ["parameter \"ranges\" is 3, not a power of two from 1 to 1024", /parameter does not fit/], ["something else", /last lines say/]];
  for (const [error, words] of cases) assert.match(said(error), words, error);
  assert.match(said("it ran longer than its timeout", "timeout"), /longer than the job allows/);
  assert.match(said("the coordinator ended without a word", "lost"), /process that ran it is gone/);
  assert.equal(said(null, "success"), null);
});

describe("the picture", () => {
  const after = (...ids) => ids.map((job) => ({ type: "job", job, on: ["success"] }));
  const cron = [{ type: "cron", value: "0 2 * * *" }];
  const jobs = [{ id: "seal", triggers: cron }, { id: "retention", triggers: after("seal") }, { id: "sessions", triggers: after("seal") }, { id: "clicks", triggers: after("sessions") },
    { id: "history", triggers: after("sessions") }, { id: "metrics", triggers: after("clicks", "history") }, { id: "bandit", triggers: after("metrics") }, { id: "alone", triggers: cron }, { id: "by-hand", triggers: [] }];
  const apart = (nodes) => nodes.every((a, i) => nodes.slice(i + 1).every((b) => a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y));

  for (const [width, upright] of [[1024, false], [340, true]])
    test(`${width} pixels: every job that something starts, none over another, lines only onwards`, () => {
      const picture = layout(jobs, width), at = new Map(picture.nodes.map((n) => [n.job.id, n]));
      assert.equal(picture.upright, upright);
      assert.deepEqual([...at.keys()].sort(), ["alone", "bandit", "clicks", "history", "metrics", "retention", "seal", "sessions"]);
      assert.ok(apart(picture.nodes));
      assert.ok(picture.nodes.every((n) => n.x >= 0 && n.x + n.w <= width && n.y + n.h <= picture.height));
      assert.equal(picture.lines.length, 7);
      for (const { from, to } of picture.lines) assert.ok(upright ? at.get(from).x < at.get(to).x : at.get(from).x + at.get(from).w <= at.get(to).x, `${from} → ${to}`);
    });

  test("what does not fit in a line goes on in the next", () => {
    const picture = layout(jobs, 640), at = new Map(picture.nodes.map((n) => [n.job.id, n]));
    assert.equal(picture.upright, false);
    assert.ok(apart(picture.nodes) && picture.nodes.every((n) => n.x + n.w <= 640));
    const { seal, metrics, clicks } = Object.fromEntries(at);
    assert.equal(metrics.x, seal.x);
    assert.ok(metrics.y > clicks.y + clicks.h, "below the whole first line");
    const down = picture.lines.find((line) => line.from === "clicks" && line.to === "metrics").path;
    assert.match(down, new RegExp(`^M${clicks.x + clicks.w} .*H${metrics.x}$`));
  });

  test("the longest chain goes straight on", () => {
    const at = new Map(layout(jobs, 1024).nodes.map((n) => [n.job.id, n.y]));
    assert.deepEqual(["seal", "sessions", "clicks", "metrics", "bandit"].map((id) => at.get(id)), [0, 0, 0, 0, 0]);
  });

  test("a list has them as they follow each other, what nothing starts last", () => {
    const order = inOrder(jobs).map((job) => job.id);
    assert.deepEqual([...order].sort(), jobs.map((job) => job.id).sort());
    for (const { id, triggers } of jobs) for (const t of triggers) assert.ok(t.type !== "job" || order.indexOf(t.job) < order.indexOf(id), id);
    assert.equal(order[order.length - 1], "by-hand");
  });

  test("jobs that start each other in a circle are drawn all the same", () => {
    const picture = layout([{ id: "a", triggers: after("b") }, { id: "b", triggers: after("a") }, { id: "c", triggers: after("c") }], 1024);
    assert.deepEqual(picture.nodes.map((n) => n.job.id).sort(), ["a", "b", "c"]);
    assert.equal(inOrder(picture.nodes.map((n) => n.job)).length, 3);
    assert.ok(apart(picture.nodes) && picture.nodes.every((n) => Number.isFinite(n.x + n.y)));
  });
});

describe("parameters", () => {
  const schema = { type: "object", required: ["metric"], properties: { metric: { type: "string" }, level: { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1, default: 0.95 },
    ranges: { type: "integer", enum: [1, 2, 4], default: 4 }, full: { type: "boolean", default: false }, since: { type: "string", format: "date" }, weights: { type: ["object", "array"] } } };
  const fields = fieldsOf(schema);

  test("a schema becomes fields of its kinds", () => {
    assert.deepEqual(fields.map((f) => [f.name, f.kind]), [["metric", "text"], ["level", "number"], ["ranges", "choice"], ["full", "boolean"], ["since", "day"], ["weights", "json"]]);
    assert.equal(fields[1].range, "above 0 below 1");
    assert.deepEqual(fields.map((f) => f.required), [true, false, false, false, false, false]);
  });

  test("what is set comes back as it was, what is empty is left out", () => {
    const params = { level: 0.9, ranges: 2, full: true, since: "2026-03-02", weights: { click: 1 } };
    assert.deepEqual(paramsOf(fields, textsOf(fields, params)), params);
    assert.deepEqual(paramsOf(fields, textsOf(fields, {})), {});
  });

  test("what is no number goes as it is, for the daemon to say so", () => {
    assert.deepEqual(paramsOf(fields, { level: "much", weights: "{" }), { level: "much", weights: "{" });
  });

  test("the field that a refusal names", () => {
    assert.equal(fieldNamed(["level", "triggers"], "params.level"), "level");
    assert.equal(fieldNamed(["level", "triggers"], "triggers[0].value"), "triggers");
    assert.equal(fieldNamed(["level"], "other"), null);
    assert.equal(fieldNamed(["level"], null), null);
  });
});
