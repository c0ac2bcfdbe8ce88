// Query sets: what rankings are tried with. The list, and one with its queries and their weights.
import { useEffect, useState } from "preact/hooks";
import { go, Link } from "../app.jsx";
import { count, fixed, instant, plural } from "../format.js";
import { Confirm, Outcome, useAction } from "../jobs/action.jsx";
import { useLoad } from "../load.js";
import { Failure, Loading, NotFound, Stale } from "../states.jsx";
import { getQuerySet, getQuerySets, putQuery, removeQuery, removeQuerySet } from "./api.js";
import { Export, Import } from "./files.jsx";
import { samplings } from "./words.js";

const weight = (w) => (Number.isInteger(w) ? count(w) : fixed(w, w < 10 ? 2 : 0));
const STRATA = ["head", "torso", "tail"];

export function QuerySets() {
  const { data, error, reload } = useLoad(getQuerySets, () => false, []);
  useEffect(() => void (document.title = "Query sets \u00b7 experimentd"), []);
  if (!data) return error ? <Failure error={error} reload={reload} show="Show query sets" /> : <Loading />;
  return (
    <>
      <div class="head">
        <h1>Query sets</h1>
        <p class="quiet">Queries to try rankings with: written down, brought from another tool, or drawn by a job from what people searched.</p>
      </div>
      <Stale error={error} reload={reload} />
      {data.length === 0 ? <First /> : <ul class="model-list">{data.map((s) => <li key={s.name}><Card set={s} /></li>)}</ul>}
      <Import kind="query-sets" done={(name) => (data.length ? reload() : go(`/query-sets/${encodeURIComponent(name)}`))} />
    </>
  );
}

const Card = ({ set: s }) => (
  <article class="card model-card">
    <div class="model-head"><h2><Link to={`/query-sets/${encodeURIComponent(s.name)}`}>{s.name}</Link></h2><span class="badge">{samplings[s.sampling] ?? s.sampling}</span></div>
    <p>{plural(s.queries, "query", "queries")} {s.spec.from && <span class="quiet">drawn from {count(s.spec.from)}</span>}</p>
    <Strata spec={s.spec} />
    <p class="quiet">{s.description} Changed {instant(s.updated_at)}.</p>
  </article>
);

/** What of head, torso and tail was drawn, and what share of the searches each has. */
function Strata({ spec }) {
  const found = STRATA.filter((s) => spec[s]), all = found.reduce((sum, s) => sum + spec[s].searches, 0);
  if (!found.length) return null;
  return (
    <dl class="strata">{found.map((s) => (
      <div key={s}><dt>{s}</dt><dd><span class="strata-bar" style={{ width: `${Math.max(1, (100 * spec[s].searches) / all)}%` }} aria-hidden="true" />
        <span class="quiet">{count(spec[s].drawn)} of {count(spec[s].queries)}, {Math.round((100 * spec[s].searches) / all)} % of searches</span></dd></div>))}</dl>
  );
}

export function QuerySet({ name }) {
  const [pages, setPages] = useState(1), [asked, setAsked] = useState(false), [query, setQuery] = useState("");
  const { data, error, reload } = useLoad(() => getQuerySet(name, pages), () => false, [pages]);
  const action = useAction();
  useEffect(() => void (document.title = `${name} \u00b7 experimentd`), []);
  if (error?.kind === "not_found") return <NotFound what={name} kind="query set" />;
  if (!data) return error ? <Failure error={error} reload={reload} show="Show the set" /> : <Loading />;
  const edit = async (fn) => (await action.act(fn)) && reload();
  return (
    <>
      <p class="crumbs"><Link to="/query-sets">All query sets</Link></p>
      <div class="head">
        <h1>{name}</h1>
        <p class="badges"><span class="badge">{samplings[data.sampling] ?? data.sampling}</span></p>
        <p>{plural(data.queries, "query", "queries")}. <span class="quiet">{data.description} Version {data.version}, changed {instant(data.updated_at)} by {data.updated_by}.</span></p>
        <Strata spec={data.spec} />
      </div>
      <Stale error={error} reload={reload} />
      <section class="card" aria-labelledby="queries">
        <h2 id="queries">Queries</h2>
        <Outcome action={action} what="Not saved" reload={reload} />
        <div class="scroll"><table class="query-table">
          <thead><tr><th scope="col" class="n">#</th><th scope="col">Query</th><th scope="col" class="n">Weight</th><th scope="col"><span class="visually-hidden">Take out</span></th></tr></thead>
          <tbody>{data.list.map((q) => (
            <tr key={q.query}><td class="n">{q.position}</td><th scope="row">{q.query}{q.params && <span class="under">{JSON.stringify(q.params)}</span>}</th><td class="n">{weight(q.weight)}</td>
              <td class="n"><button type="button" class="plain" aria-label={`Take out ${q.query}`} onClick={() => edit(() => removeQuery(name, q.query))}>{"\u2715"}</button></td></tr>))}</tbody>
        </table></div>
        {data.more && <button type="button" onClick={() => setPages(pages + 1)}>Show more</button>}
        <form class="inline" onSubmit={(e) => void (e.preventDefault(), edit(() => putQuery(name, { query })), setQuery(""))}>
          <label for="add-query" class="visually-hidden">Another query</label>
          <input id="add-query" required autocomplete="off" placeholder="another query" value={query} onInput={(e) => setQuery(e.target.value)} />
          <button type="submit" disabled={action.busy}>Add the query</button>
        </form>
      </section>
      <Import kind="query-sets" name={name} done={reload} />
      <Export kind="query-sets" name={name} />
      <p><button type="button" onClick={() => setAsked(true)}>Delete this set</button></p>
      <Confirm open={asked} title={`Delete ${name}?`} yes="Delete" close={() => setAsked(false)} onYes={async () => (await action.act(() => removeQuerySet(name))) && go("/query-sets")}>
        <p>Its queries go with it.</p>
      </Confirm>
    </>
  );
}

function First() {
  return (
    <section class="card help">
      <h2>No query sets yet</h2>
      <p>Bring a list of queries, or let a job draw one from what was searched:</p>
      <pre tabIndex={0}><code>build/trainer run query-set --data-dir DIR --param sampling=stratified --param size=100</code></pre>
    </section>
  );
}
