// The jobs: what runs now, the picture of what runs after what, and a table of all.
import { useEffect } from "preact/hooks";
import { Link } from "../app.jsx";
import { count } from "../format.js";
import { useLoad } from "../load.js";
import { Failure, Loading, Stale } from "../states.jsx";
import { Add } from "./add.jsx";
import { getJobs } from "./api.js";
import { Chain, jobAddress, Last, ofRun, runAddress, when } from "./chain.jsx";
import { inOrder } from "./graph.js";
import { useNow } from "./hooks.js";
import { Bar, isBad, State } from "./states.jsx";
import { Strip } from "./strip.jsx";
import { about, dueIn, fromNow, moment } from "./words.js";

const LIVE_MS = 2000;

export function Jobs() {
  const { data, error, reload } = useLoad(getJobs, (jobs) => (jobs.running.length ? LIVE_MS : true), []);
  const now = useNow(data?.running.length ? LIVE_MS : undefined);
  useEffect(() => void (document.title = "Jobs \u00b7 experimentd"), []);
  if (!data) return error ? <Failure error={error} reload={reload} show="Show jobs" /> : <Loading />;
  if (data.jobs.length === 0) return <First />;
  return (
    <div class="result jobs">
      <div class="head">
        <h1>Jobs</h1>
        <p class="quiet">What turns signals into results and models: on a schedule, one after another, or by hand.</p>
      </div>
      <Stale error={error} reload={reload} />
      <Now running={data.running} jobs={data.jobs} now={now} />
      <Wrong jobs={data.jobs.filter((job) => job.last_run && isBad(job.last_run.state))} now={now} />
      <section class="card" aria-labelledby="chain">
        <h2 id="chain">What runs after what</h2>
        <p class="quiet">A bar is a run, as high as it took long; the last one is on the right.{" "}
          <span class="legend-inline"><State state="success" /> <State state="failed" /> <State state="skipped" /></span></p>
        <Chain jobs={data.jobs} running={data.running} now={now} />
      </section>
      <section class="card" aria-labelledby="all">
        <h2 id="all">All jobs</h2>
        <Table jobs={data.jobs} now={now} />
      </section>
      <Add />
    </div>
  );
}

/** Runs that are not over. Read aloud when what runs changes, not at every step. */
function Now({ running, jobs, now }) {
  const name = (run) => jobs.find((job) => job.id === run.job)?.name || ofRun(run);
  const told = running.filter((run) => run.state !== "queued").map(name);
  const next = jobs.filter((job) => job.next_run_at && job.enabled).sort((a, b) => a.next_run_at.localeCompare(b.next_run_at))[0];
  return (
    <section class="card now" aria-labelledby="now">
      <h2 id="now">Now</h2>
      <p class="visually-hidden" role="status">{told.length ? `running: ${told.join(", ")}` : "nothing runs"}</p>
      {running.length === 0 && <p class="quiet">Nothing runs.{next && <> Next: <Link to={jobAddress(next.id)}>{next.name || next.id}</Link> {dueIn(next.next_run_at, now)}.</>}</p>}
      <ul class="now-list">{running.map((run) => <li key={run.id}><Running run={run} name={name(run)} now={now} /></li>)}</ul>
    </section>
  );
}

/** Jobs whose last run ended badly, and why. */
function Wrong({ jobs, now }) {
  if (jobs.length === 0) return null;
  return (
    <section class="notice alarm" aria-labelledby="wrong">
      <h2 id="wrong">{jobs.length === 1 ? "One job" : `${jobs.length} jobs`} did not end well last time</h2>
      <ul class="plain-list wrong-list">{jobs.map((job) => (
        <li key={job.id}><Link to={runAddress({ ...job.last_run, job: job.id })}>{job.name || job.id}</Link> <span class="quiet">{fromNow(job.last_run.finished_at ?? job.last_run.queued_at, now)}</span>
          {job.last_run.error && <span class="wrong-why">{job.last_run.error}</span>}</li>))}</ul>
    </section>
  );
}

function Running({ run, name, now }) {
  const begun = run.started_at ? `for ${about(Math.max(0, (now - new Date(run.started_at)) / 1000))}` : "";
  return (
    <>
      <span class="now-name"><Link to={runAddress(run)}>{name}</Link> <State state={run.state} /></span>
      {run.state === "queued" ? <span class="quiet">waits for its turn</span> : <Bar done={run.progress} label={`Progress of ${name}`} />}
      <span class="quiet">{[run.pass, begun, run.rows_in > 0 && `${count(run.rows_in)} rows read`].filter(Boolean).join(" \u00b7 ")}</span>
    </>
  );
}

function Table({ jobs, now }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="All jobs">
      <table class="jobs-table">
        <thead><tr><th scope="col">Job</th><th scope="col">Starts</th><th scope="col">Next</th><th scope="col">Last run</th><th scope="col">Last 14 runs</th></tr></thead>
        <tbody>{inOrder(jobs).map((job) => <Row key={job.id} job={job} jobs={jobs} now={now} />)}</tbody>
      </table>
    </div>
  );
}

function Row({ job, jobs, now }) {
  const words = when(job, jobs);
  return (
    <tr>
      <th scope="row"><Link to={jobAddress(job.id)}>{job.name || job.id}</Link><span class="under">{job.summary}</span></th>
      <td data-label="Starts"><span class="main">{job.enabled ? words.length ? words.map((text) => <span key={text} class="start-word">{text}</span>) : "by hand" : <span class="badge">Switched off</span>}</span></td>
      <td data-label="Next"><span class="main">{job.enabled && job.next_run_at
        ? <><span class="start-word">{dueIn(job.next_run_at, now)}</span><span class="under">{moment(job.next_run_at, job.timezone)}</span></> : "\u2014"}</span></td>
      <td data-label="Last run"><span class="main">{job.last_run ? <Link to={runAddress({ ...job.last_run, job: job.id })} class="plain-link"><Last job={job} now={now} /></Link> : <Last job={job} now={now} />}</span></td>
      <td data-label="Last 14 runs"><span class="main"><Strip runs={job.strip} /></span></td>
    </tr>
  );
}

function First() {
  return (
    <div class="result">
    <section class="card help">
      <h1>No jobs</h1>
      <p>The nightly set comes predefined, so this daemon's jobs were deleted. A job is a document: a type, parameters, and what starts it;{" "}
        <code>DIR</code> is the daemon's data directory.</p>
      <pre tabIndex={0}><code>{`curl -H "Authorization: Bearer $(cat DIR/admin.key)" ${location.origin}/v1/jobs \\
  -d '{"id":"metrics","type":"metrics","triggers":[{"type":"interval","every":15,"unit":"minute"}]}'`}</code></pre>
      <p class="quiet">The same by hand, from a shell: <code>build/trainer run metrics --data-dir DIR</code></p>
    </section>
    <Add />
    </div>
  );
}
