// One run: its state and progress as it goes, its passes, what came of it, what is to be done about an error, its log.
import { useEffect, useState } from "preact/hooks";
import { go, Link } from "../app.jsx";
import { count, instant, plural } from "../format.js";
import { useLoad } from "../load.js";
import { Failure, Loading, Stale } from "../states.jsx";
import { Confirm, Outcome, useAction } from "./action.jsx";
import { adviceFor } from "./advice.js";
import { cancelRun, getRun, retryRun } from "./api.js";
import { jobAddress, ofRun, runAddress } from "./chain.jsx";
import { useNow } from "./hooks.js";
import { Log } from "./log.jsx";
import { OffPolicy } from "./offpolicy.jsx";
import { left, Passes } from "./passes.jsx";
import { Bar, isBad, isLive, stateOf, State } from "./states.jsx";
import { about, CAUSES, duration, fromNow } from "./words.js";

const LIVE_MS = 2000;

export function Run({ job, id }) {
  const { data, error, reload } = useLoad(() => getRun(job, id), ({ run }) => (isLive(run.state) ? LIVE_MS : run.state === "lost"), [job, id]);
  const run = data?.run, live = run && isLive(run.state);
  useEffect(() => void (document.title = `${run ? `${stateOf(run.state).word}: ` : ""}${run ? ofRun(run) : "Run"} \u00b7 experimentd`), [run?.state]);
  if (!data) return error ? <Failure error={error} reload={reload} what={id} kind="run" show="Show the run" /> : <Loading />;
  return (
    <article class="result run">
      <p class="crumbs"><Link to="/jobs">Jobs</Link>{run.job && <> / <Link to={jobAddress(run.job)}>{run.job}</Link></>}</p>
      <div class="head">
        <h1>Run of {ofRun(run)}, {instant(run.started_at ?? run.queued_at)}</h1>
        <p class="quiet"><Cause run={run} /></p>
      </div>
      <Stale error={error} reload={reload} />
      <Progress run={run} live={live} reload={reload} />
      <Bad run={run} />
      {run.result?.estimates && <OffPolicy result={run.result} />}
      <section class="card" aria-labelledby="passes"><h2 id="passes">Passes</h2><Passes run={run} live={live} /></section>
      <Came run={run} />
      <Log key={run.id} run={run} live={live} onEnd={reload} />
      <Around run={run} followers={data.followers} />
    </article>
  );
}

function Cause({ run }) {
  const by = run.triggered_by;
  return <>Started {CAUSES[run.trigger] ?? run.trigger}{run.trigger !== "schedule" && by && !run.trigger_run && `, ${by}`}
    {run.due_at && `, due ${instant(run.due_at)}`}{run.attempt > 1 && `, try ${run.attempt}`} · {run.engine === "spark" ? "on Spark" : run.workers > 0 ? plural(run.workers, "worker") : "a worker for each core"}{run.host && ` at ${run.host}`}</>;
}

