// The numbers behind the pictures: a table a metric, a row a variant. On a phone each row becomes a card (style/parts.css).
import { Outcome } from "./badges.jsx";
import { count, difference, directions, fixed, interval, lift, liftInterval, NONE, p, percent, sum, value, variantNames } from "./format.js";

const roles = { primary: "Primary metric", secondary: "Secondary", guardrail: "Guardrail" };

const columns = ["variant", "units", "sum", "value", "difference", "lift", "p", "outcome"];

export function Tables({ result }) {
  if (result.metrics.length === 0) return null;
  return (
    <section class="tables" aria-labelledby="numbers">
      <h2 id="numbers">The numbers</h2>
      {result.metrics.map((m) => <Metric key={m.metric} metric={m} result={result} />)}
    </section>
  );
}

function Metric({ metric: m, result }) {
  const names = variantNames(result.experiment);
  return (
    <section class="card metric" id={`metric-${m.metric}`} aria-labelledby={`name-${m.metric}`}>
      <div class="metric-head">
        <h3 id={`name-${m.metric}`}>{m.name}</h3>
        <span class="quiet">{roles[m.role] ?? m.role} · {directions[m.direction] ?? m.direction}</span>
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-labelledby={`name-${m.metric}`}>
        <table class="numbers">
          <colgroup>{columns.map((name) => <col key={name} class={`col-${name}`} />)}</colgroup>
          <thead><tr>
            <th scope="col">Variant</th><th scope="col" class="n">Units</th><th scope="col" class="n">{m.kind === "ratio" ? "Sums" : "Sum"}</th>
            <th scope="col" class="n">Value</th><th scope="col" class="n">Difference</th><th scope="col" class="n">Lift</th>
            <th scope="col" class="n">p</th><th scope="col">Outcome</th>
          </tr></thead>
          <tbody>{m.variants.map((v) => <Row key={v.variant} row={v} metric={m} name={names.get(v.variant)} />)}</tbody>
        </table>
      </div>
      <Reasons metric={m} names={names} />
      <details>
        <summary>Definition and method</summary>
        <dl class="facts">
          <div><dt>Metric</dt><dd><code>{m.metric}</code>: {m.description}</dd></div>
          <div><dt>Kind</dt><dd>{m.kind}, {directions[m.direction] ?? m.direction}</dd></div>
          <div><dt>Method</dt><dd>{m.method}</dd></div>
          <div><dt>Level</dt><dd>{percent(result.level)}, two-sided, not adjusted for several metrics. {result.analysis.text}</dd></div>
          {m.variants.filter((v) => v.comparison?.se != null).map((v) => (
            <div key={v.variant}><dt>{names.get(v.variant)}</dt><dd>statistic {fixed(v.comparison.statistic, 3)}, standard error{" "}
              {v.comparison.se.toPrecision(4)}{v.comparison.df != null && `, ${fixed(v.comparison.df, 1)} degrees of freedom`}</dd></div>))}
        </dl>
      </details>
    </section>
  );
}

/** Two lines in one cell: the number, and what belongs to it. */
function Cell({ label, main, under }) {
  return <td class="n" data-label={label}><span class="main">{main}</span>{under && under !== NONE && <span class="under">{under}</span>}</td>;
}

function Row({ row, metric, name }) {
  const c = row.comparison, display = metric.display;
  const over = metric.kind === "ratio" && row.denominator !== null ? `over ${sum(row.denominator)}` : null;
  return (
    <tr>
      <th scope="row">{name}{!c && <span class="under">control</span>}</th>
      <Cell label="Units" main={count(row.n)} />
      <Cell label={metric.kind === "ratio" ? "Sums" : "Sum"} main={sum(row.numerator)} under={over} />
      <Cell label="Value" main={value(row.value, display)} under={interval(row.ci, (x) => value(x, display))} />
      {c ? <>
        <Cell label="Difference" main={difference(c.difference, display)} under={interval(c.difference_ci, (x) => difference(x, display))} />
        <Cell label="Lift" main={lift(c.lift)} under={liftInterval(c)} />
        <Cell label="p" main={p(c.p, c.log10_p)} />
        <td data-label="Outcome"><Outcome outcome={c.outcome} /></td>
      </> : <td colSpan={4} class="quiet base">what the others are compared with</td>}
    </tr>
  );
}

/** Why a number is missing: a comparison that lacks a value on one side needs no reason of its own. */
function Reasons({ metric, names }) {
  const control = metric.variants[0];
  const found = metric.variants.map((v) => {
    if (v.reason) return `No value for ${names.get(v.variant)}: ${v.reason}.`;
    return v.comparison?.reason && !control.reason ? `No comparison for ${names.get(v.variant)}: ${v.comparison.reason}.` : null;
  }).filter(Boolean);
  if (found.length === 0) return null;
  return <ul class="reasons">{found.map((text) => <li key={text}>{text}</li>)}</ul>;
}
