// Files into a set and out of it.
import { useState } from "preact/hooks";
import { saveText } from "../api.js";
import { count, plural } from "../format.js";
import { Outcome, useAction } from "../jobs/action.jsx";
import { exportPath, importFile } from "./api.js";
import { formats } from "./words.js";

const Formats = ({ kind, ...rest }) => <select {...rest}>{Object.entries(formats[kind]).map(([key, [word]]) => <option key={key} value={key}>{word}</option>)}</select>;

/** `name`: the set's; without: it is asked for. */
export function Import({ kind, name, done }) {
  const [into, setInto] = useState(name ?? "");
  const [format, setFormat] = useState(Object.keys(formats[kind])[0]);
  const [mode, setMode] = useState(kind === "judgments" ? "merge" : "replace");
  const [file, setFile] = useState(null);
  const action = useAction(), [told, setTold] = useState("");
  const send = async (event) => {
    event.preventDefault();
    const ok = await action.act(async () => {
      const answer = await importFile(kind, into, format, mode, await file.text());
      setTold(kind === "judgments" ? `${plural(answer.rows, "judgment")} read: ${count(answer.created)} new, ${count(answer.changed)} changed, ${count(answer.unchanged)} as they were, ${count(answer.deleted)} gone`
        : `${plural(answer.rows, "query", "queries")} read, ${count(answer.queries)} in the set`);
    });
    if (ok) done(into);
  };
  return (
    <details class="card add">
      <summary>Bring a file</summary>
      <form class="filters" onSubmit={send}>
        {!name && <div class="word"><label for="into">Set</label><input id="into" required pattern="[a-z0-9][a-z0-9_.\-]*" title="small letters, digits and _ . -" autocomplete="off" value={into} onInput={(e) => setInto(e.target.value)} /></div>}
        <div class="word"><label for="import-format">Format</label><Formats kind={kind} id="import-format" value={format} onChange={(e) => setFormat(e.target.value)} /></div>
        <div class="word"><label for="import-mode">What is there</label>
          <select id="import-mode" value={mode} onChange={(e) => setMode(e.target.value)}><option value="merge">stays beside it</option><option value="replace">goes</option></select></div>
        <div class="word"><label for="import-file">File</label><input id="import-file" type="file" required onChange={(e) => setFile(e.target.files[0])} /></div>
        <button type="submit" disabled={action.busy}>Bring it</button>
      </form>
      {told && !action.error && <p class="done" role="status">{"\u2713"} {told}</p>}
      <Outcome action={action} what="Nothing was taken" reload={() => done(into)} />
    </details>
  );
}

export function Export({ kind, name }) {
  const [format, setFormat] = useState(Object.keys(formats[kind])[0]);
  const [failed, setFailed] = useState(null);
  const save = (event) => {
    event.preventDefault();
    saveText(exportPath(kind, name, format), `${name}.${formats[kind][format][1]}`).then(() => setFailed(null), (error) => setFailed(error.message));
  };
  return (
    <details class="card add">
      <summary>Take it elsewhere</summary>
      <form class="filters" onSubmit={save}>
        <div class="word"><label for="export-format">Format</label><Formats kind={kind} id="export-format" value={format} onChange={(e) => setFormat(e.target.value)} /></div>
        <button type="submit">Save</button>
        {format === "trec" && <button type="button" onClick={() => saveText(exportPath(kind, name, "trec-topics"), `${name}.topics.tsv`).then(() => setFailed(null), (error) => setFailed(error.message))}>Save what the topics are</button>}
      </form>
      {failed && <p class="bad" role="alert">Not saved: {failed}</p>}
    </details>
  );
}
