// Which of two interleaved rankings users prefer: won, tied and lost queries as a bar, what decides and what stands beside, and the days.
import { Chart } from "./chart.jsx";
import { outcomes } from "./badges.jsx";
import { daysHeight, drawDays, inks } from "./days.js";
import { Explained } from "./explain.jsx";
import { count, interval, lift, p, percent, plural, variantNames } from "./format.js";

export function Preference({ result }) {
  const found = result.preference;
  if (!found?.pairs.length) return null;
  const names = variantNames(result.experiment);
  return (
    <section class="card figure" aria-labelledby="preference">
      <h2 id="preference">Which ranking users prefer</h2>
      <p class="quiet">Both rankings are shown in one list, and clicks say which one won the query. {found.text} Delta: how much more than half of the
        queries a ranking wins, ties counted as half.</p>
      {found.multiplicity === "holm" && <p class="quiet">{plural(found.pairs.length, "pair")} are read together: p is adjusted for that (Holm).</p>}
      {found.pairs.map((pair) => <Pair key={`${pair.a} ${pair.b}`} pair={pair} names={names} result={result} />)}
    </section>
  );
}

function Pair({ pair, names, result }) {
  const a = names.get(pair.a), b = names.get(pair.b), outcome = outcomes[pair.outcome] ?? outcomes.none;
  return (
    <div class="pair">
      <h3>{a} against {b} <span class={`outcome ${pair.outcome}`}><span aria-hidden="true">{outcome.sign}</span> {outcome.word}</span></h3>
      <Won pair={pair} a={a} b={b} />
      {pair.units_test ? <Tests pair={pair} title={`${a} against ${b}`} level={result.level} /> : <p class="reasons">No test: {pair.reason}.</p>}
      <ByDay pair={pair} name={`${a} against ${b}`} level={result.level} />
    </div>
  );
}

function Won({ pair, a, b }) {
  const parts = [["won", pair.wins_a, `${a} won`], ["tied", pair.ties, "tied"], ["lost", pair.wins_b, `${b} won`]];
  return (
    <>
      <div class="won-bar" aria-hidden="true">{parts.map(([kind, n]) => n > 0 && <span key={kind} class={kind} style={{ flexGrow: n }} />)}</div>
      <ul class="won-words">{parts.map(([kind, n, words]) => (
        <li key={kind}><span class={`won-swatch ${kind}`} aria-hidden="true" /> {words} <strong>{count(n)}</strong></li>))}</ul>
    </>
  );
}

/** The members of the tests by the names that the explanation uses. */
const flat = (pair) => Object.fromEntries(["units_test", "query_mean", "sign_test"].flatMap((test) =>
  Object.entries(pair[test]).map(([key, value]) => [`${test}.${key}`, value])));

function Tests({ pair, title, level }) {
  const { units_test: units, query_mean: queries, sign_test: sign } = pair;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`Tests of ${title}`}>
      <table class="plain-table">
        <thead><tr><th scope="col">Test</th><th scope="col" class="n">Delta</th><th scope="col" class="n">{percent(level)} interval</th><th scope="col" class="n">p</th></tr></thead>
        <tbody>
          <tr class="decides"><th scope="row">{plural(pair.units, "unit")} (decides)</th>
            <td class="n"><Explained title={`Preference, ${title}`} explain={pair.explain} numbers={flat(pair)}>{lift(units.delta)}</Explained></td>
            <td class="n">{interval(units.delta_ci, lift)}</td><td class="n">{p(units.p_adjusted, units.log10_p_adjusted)}</td></tr>
          <tr><th scope="row">Sign test, {count(pair.queries)} queries</th><td class="n">{lift(sign.delta)}</td>
            <td class="n">{interval(sign.delta_ci, lift)}</td><td class="n">{p(sign.p, sign.log10_p)}</td></tr>
          <tr><th scope="row">Mean of queries</th><td class="n">{lift(queries.delta)}</td><td class="n">{"\u2014"}</td><td class="n">{"\u2014"}</td></tr>
        </tbody>
      </table>
    </div>
  );
}

function ByDay({ pair, name, level }) {
  const rows = pair.days.map((d) => ({ day: new Date(d.day), variant: pair.a, name, ink: inks[0], n: d.units, lift: d.delta, lift_ci: d.delta_ci,
    lift_kind: d.delta_ci ? "bounded" : "none", bounded: Boolean(d.delta_ci) }));
  if (rows.length < 2 || rows.every((r) => r.lift === null)) return null;
  const last = rows[rows.length - 1];
  return (
    <details open>
      <summary>Delta by day, all days so far</summary>
      <Chart draw={(width) => drawDays(rows, width)} height={daysHeight} inputs={[pair]}
        label={`${name}: delta by day with its ${percent(level)} interval. On the last day ${lift(last.lift)}, ${interval(last.lift_ci, lift)}.`} />
    </details>
  );
}
