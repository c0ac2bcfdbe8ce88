// The pictures of a result, each with a caption in words and what it could not draw.
import { useMemo, useState } from "preact/hooks";
import { Chart } from "./chart.jsx";
import { cut, dayRows, daysHeight, drawDays, inks, noInterval } from "./days.js";
import { outcomes } from "./badges.jsx";
import { drawForest, forestHeight, forestRows } from "./forest.js";
import { day, fixed, lift, liftInterval, nameOf, percent, plural, value, variantNames } from "./format.js";
import { drawSplit, splitHeight } from "./split.js";

export function Forest({ result }) {
  const names = variantNames(result.experiment);
  const rows = forestRows(result, names);
  if (rows.length === 0) return null;
  const control = nameOf(result.experiment.variants[0]);
  const spoken = rows.map((r) => `${r.title}${r.variant ? " of " + r.variant : ""}: ${lift(r.lift)}, interval ${liftInterval(r)}, ` +
    (outcomes[r.outcome] ?? outcomes.none).word).join(". ");
  return (
    <section class="card figure" aria-labelledby="forest">
      <h2 id="forest">Lift against {control}</h2>
      <p class="quiet">Change in percent of the control's value. Point: estimate; line: {percent(result.level)} interval. An interval that
        crosses the zero line shows no difference.</p>
      {result.srm?.alarm && <p class="bad">For finding the fault only: the split of units is not what was asked for.</p>}
      <Chart draw={(width) => drawForest(rows, width)} height={forestHeight(rows)} inputs={[result]} label={`Lift against ${control}. ${spoken}`} />
      <Legend rows={rows} />
      <Unbounded rows={rows} />
    </section>
  );
}

function Legend({ rows }) {
  const seen = ["better", "worse", "no_difference"].filter((o) => rows.some((r) => r.outcome === o));
  return (
    <ul class="legend" aria-label="Outcomes">
      {seen.map((o) => <li key={o} class={`outcome ${o}`}><span aria-hidden="true">{outcomes[o].sign}</span> {outcomes[o].word}</li>)}
      <li class="quiet">Better and worse follow the metric: fewer zero results are better.</li>
    </ul>
  );
}

const title = (r) => r.title + (r.variant ? ` \u00b7 ${r.variant}` : "");

/** Explains each interval that is not a plain line. */
function Unbounded({ rows }) {
  const odd = rows.filter((r) => r.lift_kind !== "bounded" || r.lift_ci?.some((end) => end === null));
  if (odd.length === 0) return null;
  const why = {
    exclusive: (r) => `the lift is ${liftInterval(r)}: the control's value is too near 0 to bound a ratio to it. The difference in ` +
      "the table has an ordinary interval.",
    whole_line: () => "any lift is possible: the control's value cannot be told from 0, so a ratio to it says nothing (dashed line). " +
      "Read the difference in the table.",
    none: (r) => `no lift${r.reason ? ": " + r.reason : ": the control's value is 0"}.`,
    bounded: () => "the interval has no end where its arrow points.",
  };
  return (
    <div class="reasons">
      <h3>What the figure cannot show</h3>
      <ul>{odd.map((r) => <li key={r.id}><strong>{title(r)}</strong>: {(why[r.lift_kind] ?? why.none)(r)}</li>)}</ul>
    </div>
  );
}

/** Which metric a view shows: the primary one until another is chosen. */
export function useMetric(metrics, result) {
  const [chosen, choose] = useState(null);
  const metric = metrics.find((m) => m.metric === chosen) ?? metrics[0];
  const name = (m) => result.metrics.find((x) => x.metric === m.metric)?.name ?? m.metric;
  const select = (
    <label class="choice">Metric{" "}
      <select value={metric?.metric} onChange={(e) => choose(e.target.value)}>
        {metrics.map((m) => <option key={m.metric} value={m.metric}>{name(m)}</option>)}
      </select>
    </label>
  );
  return [metric, select, metric && result.metrics.find((m) => m.metric === metric.metric)];
}

export function Days({ result }) {
  const series = result.timeseries.metrics.filter((m) => m.days.length);
  const [metric, select, described] = useMetric(series, result);
  const rows = useMemo(() => (metric ? dayRows(metric, result.experiment, variantNames(result.experiment)) : []), [metric, result]);
  if (!metric || !described) return <p class="reasons">No day has been counted yet.</p>;
  return (
    <>
      <div class="figure-head"><h2 id="days">Lift by day, all days so far</h2>{select}</div>
      <p class="quiet">Each point counts everything from the first day to the end of that day; the band is its {percent(result.level)}{" "}
        interval. {result.analysis.method === "any_time" ? "It holds on all days together, however often you look."
          : "Stopping on the first day that looks good makes false winners: wait for the planned end."}</p>
      <DaysChart rows={rows} described={described} experiment={result.experiment} />
      <DayNumbers metric={metric} described={described} experiment={result.experiment} />
    </>
  );
}

