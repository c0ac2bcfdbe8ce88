// A rule of one's own.
import { useState } from "preact/hooks";
import { Outcome, useAction } from "../jobs/action.jsx";
import { Field, Select, tied } from "../jobs/field.jsx";
import { addRewrite } from "./api.js";
import { types } from "./words.js";

const EMPTY = { type: "synonym", input: "", output: "", bidirectional: true };
const helps = {
  query: "a whole query, and what is searched instead; spelling, head for tail and words to remove are then left out",
  spelling: "words as they are typed, and what is meant",
  head_tail: "a whole query, and the one that is searched instead",
  remove_words: "words, and what stays of them; nothing, when they go",
  phrase: "two words or more that belong together",
  synonym: "words, and what is searched as well",
};

export function Add({ done }) {
  const [rule, setRule] = useState(EMPTY);
  const action = useAction();
  const set = (part) => setRule({ ...rule, ...part });
  const save = async (event) => {
    event.preventDefault();
    const { bidirectional, output, ...body } = rule;
    const whole = { ...body, ...(rule.type !== "phrase" && { output }), ...(rule.type === "synonym" && { bidirectional }) };
    if (await action.act(() => addRewrite(whole), `Written: ${rule.input}`)) {
      setRule({ ...EMPTY, type: rule.type });
      done();
    }
  };
  const wrong = (field) => (action.error?.field === field ? action.error.message : undefined);
  return (
    <details class="card add">
      <summary>Write one by hand</summary>
      <form class="job-form" onSubmit={save}>
        <div class="fields">
          <Field id="add-type" label="Type" help={helps[rule.type]}>
            <Select {...tied("add-type", { help: true })} value={rule.type} onInput={(e) => set({ type: e.target.value })} options={Object.entries(types).map(([key, t]) => [key, t.word])} />
          </Field>
          <Field id="add-input" label="Input" error={wrong("input")}>
            <input {...tied("add-input", { error: wrong("input") })} type="text" required autocomplete="off" value={rule.input} onInput={(e) => set({ input: e.target.value })} />
          </Field>
          {rule.type !== "phrase" && (
            <Field id="add-output" label="Output" error={wrong("output")}>
              <input {...tied("add-output", { error: wrong("output") })} type="text" required={rule.type !== "remove_words"} autocomplete="off" value={rule.output} onInput={(e) => set({ output: e.target.value })} />
            </Field>)}
          {rule.type === "synonym" && (
            <label class="tick"><input type="checkbox" checked={rule.bidirectional} onChange={(e) => set({ bidirectional: e.target.checked })} /> Both ways</label>)}
        </div>
        <p class="buttons"><button type="submit" class="strong" disabled={action.busy}>Write it</button></p>
        <Outcome action={action} what="Not written" reload={done} />
      </form>
    </details>
  );
}
