// One job: what it is, when it is next due, switched on or off, run by hand; its settings and its runs.
import { useEffect, useState } from "preact/hooks";
import { go, Link } from "../app.jsx";
import { useLoad } from "../load.js";
import { Failure, Loading, Stale } from "../states.jsx";
import { Confirm, Outcome, useAction } from "./action.jsx";
import { deleteJob, getJob, saveJob, startRun } from "./api.js";
import { Last, nameIn, runAddress } from "./chain.jsx";
import { History } from "./history.jsx";
import { useNow } from "./hooks.js";
import { documentOf, Settings } from "./settings.jsx";
import { isLive } from "./states.jsx";
import { dueIn, moment, triggerWords } from "./words.js";

export function Job({ id }) {
  const { data, error, reload } = useLoad(() => getJob(id), ({ job }) => (job.running ? 2000 : true), [id]);
  useEffect(() => void (document.title = `${data?.job.name || id} \u00b7 Jobs \u00b7 experimentd`), [id, data]);
  if (!data) return error ? <Failure error={error} reload={reload} what={id} kind="job" show="Show the job" /> : <Loading />;
  const { job, type, jobs } = data;
  const started = (run) => go(runAddress({ job: job.id, ...run }));
  return (
    <article class="result job">
      <p class="crumbs"><Link to="/jobs">Jobs</Link></p>
      <div class="head">
        <h1>{job.name || job.id}</h1>
        <p class="badges"><span class="badge">{job.type}</span>{job.predefined && <span class="badge">Comes with experimentd</span>}
          <span class={`badge ${job.enabled ? "status-running" : ""}`}>{job.enabled ? "Switched on" : "Switched off"}</span></p>
        <p class="hypothesis">{job.summary}</p>
      </div>
      <Stale error={error} reload={reload} />
      {job.problem && <p class="notice warn">This server cannot run it: {job.problem}.</p>}
      <Due job={job} jobs={jobs} reload={reload} started={started} />
      <History job={job} beat={`${job.last_run?.id} ${job.last_run?.state}`} />
      <Settings key={job.id} job={job} type={type} jobs={jobs} reload={reload} onStarted={started} />
      {!job.predefined && <Delete job={job} reload={reload} />}
    </article>
  );
}

/** When it starts, how it went last, and the two buttons. */
function Due({ job, jobs, reload, started }) {
  const now = useNow(), action = useAction();
  const turn = () => action.act(async () => {
    await saveJob(job, documentOf(job, { enabled: !job.enabled }));
    await reload();
  }, job.enabled ? "Switched off: nothing starts it but you." : "Switched on.");
  const triggers = job.triggers ?? [], next = job.next_runs_at ?? (job.next_run_at ? [job.next_run_at] : []);
  const starts = jobs.filter((other) => (other.triggers ?? []).some((t) => t.type === "job" && t.job === job.id));
  return (
    <section class="card due" aria-labelledby="due">
      <div class="tables-head"><h2 id="due">When it runs</h2>
        <p class="buttons">
          <button type="button" class="strong" disabled={action.busy} onClick={() => action.act(async () => started(await startRun(job.id)))}>Run now</button>
          <button type="button" disabled={action.busy} onClick={turn}>{job.enabled ? "Switch off" : "Switch on"}</button>
        </p></div>
      <Outcome action={action} what="Not done" reload={reload} />
      <ul class="due-words">{triggers.length === 0 ? <li>By hand only.</li> : triggers.map((t, i) => (
        <li key={i} class={t.enabled === false ? "is-off" : ""}>{sentence(triggerWords(t, job.timezone, nameIn(jobs)))}{t.enabled === false && " (switched off)"}</li>))}</ul>
      {!job.enabled && triggers.length > 0 && <p class="quiet">It is switched off: none of this happens.</p>}
      {job.enabled && next.length > 0 && <div class="next"><p>Next <strong>{dueIn(next[0], now)}</strong>:</p>
        <ol class="instants">{next.map((at) => <li key={at}>{moment(at, job.timezone)}</li>)}</ol></div>}
      <p>Last run: {job.last_run ? <Link to={runAddress({ ...job.last_run, job: job.id })} class="plain-link"><Last job={job} now={now} />{isLive(job.last_run.state) && " (look)"}</Link> : <Last job={job} now={now} />}</p>
      {starts.length > 0 && <p class="quiet">After it: {starts.map((other, i) => <span key={other.id}>{i > 0 && ", "}<Link to={`/jobs/${encodeURIComponent(other.id)}`}>{other.name || other.id}</Link></span>)}.</p>}
    </section>
  );
}

/** Of one's own only: the nightly set is switched off instead. */
function Delete({ job, reload }) {
  const action = useAction(), [asked, ask] = useState(false);
  return (
    <section class="card buttons" aria-label="Delete">
      <button type="button" disabled={action.busy} onClick={() => ask(true)}>Delete this job</button>
      <span class="quiet">Its runs stay known until they are let go by age.</span>
      <Outcome action={action} what="Not deleted" reload={reload} />
      <Confirm open={asked} close={() => ask(false)} title="Delete this job?" yes="Delete it" no="Keep it"
        onYes={() => action.act(async () => { await deleteJob(job); go("/jobs"); })}>
        <p>Its settings are gone then, and nothing starts it any more. Rows that it published stay.</p></Confirm>
    </section>
  );
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}`;
