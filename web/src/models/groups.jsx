// What a model of kind "clusters" found: its groups by size with their labels, the documents of one, and where a text belongs.
import { useEffect, useState } from "preact/hooks";
import { count, fixed, percent } from "../format.js";
import { useLoad } from "../load.js";
import { Failure, Loading } from "../states.jsx";
import { predict } from "./api.js";
import { groupWord } from "./words.js";

const PAGE = 20, TYPING_MS = 250;

export function Groups({ name, version }) {
  const { data, error, reload } = useLoad(() => predict(name, [{ clusters: true }]).then(([a]) => a.clusters.filter((g) => g.documents > 0)), () => true, [name, version]);
  const [chosen, setChosen] = useState(null);
  if (!data) return error ? <Failure error={error} reload={reload} what={name} kind="model" show="Show the groups" /> : <Loading />;
  const open = chosen ?? data[0]?.cluster;
  return (
    <section class="card" aria-labelledby="groups">
      <h2 id="groups">Groups</h2>
      <p class="quiet">By size, with the words that tell each from the others. Choose one to see its documents.</p>
      <Place name={name} choose={setChosen} />
      <div class="groups">
        <Sizes groups={data} open={open} choose={setChosen} />
        {open && <Documents key={open} name={name} group={data.find((g) => g.cluster === open)} cluster={open} />}
      </div>
    </section>
  );
}

/** Bars that can be chosen: the figure of this view. */
function Sizes({ groups, open, choose }) {
  const most = Math.max(...groups.map((g) => g.documents));
  return (
    <ol class="group-sizes" aria-label="Groups by size">{groups.map((g) => (
      <li key={g.cluster}>
        <button type="button" class={`group-row${g.outlier ? " is-outlier" : ""}`} aria-pressed={g.cluster === open} onClick={() => choose(g.cluster)}>
          <span class="group-name">{groupWord(g)}</span>
          <span class="group-labels">{g.labels.join(", ")}</span>
          <span class="group-bar" aria-hidden="true"><span style={{ width: `${(100 * g.documents) / most}%` }} /></span>
          <span class="group-count">{count(g.documents)}<span class="quiet"> {percent(g.share)}</span></span>
        </button>
      </li>))}</ol>
  );
}

function Documents({ name, group, cluster }) {
  const [n, setN] = useState(PAGE);
  const { data, error, reload } = useLoad(() => predict(name, [{ cluster, n }]).then(([a]) => a), () => true, [name, cluster, n]);
  return (
    <div class="group-documents" aria-live="polite">
      <h3>{groupWord({ ...group, cluster })}{group?.labels.length > 0 && `: ${group.labels.slice(0, 3).join(", ")}`}</h3>
      {error ? <Failure error={error} reload={reload} show="Show the documents" /> : !data ? <Loading /> : (
        <>
          <p class="quiet">{count(data.documents)} documents, nearest to the centre first; distance is 1 − cosine.</p>
          <ol class="group-list">{data.docs.map((d) => <li key={d.doc}><span class="doc">{d.doc}</span><span class="n">{fixed(d.distance, 2)}</span></li>)}</ol>
          {data.docs.length < data.documents && data.docs.length === n && n < 1000 && <button type="button" onClick={() => setN(Math.min(1000, n * 3))}>Show more</button>}
        </>)}
    </div>
  );
}

/** Where a text belongs that was never seen. */
function Place({ name, choose }) {
  const [text, setText] = useState("");
  const [answer, setAnswer] = useState(null);
  const [error, setError] = useState(null);
  useEffect(() => {
    let wanted = true;
    if (!text.trim()) return setAnswer(null);
    const timer = setTimeout(() => predict(name, [{ text }]).then(([a]) => wanted && (setAnswer(a), setError(null), a.cluster && choose(a.cluster)), (failed) => wanted && setError(failed)), TYPING_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [text, name]);
  return (
    <form class="ask-form group-try" onSubmit={(event) => event.preventDefault()}>
      <label for="group-text">Where does a text belong?</label>
      <input id="group-text" type="search" autocomplete="off" value={text} onInput={(e) => setText(e.target.value)} />
      <p class="quiet" role="status">{error ? error.message : answer && (answer.cluster === null ? "It has nothing in common with any group." : <>Nearest: <strong>{groupWord(answer)}</strong> {answer.labels.slice(0, 3).join(", ")}, distance {fixed(answer.distance, 2)}</>)}</p>
    </form>
  );
}
