// What a run of "off-policy" found: would the other policy have won, by how much, and when not to believe it.
import { Chart } from "../chart.jsx";
import { count, fixed, percent, plural } from "../format.js";
import { drawEstimates, estimatesHeight, NAMES, written } from "./estimates.js";

const policy = { uniform: "every document alike", logged: "the policy that was logged" };
const verdicts = {
  better: { word: "It would have won", tone: "good" },
  worse: { word: "It would have lost", tone: "bad" },
  unknown: { word: "This log cannot tell", tone: "waits" },
};

export function OffPolicy({ result }) {
  const v = verdicts[result.would_have_been], main = result.estimates.find((e) => e.name === result.primary), d = main.difference, digits = Math.abs(d.value) < 0.1 ? 4 : 3;
  const spoken = result.estimates.map((e) => `${NAMES[e.name]} ${written(e)}`).join("; ");
  return (
    <section class="card figure" aria-labelledby="estimates">
      <h2 id="estimates" class={`tone-${v.tone}`}>{v.word}</h2>
      <p>{result.model ? `What ${result.model} would have shown` : `Showing ${policy[result.target]}`}: {fixed(Math.abs(d.value), digits)} a decision {d.value < 0 ? "less" : "more"} than what was served ({percent(result.level)} of the difference: {fixed(d.low, digits)} to {fixed(d.high, digits)}), by {NAMES[result.primary]}.</p>
      {result.warnings.length > 0 && <ul class="off-policy-warnings">{result.warnings.map((w) => <li key={w}><span aria-hidden="true">{"\u26a0"}</span> {w}.</li>)}</ul>}
      <Chart draw={(width) => drawEstimates(result, width)} height={() => estimatesHeight(result.estimates)} inputs={[spoken]} label={`Served: ${fixed(result.served.value, 4)}. ${spoken}`} />
      <p class="quiet">{plural(result.decisions, "decision")} of {plural(result.units, "unit")}, whose rows belong together{result.left_out > 0 && `; ${count(result.left_out)} more of which the other policy says nothing`}. Effective sample size {count(result.effective_sample_size)}, largest weight {fixed(result.max_weight, 1)}, mean weight {fixed(result.mean_weight.value, 3)} ({fixed(result.mean_weight.expected, 3)} is expected).</p>
      <details>
        <summary>All estimates</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label="All estimates">
          <table class="jobs-table"><thead><tr><th scope="col">Estimate</th><th scope="col" class="n">Value</th><th scope="col" class="n">By bootstrap</th><th scope="col" class="n">Difference to what was served</th></tr></thead>
            <tbody>{result.estimates.map((e) => (
              <tr key={e.name}><th scope="row">{NAMES[e.name]}</th>
                <td data-label="Value" class="n"><span class="main">{written(e)}</span></td>
                <td data-label="By bootstrap" class="n"><span class="main">{e.bootstrap_low === undefined ? "" : `${fixed(e.bootstrap_low, 4)} to ${fixed(e.bootstrap_high, 4)}`}</span></td>
                <td data-label="Difference" class="n"><span class="main">{written(e.difference)}</span></td></tr>))}</tbody></table>
        </div>
      </details>
    </section>
  );
}
