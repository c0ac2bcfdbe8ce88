// What starts a job: rows of cron, interval and after-job triggers that can be changed, added, switched off and removed.
import { Select } from "./field.jsx";
import { cronWords } from "./words.js";

const KINDS = [["cron", "by cron"], ["interval", "every"], ["job", "after a job"]];
const UNITS = [["minute", "minutes"], ["hour", "hours"], ["day", "days"]];
const ENDS = [["success", "it succeeded"], ["failed", "it failed"], ["cancelled", "it was cancelled"], ["success,failed", "it succeeded or failed"], ["success,failed,cancelled", "it ended, however"]];

function fresh(type, others) {
  if (type === "interval") return { type, every: 15, unit: "minute", enabled: true };
  if (type === "job") return { type, job: others[0]?.id ?? "", on: ["success"], enabled: true };
  return { type, value: "0 2 * * *", enabled: true };
}

/** `error`: what the daemon said about them; `at`: about which one, or undefined. */
export function Triggers({ list, change, others, error, at }) {
  const put = (i, part) => change(list.map((t, at) => (at === i ? { ...t, ...part } : t)));
  const kind = (i, type) => change(list.map((t, at) => (at === i ? fresh(type, others) : t)));
  return (
    <div class="triggers">
      {list.length === 0 && <p class="quiet">Nothing: it runs when somebody starts it.</p>}
      <ol>{list.map((trigger, i) => (
        <li key={i} class={trigger.enabled === false ? "is-off" : ""}>
          <Select value={trigger.type} onInput={(e) => kind(i, e.currentTarget.value)} options={KINDS} aria-label={`What starts it, ${i + 1}`} />
          <What trigger={trigger} put={(part) => put(i, part)} others={others} number={i + 1} wrong={error && i === at} />
          <label class="tick"><input type="checkbox" checked={trigger.enabled !== false} onChange={(e) => put(i, { enabled: e.currentTarget.checked })} /> on</label>
          <button type="button" class="plain" onClick={() => change(list.filter((_, at) => at !== i))} aria-label={`Remove ${i + 1}`}>Remove</button>
          {error && i === at && <p class="bad" role="alert">{error}</p>}
        </li>))}</ol>
      {error && !(at < list.length) && <p class="bad" role="alert">{error}</p>}
      <button type="button" onClick={() => change([...list, fresh("cron", others)])}>Add what starts it</button>
    </div>
  );
}

function What({ trigger: t, put, others, number, wrong }) {
  const invalid = { "aria-invalid": wrong ? "true" : undefined };
  if (t.type === "interval")
    return (
      <span class="trigger-what">
        <input type="number" min="1" {...invalid} value={t.every} onInput={(e) => put({ every: Number(e.currentTarget.value) })} aria-label={`How many, ${number}`} />
        <Select value={t.unit} onInput={(e) => put({ unit: e.currentTarget.value })} options={UNITS} aria-label={`Unit of time, ${number}`} />
      </span>);
  if (t.type === "job")
    return (
      <span class="trigger-what">
        <Select value={t.job} {...invalid} onInput={(e) => put({ job: e.currentTarget.value })} options={others.map((job) => [job.id, job.name || job.id])} aria-label={`Which job, ${number}`} />
        <Select value={(t.on ?? ["success"]).join(",")} onInput={(e) => put({ on: e.currentTarget.value.split(",") })} options={endings(t)} aria-label={`When it ended how, ${number}`} />
      </span>);
  return (
    <span class="trigger-what">
      <input type="text" {...invalid} value={t.value} spellcheck={false} autocomplete="off" onInput={(e) => put({ value: e.currentTarget.value })} aria-label={`Minute, hour, day, month, weekday, ${number}`} />
      <span class="quiet">{cronWords(t.value) ?? "minute hour day month weekday"}</span>
    </span>);
}

/** The usual choices, and what it is now. */
function endings(t) {
  const now = (t.on ?? ["success"]).join(",");
  return ENDS.some(([key]) => key === now) ? ENDS : [...ENDS, [now, now.replace(/,/g, " or ")]];
}
