// The numbers behind the pictures: a table a metric, a row a variant. On a phone each row becomes a card (style/parts.css).
import { Link } from "./app.jsx";
import { Outcome } from "./badges.jsx";
import { metricAddress } from "./catalog.jsx";
import { Explained } from "./explain.jsx";
import { count, difference, directions, fixed, interval, lift, liftInterval, NONE, p, percent, sum, value, variantNames } from "./format.js";
import { Save } from "./save.jsx";
import { Spark } from "./spark.jsx";

const roles = [["primary", "Primary", "what decides"], ["secondary", "Secondary", "what explains"], ["guardrail", "Guardrails", "what must not get worse"]];

const columns = ["variant", "units", "sum", "value", "difference", "lift", "p", "outcome"];

/** Roles that the page does not know stand last, under their own name. */
function groups(metrics) {
  const known = roles.map(([role]) => role);
  const others = [...new Set(metrics.map((m) => m.role).filter((r) => !known.includes(r)))].map((role) => [role, role, ""]);
  return [...roles, ...others].map(([role, title, what]) => ({ role, title, what, metrics: metrics.filter((m) => m.role === role) }))
    .filter((g) => g.metrics.length);
}

export function Tables({ result }) {
  if (result.metrics.length === 0) return null;
  return (
    <section class="tables" aria-labelledby="numbers">
      <div class="tables-head">
        <h2 id="numbers">The numbers</h2>
        {result.run && <Save experiment={result.experiment.key} what="all days" />}
      </div>
      {groups(result.metrics).map((g) => (
        <section key={g.role} class="role" aria-labelledby={`role-${g.role}`}>
          <h3 id={`role-${g.role}`}>{g.title} <span class="quiet">{g.what}</span></h3>
          {g.metrics.map((m) => <Metric key={m.metric} metric={m} result={result} />)}
        </section>))}
    </section>
  );
}

function Metric({ metric: m, result }) {
  const names = variantNames(result.experiment);
  return (
    <section class="card metric" id={`metric-${m.metric}`} aria-labelledby={`name-${m.metric}`}>
      <div class="metric-head">
        <h4 id={`name-${m.metric}`}><Link to={metricAddress(m.metric)} class="definition" title="What it counts, in the catalogue of metrics">{m.name}</Link></h4>
        <span class="quiet">{directions[m.direction] ?? m.direction}</span>
        <Spark series={result.timeseries.metrics.find((s) => s.metric === m.metric)} experiment={result.experiment} />
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
      {m.steps && <Steps metric={m} names={names} />}
      <details>
        <summary>Definition and method</summary>
        <dl class="facts">
          <div><dt>Metric</dt><dd><code>{m.metric}</code>: {m.description}</dd></div>
          <div><dt>Kind</dt><dd>{m.kind}, {directions[m.direction] ?? m.direction}</dd></div>
          <div><dt>Method</dt><dd>{m.method}</dd></div>
          <div><dt>Level</dt><dd>{percent(result.level)}, two-sided{result.analysis.multiplicity ? "" : ", not adjusted for several metrics"}. {result.analysis.text}</dd></div>
          {m.variants.filter((v) => v.comparison?.se != null).map((v) => <More key={v.variant} row={v} name={names.get(v.variant)} display={m.display} />)}
        </dl>
      </details>
    </section>
  );
}

const margins = { within: "within its margin", beyond: "beyond its margin", not_shown: "margin not yet shown" };
/** p of everything that is tested together. */
const together = (c) => (c.together && c.together.comparisons > 1 ? `of ${c.together.comparisons} together ${p(c.together.p, c.together.log10_p)}` : null);

