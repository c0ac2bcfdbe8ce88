// Two versions side by side: metrics and their difference, how alike their lists are, what they were told.
import { useLoad } from "../load.js";
import { count, NONE, plural } from "../format.js";
import { compare } from "./api.js";
import { days, interval, metricValue, overlap } from "./words.js";

const told = (v) => (v === null || v === undefined ? NONE : typeof v === "object" ? JSON.stringify(v) : String(v));

export function Compare({ model, a, b, close }) {
  const { data, error, reload } = useLoad(() => compare(model, a, b), () => false, [model, a, b]);
  return (
    <section class="card" aria-labelledby="compare">
      <div class="tables-head"><h2 id="compare">Version {b} beside version {a}</h2><button type="button" class="plain" onClick={close}>Close</button></div>
      {error && <p class="notice warn" role="alert">Not compared: {error.message}. <button type="button" class="plain" onClick={reload}>Try again</button></p>}
      {!data && !error && <p class="quiet" role="status">Comparing…</p>}
      {data && <Compared c={data} a={a} b={b} />}
    </section>
  );
}

function Compared({ c, a, b }) {
  return (
    <>
      {c.metrics.length > 0 && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Metrics">
          <table class="plain-table">
            <thead><tr><th scope="col">Metric</th><th scope="col" class="n">Version {a}</th><th scope="col" class="n">Version {b}</th><th scope="col" class="n">Difference</th></tr></thead>
            <tbody>{c.metrics.map((m) => (
              <tr key={m.name}><th scope="row">{m.name}</th>
                {[m.a, m.b].map((x, i) => <td key={i} class="n">{metricValue(x?.value)}<span class="under">{interval(x)}</span></td>)}
                <td class="n">{m.difference === null ? NONE : `${m.difference > 0 ? "+" : ""}${metricValue(m.difference)}`}</td></tr>))}</tbody>
          </table>
        </div>)}
      {c.lists.length > 0 && <><h3>How alike their lists are</h3>
        <ul class="alike">{c.lists.map((l) => (
          <li key={l.section}><span>{l.section}</span>
            <span class="bar" aria-hidden="true"><span style={{ width: `${100 * (l.overlap ?? 0)}%` }} /></span>
            <span class="quiet">{overlap(l.overlap)} of the first entries in common; {count(l.same)} of {plural(l.keys_both, "list")} the same</span></li>))}</ul></>}
      <h3>What differs in how they were made</h3>
      <dl class="facts">
        <div><dt>Days</dt><dd>{days(c.window.a)}; {days(c.window.b)}</dd></div>
        {["rows", "units", "items"].map((name) => <div key={name}><dt>{name}</dt><dd>{count(c.counts[name]?.a)}; {count(c.counts[name]?.b)}</dd></div>)}
        {c.params.map((p) => <div key={p.name}><dt>{p.name}</dt><dd>{told(p.a)}; {told(p.b)}</dd></div>)}
      </dl>
    </>
  );
}
