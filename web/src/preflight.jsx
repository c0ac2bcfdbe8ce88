// A draft before its start: what the daemon found, how it would split units, what it would be able to see. All numbers are the daemon's.
import { getPreflight } from "./api.js";
import { Chart } from "./chart.jsx";
import { count, nameOf, percent, plural } from "./format.js";
import { useLoad } from "./load.js";
import { drawPower } from "./power.js";
import { drawSplit } from "./split.js";

const SRM_ALARM = 1e-6; /* the daemon refuses a start below this */
const never = () => false;

export function Preflight({ experiment }) {
  const { data, error, reload } = useLoad(() => getPreflight(experiment.key), never, [experiment.key, experiment.version]);
  if (error && !data)
    return <p class="notice warn" role="status">No pre-flight: {error.message}. <button type="button" class="plain" onClick={reload}>Try again</button></p>;
  if (!data) return <p class="quiet" role="status">Simulating the split…</p>;
  return (
    <>
      <Findings preflight={data} />
      <SimulatedSplit split={data.split} experiment={experiment} />
      <Power power={data.power} />
    </>
  );
}

function Findings({ preflight }) {
  const { findings, may_start: ready } = preflight;
  return (
    <section class="card findings" aria-labelledby="preflight">
      <h2 id="preflight">{ready ? "Ready to start" : "It cannot start yet"}</h2>
      {findings.length === 0 && <p class="quiet">Nothing was found that would keep it from working.</p>}
      {findings.length > 0 && (
        <ul class="reasons">{findings.map((f) => (
          <li key={f.field + f.text} class={f.severity}>
            <strong class={f.severity === "error" ? "bad" : undefined}>{f.severity === "error" ? "Error" : "Warning"}</strong>{" "}
            <code>{f.field}</code>: {f.text}
          </li>))}</ul>)}
    </section>
  );
}

function SimulatedSplit({ split, experiment }) {
  if (!split.variants) return null;
  const names = new Map(experiment.variants.map((v) => [v.key, nameOf(v)]));
  const rows = split.variants.map((v) => ({ key: v.variant, name: names.get(v.variant) ?? v.variant, observed: v.units, expected: v.expected }));
  const alarm = split.srm !== null && split.srm.p < SRM_ALARM;
  const spoken = rows.map((r) => `${r.name}: ${count(r.observed)} units, weights ask for ${count(r.expected)}`).join(". ");
  return (
    <section class="card figure" aria-labelledby="simulated-split">
      <h2 id="simulated-split">Simulated split</h2>
      <p class="quiet">{plural(split.units, "made-up unit")} through the experiment's own rule; it reaches {percent(split.share_reached, 1)} of
        them{split.ignores_conditions ? " (targeting, segments and URLs taken as met)" : ""}. Bar: units; mark: what the weights ask for.</p>
      <Chart draw={(width) => drawSplit(rows, width, alarm)} inputs={[split]} label={`Simulated split. ${spoken}`} />
    </section>
  );
}

function Power({ power }) {
  if (power.why_not) return <p class="notice" role="note">No power by week: {power.why_not}.</p>;
  const { weeks, traffic, baseline } = power, last = weeks[weeks.length - 1];
  const effect = percent(power.effect, 1);
  return (
    <section class="card figure" aria-labelledby="power">
      <h2 id="power">Power by week</h2>
      <p class="quiet">How often a change of {effect} in <code>{power.metric}</code> would be found, at the traffic of the last{" "}
        {plural(traffic.days, "day")} and with the mean and variance of <code>{baseline.experiment}</code>; {power.method}. Dashed: {percent(power.detectable_at)}.</p>
      <Needed units={power.units} at={power.detectable_at} effect={effect} />
      <Chart draw={(width) => drawPower(weeks, power.detectable_at, width)} inputs={[power]}
        label={`Power by week. After week ${last.week}, with ${plural(last.units, "unit")}: ${percent(last.power)}.`} />
      <Weeks power={power} />
    </section>
  );
}

function Needed({ units, at, effect }) {
  if (units.why_not) return <p class="reasons">{effect} is not found with {percent(at)}: {units.why_not}.</p>;
  return <p>To find {effect} with {percent(at)} it takes {plural(units.all, "unit")}{units.no_days ? ` (${units.no_days})` : `, ${plural(units.weeks, "week")}`}.</p>;
}

function Weeks({ power }) {
  return (
    <details>
      <summary>Numbers by week</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label="Power by week, as numbers">
        <table class="plain-table">
          <thead><tr><th scope="col">Week</th><th scope="col" class="n">Units</th><th scope="col" class="n">Power</th>
            <th scope="col" class="n">Found at {percent(power.detectable_at)}</th></tr></thead>
          <tbody>{power.weeks.map((w) => (
            <tr key={w.week}><th scope="row">{w.week}</th><td class="n">{count(w.units)}</td><td class="n">{percent(w.power, 1)}</td>
              <td class="n">{percent(w.detectable, 1)}</td></tr>))}</tbody>
        </table>
      </div>
    </details>
  );
}
