// One evaluation: what came of it in words, pictures of the queries, every metric, the lists of each query side by side.
import { useEffect, useState } from "preact/hooks";
import { Link } from "../app.jsx";
import { Chart } from "../chart.jsx";
import { instant, NONE, p, plural } from "../format.js";
import { useLoad } from "../load.js";
import { Failure, Loading } from "../states.jsx";
import { getEvaluation, getPoints } from "./api.js";
import { differencesHeight, drawDifferences, drawMeans, drawScatter, meansHeight, scatterHeight } from "./draw.js";
import { Queries } from "./queries.jsx";
import { between, metricWord, score, share, signed, verdict } from "./words.js";

export function Evaluation({ id }) {
  const { data, error, reload } = useLoad(() => getEvaluation(id), () => false, [id]);
  useEffect(() => void (document.title = "Evaluation \u00b7 experimentd"), []);
  if (!data) return error ? <Failure error={error} reload={reload} what={id} kind="evaluation" show="Show evaluation" /> : <Loading />;
  return <Found e={data} />;
}

function Found({ e }) {
  const [at, setAt] = useState(0), [metric, setMetric] = useState(e.metrics[0]);
  const pair = e.summary.pairs[at], judged = Boolean(e.judgments);
  return (
    <div class="result evaluations">
      <p class="crumbs"><Link to="/evaluations">Evaluations</Link></p>
      <div class="head">
        <h1>{e.searches.join(", ")}</h1>
        <p class="quiet">{plural(e.queries, "query", "queries")}{e.query_set && ` of ${e.query_set}`}{judged && `, ${e.summary.judged_queries} of them judged in ${e.judgments}`}, the first {e.summary.k} documents, {instant(e.created_at)}. <Link to={`/runs/${e.id}`}>Its run</Link></p>
      </div>
      {judged && pair && <Told told={verdict(pair, metric)} />}
      <Warnings list={e.summary.warnings} />
      {judged && <Pictures e={e} pair={pair} at={at} setAt={setAt} metric={metric} setMetric={setMetric} />}
      {judged && <Numbers e={e} pair={pair} />}
      {pair && <Alike pair={pair} s={e.summary} choose={!judged && e.summary.pairs.length > 1 && <PairChoice e={e} at={at} setAt={setAt} />} />}
      <Searches e={e} />
      <Queries e={e} a={pair ? pair.a : e.searches[0]} b={pair?.b} metric={judged ? metric : null} />
    </div>
  );
}

function Told({ told }) {
  return (
    <section class={`card verdict verdict-${told.tone}`} aria-label="What came of it">
      <span class="sign" aria-hidden="true">{told.sign}</span>
      <div><h2>{told.title}</h2><p class="verdict-text">{told.text}</p></div>
    </section>
  );
}

function Warnings({ list }) {
  return list.length > 0 && <ul class="notice warn warnings">{list.map((w, i) => <li key={i}>{w.text}.</li>)}</ul>;
}

function PairChoice({ e, at, setAt }) {
  return <label class="choice">Compare <select value={at} onChange={(x) => setAt(Number(x.currentTarget.value))}>{e.summary.pairs.map((q, i) => <option key={i} value={i}>{q.b} with {q.a}</option>)}</select></label>;
}

function Pictures({ e, pair, at, setAt, metric, setMetric }) {
  const { data: points, error } = useLoad(() => (pair ? getPoints(e.id, { a: pair.a, b: pair.b, metric }) : Promise.resolve([])), () => false, [e.id, at, metric]);
  const rows = e.summary.searches.filter((s) => s.metrics[metric]);
  const means = rows.map((s) => `${s.name} ${score(s.metrics[metric].mean)} (${between(s.metrics[metric].low, s.metrics[metric].high)})`).join(", ");
  return (
    <section class="card figure" aria-labelledby="pictures">
      <div class="figure-head"><h2 id="pictures">{metricWord(metric)}</h2>
        <span class="choices">{e.summary.pairs.length > 1 && <PairChoice e={e} at={at} setAt={setAt} />}
          <label class="choice">Metric <select value={metric} onChange={(x) => setMetric(x.currentTarget.value)}>{e.metrics.map((m) => <option key={m} value={m}>{metricWord(m)}</option>)}</select></label></span></div>
      <Chart draw={(width) => drawMeans(rows, metric, width)} inputs={[metric, rows]} height={meansHeight(rows.length)} label={`Mean ${metricWord(metric)} with its interval: ${means}.`} />
      {error && <p class="notice warn" role="alert">The queries did not come: {error.message}</p>}
      {pair && points?.length > 0 && <div class="two">
        <div><h3>How many queries by how much</h3>
          <Chart draw={(width) => drawDifferences(points, pair, metric, width)} inputs={[points, at, metric]} height={differencesHeight} label={`${pair.b} is better on ${plural(pair.metrics[metric]?.wins ?? 0, "query", "queries")}, worse on ${pair.metrics[metric]?.losses ?? 0}, the same on ${pair.metrics[metric]?.ties ?? 0}.`} /></div>
        <div><h3>Query by query</h3>
          <Chart draw={(width) => drawScatter(points, pair, metric, width)} inputs={[points, at, metric]} height={scatterHeight} label={`A point a query: ${pair.a} to the right, ${pair.b} upwards. Above the line ${pair.b} is better.`} /></div>
      </div>}
    </section>
  );
}

