// What a version of kind "clicks" found: how well each model foretells clicks that it has not seen, and how positions are looked at.
import { Chart } from "../chart.jsx";
import { fixed, NONE } from "../format.js";
import { useLoad } from "../load.js";
import { Failure, Loading } from "../states.jsx";
import { getSection } from "./api.js";
import { clicksHeight, drawClicks, drawn, lookedRows, perplexityRows, ranked, swapRows, titles } from "./clicks.js";

export function ClickModels({ name, version }) {
  const { data: models, error, reload } = useLoad(() => getSection(name, version, "models"), () => true, [name, version]);
  if (!models) return error ? <Failure error={error} reload={reload} what={name} kind="model" show="Show the click models" /> : <Loading />;
  const perplexity = perplexityRows(models), looked = lookedRows(models), measured = swapRows(models);
  return (
    <>
      {perplexity.length > 0 && (
        <Curves id="perplexity" title="Perplexity at each position" rows={perplexity} measured={[]} series={drawn(models)} digits={3}
          note="On searches that nothing was learned from. 1: every click foretold; less is better." />
      )}
      <Curves id="looked" title="How much more rarely a position is looked at" rows={looked} measured={measured} series={drawn(models).filter((s) => s.model !== "dctr")} digits={2} zero
        note={`As a share of the first position; what clicks are corrected by.${measured.length ? " Points: measured where the order was drawn at random, with 95 % intervals." : ""}`} />
      <section class="card" aria-labelledby="click-models">
        <h2 id="click-models">Click models of version {version}</h2>
        <Table models={models} />
      </section>
    </>
  );
}

function Curves({ id, title, note, rows, measured, series, digits, zero = false }) {
  const spoken = series.map((s) => `${s.model}: ${rows.filter((r) => r.model === s.model).map((r) => fixed(r.value, digits)).join(", ")}`).join("; ");
  return (
    <section class="card figure" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <p class="quiet">{note}</p>
      <ul class="curve-legend">{series.map((s) => <li key={s.model}><svg width="26" height="8" aria-hidden="true"><line x1="0" x2="26" y1="4" y2="4" stroke={s.ink} stroke-width="2.5" stroke-dasharray={s.dash} /></svg> {s.model}</li>)}</ul>
      <Chart draw={(width) => drawClicks(rows, measured, digits, zero, width)} height={clicksHeight} inputs={[spoken, measured.length]} label={`${title}, by model. ${spoken}`} />
    </section>
  );
}

const number = (x, digits = 4) => (x === null || x === undefined ? NONE : fixed(x, digits));
const between = (low, high, digits = 4) => (low === null || low === undefined ? "" : `${fixed(low, digits)} to ${fixed(high, digits)}`);

function Table({ models }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Click models">
      <table class="jobs-table">
        <thead><tr><th scope="col">Model</th><th scope="col" class="n">Perplexity</th><th scope="col" class="n">Log-likelihood per document</th><th scope="col">Learned</th></tr></thead>
        <tbody>{ranked(models).map((m) => <Row key={m} name={m} m={models[m]} chosen={m === models.chosen} />)}</tbody>
      </table>
    </div>
  );
}

function Row({ name, m, chosen }) {
  return (
    <tr class={chosen ? "is-champion" : ""}>
      <th scope="row">{name} {chosen && <span class="badge">relevance is its</span>}<span class="under">{titles[name]}</span></th>
      <td data-label="Perplexity" class="n"><span class="main">{number(m.perplexity)}<span class="under">{between(m.perplexity_low, m.perplexity_high, 3)}</span></span></td>
      <td data-label="Log-likelihood" class="n"><span class="main">{number(m.loglikelihood)}<span class="under">{between(m.loglikelihood_low, m.loglikelihood_high, 3)}</span></span></td>
      <td data-label="Learned"><span class="main">{m.iterations ? `${m.iterations} iterations${m.converged ? "" : ", not converged"}` : "by counting"}</span></td>
    </tr>
  );
}
