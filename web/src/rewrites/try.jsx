// What becomes of a query, step by step, by the version that is served.
import { useEffect, useState } from "preact/hooks";
import { Link } from "../app.jsx";
import { percent } from "../format.js";
import { Failure } from "../states.jsx";
import { rewriteQuery } from "./api.js";
import { Change } from "./item.jsx";
import { types, typeWord } from "./words.js";

const TYPING_MS = 200;
const asked = () => new URLSearchParams(location.search).get("q") ?? "";

export function Try() {
  const [q, setQ] = useState(asked);
  const [without, setWithout] = useState(() => new Set());
  const [answer, setAnswer] = useState(null);
  const [error, setError] = useState(null);
  const [round, setRound] = useState(0);
  useEffect(() => void (document.title = "Try it \u00b7 Rewrites \u00b7 experimentd"), []);
  useEffect(() => {
    let wanted = true;
    const ask = () => rewriteQuery(q, without.size ? { types: Object.keys(types).filter((t) => !without.has(t)).join(",") } : {})
      .then((found) => wanted && (setAnswer(found), setError(null)), (failed) => wanted && setError(failed));
    history.replaceState(null, "", q ? `/rewrites/try?q=${encodeURIComponent(q)}` : "/rewrites/try");
    if (!q.trim()) return setAnswer(null);
    const timer = setTimeout(ask, TYPING_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [q, without, round]);
  const toggle = (type) => {
    const next = new Set(without);
    if (!next.delete(type)) next.add(type);
    setWithout(next);
  };
  return (
    <>
      <section class="card" aria-labelledby="query">
        <h2 id="query" class="visually-hidden">Query</h2>
        <form class="try" onSubmit={(event) => event.preventDefault()}>
          <label for="q">A query</label>
          <input id="q" type="search" autocomplete="off" autocapitalize="off" spellcheck={false} placeholder="cheap ipone case" value={q} onInput={(e) => setQ(e.target.value)} />
        </form>
        <fieldset class="ticks try-steps"><legend class="visually-hidden">Steps</legend>{Object.entries(types).map(([type, t]) => (
          <label key={type} class="tick"><input type="checkbox" checked={!without.has(type)} onChange={() => toggle(type)} /> {t.word}</label>))}</fieldset>
      </section>
      {error ? <Failure error={error} reload={() => setRound(round + 1)} show="Try it" /> : answer && <Answer answer={answer} />}
    </>
  );
}

/** Steps of one type belong together. */
function grouped(steps) {
  const groups = [];
  for (const step of steps)
    if (groups[groups.length - 1]?.type === step.type) groups[groups.length - 1].steps.push(step);
    else groups.push({ type: step.type, steps: [step] });
  return groups;
}

function Answer({ answer: a }) {
  return (
    <>
      <section class="card" aria-labelledby="steps">
        <h2 id="steps">What was done</h2>
        <p class="quiet">{a.version === null ? "Nothing is published yet: every query stays as it is." : <>By <Link to={`/models/${encodeURIComponent(a.model)}`}>{a.model}</Link>, version {a.version}.</>}</p>
        <ol class="steps">
          <li><p class="step-query">{a.query}</p></li>
          {grouped(a.steps).map((g) => <Group key={g.type} group={g} />)}
        </ol>
        {a.steps.length === 0 && <p class="quiet">No rule applies.</p>}
      </section>
      <section class="card" aria-labelledby="searched">
        <h2 id="searched">What is searched</h2>
        <ol class="terms">{a.terms.map((t, i) => (
          <li key={i}><span class={`term ${t.phrase ? "is-phrase" : ""}`}>{t.phrase ? <q>{t.text}</q> : t.text}</span>
            {t.synonyms.map((s) => <span key={s.text} class="term is-synonym"><span class="quiet">or</span> {s.text}</span>)}</li>))}</ol>
        <pre tabIndex={0} class="expanded"><code>{a.expanded}</code></pre>
      </section>
    </>
  );
}

function Group({ group: g }) {
  const last = g.steps[g.steps.length - 1], adds = g.type === "phrase" || g.type === "synonym";
  return (
    <li>
      <h3>{typeWord(g.type)}</h3>
      <ul class="plain-list">{g.steps.map((s, i) => (
        <li key={i} class="step"><Change type={s.type} input={s.input} output={s.output} both={false} />
          <span class="quiet"> {"\u00b7"} rule {s.rule}, {s.source === "manual" ? "by hand" : `confidence ${percent(s.confidence)}`}</span></li>))}</ul>
      {!adds && <p class="step-query">{last.query}</p>}
    </li>
  );
}
