// Judgments query by query: the queries on one side, the documents of the chosen one on the other, a button a grade. By keyboard: j and k go through documents,
// n and p through queries, a digit grades and goes on, x takes out.
import { useEffect, useRef, useState } from "preact/hooks";
import { plural } from "../format.js";
import { Outcome, useAction } from "../jobs/action.jsx";
import { useLoad } from "../load.js";
import { Failure, Loading } from "../states.jsx";
import { getQueries, getRatings, putRating, removeRating } from "./api.js";
import { buttons, grade } from "./words.js";

export function Ratings({ set, chosen, choose, changed }) {
  const [filter, setFilter] = useState({ text: "", unjudged: false });
  const [pages, setPages] = useState(1);
  const list = useLoad(() => getQueries(set.name, filter, pages), () => false, [JSON.stringify(filter), pages]);
  const queries = list.data?.queries ?? [], at = queries.findIndex((q) => q.query === chosen);
  const query = chosen ?? queries[0]?.query ?? null;
  const step = (by) => {
    const next = queries[Math.max(0, Math.min((at < 0 ? 0 : at) + by, queries.length - 1))];
    if (next) choose(next.query);
  };
  return (
    <section class="card" aria-labelledby="ratings">
      <h2 id="ratings">Query by query</h2>
      <form class="filters" onSubmit={(e) => e.preventDefault()}>
        <div class="word"><label for="find">Find a query</label><input id="find" type="search" autocomplete="off" value={filter.text} onInput={(e) => void (setFilter({ ...filter, text: e.target.value }), setPages(1), choose(null))} /></div>
        <label class="tick"><input type="checkbox" checked={filter.unjudged} onChange={(e) => void (setFilter({ ...filter, unjudged: e.target.checked }), setPages(1), choose(null))} /> with documents to judge</label>
      </form>
      {!list.data ? (list.error ? <Failure error={list.error} reload={list.reload} show="Show queries" /> : <Loading />) : (
        <div class="by-query">
          <div class="query-side">
            <ul class="query-list" aria-label="Queries">{queries.map((q) => (
              <li key={q.query}><button type="button" class="query-pick" aria-pressed={q.query === query} onClick={() => choose(q.query)}>
                <span>{q.query}</span><span class="quiet">{q.judged < q.documents ? `${q.judged} of ${q.documents}` : plural(q.judged, "grade")}</span></button></li>))}</ul>
            {list.data.more && <button type="button" onClick={() => setPages(pages + 1)}>Show more</button>}
            {queries.length === 0 && <p class="quiet nothing">No query that fits.</p>}
          </div>
          {query !== null && <Documents key={query} set={set} query={query} step={step} changed={() => void (changed(), list.reload())} />}
        </div>)}
      <AddQuery set={set} done={(q) => void (list.reload(), changed(), choose(q))} />
    </section>
  );
}

