// The picture of what runs after what: a box a job, with its last runs and when it is next due; lines from a job to those that it starts.
import { useWidth } from "../chart.jsx";
import { Link } from "../app.jsx";
import { layout } from "./graph.js";
import { isLive, State, Bar } from "./states.jsx";
import { Strip } from "./strip.jsx";
import { dueIn, duration, fromNow, HOUR, moment, triggerWords } from "./words.js";

export const jobAddress = (id) => `/jobs/${encodeURIComponent(id)}`;
/** A run that a shell started belongs to no job. */
export const runAddress = (run) => `${run.job ? jobAddress(run.job) : ""}/runs/${encodeURIComponent(run.id)}`;
export const ofRun = (run) => run.job ?? run.type;

export function Chain({ jobs, running, now }) {
  const [box, width] = useWidth();
  const { nodes, lines, height, upright } = layout(jobs, width || 1000);
  return (
    <div class={`chain ${upright ? "upright" : ""}`} ref={box} style={{ height: `${height}px` }}>
      <svg class="chain-lines" width={width} height={height} aria-hidden="true">
        {lines.map((line) => <path key={line.from + line.to} d={line.path} class={line.on.includes("success") ? "" : "on-bad"} />)}
      </svg>
      <ol class="chain-jobs">
        {nodes.map(({ job, x, y, w, h }) => (
          <li key={job.id} style={{ left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${h}px` }}>
            <Box job={job} run={running.find((run) => run.job === job.id)} names={jobs} now={now} />
          </li>))}
      </ol>
    </div>
  );
}

/** What a job's name is to others. */
export const nameIn = (jobs) => (id) => jobs.find((job) => job.id === id)?.name || id;

/** When it starts, in few words: of triggers that are on. */
export function when(job, jobs) {
  const on = (job.triggers ?? []).filter((trigger) => trigger.enabled !== false);
  return on.map((trigger) => triggerWords(trigger, null, nameIn(jobs)));
}

function Box({ job, run, names, now }) {
  const words = when(job, names);
  return (
    <div class={`chain-job ${job.enabled ? "" : "is-off"}`}>
      <h3><Link to={jobAddress(job.id)}>{job.name || job.id}</Link></h3>
      <p class="chain-state">{run ? <Running run={run} /> : <Last job={job} />}</p>
      {job.strip.length > 0 && <Strip runs={job.strip} />}
      <p class="chain-when quiet" title={words.join("; ")}>{soon(job, words, now)}</p>
    </div>
  );
}

/** When it is next due, or what it waits for. */
function soon(job, words, now) {
  if (!job.enabled) return "switched off";
  return job.next_run_at ? `${moment(job.next_run_at, job.timezone, HOUR)} \u00b7 ${dueIn(job.next_run_at, now)}` : words[0] ?? "by hand";
}

function Running({ run }) {
  if (run.state === "queued") return <State state="queued" />;
  return <><State state={run.state} /> <Bar done={run.progress} label={`${ofRun(run)}, ${run.pass ?? "running"}`} /></>;
}

/** How its last run ended; with `now`, also how long ago. */
export function Last({ job, now }) {
  const last = job.last_run;
  if (!last) return <span class="quiet">not run yet</span>;
  if (isLive(last.state)) return <State state={last.state} />;
  return (
    <><State state={last.state} />{last.seconds !== null && last.state !== "skipped" && ` in ${duration(last.seconds)}`}
      {now && last.finished_at && <span class="quiet"> {"\u00b7"} {fromNow(last.finished_at, now)}</span>}</>
  );
}
