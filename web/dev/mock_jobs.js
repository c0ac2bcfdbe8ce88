// The jobs of the mock: recorded jobs and runs, and runs that go on by the clock, so that a page can be seen to follow them.
import { randomUUID } from "node:crypto";

const PAGE = 25, PASSES = ["days", "merge"], SPLITS = 4, SPLIT_ROWS = 50000;
const OVER = ["success", "failed", "cancelled", "timeout", "skipped", "lost"];
const iso = (ms) => new Date(ms).toISOString();

const INSTANT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

/** What was recorded, as if it had been just now, or with its own times. `pace`: how long a run takes, in ms. */
export function jobsOf(fixtures, { pace = 6000, empty = false, then = false } = {}) {
  const moved = then ? 0 : Date.now() - Date.parse(fixtures.get("jobs").recorded_at);
  const copy = (name, key) => (empty ? [] : JSON.parse(JSON.stringify(fixtures.get(name)[key]).replace(INSTANT, (text) => iso(Date.parse(text) + moved))));
  const own = empty ? [] : [fixtures.get("off-policy")];
  return { jobs: [...copy("jobs", "jobs"), ...own.map((o) => o.job)], runs: [...copy("runs", "runs"), ...own.map((o) => o.run)], types: fixtures.get("job-types"), pace };
}

const said = (run, ms, text) => run.lines.push({ seq: run.lines.length + 1, at: iso(ms), source: "run", line: text });

/** Brings a run to where the clock is. */
function forward(run, pace) {
  if (!run.begun || OVER.includes(run.state)) return;
  const now = Date.now(), gone = now - run.begun, total = PASSES.length * SPLITS, ready = Math.min(total, Math.floor((gone / pace) * total));
  if (run.cancel_requested) return finish(run, "cancelled", now);
  run.state = "running";
  run.started_at = iso(run.begun);
  run.seconds = gone / 1000;
  while (run.ready < ready) {
    run.ready++;
    said(run, run.begun + (run.ready / total) * pace, `pass ${PASSES[Math.floor((run.ready - 1) / SPLITS)]}: split ${(run.ready - 1) % SPLITS} done, ${SPLIT_ROWS} rows`);
  }
  run.progress = ready / total;
  run.rows_in = ready * SPLIT_ROWS;
  run.pass = PASSES[Math.min(PASSES.length - 1, Math.floor(ready / SPLITS))];
  run.passes = PASSES.slice(0, 1 + PASSES.indexOf(run.pass)).map((name, i) => {
    const done = Math.min(SPLITS, ready - i * SPLITS);
    return { pass: i, name, splits: SPLITS, done, attempts: done, rows_in: done * SPLIT_ROWS, seconds: Math.min(gone - (i * pace) / 2, pace / 2) / 1000 };
  });
  if (ready === total) finish(run, "success", run.begun + pace);
}

function finish(run, state, ms) {
  Object.assign(run, { state, finished_at: iso(ms), seconds: (ms - run.begun) / 1000, pass: null });
  if (state === "success") run.result = { rows: 4200, days: 31, days_recomputed: 1 };
  said(run, ms, state === "success" ? "published 4200 rows" : "told to stop: nothing was published");
}

const shown = ({ begun, ready, lines, ...run }) => ({ ...run, log_lines: lines?.length ?? run.log_lines });

function queue(state, job, params, trigger) {
  const now = Date.now();
  const run = { id: randomUUID(), job: job.id, type: job.type, state: "queued", trigger, triggered_by: "admin.key", trigger_run: null, due_at: null, queued_at: iso(now), started_at: null,
    finished_at: null, seconds: null, attempt: 1, progress: 0, pass: null, rows_in: 0, retries: 0, engine: job.engine, workers: 2, host: "search-1", error: null, note: null,
    cancel_requested: false, params, result: null, ui_url: null, passes: [], begun: now, ready: 0, lines: [] };
  run.log_url = `/v1/jobs/${job.id}/runs/${run.id}/log`;
  said(run, now, "begins");
  state.runs.unshift(run);
  return run;
}

function jobShown(state, job) {
  const mine = state.runs.filter((run) => run.job === job.id);
  return { ...job, last_run: mine[0] ? shown(mine[0]) : null, running: mine.filter((run) => !OVER.includes(run.state)).length };
}

/** What the daemon says of parameters that do not fit; null: nothing. */
function wrongParam(schema, params) {
  for (const [name, value] of Object.entries(params ?? {})) {
    const p = schema.properties[name];
    if (!p) return `job: job "${schema.title}" has no parameter "${name}"`;
    if (["integer", "number"].includes(p.type) && typeof value !== "number") return `job: parameter "${name}" is ${JSON.stringify(value)}, not a number`;
    if (p.minimum !== undefined && value < p.minimum) return `job: parameter "${name}" is ${value}, not a number from ${p.minimum} to ${p.maximum}`;
  }
  return null;
}

function wrongTrigger(triggers) {
  const i = (triggers ?? []).findIndex((t) => t.type === "cron" && t.value.trim().split(/\s+/).length < 5);
  return i < 0 ? null : `job: field "triggers[${i}]": field "value" is no schedule: it has too few fields`;
}

