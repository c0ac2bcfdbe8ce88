// How many rewrites there are, by type and review: a bar a type, whose parts are buttons that choose them.
import { count, plural } from "../format.js";
import { reviews, types, typeWord } from "./words.js";

export function Counts({ counts, chosen, choose }) {
  const of = (type, review) => counts.find((c) => c.type === type && c.review === review)?.rewrites ?? 0;
  const total = (type) => Object.keys(reviews).reduce((sum, review) => sum + of(type, review), 0);
  const most = Math.max(1, ...Object.keys(types).map(total));
  return (
    <section class="card" aria-labelledby="counts">
      <h2 id="counts">What there is</h2>
      <ul class="legend" aria-label="Reviews">
        {Object.entries(reviews).map(([key, r]) => <li key={key} class={`review-word tone-${r.tone}`}><span aria-hidden="true">{r.sign}</span> {r.word}</li>)}
      </ul>
      <dl class="counts-bars">
        {Object.keys(types).filter(total).map((type) => (
          <div key={type}>
            <dt>{typeWord(type)} <span class="quiet">{count(total(type))}</span></dt>
            <dd><span class="counts-bar" style={{ width: `${Math.max(6, (100 * total(type)) / most)}%` }}>
              {Object.entries(reviews).filter(([review]) => of(type, review)).map(([review, r]) => (
                <button key={review} type="button" class={`counts-part tone-${r.tone} is-${review}`} style={{ flexGrow: of(type, review) }}
                  aria-pressed={chosen.type === type && chosen.review === review} aria-label={`${plural(of(type, review), "rewrite")} of ${typeWord(type)}: ${r.word}`}
                  title={`${r.word}: ${count(of(type, review))}`} onClick={() => choose({ type, review })}>
                  <span aria-hidden="true">{r.sign}{" "}{count(of(type, review))}</span>
                </button>))}
            </span></dd>
          </div>))}
      </dl>
    </section>
  );
}
