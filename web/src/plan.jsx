// Before an experiment: what it is to find, how it will be looked at, and the daemon's answer: units, days, power by week.
import { useEffect, useState } from "preact/hooks";
import { askPlan, getMetrics } from "./api.js";
import { Chart } from "./chart.jsx";
import { count, fixed, percent, plural } from "./format.js";
import { useLoad } from "./load.js";
import { drawPower } from "./power.js";

const never = () => false;
const methods = [["any_time", "At any time (the default)"], ["group_sequential", "At planned looks"], ["fixed", "Once, at the end"]];
const spendings = [["obrien_fleming", "O'Brien-Fleming"], ["pocock", "Pocock"], ["haybittle_peto", "Haybittle-Peto"]];
const start = { metric: "", kind: "share", mean: "20", sd: "1", aim: "effect", size: "5", power: "80", variants: "2", method: "any_time",
  looks: "5", spending: "obrien_fleming", reduction: "", units: "" };

export function Plan() {
  const [form, setForm] = useState(start);
  const [answer, setAnswer] = useState(null);
  const { data: metrics } = useLoad(getMetrics, never, []);
  useEffect(() => void (document.title = "Plan \u00b7 experimentd"), []);
  const set = (name) => (event) => setForm((old) => ({ ...old, [name]: event.currentTarget.value }));
  const ask = async (event) => {
    event.preventDefault();
    try {
      setAnswer({ plan: await askPlan(request(form)) });
    } catch (error) {
      setAnswer({ error });
    }
  };
  return (
    <article class="result plan">
      <h1>Plan an experiment</h1>
      <p class="quiet">How many units it needs, how long that takes at the traffic of the last weeks, and what it will have seen when.</p>
      <form class="card plan-form" onSubmit={ask}>
        <What form={form} set={set} metrics={metrics?.metrics ?? []} />
        <Aim form={form} set={set} />
        <How form={form} set={set} />
        <button type="submit">Plan it</button>
      </form>
      {answer?.error && <p class="notice warn" role="alert">No plan: {answer.error.message}.</p>}
      {answer?.plan && <Answer plan={answer.plan} />}
    </article>
  );
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1);
const share = (text) => Number(text) / 100;

/** The form as the daemon's request: what is left empty is left to the daemon. */
function request(form) {
  const n = Number(form.variants), analysis = { method: form.method };
  if (form.method === "group_sequential") Object.assign(analysis, { looks: Number(form.looks), spending: form.spending });
  return {
    ...(form.metric ? { metric: form.metric } : { baseline: form.kind === "share" ? { share: share(form.mean) } : { mean: Number(form.mean), sd: Number(form.sd) } }),
    [form.aim]: share(form.size), power: share(form.power), weights: Array(n).fill(1), analysis,
    ...(form.reduction && { variance_reduction: share(form.reduction) }), ...(form.units && { traffic: { days: 7, units: Number(form.units) } }),
  };
}

function Field({ label, unit, children }) {
  return <label class="field"><span>{label}</span><span class="field-in">{children}{unit && <span class="quiet">{unit}</span>}</span></label>;
}

function NumberIn({ value, onInput, min = 0, max, step = "any", required = true }) {
  return <input type="number" inputMode="decimal" value={value} onInput={onInput} min={min} max={max} step={step} required={required} />;
}

function Choice({ value, onInput, options }) {
  return <select value={value} onInput={onInput}>{options.map(([key, name]) => <option key={key} value={key}>{name}</option>)}</select>;
}

function What({ form, set, metrics }) {
  return (
    <fieldset>
      <legend>What is measured</legend>
      <Field label="Metric"><Choice value={form.metric} onInput={set("metric")} options={[["", "numbers by hand"], ...metrics.map((m) => [m.key, m.name])]} /></Field>
      {!form.metric && <>
        <Field label="Kind"><Choice value={form.kind} onInput={set("kind")} options={[["share", "share of units"], ["mean", "mean of units"]]} /></Field>
        <Field label="Now" unit={form.kind === "share" ? "%" : ""}><NumberIn value={form.mean} onInput={set("mean")} /></Field>
        {form.kind === "mean" && <Field label="Standard deviation of a unit"><NumberIn value={form.sd} onInput={set("sd")} /></Field>}
      </>}
      <Field label="Variance that covariates take" unit="%"><NumberIn value={form.reduction} onInput={set("reduction")} max={99} required={false} /></Field>
    </fieldset>
  );
}

