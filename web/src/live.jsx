// The live view: what clients send, newest first; what was refused, and why; filters, pause.
import { useEffect, useState } from "preact/hooks";
import { SHOWN_MAX, useArrivals } from "./arrivals.js";
import { count, instant, plural, timeOfDay } from "./format.js";
import { Failure, Loading } from "./states.jsx";

const FORMATS = { native: "native", ubi: "UBI", segment: "Segment", insights: "Insights", exposures: "exposures" };
const TYPING_MS = 300;

const queryOf = (filter) => new URLSearchParams(Object.entries({ ...filter, rejects: filter.rejects ? "only" : "" })
  .filter(([, value]) => value)).toString();

/** The value after it was left alone for a moment. */
function useSettled(value) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), TYPING_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

export function Live() {
  const [filter, setFilter] = useState({ type: "", unit: "", format: "", rejects: false });
  const [paused, setPaused] = useState(false);
  const query = useSettled(queryOf(filter));
  const live = useArrivals(query, paused);
  useEffect(() => void (document.title = "Live \u00b7 experimentd"), []);
  if (!live.ready && live.error) return <Failure error={live.error} reload={live.reload} show="Show what arrives" />;
  return (
    <div class="live">
      <div class="head">
        <h1>Live</h1>
        <p class="quiet">What clients send, as it arrives. The newest {SHOWN_MAX} are shown; click one for the whole record.</p>
      </div>
      <Filters filter={filter} change={(part) => setFilter({ ...filter, ...part })} />
      <Counts live={live} paused={paused} setPaused={setPaused} />
      {live.error && <p class="notice warn" role="status">Not connected: {live.error.message}. This page tries again by itself.</p>}
      {!live.ready ? <Loading /> : live.records.length ? <Arrivals list={live.records} /> : <Nothing filtered={query !== ""} />}
    </div>
  );
}

function Filters({ filter, change }) {
  return (
    <form class="card filters" onSubmit={(event) => event.preventDefault()}>
      <Word name="type" label="Type" hint="click" filter={filter} change={change} />
      <Word name="unit" label="Unit" hint="user-1" filter={filter} change={change} />
      <div>
        <label for="format">Format</label>
        <select id="format" value={filter.format} onChange={(e) => change({ format: e.target.value })}>
          <option value="">all</option>
          {Object.entries(FORMATS).map(([key, word]) => <option key={key} value={key}>{word}</option>)}
        </select>
      </div>
      <label class="tick"><input type="checkbox" checked={filter.rejects} onChange={(e) => change({ rejects: e.target.checked })} />
        {" "}Rejects only</label>
    </form>
  );
}

function Word({ name, label, hint, filter, change }) {
  return (
    <div class="word">
      <label for={name}>{label}</label>
      <input id={name} type="text" autocomplete="off" autocapitalize="off" spellcheck={false} placeholder={hint} value={filter[name]}
        onInput={(e) => change({ [name]: e.target.value.trim() })} />
    </div>
  );
}

function Counts({ live, paused, setPaused }) {
  return (
    <div class="counts">
      <p><strong class="rate">{count(live.rate)}</strong> a second <span class="quiet">· since you look: {count(live.taken)} taken,{" "}
        <span class={live.refused ? "refused-word" : ""}>{count(live.refused)} refused</span>
        {live.skipped > 0 && `, ${count(live.skipped)} not shown`}</span></p>
      <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)}>
        {paused ? `Go on${live.waiting.length ? ` (${live.waiting.length} new)` : ""}` : "Pause"}
      </button>
    </div>
  );
}

function Arrivals({ list }) {
  return <ol class="arrivals">{list.map((item) => <li key={item.key}>{item.record ? <Arrival record={item.record} /> : <Gap n={item.skipped} />}</li>)}</ol>;
}

const Gap = ({ n }) => <p class="gap quiet">{plural(n, "record")} left out here: more came than are shown a second</p>;

const signs = { signal: "\u25cf", exposure: "\u25c6", reject: "\u2715" };

function Arrival({ record: r }) {
  const [open, setOpen] = useState(false);
  return (
    <details class={`arrival ${r.kind}`} onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>
        <time class="at" dateTime={r.received_at} title={instant(r.received_at)}>{timeOfDay(r.received_at)}</time>
        <span class="sign" aria-hidden="true">{signs[r.kind]}</span>
        <span class="what"><Words record={r} /></span>
        <span class="badges"><span class="badge">{FORMATS[r.format] ?? r.format}</span></span>
      </summary>
      {open && <Whole record={r} />}
    </details>
  );
}

function Words({ record: r }) {
  if (r.kind === "reject") return <Refused reject={r.reject} />;
  if (r.kind === "exposure")
    return <><strong>exposure</strong> <Unit of={r.exposure} /> <span class="more">saw {r.exposure.variant} of {r.exposure.experiment}</span></>;
  return <><strong>{r.signal.type}</strong> <Unit of={r.signal} /> <span class="more">{details(r.signal)}</span></>;
}

/** With the reason why this will not count, if there is one. */
const Unit = ({ of }) => <><span class="unit">{of.unit}</span>{of.mark && <span class="badge marked">not counted: {of.mark}</span>}</>;

function Refused({ reject }) {
  const which = reject.index === null ? "request refused" : `element ${reject.index} refused`;
  return <><strong class="refused-word">{which}</strong> <span class="why">{reject.error}</span> <code class="more">{reject.element}</code></>;
}

const details = (s) => [s.query !== undefined && `\u201c${s.query}\u201d`, s.doc, s.position && `position ${s.position}`,
  s.value !== undefined && `value ${s.value}`].filter(Boolean).join(" \u00b7 ");

function Whole({ record: r }) {
  const key = [r.key.label, r.key.prefix && `${r.key.prefix}\u2026`].filter(Boolean).join(", ");
  return (
    <div class="whole">
      <p class="quiet">{instant(r.received_at)} · {r.route}{key && ` · key ${key}`}</p>
      <pre tabIndex={0}><code>{JSON.stringify(r, null, 2)}</code></pre>
    </div>
  );
}

function Nothing({ filtered }) {
  if (filtered)
    return <section class="card help"><h2>Nothing that fits</h2><p>The filter picks none of the last records. What fits appears here when it arrives.</p></section>;
  return (
    <section class="card help">
      <h2>Nothing has come yet</h2>
      <p>Send a first signal; it appears here at once. <code>DIR</code> is the daemon's data directory.</p>
      <pre tabIndex={0}><code>{`curl -H "Authorization: Bearer $(cat DIR/client.key)" ${location.origin}/v1/signals \\
  -d '{"type":"click","unit":"user-1","query_id":"q1","query":"lamp","doc":"d7","position":1}'`}</code></pre>
      <p class="quiet">A client that sends with a wrong key is not shown: it gets 401 or 403, and its answer says why.</p>
    </section>
  );
}
