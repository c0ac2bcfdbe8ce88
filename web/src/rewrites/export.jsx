// The rules as files of search engines.
import { useState } from "preact/hooks";
import { saveText } from "../api.js";

const formats = { solr: ["Solr synonyms", "synonyms.txt"], elasticsearch: ["Elasticsearch synonym set", "synonyms-set.json"], querqy: ["Querqy common rules", "rules.txt"],
  "querqy-replace": ["Querqy replace rules", "replace.txt"], typesense: ["Typesense synonym set", "typesense.json"], algolia: ["Algolia synonyms", "algolia.json"],
  csv: ["CSV", "rewrites.csv"], jsonl: ["JSON lines", "rewrites.jsonl"] };

export function Export() {
  const [format, setFormat] = useState("solr");
  const [of, setOf] = useState("current");
  const [failed, setFailed] = useState(null);
  const save = (event) => {
    event.preventDefault();
    saveText(`/v1/rewrites/export?format=${format}&of=${of}`, formats[format][1]).then(() => setFailed(null), (error) => setFailed(error.message));
  };
  return (
    <details class="card add">
      <summary>Take them to a search engine</summary>
      <form class="filters" onSubmit={save}>
        <div class="word"><label for="format">Format</label>
          <select id="format" value={format} onChange={(e) => setFormat(e.target.value)}>{Object.entries(formats).map(([key, [word]]) => <option key={key} value={key}>{word}</option>)}</select></div>
        <div class="word"><label for="of">Of</label>
          <select id="of" value={of} onChange={(e) => setOf(e.target.value)}><option value="current">what is approved or auto now</option><option value="published">the published version</option></select></div>
        <button type="submit">Save</button>
      </form>
      {failed && <p class="bad" role="alert">Not saved: {failed}</p>}
    </details>
  );
}
