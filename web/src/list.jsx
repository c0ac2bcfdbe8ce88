// The list of experiments; without any, how to make the first.
import { useEffect, useState } from "preact/hooks";
import { getList } from "./api.js";
import { Link } from "./app.jsx";
import { Origin, Status } from "./badges.jsx";
import { nameOf, percent, period, plural } from "./format.js";
import { useLoad } from "./load.js";
import { Failure, Loading, Stale } from "./states.jsx";
import { verdictWords } from "./verdict.jsx";

const anyRunning = (data) => data.experiments.length === 0 || data.experiments.some((e) => e.status === "running");

export function List() {
  const [pages, setPages] = useState(1);
  const { data, error, reload } = useLoad(() => getList(pages), anyRunning, [pages]);
  useEffect(() => void (document.title = "Experiments \u00b7 experimentd"), []);
  if (!data) return error ? <Failure error={error} reload={reload} /> : <Loading />;
  if (data.experiments.length === 0) return <First />;
  return (
    <>
      <div class="head"><h1>Experiments</h1></div>
      <Stale error={error} reload={reload} />
      <ul class="experiments">{data.experiments.map((e) => <li key={e.key}><Row experiment={e} /></li>)}</ul>
      {data.more && <button type="button" onClick={() => setPages(pages + 1)}>Show more</button>}
    </>
  );
}

function Row({ experiment: e }) {
  const state = e.verdict?.state ?? "no_data";
  return (
    <Link to={`/experiments/${encodeURIComponent(e.key)}`} class={`card row verdict-${state}`}>
      <div class="row-title">
        <h2>{nameOf(e)}</h2>
        <span class="badges"><Status status={e.status} /><Origin origin={e.origin} /></span>
      </div>
      <p class="row-verdict"><span class="row-sign" aria-hidden="true">{verdictWords[state]?.sign}</span> <Why experiment={e} /></p>
      <p class="quiet">
        {e.units === null ? "no units counted yet" : plural(e.units, "unit")} · {e.variants.map(share).join(" / ")} · {period(e)}
      </p>
    </Link>
  );
}

const share = (v) => `${nameOf(v)} ${percent(v.weight)}`;

function Why({ experiment: e }) {
  if (e.verdict) return e.verdict.text;
  if (e.status === "draft") return "Not started: nobody is assigned yet.";
  return "Nothing has been aggregated yet; the next metrics run will count its units.";
}

function First() {
  const origin = location.origin;
  return (
    <section class="card help">
      <h1>No experiments yet</h1>
      <p>An experiment splits the units of your search (users, devices, sessions) into variants and compares what they do. Four
        commands make the first one; <code>DIR</code> is the daemon's data directory.</p>
      <ol class="steps">
        <Step title="Create it, and start it">{`curl -H "Authorization: Bearer $(cat DIR/admin.key)" ${origin}/v1/experiments \\
  -d '{"key":"ranker-v2","variants":[{"key":"control"},{"key":"treatment"}]}'
curl -H "Authorization: Bearer $(cat DIR/admin.key)" -X POST ${origin}/v1/experiments/ranker-v2/start`}</Step>
        <Step title="Ask which variant a user gets">{`curl -H "Authorization: Bearer $(cat DIR/client.key)" "${origin}/v1/assign/ranker-v2?unit=user-1"`}</Step>
        <Step title="Send what the user did">{`curl -H "Authorization: Bearer $(cat DIR/client.key)" ${origin}/v1/signals \\
  -d '[{"type":"request","unit":"user-1","query_id":"q1","query":"lamp","value":12},
       {"type":"click","unit":"user-1","query_id":"q1","doc":"d7","position":1}]'`}</Step>
        <Step title="Count it">{`build/trainer run metrics --data-dir DIR`}</Step>
      </ol>
      <p class="quiet">Only looking? <code>script/demo</code> fills a daemon with a simulated shop, clearly labelled.</p>
    </section>
  );
}

function Step({ title, children }) {
  return <li><h2>{title}</h2><pre tabIndex={0}><code>{children}</code></pre></li>;
}
