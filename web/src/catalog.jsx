// The catalogue of metrics: what each one counts, which way is better, and which experiments measure it.
import { useEffect, useState } from "preact/hooks";
import { getMetrics } from "./api.js";
import { Link } from "./app.jsx";
import { directions, instant, plural } from "./format.js";
import { useLoad } from "./load.js";
import { Failure, Loading, Stale } from "./states.jsx";

/** The address of a metric in the catalogue. */
export const metricAddress = (key) => `/metrics-catalog#${encodeURIComponent(key)}`;

const KINDS = { proportion: "Proportion", mean: "Mean", count: "Count", ratio: "Ratio", quantile: "Quantile", retention: "Retention", funnel: "Funnel" };

const matches = (metric, words) => {
  const text = `${metric.key} ${metric.name} ${metric.description} ${metric.counts} ${metric.kind}`.toLowerCase();
  return words.every((word) => text.includes(word));
};

export function Catalog() {
  const { data, error, reload } = useLoad(getMetrics, () => false, []);
  const [filter, setFilter] = useState("");
  useEffect(() => void (document.title = "Metrics \u00b7 experimentd"), []);
  useEffect(() => {
    if (data) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  }, [data]);
  if (!data) return error ? <Failure error={error} reload={reload} show="Show metrics" /> : <Loading />;
  const found = data.metrics.filter((m) => matches(m, filter.toLowerCase().split(/\s+/)));
  return (
    <div class="catalog">
      <div class="head">
        <h1>Metrics</h1>
        <p class="quiet">What can be measured, and what exactly counts. All of it counts from a unit's first exposure on.</p>
      </div>
      <Stale error={error} reload={reload} />
      <form class="card filters" onSubmit={(event) => event.preventDefault()}>
        <div>
          <label for="find">Find</label>
          <input id="find" type="text" value={filter} spellcheck={false} placeholder="revenue" onInput={(e) => setFilter(e.target.value)} />
        </div>
        <p class="quiet found" role="status">{plural(found.length, "metric")}</p>
      </form>
      <Group id="own" title="Your own" metrics={found.filter((m) => !m.builtin)} />
      <Group id="builtin" title="Built in" metrics={found.filter((m) => m.builtin)} />
      {found.length === 0 && <p class="card quiet">No metric has all of these words.</p>}
      <Teach />
    </div>
  );
}

function Group({ id, title, metrics }) {
  if (metrics.length === 0) return null;
  return (
    <section aria-labelledby={id} class="metrics">
      <h2 id={id}>{title}</h2>
      {metrics.map((m) => <Metric key={m.key} metric={m} />)}
    </section>
  );
}

function Metric({ metric: m }) {
  return (
    <article class="card" id={m.key} aria-labelledby={`name-${m.key}`}>
      <div class="metric-head">
        <h3 id={`name-${m.key}`}>{m.name} <code class="quiet">{m.key}</code></h3>
        <span class="badges"><span class="badge">{KINDS[m.kind] ?? m.kind}</span><span class="badge">{directions[m.direction] ?? m.direction}</span></span>
      </div>
      {m.description && <p class="said">{m.description}</p>}
      <dl class="facts">
        <div><dt>Counts</dt><dd>{m.counts}</dd></div>
        {m.min_units > 0 && <div><dt>Compared from</dt><dd>{plural(m.min_units, "unit")} a variant on</dd></div>}
        {m.covariate_days > 0 && <div><dt>Adjusted by</dt><dd>what units did in the {plural(m.covariate_days, "day")} before their first exposure</dd></div>}
        {m.experiments.length > 0 && <div><dt>Measured by</dt><dd><Experiments list={m.experiments} /></dd></div>}
        {!m.builtin && <div><dt>Version</dt><dd>{m.version}, of {instant(m.updated_at)}</dd></div>}
      </dl>
      {statements(m).map((s) => <details key={s.of}><summary>SQL of the {s.of}</summary><pre tabIndex={0}><code>{s.select}</code></pre></details>)}
    </article>
  );
}

/** The facts of a metric that are SQL, with their place in it. */
function statements(m) {
  const facts = [["numerator", m.numerator], ["denominator", m.denominator], ...(m.steps ?? []).map((fact, i) => [`step ${i + 1}`, fact])];
  return facts.filter(([, fact]) => fact?.of === "sql").map(([of, fact]) => ({ of, select: fact.select }));
}

function Experiments({ list }) {
  return (
    <ul class="measured">{list.map((e) => (
      <li key={e.key}><Link to={`/experiments/${encodeURIComponent(e.key)}`}>{e.name || e.key}</Link> <span class="quiet">{e.role}, {e.status}</span></li>))}
    </ul>
  );
}

function Teach() {
  return (
    <section class="card help" aria-labelledby="teach">
      <h2 id="teach">One of your own</h2>
      <p>A metric is a document: what is summed for each unit, and what becomes of the sums. This one counts units that put shoes into the
        cart within a week; <code>DIR</code> is the daemon's data directory.</p>
      <pre tabIndex={0}><code>{`curl -H "Authorization: Bearer $(cat DIR/admin.key)" ${location.origin}/v1/metrics \\
  -d '{"key":"shoes_in_cart","kind":"proportion","window":{"to_hours":168},
       "numerator":{"of":"signals","type":"cart","where":{"params":{"category":"shoes"}}}}'`}</code></pre>
    </section>
  );
}
