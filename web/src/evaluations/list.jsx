// The evaluations, newest first: what was compared, and what came of it.
import { useEffect } from "preact/hooks";
import { Link } from "../app.jsx";
import { instant, plural } from "../format.js";
import { useLoad } from "../load.js";
import { Failure, Loading, Stale } from "../states.jsx";
import { getEvaluations } from "./api.js";
import { metricWord, score, verdict } from "./words.js";

export function Evaluations() {
  const { data, error, reload } = useLoad(getEvaluations, () => true, []);
  useEffect(() => void (document.title = "Evaluations \u00b7 experimentd"), []);
  if (!data) return error ? <Failure error={error} reload={reload} show="Show evaluations" /> : <Loading />;
  return (
    <div class="result evaluations">
      <div class="head">
        <h1>Evaluations</h1>
        <p class="quiet">Queries replayed against search engines, and what their rankings are worth by judgments. A better number here is a reason to try users, not a proof that they agree.</p>
      </div>
      <Stale error={error} reload={reload} />
      {data.length === 0 ? <First /> : <ul class="evaluation-list">{data.map((e) => <li key={e.id}><Card e={e} /></li>)}</ul>}
    </div>
  );
}

function Card({ e }) {
  const first = e.metrics[0], pair = e.summary.pairs[0], told = pair && e.judgments && verdict(pair, first);
  return (
    <Link to={`/evaluations/${e.id}`} class={`row card verdict-${told?.tone ?? "none"}`}>
      <span class="row-title">
        <h2>{told ? <><span class="row-sign" aria-hidden="true">{told.sign}</span> {told.title}</> : e.searches.join(", ")}</h2>
        <span class="quiet">{instant(e.created_at)}</span>
      </span>
      <span class="quiet">{e.query_set ? <>{plural(e.queries, "query", "queries")} of {e.query_set}</> : "one query"}{e.judgments && `, judged by ${e.judgments}`}</span>
      {e.judgments && <span class="means">{e.summary.searches.map((s) => <span key={s.name}>{s.name} <strong>{score(s.metrics[first]?.mean)}</strong></span>)} <span class="quiet">{metricWord(first)}</span></span>}
    </Link>
  );
}

function First() {
  return (
    <section class="card help">
      <h2>No evaluations yet</h2>
      <p>Say how your engine is asked, bring queries and judgments, and run the job <code>ranking-metrics</code>:</p>
      <pre tabIndex={0}><code>{`curl -X PUT -H "Authorization: Bearer $KEY" http://127.0.0.1:8080/v1/searches/now \\
  -d '{"engine": "solr", "url": "http://search:8983/solr/products/select"}'
build/trainer run ranking-metrics --data-dir DIR --param searches=now --param query_set=top --param judgments=people`}</code></pre>
    </section>
  );
}
