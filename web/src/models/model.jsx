// One model: how good its versions were, which is served, why others were refused; compared, set and rolled back.
import { useEffect, useState } from "preact/hooks";
import { Link } from "../app.jsx";
import { Chart } from "../chart.jsx";
import { count, instant } from "../format.js";
import { Confirm, Outcome, useAction } from "../jobs/action.jsx";
import { useLoad } from "../load.js";
import { Failure, Loading, Stale } from "../states.jsx";
import { getModel, pointTo, rollBack } from "./api.js";
import { Classifier } from "./classifier.jsx";
import { ClickModels } from "./clicks.jsx";
import { Compare } from "./compare.jsx";
import { Groups } from "./groups.jsx";
import { Nearest } from "./nearest.jsx";
import { stepWords } from "./steps.js";
import { Ranker } from "./ranker.jsx";
import { drawHistory, historyHeight, historyRows } from "./history.js";
import { bytes, days, interval, isChampion, judgedOn, kinds, mainMetric, metricNames, metricValue, reasonOf, statuses } from "./words.js";

export function Model({ name }) {
  const { data, error, reload } = useLoad(() => getModel(name), () => true, [name]);
  const [metric, setMetric] = useState(null);
  const [picked, setPicked] = useState([]);
  const action = useAction();
  useEffect(() => void (document.title = `${name} \u00b7 Models \u00b7 experimentd`), [name]);
  if (!data) return error ? <Failure error={error} reload={reload} what={name} kind="model" show="Show the model" /> : <Loading />;
  const { model, versions } = data, champion = versions.find(isChampion);
  const chosen = metric ?? mainMetric(versions);
  const pick = (version) => setPicked(picked.includes(version) ? picked.filter((v) => v !== version) : [...picked, version].slice(-2));
  const [b, a] = picked.length === 2 ? [...picked].sort((x, y) => y - x) : [];
  return (
    <div class="result models">
      <p class="crumbs"><Link to="/models">Models</Link></p>
      <div class="head">
        <h1>{name}</h1>
        <p class="badges"><span class="badge">{kinds[model.kind] ?? model.kind}</span>{Object.entries(model.aliases).map(([alias, version]) => <span key={alias} class="badge">{alias}: version {version}</span>)}</p>
        {model.description && <p class="quiet">{model.description}</p>}
      </div>
      <Stale error={error} reload={reload} />
      <Serving model={model} champion={champion} action={action} reload={reload} />
      <Loop name={name} {...data.loop} />
      {model.kind === "classifier" && <Classifier versions={versions} />}
      {champion && model.kind === "clusters" && <Groups name={name} version={champion.version} />}
      {champion && model.kind === "vectors" && <Nearest name={name} version={champion.version} />}
      {chosen && <History versions={versions} metric={chosen} setMetric={setMetric} kind={model.kind} />}
      {model.kind === "clicks" && champion && <ClickModels key={champion.version} name={name} version={champion.version} />}
      {model.kind === "ranker" && <Ranker name={name} versions={versions} />}
      {picked.length === 2 && <Compare key={`${a} ${b}`} model={name} a={a} b={b} close={() => setPicked([])} />}
      <section class="card" aria-labelledby="versions">
        <h2 id="versions">Versions</h2>
        <p class="quiet">Choose two to compare them.</p>
        <Versions versions={versions} metric={chosen} picked={picked} pick={pick} model={model} action={action} reload={reload} />
      </section>
    </div>
  );
}

/** What is served, and the way back. */
function Serving({ model, champion, action, reload }) {
  const [asked, setAsked] = useState(false);
  if (!champion) return <section class="card"><h2>No version is champion</h2><p class="quiet">Nothing is served of this model until an alias points to a version.</p></section>;
  const back = () => action.act(() => rollBack(model.name, "champion"), "Rolled back").then((ok) => ok && reload());
  return (
    <section class="card serving" aria-labelledby="serving">
      <div>
        <h2 id="serving">Version {champion.version} is served</h2>
        <p class="quiet">Made {instant(champion.created_at)}{champion.job && <> by <Link to={`/jobs/${encodeURIComponent(champion.job)}`}>{champion.job}</Link></>}, from data {champion.card?.window?.from ? "of" : ""} {days(champion.card?.window)}. {reasonOf(champion)}</p>
      </div>
      <button type="button" disabled={action.busy} onClick={() => setAsked(true)}>Roll back</button>
      <Outcome action={action} what="Not done" reload={reload} />
      <Confirm open={asked} title="Roll champion back?" yes="Roll back" onYes={back} close={() => setAsked(false)}>
        <p>The version that was champion before version {champion.version} is served again, within seconds, by every daemon.</p>
      </Confirm>
    </section>
  );
}

