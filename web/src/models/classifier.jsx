// A version of a classifier: what it takes for what, how sure it may be, and how good it is label by label.
import { Chart } from "../chart.jsx";
import { count, fixed, percent, plural } from "../format.js";
import { confusionHeight, confusionRows, drawConfusion, drawReliability, mistakes, reliabilityHeight } from "./confusion.js";
import { isChampion } from "./words.js";

/** Of the champion, or of the newest that was judged. */
export function Classifier({ versions }) {
  const shown = [versions.find(isChampion), ...versions].find((v) => v?.metrics?.confusion);
  if (!shown) return null;
  const m = shown.metrics;
  return (
    <>
      <Confusion version={shown.version} m={m} />
      <Reliability m={m} />
      <section class="card" aria-labelledby="labels">
        <h2 id="labels">Label by label</h2>
        <Labels classes={m.classes} />
        {m.training.labels_left_out > 0 && <p class="quiet">{plural(m.training.labels_left_out, "label")} with too few texts {m.training.labels_left_out === 1 ? "is" : "are"} left out.</p>}
      </section>
    </>
  );
}

function Confusion({ version, m }) {
  const cells = confusionRows(m.confusion), wrong = mistakes(cells), t = m.training;
  const spoken = wrong.map((c) => `${c.label.replace(/^\d+ /, "")} taken for ${c.of} ${fixed(c.n, 0)} times`).join("; ");
  return (
    <section class="card figure" aria-labelledby="confusion">
      <h2 id="confusion">What version {version} takes for what</h2>
      <p class="quiet">{count(t.judged)} texts that it has not seen, each in the row of what it is. {count(t.trained)} were trained on: {plural(t.labels, "label")}, {plural(t.features, "n-gram")}{t.converged ? "" : "; it did not converge: give it more iterations"}.</p>
      <Chart draw={(width) => drawConfusion(cells, width)} height={() => confusionHeight(cells)} inputs={[version, cells.map((c) => c.n).join()]} label={`Confusion of labels. ${spoken || "No mistakes"}`} />
      {wrong.length > 0 && <ul class="quiet">{wrong.slice(0, 3).map((c) => <li key={`${c.label} ${c.said}`}>{c.label.replace(/^\d+ /, "")} taken for {c.of}: {fixed(c.n, 0)} ({percent(c.share)})</li>)}</ul>}
    </section>
  );
}

function Reliability({ m }) {
  const spoken = m.reliability.map((b) => `said ${percent(b.probability)}, right ${percent(b.accuracy)}`).join("; ");
  return (
    <section class="card figure" aria-labelledby="reliability">
      <h2 id="reliability">How sure it may be</h2>
      <p class="quiet">On the dashed line its probabilities can be taken at their word; below it they promise too much. Larger points are more texts. Mean distance, the expected calibration error: {fixed(m.ece?.value, 3)}.</p>
      <Chart draw={(width) => drawReliability(m.reliability, width)} height={reliabilityHeight} inputs={[spoken]} label={`Calibration: ${spoken}`} />
    </section>
  );
}

function Labels({ classes }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Labels">
      <table class="jobs-table">
        <thead><tr><th scope="col">Label</th><th scope="col" class="n">F1</th><th scope="col" class="n">Precision</th><th scope="col" class="n">Recall</th><th scope="col" class="n">Trained on</th><th scope="col" class="n">Judged by</th></tr></thead>
        <tbody>{classes.map((c) => (
          <tr key={c.label}>
            <th scope="row">{c.label}</th>
            <td data-label="F1" class="n"><span class="main">{fixed(c.f1, 3)}</span></td>
            <td data-label="Precision" class="n"><span class="main">{fixed(c.precision, 3)}</span></td>
            <td data-label="Recall" class="n"><span class="main">{fixed(c.recall, 3)}</span></td>
            <td data-label="Trained on" class="n"><span class="main">{count(c.trained)}</span></td>
            <td data-label="Judged by" class="n"><span class="main">{fixed(c.judged, 0)}</span></td>
          </tr>))}</tbody>
      </table>
    </div>
  );
}