export function DaysChart({ rows, described, experiment }) {
  if (rows.every((r) => r.lift === null))
    return <p class="reasons">There is no lift of {described.name} on any day: {reason(described)}</p>;
  const gaps = noInterval(rows).length, beyond = cut(rows).length;
  const last = rows[rows.length - 1];
  return (
    <>
      <Chart draw={(width) => drawDays(rows, width)} height={daysHeight} inputs={[rows]}
        label={`${described.name}: lift by day. On ${typeof last.day === "number" ? `day ${last.day} after exposure` : day(last.day)}, ${last.name}: ${lift(last.lift)}, interval ${liftInterval(last)}.`} />
      {experiment.variants.length > 2 && <SeriesLegend experiment={experiment} />}
      {gaps > 0 && <p class="quiet">No band on {plural(gaps, "point")}: the interval has no two ends there.</p>}
      {beyond > 0 && <p class="quiet">On {plural(beyond, "point")} the interval is wider than the figure.</p>}
    </>
  );
}

const reason = (m) => m.variants.map((v) => v.comparison?.reason ?? v.reason).find(Boolean) ?? "the control's value is 0";

function SeriesLegend({ experiment }) {
  return (
    <ul class="legend">
      {experiment.variants.slice(1).map((v, i) => (
        <li key={v.key}><span class="swatch" style={{ background: inks[i % inks.length] }} aria-hidden="true" /> {nameOf(v)}</li>
      ))}
    </ul>
  );
}

function DayNumbers({ metric, described, experiment }) {
  const names = variantNames(experiment);
  return (
    <details>
      <summary>Numbers by day</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label={`${described.name} by day`}>
        <table class="plain-table">
          <thead><tr><th scope="col">Day</th><th scope="col">Variant</th><th scope="col" class="n">Units</th><th scope="col" class="n">Value</th>
            <th scope="col" class="n">Lift</th><th scope="col" class="n">Interval</th></tr></thead>
          <tbody>{metric.days.flatMap((d) => d.variants.map((v) => (
            <tr key={d.day + v.variant}>
              <th scope="row">{d.day}</th><td>{names.get(v.variant)}</td><td class="n">{fixed(v.n, 0)}</td>
              <td class="n">{value(v.value, described.display)}</td><td class="n">{lift(v.lift)}</td>
              <td class="n">{liftInterval({ ...v, lift_kind: v.lift_kind ?? (v.lift_ci ? "bounded" : "none") })}</td>
            </tr>)))}</tbody>
        </table>
      </div>
    </details>
  );
}

/** Where a bandit has moved its weights to; a share of units to compare with does not exist then. */
export function Weights({ experiment }) {
  if (!experiment.weights_now) return null;
  return (
    <section class="card" aria-labelledby="weights">
      <h2 id="weights">Weights of the bandit</h2>
      <p class="quiet">New units get the variants with these probabilities; the job that moves them has done so {plural(experiment.weights_version, "time")}.</p>
      <div class="scroll" tabIndex={0} role="region" aria-labelledby="weights">
        <table class="plain-table">
          <thead><tr><th scope="col">Variant</th><th scope="col" class="n">Now</th><th scope="col" class="n">At the start</th></tr></thead>
          <tbody>{experiment.variants.map((v, i) => (
            <tr key={v.key}><th scope="row">{nameOf(v)}</th><td class="n">{percent(experiment.weights_now[i], 1)}</td>
              <td class="n">{percent(v.weight, 1)}</td></tr>))}</tbody>
        </table>
      </div>
    </section>
  );
}

export function Split({ result }) {
  const { srm, experiment } = result;
  if (!srm) return null;
  const rows = experiment.variants.map((v, i) => ({ key: v.key, name: nameOf(v), observed: srm.observed[i], expected: srm.expected[i] }));
  const spoken = rows.map((r) => `${r.name}: ${fixed(r.observed, 0)} units, weights ask for ${fixed(r.expected, 0)}`).join(". ");
  return (
    <section class="card figure" aria-labelledby="split">
      <h2 id="split">Units per variant</h2>
      <p class="quiet">Bar: units that came; mark: what the weights ask for.{srm.alarm ? "" : ` ${srm.text}`}</p>
      <Chart draw={(width) => drawSplit(rows, width, srm.alarm)} height={splitHeight(rows)} inputs={[result]} label={`Units per variant. ${spoken}`} />
    </section>
  );
}