/** What the daemon says of one comparison beside its numbers: how it was adjusted, what it is read with, what is believed. */
function More({ row, name, display }) {
  const c = row.comparison, by = c.adjustment;
  const facts = [
    c.se !== null && `statistic ${fixed(c.statistic, 3)}, standard error ${c.se.toPrecision(4)}` +
      (c.df != null ? `, ${fixed(c.df, 1)} degrees of freedom` : ""),
    by && by.by !== "none" && by.by !== "plain" && `adjusted by ${by.by.replace("_", " and ")}: variance less by ${percent(by.variance_reduction, 1)}`,
    c.unadjusted && `as measured, not adjusted: difference ${difference(c.unadjusted.difference, display)} (${interval(c.unadjusted.difference_ci,
      (x) => difference(x, display))}), lift ${lift(c.unadjusted.lift)}, p ${p(c.unadjusted.p, c.unadjusted.log10_p)}`,
    by?.reason && `not adjusted: ${by.reason}`,
    c.together && c.together.comparisons > 1 && `read together (${c.together.family}, ${c.together.comparisons} comparisons): lift ` +
      `${liftInterval(c.together)} at ${percent(c.together.level, 2)}, p ${p(c.together.p, c.together.log10_p)}`,
    c.p_exact !== undefined && c.p_exact !== null && `Fisher's exact p ${p(c.p_exact)}`,
    c.margin?.text,
    c.look && `planned look ${c.look.number}, with ${percent(c.look.share)} of the planned units`,
    c.belief && `chance to win ${percent(c.belief.chance_to_win, 1)}; expected loss when shipped ${difference(c.belief.loss_if_shipped, display).replace("+", "")}, when kept ` +
      `${difference(c.belief.loss_if_kept, display).replace("+", "")} (${c.belief.prior}). ${c.belief.text}`,
  ].filter(Boolean);
  return <div><dt>{name}</dt><dd>{facts.map((text) => <p key={text}>{text[0].toUpperCase() + text.slice(1)}{text.endsWith(".") ? "" : "."}</p>)}</dd></div>;
}

/** Two lines in one cell: the number, and what belongs to it. */
function Cell({ label, main, under }) {
  return <td class="n" data-label={label}><span class="main">{main}</span>{under && under !== NONE && <span class="under">{under}</span>}</td>;
}

function Row({ row, metric, name }) {
  const c = row.comparison, display = metric.display;
  const why = (text) => <Explained title={`${metric.name}: ${name} against control`} explain={c.explain} numbers={c}>{text}</Explained>;
  const over = metric.kind === "ratio" && row.denominator !== null ? `over ${sum(row.denominator)}` : null;
  return (
    <tr>
      <th scope="row">{name}{!c && <span class="under">control</span>}</th>
      <Cell label="Units" main={count(row.n)} />
      <Cell label={metric.kind === "ratio" ? "Sums" : "Sum"} main={sum(row.numerator)} under={over} />
      <Cell label="Value" main={<Explained title={`${metric.name}: ${name}`} explain={row.explain} numbers={row}>{value(row.value, display)}</Explained>}
        under={interval(row.ci, (x) => value(x, display))} />
      {c ? <>
        <Cell label="Difference" main={why(difference(c.difference, display))} under={interval(c.difference_ci, (x) => difference(x, display))} />
        <Cell label="Lift" main={why(lift(c.lift))} under={liftInterval(c)} />
        <Cell label="p" main={why(p(c.p, c.log10_p))} under={together(c)} />
        <td data-label="Outcome"><Outcome outcome={c.outcome} />{c.margin && <span class="under">{margins[c.margin.state]}</span>}</td>
      </> : <td colSpan={4} class="quiet base">what the others are compared with</td>}
    </tr>
  );
}

/** Of a funnel: what share of the units got to each step. */
function Steps({ metric, names }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`${metric.name}, step by step`}>
      <table class="plain-table">
        <thead><tr><th scope="col">Step</th>{metric.steps[0].variants.map((v) => <th key={v.variant} scope="col" class="n">{names.get(v.variant)}</th>)}</tr></thead>
        <tbody>{metric.steps.map((s) => (
          <tr key={s.step}><th scope="row">{s.step}</th>{s.variants.map((v) => (
            <td key={v.variant} class="n">{value(v.value, metric.display)}<span class="under">{count(v.numerator)} units</span></td>))}</tr>))}</tbody>
      </table>
    </div>
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