/** How new versions prove themselves on users, in a line; the rest is its story. */
function Loop({ name, loop, last }) {
  const to = `/models/${encodeURIComponent(name)}/story`, w = last && stepWords[last.step];
  const s = loop?.state;
  return (
    <section class="card loop-box" aria-labelledby="loop">
      <div>
        <h2 id="loop">{!loop ? "No loop" : s.phase === "idle" ? "Loop: nothing is being tried" : s.phase === "trying" ? `Version ${s.version} is being tried on users` : `Version ${s.version} waits for a person`}</h2>
        <p class="quiet">{!loop ? "A version that passes its gate is champion at once." : last && w ? `Last: ${w.word.toLowerCase()}${last.version ? `, version ${last.version}` : ""}, ${instant(last.at)}. ${last.reason}` : ""}</p>
      </div>
      <Link to={to} class="button-link">{loop || last ? "Its story" : "About loops"}</Link>
    </section>
  );
}

function History({ versions, metric, setMetric, kind }) {
  const rows = historyRows(versions, metric);
  if (rows.length === 0) return null;
  const spoken = rows.map((r) => `version ${r.version}${r.champion ? ", champion" : ""}: ${metricValue(r.value)}${r.status === "refused" ? ", refused" : ""}`).join("; ");
  const sure = rows.some((r) => Number.isFinite(r.low));
  return (
    <section class="card figure" aria-labelledby="history">
      <div class="tables-head">
        <h2 id="history">{metric} of its versions</h2>
        <label class="choice-in">Metric{" "}
          <select value={metric} onChange={(e) => setMetric(e.target.value)}>{metricNames(versions).map((name) => <option key={name}>{name}</option>)}</select></label>
      </div>
      <p class="quiet">{judgedOn[kind] ?? "On days later than those it was trained on."}{sure && " Point: estimate; line: its interval."} <span class="legend-inline"><span class="review-word tone-bad"><span aria-hidden="true">{"\u2715"}</span> refused</span></span></p>
      <Chart draw={(width) => drawHistory(rows, width)} height={historyHeight} inputs={[rows.map((r) => `${r.version} ${r.value} ${r.champion} ${r.status}`).join(), metric]} label={`${metric}: ${spoken}`} />
    </section>
  );
}

function Versions({ versions, metric, picked, pick, model, action, reload }) {
  const [asked, setAsked] = useState(null);
  const set = () => action.act(() => pointTo(model.name, "champion", asked.version, model.aliases.champion, asked.status === "refused"), `Version ${asked.version} is champion`)
    .then((ok) => ok && reload());
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Versions">
      <table class="jobs-table versions">
        <thead><tr><th scope="col">Version</th><th scope="col">Gate</th>{metric && <th scope="col" class="n">{metric}</th>}<th scope="col">Days</th><th scope="col" class="n">Of</th><th scope="col"><span class="visually-hidden">Actions</span></th></tr></thead>
        <tbody>{versions.map((v) => <Version key={v.version} v={v} metric={metric} picked={picked.includes(v.version)} pick={() => pick(v.version)} busy={action.busy} set={() => setAsked(v)} />)}</tbody>
      </table>
      <Confirm open={Boolean(asked)} title={asked ? `Make version ${asked.version} champion?` : ""} yes="Make it champion" onYes={set} close={() => setAsked(null)}>
        {asked?.status === "refused" ? <p>Its gate refused it: {reasonOf(asked)}. It is served nevertheless, until you roll back.</p> : <p>It is served within seconds, by every daemon.</p>}
      </Confirm>
    </div>
  );
}

function Version({ v, metric, picked, pick, busy, set }) {
  const s = statuses[v.status], m = metric && v.metrics?.[metric];
  return (
    <tr class={isChampion(v) ? "is-champion" : ""}>
      <th scope="row"><label class="tick"><input type="checkbox" checked={picked} onChange={pick} disabled={v.status === "deleted"} /> {v.version}</label>
        <span class="under">{instant(v.created_at)}</span>{v.aliases.map((alias) => <span key={alias} class="badge">{alias}</span>)}</th>
      <td data-label="Gate"><span class="main"><span class={`review-word tone-${s.tone}`}><span aria-hidden="true">{s.sign}</span> {s.word}</span><span class="under">{reasonOf(v)}</span></span></td>
      {metric && <td data-label={metric} class="n"><span class="main">{metricValue(m?.value)}<span class="under">{interval(m)}</span></span></td>}
      <td data-label="Days"><span class="main">{days(v.card?.window)}</span></td>
      <td data-label="Of" class="n"><span class="main">{v.card?.rows ? `${count(v.card.rows)} rows` : ""}<span class="under">{bytes(v.bytes)}</span></span></td>
      <td data-label=""><span class="main">{!isChampion(v) && v.status !== "deleted" && v.status !== "pending" && <button type="button" disabled={busy} onClick={set}>Make champion</button>}</span></td>
    </tr>
  );
}
