// Two small figures: how often each grade was given, and how grades of clicks stand to those of people.
import { count, fixed, plural } from "../format.js";
import { grade, kappaWord } from "./words.js";

const barWord = (g) => (g.from === g.to ? grade(g.from) : `${grade(g.from)} to ${grade(g.to)}`);
/** Of a part of the scale where it begins: there is no room for more. */
const below = (g) => (g.from === g.to ? grade(g.from) : fixed(g.from, g.to < 10 ? 1 : 0));

/** A bar a grade, or a part of the scale, with its words below and its count above. */
export function Grades({ tally }) {
  const bars = tally.grades ?? [], most = Math.max(1, ...bars.map((g) => g.count));
  if (bars.length === 0) return <p class="quiet">No grade yet</p>;
  return (
    <ol class={`grade-bars ${bars.some((g) => g.from !== g.to) ? "is-binned" : ""}`} aria-label="How often each grade was given">
      {bars.map((g) => (
        <li key={g.from} title={`grade ${barWord(g)}: ${plural(g.count, "judgment")}`}>
          <span class="quiet" aria-hidden="true">{count(g.count)}</span>
          <span class="grade-bar" style={{ height: `${Math.max(2, (44 * g.count) / most)}px` }} aria-hidden="true" />
          <span class="grade-word"><span aria-hidden="true">{below(g)}</span><span class="visually-hidden">{barWord(g)}: {count(g.count)}</span></span>
        </li>))}
    </ol>
  );
}

/** Rows: what people say; columns: what clicks say. The diagonal is agreement. */
export function Agreement({ agreement: a }) {
  if (!a?.pairs) return null;
  const most = Math.max(1, ...a.table.flat());
  return (
    <section class="card" aria-labelledby="agreement">
      <h2 id="agreement">Do clicks agree with people?</h2>
      <p>{plural(a.pairs, "document")} judged by both. {a.kappa !== null && <>Weighted kappa <strong>{fixed(a.kappa, 2)}</strong> ({kappaWord(a.kappa)}). </>}
        {a.tau !== null && <>Order within queries: tau <strong>{fixed(a.tau, 2)}</strong>.</>}</p>
      {a.table.length > 0 && (
        <div class="scroll"><table class="agree">
          <caption class="visually-hidden">Documents by the grade that people gave (rows) and that clicks gave (columns)</caption>
          <thead>
            <tr><td /><th scope="colgroup" colSpan={a.table.length}>clicks say</th></tr>
            <tr><th scope="col" class="agree-side">people say</th>{a.table.map((_, j) => <th key={j} scope="col">{j}</th>)}</tr>
          </thead>
          <tbody>{a.table.map((row, i) => (
            <tr key={i}><th scope="row">{i}</th>
              {row.map((n, j) => <td key={j} class={`agree-cell ${i === j ? "is-same" : ""}`} title={`people ${i}, clicks ${j}: ${plural(n, "document")}`}>
                <span class="agree-ground" style={{ opacity: n ? 0.12 + (0.5 * n) / most : 0 }} aria-hidden="true" /><span class="agree-n">{n || "\u00b7"}</span></td>)}
            </tr>))}</tbody>
        </table></div>)}
    </section>
  );
}
