// What stands in the place of data: loading, a missing key, and errors that say what to do next.
import { useState } from "preact/hooks";
import { Link } from "./app.jsx";
import { hasKey, rememberKey } from "./api.js";

export function Loading() {
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">Loading…</span>
      <div class="bone wide" /><div class="bone" /><div class="bone tall" />
    </div>
  );
}

/** Shown instead of data that never came. `show`: what the button of the key's form says; `kind` and `what`: what is not there. */
export function Failure({ error, reload, what, kind, show }) {
  if (error.kind === "key") return <KeyEntry error={error} reload={reload} show={show} />;
  if (error.kind === "not_found" && what) return <NotFound what={what} kind={kind} />;
  if (error.kind === "away") return <Away error={error} reload={reload} />;
  return (
    <section class="card help">
      <h1>The daemon could not answer</h1>
      <p>It said: <q>{error.message}</q>{error.status ? ` (status ${error.status})` : ""}.</p>
      <p>Its log has one line for this request with the reason. If PostgreSQL is away, results come back by themselves when it is back;
        signals are still being taken.</p>
      <button type="button" onClick={reload}>Try again</button>
    </section>
  );
}

function Away({ error, reload }) {
  return (
    <section class="card help">
      <h1>The daemon is not reachable</h1>
      <p>{location.origin} gives no answer ({error.message}). This page tries again every 10 seconds.</p>
      <ul>
        <li>Is it running? <code>curl {location.origin}/healthz</code></li>
        <li>Start it: <code>build/experimentd serve --data-dir DIR</code></li>
        <li>Behind a proxy or a tunnel? Check that this address is still forwarded.</li>
      </ul>
      <button type="button" onClick={reload}>Try now</button>
    </section>
  );
}

const OTHERS = { experiment: ["/", "See all experiments"], job: ["/jobs", "See all jobs"], run: ["/jobs", "See all jobs"],
  model: ["/models", "See all models"], evaluation: ["/evaluations", "See all evaluations"], rewrite: ["/rewrites", "See all rewrites"],
  "judgment set": ["/judgments", "See all judgments"], "query set": ["/query-sets", "See all query sets"], set: ["/judgments", "See all judgments"] };

export function NotFound({ what, kind = "experiment" }) {
  const [to, words] = OTHERS[kind];
  return (
    <section class="card help">
      <h1>Nothing here</h1>
      <p>There is no {kind} <code>{what}</code>. It may have another key, or live in another daemon{kind === "run" && "; old runs are let go"}.</p>
      <p><Link to={to}>{words}</Link></p>
    </section>
  );
}

/** `level`: of its heading, where it stands inside a view that has a first one. */
export function KeyEntry({ error, reload, show = "Show results", level = 1 }) {
  const [key, setKey] = useState("");
  const Heading = `h${level}`;
  const enter = (event) => {
    event.preventDefault();
    if (!key.trim()) return;
    rememberKey(key.trim());
    reload();
  };
  return (
    <section class="card help">
      <Heading>A key is needed</Heading>
      <p>Results, and what clients send, are for people who hold a key of scope <code>analyst</code> or <code>admin</code>. The first one lies in the daemon's
        data directory: <code>DIR/admin.key</code>. More are made with <code>experimentd key create --scope analyst</code>.</p>
      {hasKey() && <p role="alert" class="bad">The key that was given is not enough: {error.message}.</p>}
      <form onSubmit={enter} class="key">
        <label for="key">Key</label>
        <input id="key" type="password" autocomplete="off" spellcheck={false} value={key} onInput={(e) => setKey(e.target.value)} />
        <button type="submit">{show}</button>
      </form>
      <p class="quiet">It is kept in this tab until you close it, and sent to this daemon only.</p>
    </section>
  );
}

/** A refresh failed, but older data is on the screen. */
export function Stale({ error, reload }) {
  if (!error) return null;
  return (
    <p class="notice warn" role="status">
      Not refreshed: {error.message}. The figures below are the last that arrived.{" "}
      <button type="button" class="plain" onClick={reload}>Try now</button>
    </p>
  );
}