/** State, progress and the buttons. Read aloud at a new state or pass and at every quarter, not every two seconds. */
function Progress({ run, live, reload }) {
  const [asked, setAsked] = useState(null);
  const action = useAction(), { word, tone } = stateOf(run.state);
  const now = useNow(live ? 1000 : 60000);
  const pass = run.passes?.[run.passes.length - 1], rest = live && pass ? left(pass) : null;
  const seconds = live && run.started_at ? Math.max(0, (now - new Date(run.started_at)) / 1000) : run.seconds;
  const quarter = Math.floor((run.progress ?? 0) * 4) * 25;
  const cancel = () => action.act(async () => { await cancelRun(run); await reload(); }, "Told to stop; it may take some seconds.");
  const retry = () => action.act(async () => go(runAddress({ job: run.job, ...(await retryRun(run)) })));
  return (
    <section class={`card run-state-card tone-${tone}`} aria-labelledby="state">
      <div class="tables-head"><h2 id="state"><State state={run.state} />{seconds !== null && seconds !== undefined && <span class="quiet"> {live ? `for ${about(seconds)}` : `after ${duration(seconds)}`}</span>}</h2>
        <p class="buttons">
          {/^https?:\/\//.test(run.ui_url ?? "") && <a href={run.ui_url} target="_blank" rel="noreferrer">Spark{"\u2019"}s own page</a>}
          {live && !run.cancel_requested && <button type="button" disabled={action.busy} onClick={() => setAsked("cancel")}>Cancel</button>}
          {!live && run.job && <button type="button" disabled={action.busy} onClick={() => setAsked("retry")}>Run again</button>}
        </p></div>
      {live && run.state !== "queued" && <Bar done={run.progress} label="Progress of the run" />}
      {live && <p>{[run.pass, run.state !== "queued" && run.progress !== null && run.progress !== undefined && `${Math.floor(run.progress * 100)} %`, rest !== null && `about ${about(Math.ceil(rest))} left of this pass`].filter(Boolean).join(" \u00b7 ") || waits(run, now)}</p>}
      {run.cancel_requested && live && <p class="quiet">It was told to stop.</p>}
      <p class="quiet">{[run.rows_in > 0 && `${count(run.rows_in)} rows read`, run.rows_in > 0 && run.seconds > 0 && `${count(run.rows_in / run.seconds)} a second`, run.retries > 0 && `${plural(run.retries, "split")} done again`,
        run.resumes > 0 && `taken up again ${plural(run.resumes, "time")} after its process was lost`].filter(Boolean).join(" \u00b7 ")}</p>
      <Outcome action={action} what="Not done" reload={reload} />
      <p class="visually-hidden" role="status" aria-live="polite">{live ? `${word}${run.pass ? `, ${run.pass}` : ""}, ${quarter} percent` : `${word}${run.error ? `: ${run.error}` : ""}`}</p>
      <Confirm open={asked === "cancel"} close={() => setAsked(null)} title="Cancel this run?" yes="Cancel the run" no="Let it run" onYes={cancel}>
        <p>Its workers are ended. Nothing of it is published, and jobs that follow its success do not start.</p></Confirm>
      <Confirm open={asked === "retry"} close={() => setAsked(null)} title="Run it again?" yes="Run again" onYes={retry}>
        <p>With the parameters of this run. What it found replaces what is there when it succeeds{isBad(run.state) && "; what this one did before it ended is used where it still fits"}.</p></Confirm>
    </section>
  );
}

/** What a run that is queued waits for. */
function waits(run, now) {
  if (run.not_before && new Date(run.not_before) > now) return `Waits before another try: it starts ${fromNow(run.not_before, now)}.`;
  return run.state === "queued" ? "Waits for its turn." : "";
}

function Bad({ run }) {
  const advice = adviceFor(run);
  if (!run.error && !run.note && !advice) return null;
  return (
    <section class={`notice ${isBad(run.state) ? "alarm" : "warn"}`} aria-labelledby="error">
      <h2 id="error">{isBad(run.state) ? "What went wrong" : "What to know"}</h2>
      {run.error && <p class="error-text">{run.error}</p>}
      {run.note && <p>{run.note}</p>}
      {advice && <p>{advice}</p>}
    </section>
  );
}

/** What has a figure of its own. */
const DRAWN = ["estimates", "served", "mean_weight", "warnings"];

/** What a run says of itself, name by name. */
function Came({ run }) {
  const params = Object.entries(run.params ?? {}), result = (run.result && typeof run.result === "object" ? Object.entries(run.result) : []).filter(([name]) => !DRAWN.includes(name));
  if (params.length + result.length === 0) return null;
  return (
    <section class="card" aria-labelledby="came">
      <h2 id="came">{result.length ? "What came of it" : "Asked for"}</h2>
      {result.length > 0 && <Facts list={result} />}
      {params.length > 0 && <>{result.length > 0 && <h3>Asked for</h3>}<Facts list={params} /></>}
    </section>
  );
}

/** Metrics as their values: what else there is of them has its place at the model. */
const metrics = (value) => Object.entries(value).filter(([, m]) => m && typeof m === "object" && "value" in m).map(([name, m]) => `${name} ${written(m.value)}`).join(", ");
const written = (value) => (value && typeof value === "object" && metrics(value) ? metrics(value) : typeof value === "number" ? value.toLocaleString("en", { maximumFractionDigits: 6 }) : typeof value === "string" ? value : JSON.stringify(value));

function Facts({ list }) {
  return <dl class="facts">{list.map(([name, value]) => <div key={name}><dt>{name.replace(/_/g, " ")}</dt><dd>{written(value)}</dd></div>)}</dl>;
}

/** What started it and what it started. */
function Around({ run, followers }) {
  const now = useNow(60000);
  if (!run.trigger_run && followers.length === 0) return null;
  return (
    <section class="card" aria-labelledby="around">
      <h2 id="around">Before and after</h2>
      <dl class="facts">
        {run.trigger_run && <div><dt>Started by</dt><dd>{run.trigger_job ? <Link to={runAddress({ job: run.trigger_job, id: run.trigger_run })}>a run of {run.trigger_job}</Link> : run.trigger_run}</dd></div>}
        {followers.length > 0 && <div><dt>It started</dt><dd><ul class="plain-list">{followers.map((next) => (
          <li key={next.id}><Link to={runAddress(next)}>{ofRun(next)}</Link> <State state={next.state} />{next.finished_at && <span class="quiet"> {fromNow(next.finished_at, now)}</span>}</li>))}</ul></dd></div>}
      </dl>
    </section>
  );
}
