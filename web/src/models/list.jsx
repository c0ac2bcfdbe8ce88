// The models: what each is for, which version is served, and how its main metric went.
import { useEffect } from "preact/hooks";
import { Link } from "../app.jsx";
import { instant, plural } from "../format.js";
import { useLoad } from "../load.js";
import { Failure, Loading, Stale } from "../states.jsx";
import { getModels } from "./api.js";
import { historyRows } from "./history.js";
import { kinds, mainMetric, metricValue, statuses } from "./words.js";

export function Models() {
  const { data, error, reload } = useLoad(getModels, () => true, []);
  useEffect(() => void (document.title = "Models \u00b7 experimentd"), []);
  if (!data) return error ? <Failure error={error} reload={reload} show="Show models" /> : <Loading />;
  return (
    <div class="result models">
      <div class="head">
        <h1>Models</h1>
        <p class="quiet">What jobs learned from behaviour. A version is served when an alias points to it; a new one takes the champion's place only through its gate.</p>
      </div>
      <Stale error={error} reload={reload} />
      {data.length === 0 ? <First /> : <ul class="model-list">{data.map((m) => <li key={m.name}><Card model={m} /></li>)}</ul>}
    </div>
  );
}

function Card({ model: m }) {
  const champion = m.aliases.champion, last = m.recent[0];
  const metric = mainMetric(m.recent), rows = metric ? historyRows(m.recent, metric) : [];
  return (
    <article class="card model-card">
      <div class="model-head">
        <h2><Link to={`/models/${encodeURIComponent(m.name)}`}>{m.name}</Link></h2>
        <span class="badge">{kinds[m.kind] ?? m.kind}</span>
      </div>
      <p>{champion ? <><strong>Version {champion}</strong> is champion</> : "No version is champion"} <span class="quiet">of {plural(m.versions, "version")}</span></p>
      {rows.length > 1 && <Spark rows={rows} metric={metric} />}
      {last?.status === "refused" && <p class="model-refused"><span aria-hidden="true">{statuses.refused.sign}</span> Version {last.version} was refused: {last.gate?.reason}</p>}
      <p class="quiet">{m.description} {last && `Last trained ${instant(last.created_at)}.`}</p>
    </article>
  );
}

/** The main metric over the last versions, in the space of a word. */
function Spark({ rows, metric }) {
  const w = 150, h = 34, values = rows.map((r) => r.value), from = Math.min(...values), span = Math.max(...values) - from || 1;
  const x = (i) => 5 + (i * (w - 10)) / (rows.length - 1), y = (v) => h - 6 - ((v - from) / span) * (h - 12);
  const last = rows[rows.length - 1];
  return (
    <p class="model-spark">
      <svg width={w} height={h} viewBox={`0 0 ${w} ${h}`} role="img" aria-label={`${metric} of ${plural(rows.length, "version")}, last ${metricValue(last.value)}`}>
        <polyline points={rows.map((r, i) => `${x(i)},${y(r.value)}`).join(" ")} />
        {rows.map((r, i) => (r.status === "refused"
          ? <path key={i} class="is-refused" d={`M${x(i) - 3},${y(r.value) - 3}l6,6m-6,0l6,-6`} />
          : <circle key={i} cx={x(i)} cy={y(r.value)} r={r.champion ? 4.5 : 2.5} class={r.champion ? "is-champion" : ""} />))}
      </svg>
      <span class="quiet">{metric} <strong>{metricValue((rows.find((r) => r.champion) ?? last).value)}</strong></span>
    </p>
  );
}

function First() {
  return (
    <section class="card help">
      <h2>No models yet</h2>
      <p>A training job makes one; it needs signals. The same by hand, from a shell:</p>
      <pre tabIndex={0}><code>{`build/trainer jobs
build/trainer run item-similarity --data-dir DIR`}</code></pre>
    </section>
  );
}