function useKeys(act) {
  const now = useRef(act);
  now.current = act;
  useEffect(() => {
    const pressed = (event) => {
      if (event.target.closest?.("input:not([type=checkbox]), select, textarea, dialog, summary") || event.ctrlKey || event.metaKey || event.altKey) return;
      const digit = /^[0-9]$/.test(event.key) ? Number(event.key) : null, word = { j: "down", k: "up", n: "next", p: "previous", x: "remove" }[event.key];
      if (digit === null && !word) return;
      event.preventDefault();
      if (digit !== null) now.current.grade(digit);
      else now.current[word]();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}

function Documents({ set, query, step, changed }) {
  const { data, error, reload } = useLoad(() => getRatings(set.name, query), () => false, []);
  const [at, setAt] = useState(0);
  const action = useAction();
  const rows = (data ?? []).filter((r) => r.doc !== ""), current = Math.min(at, rows.length - 1), grades = buttons(set.max_grade);
  const give = async (row, value, on) => {
    if (value > set.max_grade || value < 0) return;
    if (on) setAt(Math.min(current + 1, rows.length - 1));
    if (await action.act(() => putRating(set.name, { query, doc: row.doc, grade: value }))) {
      await reload();
      changed();
    }
  };
  const remove = async (row) => {
    if (await action.act(() => removeRating(set.name, query, row.doc))) {
      await reload();
      changed();
    }
  };
  useKeys({
    down: () => setAt(Math.min(current + 1, rows.length - 1)), up: () => setAt(Math.max(current - 1, 0)), next: () => step(1), previous: () => step(-1),
    grade: (g) => rows[current] && grades?.includes(g) && give(rows[current], g, true), remove: () => rows[current] && remove(rows[current]),
  });
  if (!data) return error ? <Failure error={error} reload={reload} show="Show documents" /> : <Loading />;
  return (
    <div class="doc-side">
      <h3>{query}</h3>
      {grades && <p class="keys" aria-hidden="true">{[["j k", "document"], ["n p", "query"], [`0\u2013${Math.min(9, grades.length - 1)}`, "grade"], ["x", "take out"]].map(([keys, word]) => (
        <span key={keys}>{keys.split(" ").map((k) => <kbd key={k}>{k}</kbd>)} {word}</span>))}</p>}
      <ol class="doc-list">{rows.map((r, i) => (
        <li key={r.doc} class={`doc ${i === current ? "is-current" : ""} ${r.grade === null ? "is-open" : ""}`} aria-current={i === current ? "true" : undefined}>
          <span class="doc-name">{r.doc}</span>
          <Grade row={r} grades={grades} max={set.max_grade} busy={action.busy} give={(g) => void (setAt(i), give(r, g, false))} />
          <span class="quiet doc-from">{about(r)}</span>
          <button type="button" class="plain" aria-label={`Take out ${r.doc}`} onClick={() => remove(r)}>{"\u2715"}</button>
        </li>))}</ol>
      {rows.length === 0 && <p class="quiet nothing">No document yet.</p>}
      <Outcome action={action} what="Not saved" reload={reload} />
      <AddDocument add={(doc) => action.act(() => putRating(set.name, { query, doc })).then((ok) => ok && (reload(), changed()))} />
    </div>
  );
}

const about = (r) => (r.grade === null ? "to judge" : r.source === "human" ? r.judge ?? "a person"
  : `clicks${r.evidence === null ? "" : ` of ${plural(Math.round(r.evidence), "search", "searches")}`}${r.confidence === null ? "" : `, ${Math.round(100 * r.confidence)} % sure`}`);

function Grade({ row, grades, max, busy, give }) {
  const whole = grades?.includes(row.grade);
  if (!grades)
    return <input type="number" class="grade-input" aria-label={`Grade of ${row.doc}`} min="0" max={max} step="any" value={row.grade ?? ""} disabled={busy}
      onChange={(e) => e.target.value !== "" && give(Number(e.target.value))} />;
  return (
    <span class="grades" role="group" aria-label={`Grade of ${row.doc}`}>
      {grades.map((g) => <button key={g} type="button" class="grade" aria-pressed={row.grade === g} onClick={() => give(g)}>{g}</button>)}
      {row.grade !== null && !whole && <span class="grade-exact" title="its grade lies between">{grade(row.grade)}</span>}
    </span>
  );
}

function AddDocument({ add }) {
  const [doc, setDoc] = useState("");
  return (
    <form class="inline" onSubmit={(e) => void (e.preventDefault(), add(doc), setDoc(""))}>
      <label for="add-doc" class="visually-hidden">A document to judge</label>
      <input id="add-doc" required autocomplete="off" placeholder="document" value={doc} onInput={(e) => setDoc(e.target.value)} />
      <button type="submit">Add to judge</button>
    </form>
  );
}

function AddQuery({ set, done }) {
  const [query, setQuery] = useState("");
  const action = useAction();
  const add = async (event) => {
    event.preventDefault();
    if (await action.act(() => putRating(set.name, { query }))) void (done(query), setQuery(""));
  };
  return (
    <form class="inline" onSubmit={add}>
      <label for="add-query" class="visually-hidden">Another query</label>
      <input id="add-query" required autocomplete="off" placeholder="another query" value={query} onInput={(e) => setQuery(e.target.value)} />
      <button type="submit" disabled={action.busy}>Add the query</button>
      <Outcome action={action} what="Not added" reload={() => {}} />
    </form>
  );
}
