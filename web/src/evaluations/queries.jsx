// Query by query: the values of two searches, and their lists side by side with what moved, what is new and what nobody judged.
import { useEffect, useState } from "preact/hooks";
import { plural } from "../format.js";
import { getQueries } from "./api.js";
import { metricWord, moves, moveWord, score, signed } from "./words.js";

const PAGE = 20;
const orders = (a, b) => [...(b ? [["gain", `${b} gains most`], ["loss", `${b} loses most`]] : [["low", "Lowest first"]]), ["holes", "Most holes"], ["position", "As in the set"]];

export function Queries({ e, a, b, metric }) {
  const [sort, setSort] = useState(metric ? (b ? "loss" : "low") : "position"), [search, setSearch] = useState("");
  const [state, setState] = useState({ rows: null, total: 0, next: null, error: null });
  const asked = { a, b, metric: metric ?? undefined, sort, search, limit: PAGE };
  const load = async (token) => {
    try {
      const got = await getQueries(e.id, { ...asked, page_token: token });
      setState((old) => ({ rows: token ? [...old.rows, ...got.queries] : got.queries, total: got.total, next: got.next_page_token, error: null }));
    } catch (error) {
      setState((old) => ({ ...old, error }));
    }
  };
  useEffect(() => void load(null), [a, b, metric, sort, search]);
  const place = metric ? e.metrics.indexOf(metric) : -1;
  return (
    <section class="card" aria-labelledby="queries">
      <div class="figure-head"><h2 id="queries">Queries</h2>
        <span class="choices"><label class="choice">Order <select value={sort} onChange={(x) => setSort(x.currentTarget.value)}>{orders(a, b).map(([key, word]) => <option key={key} value={key}>{word}</option>)}</select></label>
          <label class="choice">Find <input type="search" value={search} onInput={(x) => setSearch(x.currentTarget.value)} size={12} /></label></span></div>
      {state.error && <p class="notice warn" role="alert">The queries did not come: {state.error.message}</p>}
      {state.rows?.length === 0 && <p class="quiet">No query fits.</p>}
      <ul class="query-list">{state.rows?.map((q) => <li key={q.position}><Query q={q} a={a} b={b} place={place} metric={metric} /></li>)}</ul>
      {state.next && <button type="button" onClick={() => load(state.next)}>Show more of {plural(state.total, "query", "queries")}</button>}
    </section>
  );
}

const valueOf = (list, place) => (place < 0 ? null : list?.metrics?.[place] ?? null);

function Query({ q, a, b, place, metric }) {
  const x = valueOf(q.a, place), y = valueOf(q.b, place), d = x === null || y === null ? null : y - x;
  const kind = d === null || d === 0 ? "none" : d > 0 ? "better" : "worse";
  return (
    <details class="query">
      <summary>
        <span class="query-text">{q.query}</span>
        <span class="query-numbers">
          {metric && <><span class="quiet">{metricWord(metric)}</span> {b ? <>{score(x)} {"\u2192"} {score(y)} <strong class={`outcome ${kind}`}>{signed(d)}</strong></> : <strong>{score(x)}</strong>}</>}
          {!q.judged && metric && <span class="quiet">nothing is judged</span>}
          {(q.a.error || q.b?.error) && <span class="bad">failed</span>}
        </span>
      </summary>
      <div class={b ? "two lists" : "lists"}>
        <List name={a} list={q.a} rows={moves(b ? q.b : null, q.a)} turn={b ? -1 : 0} judged={q.judged > 0} />
        {b && <List name={b} list={q.b} rows={moves(q.a, q.b)} turn={1} judged={q.judged > 0} />}
      </div>
    </details>
  );
}

/** `turn`: 1 shows what moved against the other list, -1 what is not in it. */
function List({ name, list, rows, turn, judged }) {
  return (
    <div>
      <h3>{name}</h3>
      {list?.error && <p class="bad">{list.error}</p>}
      {!list?.error && rows.length === 0 && <p class="quiet">Nothing was found.</p>}
      <ol class="docs">{rows.map((r) => (
        <li key={r.doc} class={r.before === null && turn ? (turn > 0 ? "is-new" : "is-gone") : ""}>
          <span class="rank" aria-hidden="true">{r.rank}</span><span class="doc">{r.doc}</span>
          <span class="move quiet">{turn > 0 ? moveWord(r) : turn < 0 && r.before === null ? "gone" : ""}</span>
          <Grade grade={r.grade} judged={judged} />
        </li>))}</ol>
    </div>
  );
}

function Grade({ grade, judged }) {
  if (!judged) return null;
  return grade === null ? <span class="grade hole" title="nobody judged it">?<span class="visually-hidden"> not judged</span></span> : <span class={`grade${grade > 0 ? " is-relevant" : ""}`}>{Number.isInteger(grade) ? grade : grade.toFixed(1)}<span class="visually-hidden"> is its grade</span></span>;
}
