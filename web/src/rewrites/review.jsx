// The review: counts, filters, and the list, by mouse or keyboard, one by one or many at once.
import { useEffect, useRef, useState } from "preact/hooks";
import { count, plural } from "../format.js";
import { Confirm, Outcome, useAction } from "../jobs/action.jsx";
import { useLoad } from "../load.js";
import { Failure, Loading, Stale } from "../states.jsx";
import { Add } from "./add.jsx";
import { getCounts, getRewrites, review, reviewMany } from "./api.js";
import { Counts } from "./counts.jsx";
import { Filters } from "./filters.jsx";
import { explained, Item } from "./item.jsx";
import { help, useKeys } from "./keys.js";
import { Export } from "./export.jsx";
import { reviews } from "./words.js";

const EMPTY = { type: "", review: "pending", confidence_class: "", source: "", text: "" };

export function Review() {
  const [filter, setFilter] = useState(EMPTY);
  const [sort, setSort] = useState("confidence");
  const [pages, setPages] = useState(1);
  const counts = useLoad(getCounts, () => false, []);
  const key = JSON.stringify(filter) + sort;
  const list = useLoad(() => getRewrites(filter, sort, pages), () => false, [key, pages]);
  useEffect(() => void (document.title = "Rewrites \u00b7 experimentd"), []);
  const change = (part) => {
    setFilter({ ...filter, ...part });
    setPages(1);
  };
  if (!counts.data) return counts.error ? <Failure error={counts.error} reload={counts.reload} show="Show rewrites" /> : <Loading />;
  const reload = () => void (counts.reload(), list.reload());
  if (counts.data.total === 0) return <><First /><Add done={reload} /></>;
  return (
    <>
      <Counts counts={counts.data.counts} chosen={filter} choose={(part) => change({ ...EMPTY, ...part })} />
      <section class="card" aria-labelledby="to-review">
        <h2 id="to-review" class="visually-hidden">Rewrites</h2>
        <Filters filter={filter} change={change} sort={sort} setSort={setSort} />
        <Stale error={list.error} reload={list.reload} />
        {list.data ? <List key={key} filter={filter} found={list.data} more={() => setPages(pages + 1)} reload={reload} counted={counts.reload} /> : <Loading />}
      </section>
      <Export />
      <Add done={reload} />
    </>
  );
}

/** What was reviewed here stays where it is until the list is asked for anew, so that it can be taken back. */
function List({ filter, found, more, reload, counted }) {
  const [changed, setChanged] = useState(() => new Map());
  const [at, setAt] = useState(0);
  const [picked, setPicked] = useState(() => new Set());
  const [open, setOpen] = useState(() => new Set());
  const action = useAction();
  const asked = useRef(new Set());
  const list = found.rewrites.map((r) => changed.get(r.id) ?? r);
  const current = Math.min(at, list.length - 1);
  const toggled = (set, id) => {
    const next = new Set(set);
    if (!next.delete(id)) next.add(id);
    return next;
  };
  const decide = async (r, decision, step) => {
    if (step) setAt(Math.min(current + 1, list.length - 1));
    if (r.review === decision || asked.current.has(r.id)) return;
    asked.current.add(r.id); /* one answer after the other: the next one needs its version */
    const ok = await action.act(async () => {
      const now = await review(r, decision);
      setChanged((old) => new Map(old).set(r.id, now));
    });
    asked.current.delete(r.id);
    if (ok) counted();
  };
  useKeys({
    move: (step) => setAt(() => Math.max(0, Math.min(current + step, list.length - 1))),
    review: (decision) => list[current] && decide(list[current], decision, decision !== "pending"),
    pick: () => list[current] && setPicked(toggled(picked, list[current].id)),
    open: () => list[current] && setOpen(toggled(open, list[current].id)),
  });
  useEffect(() => document.getElementById(`rewrite-${list[current]?.id}`)?.scrollIntoView({ block: "nearest" }), [current]);
  if (list.length === 0) return <p class="quiet nothing">Nothing that fits. {filter.review === "pending" && "All that was found is reviewed."}</p>;
  return (
    <>
      <Bulk filter={filter} list={list} picked={picked} clear={() => setPicked(new Set())} action={action} reload={reload} />
      <Outcome action={action} what="Not reviewed" reload={reload} />
      <p class="keys" aria-hidden="true">{help.map(([keys, word]) => <span key={keys}>{keys.split(" ").map((k) => <kbd key={k}>{k}</kbd>)} {word}</span>)}</p>
      <p class="visually-hidden" role="status">{list[current] && explained(list[current])}</p>
      <ol class="rewrite-list">
        {list.map((r, i) => (
          <Item key={r.id} rewrite={r} at={i === current} picked={picked.has(r.id)} open={open.has(r.id)} busy={action.busy} on={{
            pick: () => setPicked(toggled(picked, r.id)),
            open: () => void (setAt(i), setOpen(toggled(open, r.id))),
            review: (decision) => void (setAt(i), decide(r, decision, false)),
          }} />))}
      </ol>
      {found.more && <button type="button" onClick={more}>Show more</button>}
    </>
  );
}

/** Decides the chosen ones, or, when none is, all that fit the filter: these are counted first, and the daemon refuses when they are others by then. */
function Bulk({ filter, list, picked, clear, action, reload }) {
  const [asked, setAsked] = useState(null);
  const begin = async (decision) => {
    if (picked.size) return setAsked({ decision, n: picked.size, what: { ids: [...picked] } });
    const wanted = Object.fromEntries(Object.entries(filter).filter(([, v]) => v !== ""));
    const counts = await action.act(async () => setAsked({ decision, n: (await getCounts(wanted)).total, what: { filter: wanted } }));
    return counts;
  };
  const decide = async () => {
    const { what, n, decision } = asked;
    const ok = await action.act(() => reviewMany(what.filter ? { ...what, count: n } : what, decision), `${plural(n, "rewrite")}: ${reviews[decision].word.toLowerCase()}`);
    if (!ok) return;
    clear();
    reload();
  };
  const which = picked.size ? `${count(picked.size)} chosen` : "all that fit";
  return (
    <div class="bulk">
      <p class="quiet">{plural(list.length, "rewrite")} shown{picked.size > 0 && `, ${count(picked.size)} chosen`}</p>
      <span class="buttons">
        <button type="button" disabled={action.busy} onClick={() => begin("approved")}>Approve {which}</button>
        <button type="button" disabled={action.busy} onClick={() => begin("denied")}>Deny {which}</button>
      </span>
      <Confirm open={Boolean(asked)} title={asked ? `${asked.decision === "approved" ? "Approve" : "Deny"} ${plural(asked.n, "rewrite")}?` : ""}
        yes={asked?.decision === "approved" ? "Approve" : "Deny"} onYes={decide} close={() => setAsked(null)}>
        <p>{asked?.decision === "approved" ? "They are applied from the next publication on." : "They are not applied, and no job suggests them again."}</p>
      </Confirm>
    </div>
  );
}

function First() {
  return (
    <section class="card help">
      <h2>No rewrites yet</h2>
      <p>Jobs find them in what people search and click: misspellings, phrases, synonyms, words that are in the way, and what rare queries mean. They come here for
        review, and <code>publish-rewrites</code> publishes what is approved. Or write the first one yourself.</p>
      <pre tabIndex={0}><code>{`build/trainer run spelling --data-dir DIR
build/trainer run publish-rewrites --data-dir DIR`}</code></pre>
    </section>
  );
}
