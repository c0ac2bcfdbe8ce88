// What a job does and when, as one form: saved as the job, or used for one run only. What the daemon refuses stands beside its field.
import { useEffect, useRef, useState } from "preact/hooks";
import { instant } from "../format.js";
import { Outcome, useAction } from "./action.jsx";
import { saveJob, startRun } from "./api.js";
import { Field, Select, tied } from "./field.jsx";
import { fieldNamed, fieldsOf, paramsOf, refusalOf, textsOf } from "./fields.js";
import { Params } from "./params.jsx";
import { Triggers } from "./triggers.jsx";

const NUMBERS = ["workers", "max_retries", "retry_after_seconds", "timeout_seconds"];
const EDITED = ["timezone", "engine", "concurrency", "catch_up"];
const CONCURRENCY = [["skip", "leave the new one out"], ["queue", "let it wait"]];
const CATCH_UP = [["skip", "leave them out"], ["once", "run once"], ["all", "run each"]];
const ENGINES = [["local", "worker processes here"], ["spark", "Spark"]];
const NOTIFY = ["success", "failed", "cancelled", "timeout", "lost"];

const start = (job, fields) => ({
  texts: textsOf(fields, job.params), triggers: job.triggers ?? [], notify_url: job.notify?.url ?? "", notify_on: job.notify?.on ?? ["failed", "timeout", "lost"],
  ...Object.fromEntries([...EDITED, ...NUMBERS].map((name) => [name, String(job[name] ?? "")])),
});

/** Which trigger the daemon speaks of: field "triggers[1]". */
const triggerNamed = (error) => (error?.field?.startsWith("triggers[") ? parseInt(error.field.slice("triggers[".length), 10) : undefined);

const asNumber = (text) => (text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text);

/** The document of a job as the daemon takes it, with parts changed. */
export function documentOf(job, part) {
  const { type, name, params, enabled, engine, workers, timezone, triggers, concurrency, catch_up, max_retries, retry_after_seconds, timeout_seconds, notify } = job;
  return { type, name, params, enabled, engine, workers, timezone, triggers, concurrency, catch_up, max_retries, retry_after_seconds, timeout_seconds, notify, ...part };
}

const edited = (job, form, fields) => documentOf(job, {
  params: paramsOf(fields, form.texts), triggers: form.triggers,
  notify: form.notify_url.trim() ? { url: form.notify_url.trim(), on: form.notify_on } : null,
  ...Object.fromEntries(EDITED.map((name) => [name, form[name]])), ...Object.fromEntries(NUMBERS.map((name) => [name, asNumber(form[name])])),
});

/** The form's state. What another saved meanwhile comes in while nothing has been changed here; else the daemon refuses the older version. */
function useForm(job, fields) {
  const [base, setBase] = useState(job);
  const [form, setForm] = useState(() => start(job, fields));
  const dirty = JSON.stringify(form) !== JSON.stringify(start(base, fields));
  const reset = (to) => {
    setBase(to);
    setForm(start(to, fields));
  };
  useEffect(() => {
    if (!dirty && job.version !== base.version) reset(job);
  }, [job.version]);
  return { form, base, dirty, reset, set: (part) => setForm((old) => ({ ...old, ...part })) };
}

