// The story of a model: what is being tried now, how each trial went by day and what decided it, and every step with who did it.
import { useEffect, useState } from "preact/hooks";
import { Link } from "../app.jsx";
import { Chart } from "../chart.jsx";
import { count, instant, percent, plural } from "../format.js";
import { Confirm, Outcome, useAction } from "../jobs/action.jsx";
import { useLoad } from "../load.js";
import { Failure, Loading, Stale } from "../states.jsx";
import { getStory, loopAct } from "./api.js";
import { drawTrial, liveEvidence, outcomeOf, stepWords, subject, told, toldInterval, traffic, trialHeight, trialRows, trialsOf, unitsOf } from "./steps.js";
import { days, reasonOf } from "./words.js";

export function Story({ name }) {
  const { data, error, reload } = useLoad(() => getStory(name), () => true, [name]);
  const action = useAction();
  useEffect(() => void (document.title = `Story of ${name} \u00b7 Models \u00b7 experimentd`), [name]);
  if (!data) return error ? <Failure error={error} reload={reload} what={name} kind="model" show="Show the story" /> : <Loading />;
  const { story, live } = data, trials = trialsOf(story.steps), versions = new Map(story.versions.map((v) => [v.version, v]));
  const open = story.loop && story.loop.state.phase !== "idle" ? trials.find((t) => !t.end) : null;
  return (
    <div class="result models story">
      <p class="crumbs"><Link to="/models">Models</Link> {"\u203a"} <Link to={`/models/${encodeURIComponent(name)}`}>{name}</Link></p>
      <div class="head">
        <h1>The story of {name}</h1>
        <p class="badges">{Object.entries(story.aliases).map(([alias, version]) => <span key={alias} class="badge">{alias}: version {version}</span>)}</p>
      </div>
      <Stale error={error} reload={reload} />
      <Now story={story} trial={open} live={live} versions={versions} action={action} reload={reload} name={name} />
      {trials.filter((t) => t !== open).map((t) => <Trial key={t.started.id} trial={t} evidence={(t.end ?? t.steps[t.steps.length - 1]).evidence} versions={versions} />)}
      <Steps steps={story.steps} />
    </div>
  );
}

/** What is being tried, and what a person may do about it. */
function Now({ story, trial, live, versions, action, reload, name }) {
  const [asked, setAsked] = useState(null);
  const { loop } = story;
  if (!loop) return <NoLoop name={name} champion={story.aliases.champion} />;
  const s = loop.state, version = s.version;
  const does = (what, done) => action.act(() => loopAct(name, what), done).then((ok) => ok && setTimeout(reload, 1500));
  const ask = (what, title, yes, text, done) => setAsked({ what, title, yes, text, done });
  const buttons = (
    <p class="story-buttons">
      {s.phase !== "trying" && <button type="button" class="strong" disabled={action.busy} onClick={() => ask("approve", `Make version ${version} champion?`, "Approve", "It is served to everybody within seconds. The experiment ends.", "Approved")}>Approve</button>}
      {s.phase !== "trying" && <button type="button" disabled={action.busy} onClick={() => ask("reject", `Reject version ${version}?`, "Reject", `Version ${s.against} stays champion. The experiment ends.`, "Rejected")}>Reject</button>}
      <button type="button" class="plain" disabled={action.busy} onClick={() => ask("stop", "Stop what is being tried?", "Stop", "The experiment ends without a verdict, and a version that waits is forgotten. The next version that passes its gate is tried.", "Stopped")}>Stop the trial</button>
    </p>);
  return (
    <section class={`card story-now phase-${s.phase}`} aria-labelledby="now">
      <h2 id="now">{titles[s.phase](story)}</h2>
      <p class="quiet">{rule(loop)}</p>
      {s.held && <p class="notice warn">It cannot go on: {s.held}.</p>}
      {trial && <TrialBody trial={trial} evidence={live ?? trial.steps[trial.steps.length - 1].evidence} versions={versions} level={3} />}
      {s.wish && <p class="quiet" role="status">Asked for: {s.wish}.</p>}
      {s.phase !== "idle" && buttons}
      <Outcome action={action} what="Not done" reload={reload} />
      <Confirm open={Boolean(asked)} title={asked?.title ?? ""} yes={asked?.yes ?? ""} onYes={() => does(asked.what, asked.done)} close={() => setAsked(null)}><p>{asked?.text}</p></Confirm>
    </section>
  );
}

const titles = {
  idle: (s) => (s.aliases.champion ? `Version ${s.aliases.champion} is champion, and nothing is being tried` : "Nothing is being tried, and no version is champion"),
  trying: (s) => `Version ${s.loop.state.version} is being tried against version ${s.loop.state.against}`,
  awaiting: (s) => `Version ${s.loop.state.version} was shown better and waits for a person`,
  paused: (s) => `The trial of version ${s.loop.state.version} is paused`,
};

