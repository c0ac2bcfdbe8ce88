// The words at the head of a result: verdict, simulated data, sample ratio mismatch, and who was left out.
import { count, p, plural, variantNames } from "./format.js";

export const verdictWords = {
  better: { title: "Better", sign: "\u25b2" },
  worse: { title: "Worse", sign: "\u25bc" },
  no_difference: { title: "No difference", sign: "\u25cf" },
  unhealthy: { title: "Unhealthy", sign: "!" },
  not_yet: { title: "Not yet", sign: "\u2026" },
  no_data: { title: "No verdict yet", sign: "\u2026" },
};

export const decisionWords = { ship: "ship", roll_back: "roll back", keep_running: "keep running", cannot_tell: "cannot tell", unhealthy: "do not decide yet" };

/** What to do, by the rule, which is written out. */
function Decision({ decision: d, experiment }) {
  if (!d) return null;
  const names = variantNames(experiment), many = d.variants.length > 1;
  return (
    <div class={`decision decision-${d.kind}`}>
      <p><strong>Decision.</strong> {d.text}</p>
      {d.variants.some((v) => v.rule.length > 0) && (
        <details>
          <summary>The rule, as it stands</summary>
          {d.variants.map((v) => (
            <div key={v.variant}>
              {many && <h3>{names.get(v.variant)}: {decisionWords[v.kind] ?? v.kind}</h3>}
              <ul class="rule">{v.rule.map((c) => (
                <li key={c.condition} class={c.met === "yes" ? "met" : "open"}><span aria-hidden="true">{c.met === "yes" ? "\u2713" : "\u2717"}</span>
                  <span><span class="visually-hidden">{c.met === "yes" ? "Met: " : "Not met: "}</span>{c.text}</span></li>))}</ul>
            </div>))}
        </details>)}
    </div>
  );
}

export function Verdict({ verdict, analysis, decision, experiment }) {
  const words = verdictWords[verdict.state] ?? verdictWords.no_data;
  return (
    <section class={`card verdict verdict-${verdict.state}`} aria-labelledby="verdict">
      <span class="sign" aria-hidden="true">{words.sign}</span>
      <div>
        <h2 id="verdict">{words.title}</h2>
        <p class="verdict-text">{verdict.text}</p>
        <Decision decision={decision} experiment={experiment} />
        {verdict.state !== "no_data" && analysis?.text && <p class="quiet">{analysis.text}</p>}
      </div>
    </section>
  );
}

export function SimulatedNotice({ origin }) {
  if (origin !== "simulated") return null;
  return (
    <p class="notice simulated">
      <strong>Simulated data.</strong> These visitors were made by a program whose true effect is known. Nothing here says anything
      about real users.
    </p>
  );
}

const unlikely = (srm) => `p ${srm.p < 1e-300 ? "" : "= "}${p(srm.p, srm.log10_p)}`;

export function SrmBanner({ srm, experiment }) {
  if (!srm?.alarm) return null;
  const names = variantNames(experiment);
  return (
    <section class="notice alarm" role="alert" aria-labelledby="srm">
      <h2 id="srm">Sample ratio mismatch</h2>
      <p>
        {experiment.variants.map((v, i) => `${names.get(v.key)} got ${count(srm.observed[i])} units where its weight asks for ` +
          `${count(srm.expected[i])}`).join("; ")}. A split this uneven has {unlikely(srm)} when assignment and logging work
        (alarm below {srm.threshold}).
      </p>
      <p>{srm.text}</p>
      <p><strong>What to do:</strong> do not act on the figures below. Find out which units are missing, repair it, and start the
        experiment again with a new seed; figures collected with the fault cannot be mended afterwards.</p>
    </section>
  );
}

export function MarkedNotice({ result }) {
  if (!result.marked_units) return null;
  return (
    <p class="notice">
      {plural(result.marked_units, "unit")} marked as bots or internal traffic{" "}
      {result.marked_units === 1 ? "is" : "are"} left out of every figure.
    </p>
  );
}

export function MultipleNotice({ result }) {
  if (!result.multiple_exposures) return null;
  return (
    <p class="notice">
      {plural(result.multiple_exposures, "unit")} saw more than one variant and{" "}
      {result.multiple_exposures === 1 ? "is" : "are"} left out of every figure.
    </p>
  );
}