export function Settings({ job, type, jobs, reload, onStarted }) {
  const fields = fieldsOf(type?.params);
  const { form, base, dirty, reset, set } = useForm(job, fields);
  const action = useAction();
  const box = useRef(null);
  const names = [...fields.map((f) => f.name), "triggers", "notify", ...EDITED, ...NUMBERS];
  const named = fieldNamed(names, action.error?.field);
  const error = (name) => (named === name ? refusalOf(action.error) : null);
  useEffect(() => {
    if (named) box.current.querySelector("[aria-invalid]")?.focus();
  }, [action.error]);
  const save = async (event) => {
    event.preventDefault();
    if (await action.act(async () => reset(await saveJob(base, edited(base, form, fields))), "Saved.")) reload();
  };
  /* what is here is given up; what another saved comes in with the next load, because nothing is changed here any more */
  const theirs = async () => {
    reset(job);
    await reload();
    action.forget();
  };
  const once = () => action.act(async () => onStarted(await startRun(job.id, paramsOf(fields, form.texts))));
  const text = (name) => ({ value: form[name], onInput: (event) => set({ [name]: event.currentTarget.value }) });
  const others = jobs.filter((other) => other.id !== job.id);
  return (
    <form class="card job-form" onSubmit={save} ref={box} aria-labelledby="settings" novalidate>
      <h2 id="settings">Settings</h2>
      <fieldset><legend>Parameters</legend>
        <Params fields={fields} texts={form.texts} set={(name, value) => set({ texts: { ...form.texts, [name]: value } })} error={error} /></fieldset>
      <fieldset><legend>What starts it</legend>
        <Triggers list={form.triggers} change={(triggers) => set({ triggers })} others={others} error={error("triggers")} at={triggerNamed(action.error)} />
        <div class="fields"><Line name="timezone" label="Time zone of its clock" error={error} text={text} help="as in Europe/Berlin" /></div></fieldset>
      <fieldset><legend>How it runs</legend><How text={text} error={error} /></fieldset>
      <fieldset><legend>Who is told</legend><Notify form={form} set={set} text={text} error={error} /></fieldset>
      {!(named && action.error) && <Outcome action={action} what="Not saved" reload={theirs} />}
      <p class="buttons">
        <button type="submit" class="strong" disabled={action.busy || !dirty}>Save</button>
        <button type="button" disabled={action.busy} onClick={once}>Run once with these parameters</button>
        {dirty && <button type="button" class="plain" onClick={() => reset(job)}>Undo changes</button>}
      </p>
      {job.updated_at && <p class="quiet">Version {job.version}, of {instant(job.updated_at)}{job.updated_by && `, by ${job.updated_by}`}.</p>}
    </form>
  );
}

function Line({ name, label, unit, help, error, text }) {
  const wrong = error(name), id = `job-${name}`;
  return <Field id={id} label={label} unit={unit} help={help} error={wrong}><input type="text" autocomplete="off" spellcheck={false} {...text(name)} {...tied(id, { help, error: wrong })} /></Field>;
}

function Pick({ name, label, options, error, text }) {
  const wrong = error(name), id = `job-${name}`;
  return <Field id={id} label={label} error={wrong}><Select options={options} {...text(name)} {...tied(id, { error: wrong })} /></Field>;
}

function How({ text, error }) {
  return (
    <div class="fields">
      <Pick name="engine" label="Passes run on" options={ENGINES} text={text} error={error} />
      <Line name="workers" label="Workers" help="0: as many as there are cores" text={text} error={error} />
      <Pick name="concurrency" label="When it still runs" options={CONCURRENCY} text={text} error={error} />
      <Pick name="catch_up" label="Runs that were missed" options={CATCH_UP} text={text} error={error} />
      <Line name="max_retries" label="Tries again after a failure" unit="times" text={text} error={error} />
      <Line name="retry_after_seconds" label="And waits before it" unit="s" text={text} error={error} />
      <Line name="timeout_seconds" label="Ended after" unit="s" help="0: never" text={text} error={error} />
    </div>
  );
}

function Notify({ form, set, text, error }) {
  const toggle = (state) => (event) => set({ notify_on: NOTIFY.filter((s) => (s === state ? event.currentTarget.checked : form.notify_on.includes(s))) });
  const wrong = error("notify");
  return (
    <div class="fields">
      <Field id="job-notify" label="Webhook" help="empty: nobody" error={wrong}>
        <input type="text" inputMode="url" autocomplete="off" spellcheck={false} {...text("notify_url")} {...tied("job-notify", { help: "empty: nobody", error: wrong })} /></Field>
      {form.notify_url.trim() && <div class="ticks" role="group" aria-label="Told when it">
        {NOTIFY.map((state) => <label key={state} class="tick"><input type="checkbox" checked={form.notify_on.includes(state)} onChange={toggle(state)} /> {state}</label>)}</div>}
    </div>
  );
}
