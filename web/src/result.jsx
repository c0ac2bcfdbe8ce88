// The result page of one experiment: words, pictures, numbers, and how they were made, in this order.
import { useEffect } from "preact/hooks";
import { getResult } from "./api.js";
import { Link } from "./app.jsx";
import { Analysis, Origin, Status } from "./badges.jsx";
import { ExplainProvider } from "./explain.jsx";
import { Days, Forest, Split, Weights } from "./figures.jsx";
import { count, fixed, instant, nameOf, percent, period, plural } from "./format.js";
import { Health } from "./health.jsx";
import { useLoad } from "./load.js";
import { PlannedLooks } from "./looks.jsx";
import { Periods } from "./periods.jsx";
import { Preference } from "./preference.jsx";
import { Preflight } from "./preflight.jsx";
import { Segments } from "./segments.jsx";
import { Failure, Loading, Stale } from "./states.jsx";
import { Tables } from "./tables.jsx";
import { Tabs } from "./tabs.jsx";
import { MarkedNotice, MultipleNotice, SimulatedNotice, SrmBanner, Verdict } from "./verdict.jsx";

const LAG_SHOWN = 5; // seconds: below, the loader is at its usual work
const running = (data) => data.experiment.status === "running";

export function Result({ experiment: key }) {
  const { data, error, reload } = useLoad(() => getResult(key), running, [key]);
  const title = data ? nameOf(data.experiment) : key;
  useEffect(() => void (document.title = `${title} \u00b7 experimentd`), [title]);
  if (!data) return error ? <Failure error={error} reload={reload} what={key} /> : <Loading />;
  return (
    <ExplainProvider methods={data.methods}>
    <article class="result">
      <nav aria-label="Breadcrumb" class="crumbs"><Link to="/">Experiments</Link></nav>
      <Head result={data} />
      <Stale error={error} reload={reload} />
      <SimulatedNotice origin={data.experiment.origin} />
      <Verdict verdict={data.verdict} analysis={data.analysis} decision={data.decision} experiment={data.experiment} />
      <SrmBanner srm={data.srm} experiment={data.experiment} />
      <MultipleNotice result={data} />
      <MarkedNotice result={data} />
      <Empty result={data} />
      {data.experiment.status !== "draft" && <Health experiment={data.experiment} />}
      {data.experiment.status === "draft" && <Preflight experiment={data.experiment} />}
      <Preference result={data} />
      <PlannedLooks result={data} />
      {data.experiment.kind !== "interleave" && <Metrics result={data} />}
      <Facts result={data} />
    </article>
    </ExplainProvider>
  );
}

/** What units of each variant did; of interleaved rankings there are no such units: everybody sees all of them in one list. */
function Metrics({ result }) {
  return (
    <>
      <Forest result={result} />
      <Explore result={result} />
      <Split result={result} />
      <Weights experiment={result.experiment} />
      <Tables result={result} />
    </>
  );
}

/** The effect over time and in parts. Days that have been counted come with the result; the other views are asked for when they are opened. */
function Explore({ result }) {
  if (!result.run || result.metrics.length === 0) return null;
  const views = [
    { id: "by-day", title: "By day", body: () => <Days result={result} /> },
    { id: "by-since", title: "Days since exposure", body: () => <Periods key="since" result={result} by="since_exposure" /> },
    { id: "by-cohort", title: "Cohorts", body: () => <Periods key="cohort" result={result} by="cohort" /> },
    { id: "by-segment", title: "Segments", body: () => <Dimensions result={result} /> },
  ];
  return <Tabs label="The effect over time and in parts" views={views} />;
}

function Dimensions({ result }) {
  if (result.dimensions?.length) return <Segments result={result} />;
  return (
    <>
      <h2 id="segments">Lift by segment</h2>
      <p class="reasons">No segments have been counted. They come from attributes at the exposure: send <code>attributes</code> with{" "}
        <code>POST /v1/assign</code> (the server's setting <code>exposure.dimensions</code> says which are kept), then run the aggregation.</p>
    </>
  );
}

function Head({ result }) {
  const e = result.experiment, of = result.preference?.pairs.length ? { units: result.preference.pairs[0].units, as_of: result.preference.as_of } : result;
  return (
    <header class="head">
      <div class="badges"><Status status={e.status} /><Analysis method={result.analysis?.method} /><Origin origin={e.origin} /></div>
      <h1>{nameOf(e)}</h1>
      {e.hypothesis && <p class="hypothesis">{e.hypothesis}</p>}
      <p class="quiet">
        {period(e)} · {plural(of.units, "unit")} · {of.as_of ? `counts up to ${instant(of.as_of)}` : "nothing counted yet"}
      </p>
      {result.lag_seconds > LAG_SHOWN && <p class="quiet" role="status">PostgreSQL is {plural(Math.round(result.lag_seconds), "second")} behind
        what was received: the next aggregation counts it.</p>}
    </header>
  );
}

function Empty({ result }) {
  const interleaves = result.experiment.kind === "interleave";
  if ((result.metrics.length && result.run) || result.preference?.pairs.length) return null;
  const key = result.experiment.key;
  return (
    <section class="card help">
      <h2>What is missing</h2>
      <ul>
        {result.experiment.status === "draft" && <li>The experiment is a draft: nobody is assigned until{" "}
          <code>POST /v1/experiments/{key}/start</code>.</li>}
        {interleaves && <li>Lists come from <code>POST /v1/interleave</code>, clicks with their <code>query_id</code>; preferences are counted
          by <code>build/trainer run interleave --data-dir DIR</code>.</li>}
        <li>Units count from their first assignment: <code>GET /v1/assign/{key}?unit=…</code>, or <code>experimentd import</code> for a log.</li>
        <li>Counts are made by <code>build/trainer run metrics --data-dir DIR</code>; until it has run, there is nothing to show.</li>
      </ul>
    </section>
  );
}

function Facts({ result }) {
  const e = result.experiment, run = result.run;
  const facts = [
    ["Key", <code>{e.key}</code>],
    ["Variants", e.variants.map((v) => `${nameOf(v)} (${percent(v.weight)})`).join(", ")],
    ["Assignment", <>hash of <code>{e.hash_attribute}</code>, version {e.hash_version}, seed <code>{e.seed}</code>, coverage {percent(e.coverage)}</>],
    ["Created, started, stopped", [e.created_at, e.started_at, e.stopped_at].map(instant).join(" · ")],
    ["Counts up to", instant(result.preference?.as_of ?? result.as_of)],
    ["Computed", instant(result.preference?.computed_at ?? result.computed_at)],
    ["Multiple exposures", count(result.multiple_exposures)],
    ["Marked units", count(result.marked_units)],
    run && ["Run", <>{plural(run.signals, "signal")} in {fixed(run.seconds, 2)} s on {plural(run.workers, "worker")} ({run.engine} engine,{" "}
      {plural(run.splits, "split")}, {plural(run.retries, "retry", "retries")})</>],
    run && ["Run id", <code>{run.id}</code>],
  ].filter(Boolean);
  return (
    <section class="card facts-card" aria-labelledby="facts">
      <h2 id="facts">How this was made</h2>
      <dl class="facts">{facts.map(([term, text]) => <div key={term}><dt>{term}</dt><dd>{text}</dd></div>)}</dl>
    </section>
  );
}