const rule = (l) => `${l.kind === "interleave" ? "Interleaved lists" : "An A/B test"} with ${traffic(l)} of the units, for ${l.min_days} to ${plural(l.max_days, "day")}; ` +
  `${l.approve === "person" ? "a person approves" : "the result decides"}.`;

function NoLoop({ name, champion }) {
  return (
    <section class="card" aria-labelledby="now">
      <h2 id="now">This model has no loop</h2>
      <p class="quiet">A version that passes its gate is champion at once. With a loop it is tried on a share of the users first{champion ? "" : ", once a version is champion"}:</p>
      <pre tabIndex={0}><code>{`curl -X PUT $API/v1/models/${name}/loop -H "Authorization: Bearer $KEY" \\
  -d '{"metrics": [{"metric": "clicks_per_query", "role": "primary"}], "traffic": 0.1}'`}</code></pre>
    </section>
  );
}

function Trial({ trial, evidence, versions }) {
  const w = stepWords[trial.end?.step ?? "started"];
  return (
    <section class={`card story-trial tone-${w.tone}`} aria-labelledby={`trial-${trial.started.id}`}>
      <div class="tables-head">
        <h2 id={`trial-${trial.started.id}`}>Version {trial.version}</h2>
        <span class="review-word"><span aria-hidden="true">{w.sign}</span> {w.word}</span>
      </div>
      <TrialBody trial={trial} evidence={evidence} versions={versions} level={3} />
    </section>
  );
}

function TrialBody({ trial, evidence, versions }) {
  const rows = trialRows(evidence), version = versions.get(trial.version), outcome = outcomeOf(evidence);
  const spoken = rows.map((r) => `${r.day.toISOString().slice(0, 10)}: ${told(r.measure, r.value)}`).join("; ");
  return (
    <>
      {Number.isFinite(evidence?.value) && <p class="story-figure"><strong class={outcome}>{told(evidence.measure, evidence.value)}</strong> <span>{subject(evidence)}</span>
        <span class="quiet">{toldInterval(evidence)} ({percent(evidence.level, evidence.level > 0.99 ? 1 : 0)} interval){unitsOf(evidence) && `; units: ${unitsOf(evidence)}`}</span></p>}
      {rows.length > 0
        ? <Chart draw={(width) => drawTrial(rows, width, outcome)} height={trialHeight} inputs={[rows.map((r) => `${+r.day} ${r.value} ${r.low}`).join()]} label={`${subject(evidence)} of version ${trial.version} by day: ${spoken}`} />
        : <p class="quiet">Nothing has been counted of this trial yet.</p>}
      <p class="story-reason">{trial.end?.reason ?? evidence?.text ?? ""}</p>
      {evidence?.conditions && <ul class="story-rule">{evidence.conditions.map((c) => (
        <li key={c.name} class={c.met ? "is-met" : "is-open"}><span aria-hidden="true">{c.met ? "\u2713" : "\u2715"}</span><span class="visually-hidden">{c.met ? "met" : "not met"}: </span> {c.text}</li>))}</ul>}
      <dl class="facts story-facts">
        <div><dt>Trained</dt><dd>{version ? <>{version.job ?? version.created_by ?? "uploaded"}, {days(version.card?.window)}{version.card?.rows ? `, ${count(version.card.rows)} rows` : ""}</> : ""}</dd></div>
        <div><dt>Its gate</dt><dd>{version ? reasonOf(version) : ""}</dd></div>
        <div><dt>Tried</dt><dd>{trial.started.reason}, from {instant(trial.started.at)}{trial.end && ` to ${instant(trial.end.at)}`}; <Link to={`/experiments/${encodeURIComponent(trial.experiment)}`}>{trial.experiment}</Link>, phase {trial.phase}</dd></div>
      </dl>
    </>
  );
}

function Steps({ steps }) {
  if (steps.length === 0) return null;
  return (
    <section class="card" aria-labelledby="steps">
      <h2 id="steps">Step by step</h2>
      <ol class="story-steps" reversed>{steps.map((s) => <Step key={s.id} step={s} />)}</ol>
    </section>
  );
}

function Step({ step }) {
  const w = stepWords[step.step] ?? { word: step.step, sign: "", tone: "off" };
  return (
    <li class={`tone-${w.tone}`}>
      <span class="story-sign" aria-hidden="true">{w.sign}</span>
      <div>
        <p><strong>{w.word}</strong>{step.version && ` \u00b7 version ${step.version}`} <span class="quiet">{instant(step.at)}, {step.who}</span></p>
        <p class="story-why">{step.reason}</p>
      </div>
    </li>
  );
}