const tone = { b: ["better", "+"], a: ["worse", "\u2212"] };

function Numbers({ e, pair }) {
  if (!pair) return null;
  return (
    <section class="card" aria-labelledby="numbers">
      <h2 id="numbers">Every metric</h2>
      <p class="quiet">p of randomisation, adjusted over these metrics (Holm); intervals of {Math.round(100 * (1 - e.summary.alpha))} %. Beside it what other tests say, each by itself.</p>
      <div class="scroll" tabIndex={0} role="region" aria-label="Every metric">
        <table class="plain-table">
          <thead><tr><th scope="col">Metric</th><th scope="col" class="n">{pair.a}</th><th scope="col" class="n">{pair.b}</th><th scope="col" class="n">Difference</th><th scope="col" class="n">p adjusted</th><th scope="col" class="n">t</th><th scope="col" class="n">Wilcoxon</th><th scope="col" class="n">sign</th><th scope="col" class="n">won, lost, same</th></tr></thead>
          <tbody>{e.metrics.map((name) => {
            const m = pair.metrics[name];
            if (!m) return <tr key={name}><th scope="row">{metricWord(name)}</th><td colSpan={8} class="quiet">not compared</td></tr>;
            const [kind, sign] = tone[m.better] ?? ["none", ""];
            return (
              <tr key={name}><th scope="row">{metricWord(name)}</th><td class="n">{score(m.a)}</td><td class="n">{score(m.b)}</td>
                <td class="n"><span class={`outcome ${kind}`}>{signed(m.difference)}{sign && <span class="visually-hidden"> {kind}</span>}</span><span class="under">{between(m.low, m.high, signed)}</span></td>
                <td class="n">{p(m.p_adjusted)}</td><td class="n">{p(m.p_t)}</td><td class="n">{p(m.p_wilcoxon)}</td><td class="n">{p(m.p_sign)}</td>
                <td class="n">{m.wins}, {m.losses}, {m.ties}</td></tr>
            );
          })}</tbody>
        </table>
      </div>
    </section>
  );
}

function Alike({ pair, s, choose }) {
  const rows = [["Rank-biased overlap", pair.rbo, `p ${s.persistence}, extrapolated; cut at the end of the lists ${share(pair.rbo_truncated)}`], ["Jaccard", pair.jaccard, "documents that both show, of those that either does"],
    ["Lists that changed", pair.changed, `of ${pair.compared} that both answered`], ["By frequency", pair.frequency_weighted, "documents shown often over all queries weigh more"]];
  return (
    <section class="card" aria-labelledby="alike">
      <div class="figure-head"><h2 id="alike">How alike {pair.a} and {pair.b} are</h2>{choose}</div>
      <ul class="alike">{rows.map(([word, x, told]) => <li key={word}><span>{word}</span><span class="bar" aria-hidden="true"><span style={{ width: `${100 * (x ?? 0)}%` }} /></span><span><strong>{x === null ? NONE : share(x)}</strong> <span class="quiet">{told}</span></span></li>)}</ul>
    </section>
  );
}

function Searches({ e }) {
  return (
    <section class="card" aria-labelledby="searches">
      <h2 id="searches">What was asked</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="What was asked">
        <table class="plain-table">
          <thead><tr><th scope="col">Search</th><th scope="col">Engine</th><th scope="col" class="n">Judged</th><th scope="col" class="n">Found nothing</th><th scope="col" class="n">Failed</th></tr></thead>
          <tbody>{e.summary.searches.map((s) => (
            <tr key={s.name}><th scope="row">{s.name}<span class="under">version {s.version}</span></th><td>{s.engine}{s.error_examples.map((x) => <span key={x.query} class="under">{x.query}: {x.error}</span>)}</td>
              <td class="n">{s.judged === null ? NONE : share(s.judged)}<span class="under">{s.judged === null ? "" : plural(s.holes, "hole")}</span></td><td class="n">{s.empty}</td><td class="n">{s.errors}</td></tr>))}</tbody>
        </table>
      </div>
    </section>
  );
}
