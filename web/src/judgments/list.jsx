// The judgment sets: where each is from, how much it has, which grades.
import { useEffect, useState } from "preact/hooks";
import { go, Link } from "../app.jsx";
import { count, fixed, instant, plural } from "../format.js";
import { Outcome, useAction } from "../jobs/action.jsx";
import { useLoad } from "../load.js";
import { Failure, Loading, Stale } from "../states.jsx";
import { getSets, makeSet } from "./api.js";
import { Grades } from "./figures.jsx";
import { Import } from "./files.jsx";
import { grade, kappaWord, sources } from "./words.js";

export function Judgments() {
  const { data, error, reload } = useLoad(getSets, () => false, []);
  useEffect(() => void (document.title = "Judgments \u00b7 experimentd"), []);
  if (!data) return error ? <Failure error={error} reload={reload} show="Show judgments" /> : <Loading />;
  return (
    <>
      <div class="head">
        <h1>Judgments</h1>
        <p class="quiet">What a document is worth to who searches for something: graded by people, brought from another tool, or made of clicks. Rankings are measured by them and rankers learn from them.</p>
      </div>
      <Stale error={error} reload={reload} />
      {data.length === 0 ? <First /> : <ul class="model-list judgment-list">{data.map((s) => <li key={s.name}><Card set={s} /></li>)}</ul>}
      <Import kind="judgments" done={(name) => (data.length ? reload() : go(`/judgments/${encodeURIComponent(name)}`))} />
      <New />
    </>
  );
}

function Card({ set: s }) {
  const t = s.tally, a = s.spec.agreement;
  return (
    <article class="card model-card">
      <div class="model-head">
        <h2><Link to={`/judgments/${encodeURIComponent(s.name)}`}>{s.name}</Link></h2>
        <span class="badge">{sources[s.source] ?? s.source}</span>
      </div>
      <p>{plural(t.judgments ?? 0, "judgment")} <span class="quiet">of {plural(t.documents ?? 0, "document")} for {plural(t.queries ?? 0, "query", "queries")}</span></p>
      <Grades tally={t} />
      {a?.pairs > 0 && a.kappa !== null && <p>Clicks and people: kappa <strong>{fixed(a.kappa, 2)}</strong> <span class="quiet">{kappaWord(a.kappa)}, {plural(a.conflicts, "conflict")}</span></p>}
      <p class="quiet">{t.unjudged > 0 && `${count(t.unjudged)} still to judge. `}{s.description} Grades 0 to {grade(s.max_grade)}. Changed {instant(s.updated_at)}.</p>
    </article>
  );
}

function New() {
  const [name, setName] = useState(""), [max, setMax] = useState("3"), [description, setDescription] = useState("");
  const action = useAction();
  const save = async (event) => {
    event.preventDefault();
    if (await action.act(() => makeSet({ name, description, max_grade: Number(max) }))) go(`/judgments/${encodeURIComponent(name)}`);
  };
  return (
    <details class="card add">
      <summary>Begin a set by hand</summary>
      <form class="filters" onSubmit={save}>
        <div class="word"><label for="new-name">Name</label><input id="new-name" required autocomplete="off" value={name} onInput={(e) => setName(e.target.value)} /></div>
        <div class="word"><label for="new-max">Highest grade</label><input id="new-max" type="number" required min="1" max="10" value={max} onInput={(e) => setMax(e.target.value)} /></div>
        <div class="word"><label for="new-description">Description</label><input id="new-description" autocomplete="off" value={description} onInput={(e) => setDescription(e.target.value)} /></div>
        <button type="submit" disabled={action.busy}>Begin</button>
      </form>
      <Outcome action={action} what="Not begun" reload={() => {}} />
    </details>
  );
}

function First() {
  return (
    <section class="card help">
      <h2>No judgments yet</h2>
      <p>Bring those that you have in Quepid, the Search Relevance Workbench or a file, grade by hand, or let a job make them of what was shown and clicked:</p>
      <pre tabIndex={0}><code>build/trainer run judgments --data-dir DIR --param method=coec</code></pre>
    </section>
  );
}
