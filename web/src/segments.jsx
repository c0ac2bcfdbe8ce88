// The effect within each value of a dimension: raw and shrunk, with p for all that is looked at, and whether the values differ at all.
import { useMemo, useState } from "preact/hooks";
import { getSegments } from "./api.js";
import { outcomes, Outcome } from "./badges.jsx";
import { Chart } from "./chart.jsx";
import { Explained } from "./explain.jsx";
import { useMetric } from "./figures.jsx";
import { drawForest, forestHeight, segmentRows } from "./forest.js";
import { count, difference, interval, lift, liftInterval, NONE, p, percent, value, variantNames } from "./format.js";
import { useLoad } from "./load.js";
import { Save } from "./save.jsx";

const never = () => false; // it is asked for again when a new aggregation has been published

export function Segments({ result }) {
  const [dimension, choose] = useState(result.dimensions[0]);
  const [metric, select] = useMetric(result.metrics, result);
  const key = result.experiment.key, wanted = metric?.metric;
  const loaded = useLoad(() => getSegments(key, dimension, wanted), never, [key, dimension, wanted, result.computed_at]);
  const { error, reload } = loaded;
  const data = loaded.data?.dimension === dimension && loaded.data.metrics[0]?.metric === wanted ? loaded.data : null; // not of the choice before
  const pick = (
    <label class="choice">Dimension{" "}
      <select value={dimension} onChange={(e) => choose(e.target.value)}>{result.dimensions.map((d) => <option key={d} value={d}>{d}</option>)}</select>
    </label>
  );
  return (
    <>
      {data ? <Loaded result={result} data={data} choices={<>{pick}{select}</>} />
        : <div class="figure-head"><h2 id="segments">Lift by segment</h2><div class="choices">{pick}{select}</div></div>}
      {error && !data && <p class="notice warn" role="status">Not loaded: {error.message}. <button type="button" class="plain" onClick={reload}>Try again</button></p>}
      {!data && !error && <p class="quiet" role="status">Loading…</p>}
    </>
  );
}

function Loaded({ result, data, choices }) {
  const metric = data.metrics[0];
  const names = useMemo(() => variantNames(result.experiment), [result]);
  const rows = useMemo(() => (metric ? segmentRows(metric, result.experiment, names) : []), [metric, result]);
  return (
    <>
      <div class="figure-head"><h2 id="segments">Lift by {data.dimension}</h2><div class="choices">{choices}</div></div>
      <p class="quiet">{data.text}</p>
      {data.reason && <p class="reasons">Nothing to show: {data.reason}.</p>}
      {rows.length > 0 && <>
        <Chart draw={(width) => drawForest(rows, width)} height={forestHeight(rows)} inputs={[rows]} label={spoken(metric, data, rows)} />
        <Legend rows={rows} />
        <Effects metric={metric} names={names} result={result} />
        <Numbers metric={metric} data={data} names={names} />
        <Save experiment={result.experiment.key} dimension={data.dimension} what={`all days and every ${data.dimension}`} />
      </>}
    </>
  );
}

const spoken = (metric, data, rows) => `${metric.name} by ${data.dimension}. ` +
  rows.map((r) => `${r.title}${r.variant ? " of " + r.variant : ""}: ${lift(r.lift)}, interval ${liftInterval(r)}, ${(outcomes[r.outcome] ?? outcomes.none).word}`).join(". ");

function Legend({ rows }) {
  const seen = ["better", "worse", "no_difference"].filter((o) => rows.some((r) => r.outcome === o));
  return (
    <ul class="legend" aria-label="Signs">
      {seen.map((o) => <li key={o} class={`outcome ${o}`}><span aria-hidden="true">{outcomes[o].sign}</span> {outcomes[o].word}, all looks counted</li>)}
      {rows.some((r) => r.shrunk !== null) && <li><span aria-hidden="true">◇</span> drawn towards the common effect: the better guess</li>}
    </ul>
  );
}

function Effects({ metric, names, result }) {
  const many = result.experiment.variants.length > 2;
  return metric.effects.map((e) => (
    <div key={e.variant} class="reasons">
      {many && <h3>{names.get(e.variant)}</h3>}
      {e.simpson && <p class="bad"><strong>Simpson's reversal.</strong> {e.simpson_text}</p>}
      <p>{e.heterogeneity ? <>{e.heterogeneity.text} Cochran's Q {e.heterogeneity.q.toFixed(1)} on {e.heterogeneity.df} degrees of freedom,
        p {p(e.heterogeneity.p, e.heterogeneity.log10_p)}; {percent(e.heterogeneity.i_squared)} of the spread is more than chance.</>
        : "Too few segments vary to ask whether they differ."}</p>
      {e.common ? <p>Common difference {difference(e.common.difference, metric.display)}, segments spread around it by{" "}
        {difference(e.common.spread, metric.display).replace("+", "")}.</p>
        : <p>Not drawn towards a common effect: {e.not_shrunk}.</p>}
    </div>
  ));
}

function Numbers({ metric, data, names }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`${metric.name} by ${data.dimension}`}>
      <table class="plain-table segments">
        <thead><tr><th scope="col">{data.dimension}</th><th scope="col">Variant</th><th scope="col" class="n">Units</th><th scope="col" class="n">Value</th>
          <th scope="col" class="n">Lift</th><th scope="col" class="n">Drawn to common</th><th scope="col" class="n">p</th><th scope="col">All looks</th></tr></thead>
        <tbody>{metric.values.flatMap((s) => s.variants.map((v, i) => <Row key={`${s.value}/${v.variant}`} segment={i === 0 ? s.value : ""} row={v}
          value={s.value} metric={metric} names={names} methods={data.methods} />))}</tbody>
      </table>
    </div>
  );
}

function Row({ segment, row: v, value: of, metric, names, methods }) {
  const c = v.comparison;
  const title = `${metric.name}, ${of}: ${names.get(v.variant)}`;
  return (
    <tr class={segment ? "first" : undefined}>
      <th scope="row">{segment || <span class="visually-hidden">{of}</span>}</th>
      <td>{names.get(v.variant)}</td>
      <td class="n">{count(v.n)}</td>
      <td class="n">{value(v.value, metric.display)}</td>
      {c ? <>
        <td class="n"><Explained title={title} explain={c.explain} numbers={c} methods={methods}>{lift(c.lift)}</Explained><span class="under">{liftInterval(c)}</span></td>
        <td class="n">{c.shrunk ? lift(c.shrunk.lift) : NONE}{c.shrunk && <span class="under">{interval(c.shrunk.difference_ci, (x) => difference(x, metric.display))}</span>}</td>
        <td class="n">{p(c.p_adjusted, c.log10_p_adjusted)}{c.p !== null && <span class="under">alone {p(c.p, c.log10_p)}</span>}</td>
        <td><Outcome outcome={c.outcome_adjusted} />{c.reason && <span class="under">{c.reason}</span>}</td>
      </> : <td colSpan={4} class="quiet">control</td>}
    </tr>
  );
}
