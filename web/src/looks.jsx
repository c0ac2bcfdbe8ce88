// A test with planned looks: which were taken, what they saw, and when the next one comes.
import { drawBounds } from "./bounds.js";
import { Chart } from "./chart.jsx";
import { count, difference, fixed, instant, interval, percent, variantNames } from "./format.js";

const spendings = { obrien_fleming: "O\u2019Brien and Fleming", pocock: "Pocock", power: "a power of the share", hsd: "Hwang, Shih and DeCani",
  haybittle_peto: "Haybittle and Peto" };

export function PlannedLooks({ result }) {
  const a = result.analysis;
  if (a?.method !== "group_sequential") return null;
  const primary = result.metrics.find((m) => m.role === "primary"), names = variantNames(result.experiment);
  const shown = (primary?.variants ?? []).filter((v) => v.comparison?.look);
  return (
    <section class="card figure" aria-labelledby="planned-looks">
      <h2 id="planned-looks">Planned looks</h2>
      <p class="quiet">{next(a)} The error is spent as {spendings[a.spending] ?? a.spending} do. Dashed: the bounds that Z has to leave.</p>
      {shown.map((v) => <Path key={v.variant} name={names.get(v.variant)} metric={primary} comparison={v.comparison} />)}
      {a.looks.length > 0 && <Taken looks={a.looks} />}
    </section>
  );
}

function next(a) {
  const done = a.looks.length === 0 ? "No look has been taken." : `${a.looks.length} of ${a.planned.length} planned looks ${a.looks.length === 1 ? "has" : "have"} been taken.`;
  if (a.next_look_units) return `${done} The next one comes at ${count(a.next_look_units)} units.`;
  return a.next_look_at ? `${done} The next one comes on ${instant(a.next_look_at)}.` : `${done} None is left.`;
}

function Path({ name, metric, comparison: c }) {
  const { path, stopped, bound, z } = c.look, show = (x) => difference(x, metric.display);
  const spoken = path.map((l) => `at ${percent(l.share)} Z ${fixed(l.z, 2)}${l.bound === null ? "" : `, bound ${fixed(l.bound, 2)}`}`).join("; ");
  return (
    <div class="look-path">
      <h3>{metric.name}, {name}: Z is {fixed(z, 2)}{bound !== null && `, the bound ${fixed(bound, 2)}`}</h3>
      <Chart draw={(width) => drawBounds(path, width, c.outcome)} inputs={[c]} label={`${metric.name} of ${name} at planned looks: ${spoken}.`} />
      {stopped && <p>Stopped at look {stopped.look}: an estimate of {show(stopped.difference)} ({interval(stopped.difference_ci, show)}), where
        the look itself saw {show(stopped.naive_difference)}. <span class="quiet">{stopped.text}</span></p>}
    </div>
  );
}

function Taken({ looks }) {
  return (
    <details>
      <summary>The looks that were taken</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label="Looks that were taken">
        <table class="plain-table">
          <thead><tr><th scope="col">Look</th><th scope="col" class="n">Share of the plan</th><th scope="col" class="n">Units</th><th scope="col">Counts up to</th></tr></thead>
          <tbody>{looks.map((l, i) => (
            <tr key={i}><th scope="row">{i + 1}</th><td class="n">{percent(l.share, 1)}</td><td class="n">{count(l.units)}</td><td>{instant(l.as_of)}</td></tr>))}</tbody>
        </table>
      </div>
    </details>
  );
}