const linesOf = (run) => run.lines ?? Array.from({ length: run.log_lines }, (_, i) => ({ seq: i + 1, at: run.started_at, source: i % 7 ? `worker ${i % 2}` : "run", line: `pass days: split ${i} read 5321 rows` }));

function stream(state, run, from, response) {
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  let next = from;
  const send = () => {
    forward(run, state.pace);
    for (const { seq, ...line } of linesOf(run).slice(next - 1)) {
      response.write(`event: line\nid: ${seq}\ndata: ${JSON.stringify(line)}\n\n`);
      next = seq + 1;
    }
    if (!OVER.includes(run.state)) return;
    clearInterval(timer);
    response.end(`event: end\ndata: ${JSON.stringify({ state: run.state })}\n\n`);
  };
  const timer = setInterval(send, 100);
  response.on("close", () => clearInterval(timer));
  send();
}

/** Answers what is about jobs; false: it is not. `reply`: {json(status, body, headers), problem(status, title, detail), none()}. */
export function answerJobs(state, { method, path, query, body, headers }, response, reply) {
  if (path === "/v1/job-types") return reply.json(200, state.types);
  if (!/^\/v1\/(jobs|runs)/.test(path)) return false;
  state.runs.forEach((run) => forward(run, state.pace));
  if (path === "/v1/runs") return reply.json(200, { runs: state.runs.filter((run) => fits(run, query)).slice(0, 50).map(shown), next_page_token: null });
  if (path === "/v1/jobs" && method === "POST") return add(state, body, reply);
  if (path === "/v1/jobs") return reply.json(200, { jobs: state.jobs.map((job) => jobShown(state, job)) });
  const parts = path.split("/").map(decodeURIComponent), alone = parts[2] === "runs";
  const [id, runId, what] = alone ? [null, ...parts.slice(3)] : [parts[3], ...parts.slice(5)];
  const job = state.jobs.find((j) => j.id === id), run = state.runs.find((r) => r.id === runId && (alone || r.job === id));
  if (!job && !alone) return reply.problem(404, "Not Found", `there is no job "${id}"`);
  if (method === "DELETE") {
    state.jobs = state.jobs.filter((other) => other !== job);
    return reply.none();
  }
  if (/^\/v1\/jobs\/[^/]+$/.test(path)) return method === "PUT" ? change(state, job, body, headers, reply) : reply.json(200, jobShown(state, job), { ETag: `"${job.version}"` });
  if (/\/runs$/.test(path)) return method === "POST" ? begin(state, job, body, reply) : history(state, job, query, reply);
  if (!run) return reply.problem(404, "Not Found", `job "${id}" has no run "${runId}"`);
  if (what === "cancel") run.cancel_requested = true;
  if (what === "retry") return reply.json(202, shown(queue(state, job, run.params, "retry")));
  if (what !== "log") return reply.json(what === "cancel" ? 202 : 200, shown(run));
  const from = Number(query.get("from") ?? 1);
  if ((headers.accept || "").includes("event-stream")) return stream(state, run, Math.max(from, 1 + Number(headers["last-event-id"] ?? 0)), response);
  return reply.json(200, { lines: linesOf(run).slice(from - 1, from - 1 + Number(query.get("size") ?? 1000)) });
}

function fits(run, query) {
  const states = query.get("state")?.split(",");
  return (!states || states.includes(run.state)) && (!query.has("triggered_by") || run.trigger_run === query.get("triggered_by"));
}

function history(state, job, query, reply) {
  const size = Number(query.get("page_size") ?? PAGE), from = Number(query.get("page_token") ?? 0);
  const mine = state.runs.filter((run) => run.job === job.id);
  return reply.json(200, { runs: mine.slice(from, from + size).map(shown), next_page_token: from + size < mine.length ? String(from + size) : null });
}

const schemaOf = (state, job) => state.types.job_types.find((type) => type.name === job.type).params;

function begin(state, job, body, reply) {
  const wrong = wrongParam(schemaOf(state, job), body?.params);
  return wrong ? reply.problem(400, "Bad Request", wrong) : reply.json(202, shown(queue(state, job, { ...job.params, ...body?.params }, "manual")));
}

function add(state, body, reply) {
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(body.id)) return reply.problem(400, "Bad Request", `field "id" is "${body.id}", must be small letters, digits, . _ -`);
  const job = { enabled: true, engine: "local", workers: 0, timezone: "UTC", triggers: [], concurrency: "skip", catch_up: "once", max_retries: 0, retry_after_seconds: 60, timeout_seconds: 0,
    notify: null, predefined: false, next_run_at: null, version: 1, summary: state.types.job_types.find((type) => type.name === body.type).summary, ...body };
  const wrong = wrongParam(schemaOf(state, job), body.params);
  if (wrong) return reply.problem(400, "Bad Request", wrong);
  state.jobs.push(job);
  return reply.json(201, jobShown(state, job));
}

function change(state, job, body, headers, reply) {
  if (headers["if-match"] && headers["if-match"] !== `"${job.version}"`) return reply.problem(412, "Precondition Failed", `the job is at version ${job.version}`);
  const wrong = wrongParam(schemaOf(state, job), body.params) ?? wrongTrigger(body.triggers);
  if (wrong) return reply.problem(400, "Bad Request", wrong);
  Object.assign(job, body, { version: job.version + 1 });
  return reply.json(200, jobShown(state, job));
}
