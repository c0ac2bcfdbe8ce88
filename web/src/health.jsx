// Can an experiment be believed: what alarms first, with what to do; then every check with its numbers. All of it is the daemon's.
import { getHealth } from "./api.js";
import { count, fixed, p, plural, variantNames } from "./format.js";
import { useLoad } from "./load.js";

const states = {
  alarm: { word: "alarm", sign: "!" },
  warning: { word: "warning", sign: "\u25b2" },
  ok: { word: "ok", sign: "\u2713" },
  not_enough_data: { word: "not enough data", sign: "\u2026" },
};
const TITLES = { alarm: "Something is wrong", warning: "Something to look at", ok: "Nothing speaks against it", not_enough_data: "Too little to tell" };

export function Health({ experiment }) {
  const running = () => experiment.status === "running";
  const { data, error, reload } = useLoad(() => getHealth(experiment.key), running, [experiment.key, experiment.version]);
  if (error && !data)
    return <p class="notice warn" role="status">Health is not known: {error.message}. <button type="button" class="plain" onClick={reload}>Try again</button></p>;
  if (!data) return (
    <section class="card health" aria-busy="true" aria-labelledby="health"><h2 id="health">Health</h2>
      <p class="quiet" role="status">Checking whether it can be believed…</p></section>);
  const isLoud = (f) => f.state === "alarm" || f.state === "warning";
  const loud = data.findings.filter(isLoud), quiet = data.findings.filter((f) => !isLoud(f));
  return (
    <section class={`card health health-${data.state}`} aria-labelledby="health">
      <h2 id="health">Health: {(TITLES[data.state] ?? data.state).toLowerCase()}</h2>
      <p class="quiet">{summary(data.findings)}</p>
      {loud.map((f) => <Loud key={f.check} finding={f} experiment={experiment} />)}
      <details>
        <summary>{loud.length ? `The other ${plural(quiet.length, "check")}` : `All ${quiet.length} checks`}</summary>
        <ul class="checks">{quiet.map((f) => <Check key={f.check} finding={f} experiment={experiment} />)}</ul>
        <p class="quiet">An alarm is p below {data.alarm_below}, a warning below {data.warning_below}; where a check looks at many things, p is adjusted for all of them (Holm).</p>
      </details>
    </section>
  );
}

function summary(findings) {
  const of = (state) => findings.filter((f) => f.state === state).length;
  return [["alarm", "alarm"], ["warning", "warning"], ["ok", "sound"], ["not_enough_data", "without enough data"]]
    .map(([state, word]) => [of(state), word]).filter(([n]) => n)
    .map(([n, word]) => (word === "alarm" || word === "warning" ? plural(n, word) : `${n} ${word}`)).join(", ") + ".";
}

function State({ state }) {
  const s = states[state] ?? states.not_enough_data;
  return <span class={`state state-${state}`}><span aria-hidden="true">{s.sign}</span> {s.word}</span>;
}

/** No alert: what spoils the numbers is in the verdict above, and stands there first. */
function Loud({ finding: f, experiment }) {
  return (
    <div class={`finding finding-${f.state}`}>
      <h3><State state={f.state} /> {f.name}</h3>
      <p>{f.text}</p>
      <p class="quiet">{f.means}</p>
      <p><strong>What to do:</strong> {f.todo}</p>
      <Rows finding={f} experiment={experiment} />
    </div>
  );
}

function Check({ finding: f, experiment }) {
  return (
    <li>
      <p class="check-head"><State state={f.state} /> <strong>{f.name}</strong></p>
      <p>{f.text}</p>
      <p class="quiet">{f.means}</p>
      {f.state === "ok" && f.rows.length > 1 && <Rows finding={f} experiment={experiment} />}
    </li>
  );
}

/** The rows of a check, the smallest p first: counts beside what the weights ask for, or a value with its standard error. */
function Rows({ finding: f, experiment }) {
  if (f.rows.length === 0) return null;
  const names = variantNames(experiment), counts = f.rows[0].observed;
  const title = `${f.name}, numbers`;
  return (
    <details>
      <summary>Numbers</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label={title}>
        <table class="plain-table">
          <thead><tr>
            <th scope="col">Of</th>
            {counts ? experiment.variants.map((v) => <th key={v.key} scope="col" class="n">{names.get(v.key)}</th>)
              : <><th scope="col" class="n">Value</th><th scope="col" class="n">Standard error</th></>}
            <th scope="col" class="n">p</th><th scope="col" class="n">Adjusted p</th>
          </tr></thead>
          <tbody>{f.rows.map((r) => (
            <tr key={r.of}>
              <th scope="row">{r.of || "all units"}</th>
              {counts ? r.observed.map((n, i) => <td key={i} class="n">{count(n)} <span class="under">of {count(r.expected[i])}</span></td>)
                : <><td class="n">{fixed(r.value, 4)}</td><td class="n">{fixed(r.se, 4)}</td></>}
              <td class="n">{p(r.p, r.log10_p)}</td><td class="n">{p(r.adjusted_p)}</td>
            </tr>))}</tbody>
        </table>
      </div>
    </details>
  );
}
