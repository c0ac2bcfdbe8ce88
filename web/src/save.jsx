// Buttons that hand the table behind a view to the browser as a file.
import { useState } from "preact/hooks";
import { saveTable } from "./api.js";

export function Save({ experiment, dimension, what }) {
  const [failed, setFailed] = useState(null);
  const save = (format) => saveTable(experiment, format, dimension).then(() => setFailed(null), (error) => setFailed(error.message));
  return (
    <p class="save">
      <span class="quiet">Save {what}:</span>{" "}
      <button type="button" onClick={() => save("csv")}>CSV</button>{" "}
      <button type="button" onClick={() => save("json")}>JSON</button>
      {failed && <span class="bad" role="alert"> Not saved: {failed}</span>}
    </p>
  );
}
