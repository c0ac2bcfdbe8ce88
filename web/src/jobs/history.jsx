// A job's runs: how long each took as a picture, and a table that goes on page by page.
import { useState } from "preact/hooks";
import { go, Link } from "../app.jsx";
import { useWidth } from "../chart.jsx";
import { count, plural } from "../format.js";
import { useLoad } from "../load.js";
import { Loading, Stale } from "../states.jsx";
import { getRuns } from "./api.js";
import { runAddress } from "./chain.jsx";
import { isBad, isLive, State, stateOf } from "./states.jsx";
import { CAUSES, clock, duration, moment } from "./words.js";

const HEIGHT = 110, LEFT = 58, FOOT = 22, HEAD = 8, FIRST_ROWS = 8;

/** `beat`: changes when there is something new. */
export function History({ job, beat }) {
  const [pages, setPages] = useState(1), [all, setAll] = useState(false);
  const { data, error, reload } = useLoad(() => getRuns(job.id, pages), (runs) => (runs.runs.some((run) => isLive(run.state)) ? 2000 : false), [job.id, pages, beat]);
  return (
    <section class="card" aria-labelledby="history">
      <h2 id="history">Runs</h2>
      {!data ? error ? <p class="bad" role="alert">No runs: {error.message}. <button type="button" class="plain" onClick={reload}>Try again</button></p> : <Loading /> : <>
        <Stale error={error} reload={reload} />
        {data.runs.length === 0 ? <p class="quiet">It has not run yet.</p> : <>
          <Durations runs={data.runs} job={job} />
          <Runs runs={all ? data.runs : data.runs.slice(0, FIRST_ROWS)} job={job} />
          {(data.more || !all) && data.runs.length > FIRST_ROWS && <button type="button" onClick={() => (all ? setPages(pages + 1) : setAll(true))}>Show earlier runs</button>}
        </>}
      </>}
    </section>
  );
}

/** Of the newest that fit, oldest on the left. */
function Durations({ runs, job }) {
  const [box, width] = useWidth();
  const room = Math.max(1, Math.floor((width - LEFT) / 12)), shown = runs.slice(0, room).reverse();
  const most = Math.max(...shown.map((run) => run.seconds ?? 0)) || 1, tall = HEIGHT - FOOT - HEAD;
  const step = Math.min(34, (width - LEFT) / shown.length), bar = Math.max(5, Math.min(22, step - 4)), x = (i) => LEFT + i * step + (step - bar) / 2;
  const bad = shown.filter((run) => isBad(run.state)).length;
  const label = `How long the last ${plural(shown.length, "run")} took: at most ${duration(most)}; ${bad ? `${bad} ended badly` : "none ended badly"}`;
  return (
    <div class="durations" ref={box}>
      {width > 0 && <svg width={width} height={HEIGHT} role="img" aria-label={label}>
        {[1, 0.5].map((part) => <g key={part}><line class="strip-floor" x1={LEFT} x2={width} y1={HEAD + tall * (1 - part)} y2={HEAD + tall * (1 - part)} />
          <text x={LEFT - 8} y={HEAD + tall * (1 - part) + 4} text-anchor="end">{duration(most * part)}</text></g>)}
        <line class="strip-floor" x1={LEFT} x2={width} y1={HEAD + tall} y2={HEAD + tall} />
        {shown.map((run, i) => {
          const h = Math.max(3, ((run.seconds ?? 0) / most) * tall), { tone, word } = stateOf(run.state);
          return (
            <g key={run.id} class={`tone-${tone} pick`} onClick={() => go(runAddress({ ...run, job: job.id }))}>
              <title>{`${moment(run.queued_at, job.timezone)}: ${word}, ${duration(run.seconds)}`}</title>
              <rect x={x(i)} y={HEAD + tall - h} width={bar} height={h} rx="2" />
              {tone === "bad" && <path class="strip-mark" d={`M${x(i) + bar / 2 - 3} ${HEAD + tall + 3}l6 5m0-5l-6 5`} />}
            </g>);
        })}
        <text x={LEFT} y={HEIGHT - 3}>{moment(shown[0].queued_at, job.timezone)}</text>
        {shown.length > 12 && <text x={LEFT + step * shown.length} y={HEIGHT - 3} text-anchor="end">{moment(shown[shown.length - 1].queued_at, job.timezone)}</text>}
      </svg>}
    </div>
  );
}

function Runs({ runs, job }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Runs">
      <table class="jobs-table runs-table">
        <thead><tr><th scope="col">Run</th><th scope="col">State</th><th scope="col" class="n">Took</th><th scope="col" class="n">Rows read</th><th scope="col">Started</th><th scope="col">What it said</th></tr></thead>
        <tbody>{runs.map((run) => (
          <tr key={run.id}>
            <th scope="row"><Link to={runAddress({ ...run, job: job.id })}>{moment(run.started_at ?? run.queued_at, job.timezone)}<span class="visually-hidden"> {clock(run.started_at ?? run.queued_at, job.timezone)}</span></Link></th>
            <td data-label="State"><span class="main"><State state={run.state} />{run.attempt > 1 && <span class="quiet"> try {run.attempt}</span>}</span></td>
            <td data-label="Took" class="n"><span class="main">{duration(run.seconds)}</span></td>
            <td data-label="Rows read" class="n"><span class="main">{count(run.rows_in)}<span class="unit-word"> rows</span></span></td>
            <td data-label="Started"><span class="main">{CAUSES[run.trigger] ?? run.trigger}</span></td>
            <td data-label="What it said"><span class="main said">{run.error ?? run.note ?? ""}</span></td>
          </tr>))}</tbody>
      </table>
    </div>
  );
}