function Aim({ form, set }) {
  return (
    <fieldset>
      <legend>What is to be found</legend>
      <Field label="Aim"><Choice value={form.aim} onInput={set("aim")} options={[["effect", "a change of"], ["margin", "not worse by more than"]]} /></Field>
      <Field label="Size, relative" unit="%"><NumberIn value={form.size} onInput={set("size")} min={0.01} max={1000} /></Field>
      <Field label="Found with a power of" unit="%"><NumberIn value={form.power} onInput={set("power")} min={6} max={99.9} /></Field>
    </fieldset>
  );
}

function How({ form, set }) {
  return (
    <fieldset>
      <legend>How it runs</legend>
      <Field label="Variants"><NumberIn value={form.variants} onInput={set("variants")} min={2} max={20} step={1} /></Field>
      <Field label="Looked at"><Choice value={form.method} onInput={set("method")} options={methods} /></Field>
      {form.method === "group_sequential" && <>
        <Field label="Looks"><NumberIn value={form.looks} onInput={set("looks")} min={1} max={50} step={1} /></Field>
        <Field label="Bounds"><Choice value={form.spending} onInput={set("spending")} options={spendings} /></Field>
      </>}
      <Field label="Units a week" unit="empty: as seen"><NumberIn value={form.units} onInput={set("units")} required={false} /></Field>
    </fieldset>
  );
}

function Answer({ plan }) {
  if (plan.why_not) return <p class="notice warn" role="status">No plan: {plan.why_not}.</p>;
  const { units, design, weeks } = plan;
  return (
    <section class="card figure" aria-labelledby="plan-answer" aria-live="polite">
      <h2 id="plan-answer">{units.why_not ? "No number of units finds it" : `${count(units.all)} units${units.weeks ? `, ${plural(units.weeks, "week")}` : ""}`}</h2>
      <p class="quiet">{sentence(design.text)}; level {percent(design.level, design.level * 100 % 1 ? 1 : 0)}{design.treatments > 1 && `, shared by ${design.treatments} treatments`}.</p>
      {!units.why_not && <Facts plan={plan} />}
      {weeks.length > 0 ? <Weeks plan={plan} /> : <p class="reasons">No power by week: {plan.traffic.why_not ?? units.no_days ?? "no traffic is known"}.</p>}
    </section>
  );
}

function Facts({ plan: { units, design, baseline, traffic } }) {
  const facts = [
    ["Units of the control", count(units.control)],
    ["Of the smallest treatment", count(units.smallest_treatment)],
    ["Beside one look at the end", `${fixed(units.inflation, 2)} times the units; ${percent(units.expected_share)} of them on average when the effect is there`],
    design.variance_reduction > 0 && ["Without covariates", `${count(units.all_unadjusted)} units`],
    ["Days", units.no_days ?? `${fixed(units.days, 1)}, so ${plural(units.weeks, "whole week")}`],
    ["Baseline", `${fixed(baseline.mean, 4)}, variance of a unit ${fixed(baseline.variance, 4)}${baseline.experiment ? `, from ${baseline.experiment}` : ""}`],
    traffic.units > 0 && ["Traffic", `${count(traffic.units)} units in ${plural(traffic.days, "day")}`],
  ].filter(Boolean);
  return <dl class="facts">{facts.map(([term, text]) => <div key={term}><dt>{term}</dt><dd>{text}</dd></div>)}</dl>;
}

function Weeks({ plan }) {
  const { weeks, design } = plan, last = weeks[weeks.length - 1];
  return (
    <>
      <Chart draw={(width) => drawPower(weeks, design.power, width)} inputs={[plan]}
        label={`Power by week. After week ${last.week}, with ${plural(Math.round(last.units), "unit")}: ${percent(last.power)}.`} />
      <div class="scroll" tabIndex={0} role="region" aria-label="Power by week, as numbers">
        <table class="plain-table">
          <thead><tr><th scope="col">Week</th><th scope="col" class="n">Units</th><th scope="col" class="n">Power</th>
            <th scope="col" class="n">{design.margin ? "Least margin" : "Least change"}</th></tr></thead>
          <tbody>{weeks.map((w) => (
            <tr key={w.week}><th scope="row">{w.week}</th><td class="n">{count(w.units)}</td><td class="n">{percent(w.power, 1)}</td>
              <td class="n">{percent(w.detectable, 1)}</td></tr>))}</tbody>
        </table>
      </div>
    </>
  );
}
