// The effect by days since first exposure, and by cohort: a line, what the test of a change says, and the numbers.
import { useMemo } from "preact/hooks";
import { getPeriods } from "./api.js";
import { periodRows } from "./days.js";
import { DaysChart, useMetric } from "./figures.jsx";
import { count, interval, lift, liftInterval, p, plural, value, variantNames } from "./format.js";
import { useLoad } from "./load.js";

const titles = { since_exposure: "Lift by days since first exposure", cohort: "Lift by day of first exposure" };
const columns = { since_exposure: "Day", cohort: "First exposed" };
const never = () => false; // it is asked for again when a new aggregation has been published

export function Periods({ result, by }) {
  const { data, error, reload } = useLoad(() => getPeriods(result.experiment.key, by), never, [result.experiment.key, by, result.computed_at]);
  return (
    <>
      {error && !data && <p class="notice warn" role="status">Not loaded: {error.message}. <button type="button" class="plain" onClick={reload}>Try again</button></p>}
      {!data && !error && <p class="quiet" role="status">Loading…</p>}
      {data && <Loaded result={result} data={data} by={by} />}
    </>
  );
}

function Loaded({ result, data, by }) {
  const [metric, select, described] = useMetric(data.metrics, result);
  const names = useMemo(() => variantNames(result.experiment), [result]);
  const rows = useMemo(() => (metric ? periodRows(metric, result.experiment, names) : []), [metric, result]);
  const empty = data.reason ?? (rows.length === 0 ? "no day has been counted" : null);
  return (
    <>
      <div class="figure-head"><h2 id={by}>{titles[by]}</h2>{!empty && select}</div>
      <p class="quiet">{data.text}</p>
      {empty ? <p class="reasons">Nothing to show: {empty}.</p> : <>
        <DaysChart rows={rows} described={described} experiment={result.experiment} />
        <Trends trends={metric.trends} names={names} />
        <Numbers metric={metric} by={by} names={names} title={titles[by]} />
      </>}
    </>
  );
}

function Trends({ trends, names }) {
  return (
    <ul class="reasons">{trends.map((t) => (
      <li key={t.variant}><strong>{names.get(t.variant)}</strong>: {t.reason ? `no test of a change: ${t.reason}.` : <>
        {t.text} Lift of the first days {lift(t.early)}, of the later ones {lift(t.late)}; change {interval(t.change_ci, lift)} (p {p(t.change_p)}).</>}
      </li>))}
    </ul>
  );
}

function Numbers({ metric, by, names, title }) {
  return (
    <details>
      <summary>Numbers</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label={`${title}, numbers`}>
        <table class="plain-table">
          <thead><tr><th scope="col">{columns[by]}</th><th scope="col">Variant</th><th scope="col" class="n">Units</th><th scope="col" class="n">Value</th>
            <th scope="col" class="n">Lift</th><th scope="col" class="n">Interval</th></tr></thead>
          <tbody>{metric.periods.flatMap((period) => period.variants.map((v) => (
            <tr key={`${period.day ?? period.days_since}/${v.variant}`}>
              <th scope="row">{period.day ?? period.days_since}</th><td>{names.get(v.variant)}</td><td class="n">{count(v.n)}</td>
              <td class="n">{value(v.value, metric.display)}</td><td class="n">{lift(v.comparison?.lift)}</td><td class="n">{liftInterval(v.comparison)}</td>
            </tr>)))}</tbody>
        </table>
      </div>
      <p class="quiet">{plural(metric.periods.length, "day")}; each interval is of that day alone.</p>
    </details>
  );
}
