// A job of one's own: a type, a name, its parameters. What starts it is set on its own page.
import { useState } from "preact/hooks";
import { go } from "../app.jsx";
import { useLoad } from "../load.js";
import { Outcome, useAction } from "./action.jsx";
import { addJob, getTypes } from "./api.js";
import { jobAddress } from "./chain.jsx";
import { Field, Select, tied } from "./field.jsx";
import { fieldNamed, fieldsOf, paramsOf, refusalOf } from "./fields.js";
import { Params } from "./params.jsx";

/** Closed, until somebody wants one; the types are asked for then. */
export function Add({ open = false }) {
  const [wanted, want] = useState(open);
  return (
    <details class="card add" open={open} onToggle={(event) => event.currentTarget.open && want(true)}>
      <summary>Add a job</summary>
      {wanted && <Types />}
    </details>
  );
}

function Types() {
  const { data, error, reload } = useLoad(getTypes, () => false, []);
  if (error) return <p class="bad" role="alert">No types of jobs: {error.message}. <button type="button" class="plain" onClick={reload}>Try again</button></p>;
  return data ? <Form types={data.job_types.filter((type) => !type.by_hand)} /> : <p class="quiet" role="status">Loading…</p>;
}

function Form({ types }) {
  const [form, setForm] = useState({ id: "", name: "", type: types[0].name, texts: {} });
  const action = useAction();
  const type = types.find((t) => t.name === form.type), fields = fieldsOf(type.params);
  const named = fieldNamed([...fields.map((f) => f.name), "id", "name"], action.error?.field);
  const error = (name) => (named === name ? refusalOf(action.error) : null);
  const text = (name) => ({ value: form[name], onInput: (event) => setForm({ ...form, [name]: event.currentTarget.value }), autocomplete: "off", spellcheck: false });
  const add = (event) => {
    event.preventDefault();
    const { id, name } = form;
    action.act(async () => go(jobAddress((await addJob({ id: id.trim(), name: name.trim() || id.trim(), type: type.name, params: paramsOf(fields, form.texts) })).id)));
  };
  return (
    <form class="job-form" onSubmit={add} novalidate aria-label="Add a job">
      <div class="fields">
        <Field id="add-type" label="Type" help={type.summary}>
          <Select value={form.type} onInput={(e) => setForm({ ...form, type: e.currentTarget.value, texts: {} })} options={types.map((t) => [t.name, t.name])} {...tied("add-type", { help: type.summary })} /></Field>
        <Line name="id" label="Id" help="small letters, digits, . _ -" error={error} text={text} />
        <Line name="name" label="Name" help="empty: its id" error={error} text={text} />
      </div>
      <Params prefix="add" fields={fields} texts={form.texts} set={(name, value) => setForm({ ...form, texts: { ...form.texts, [name]: value } })} error={error} />
      {!(named && action.error) && <Outcome action={action} what="Not added" />}
      <p class="buttons"><button type="submit" class="strong" disabled={action.busy}>Add it</button><span class="quiet">Nothing starts it yet.</span></p>
    </form>
  );
}

function Line({ name, label, help, error, text }) {
  const wrong = error(name), id = `add-${name}`;
  return <Field id={id} label={label} help={help} error={wrong}><input type="text" {...text(name)} {...tied(id, { help, error: wrong })} /></Field>;
}
