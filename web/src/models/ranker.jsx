// A version of a ranker: how large it is, what its features matter, and its files for search engines.
import { useState } from "preact/hooks";
import { Chart } from "../chart.jsx";
import { count, plural } from "../format.js";
import { useLoad } from "../load.js";
import { getSummary, saveRanker } from "./api.js";
import { drawImportance, importanceHeight, importanceRows, measures, measuresOf, SHOWN } from "./importance.js";
import { isChampion } from "./words.js";

/** Of the champion, or of the newest that could be. */
export function Ranker({ name, versions }) {
  const shown = versions.find(isChampion) ?? versions.find((v) => v.status === "ready");
  const { data: summary, error } = useLoad(() => (shown ? getSummary(name, shown.version) : Promise.resolve(null)), () => true, [name, shown?.version]);
  if (!shown) return null;
  if (!summary) return error ? <section class="card"><h2>Version {shown.version}</h2><p class="bad" role="alert">What it is made of could not be had: {error.message}</p></section> : null;
  return (
    <>
      <Importance summary={summary} />
      <Export name={name} summary={summary} />
    </>
  );
}

const size = (s) => (s.type === "trees"
  ? `${plural(s.trees, "tree")} with ${count((s.nodes + s.trees) / 2)} leaves, at most ${plural(s.depth, "split")} deep, over ${plural(s.features, "feature")}`
  : `A weight for each of ${plural(s.features, "feature")}`);

function Importance({ summary }) {
  const known = measuresOf(summary);
  const [wanted, setWanted] = useState(known[0]);
  const measure = known.includes(wanted) ? wanted : known[0];
  if (!measure) return <section class="card"><h2>Version {summary.version}</h2><p class="quiet">{size(summary)}.</p></section>;
  const rows = importanceRows(summary, measure), top = rows.slice(0, SHOWN);
  const { word, what } = measures[measure];
  return (
    <section class="card figure ranker" aria-labelledby="importance">
      <div class="tables-head">
        <h2 id="importance">What matters to version {summary.version}</h2>
        {known.length > 1 && <label class="choice-in">By{" "}
          <select value={measure} onChange={(e) => setWanted(e.target.value)}>{known.map((m) => <option key={m} value={m}>{measures[m].word}</option>)}</select></label>}
      </div>
      <p class="quiet">{size(summary)}{summary.signal_features > 0 && `, of which ${count(summary.signal_features)} are filled in from signals`}. {what}</p>
      <Chart draw={(width) => drawImportance(top, width)} height={() => importanceHeight(top)} inputs={[measure, rows.map((r) => `${r.name} ${r.value}`).join()]}
        label={`${word}: ${top.map((r) => `${r.name} ${r.text}`).join("; ")}`} />
      {rows.length > SHOWN && <Rest rows={rows} word={word} />}
    </section>
  );
}

function Rest({ rows, word }) {
  return (
    <details>
      <summary>All {count(rows.length)} features</summary>
      <div class="scroll" tabIndex={0} role="region" aria-label="All features">
        <table><thead><tr><th scope="col">Feature</th><th scope="col" class="n">{word}</th></tr></thead>
          <tbody>{rows.map((r) => <tr key={r.name}><th scope="row">{r.name}</th><td class="n">{r.text}</td></tr>)}</tbody></table>
      </div>
    </details>
  );
}

function Export({ name, summary }) {
  const formats = summary.formats.filter((f) => f.name !== "summary");
  const [format, setFormat] = useState(formats[0].name);
  const [said, setSaid] = useState(null);
  const what = formats.find((f) => f.name === format)?.what;
  const save = (event) => {
    event.preventDefault();
    saveRanker(name, summary.version, format).then((note) => setSaid({ note }), (error) => setSaid({ error: error.message }));
  };
  return (
    <section class="card" aria-labelledby="export">
      <h2 id="export">Take it to a search engine</h2>
      <form class="filters" onSubmit={save}>
        <div class="word"><label for="format">Format</label>
          <select id="format" value={format} onChange={(e) => { setFormat(e.target.value); setSaid(null); }}>{formats.map((f) => <option key={f.name}>{f.name}</option>)}</select></div>
        <button type="submit">Save version {summary.version}</button>
      </form>
      <p class="quiet">{what}. A model scores there as it does here, at every threshold.</p>
      {said?.error && <p class="bad" role="alert">Not saved: {said.error}</p>}
      {said?.note && <p class="notice" role="status">Note: {said.note}.</p>}
    </section>
  );
}
