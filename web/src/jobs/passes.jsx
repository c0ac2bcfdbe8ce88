// The passes of a run as a chain: how far each is, what it read and how fast, what had to be done again.
import { count, plural } from "../format.js";
import { Bar } from "./states.jsx";
import { about, duration } from "./words.js";

const done = (pass) => pass.splits > 0 && pass.done >= pass.splits;

/** Left of a pass that goes on as it went so far. */
export function left(pass) {
  return pass.done > 0 && !done(pass) && pass.seconds > 0 ? (pass.seconds * (pass.splits - pass.done)) / pass.done : null;
}

export function Passes({ run, live }) {
  const passes = run.passes ?? [];
  if (passes.length === 0) return <p class="quiet">{live ? "No pass has begun yet." : "It ran no pass."}</p>;
  return (
    <ol class="passes">{passes.map((pass, i) => (
      <li key={pass.pass} class={`pass ${done(pass) ? "is-done" : live && i === passes.length - 1 ? "is-now" : "is-cut"}`}><Pass pass={pass} live={live && !done(pass)} /></li>))}</ol>
  );
}

function Pass({ pass, live }) {
  const again = pass.attempts - pass.splits, rest = live ? left(pass) : null;
  const speed = pass.rows_in > 0 && pass.seconds > 0 ? `${count(pass.rows_in / pass.seconds)} rows/s` : null;
  return (
    <>
      <h3>{pass.name} {done(pass) && <span class="tone-good" aria-label="done">{"\u2713"}</span>}</h3>
      <Bar done={pass.splits ? pass.done / pass.splits : null} label={`Pass ${pass.name}`} />
      <p>{pass.done} of {plural(pass.splits, "split")} · {duration(pass.seconds)}{rest !== null && <strong> · about {about(Math.ceil(rest))} left</strong>}</p>
      <p class="quiet">{[pass.rows_in > 0 && `${count(pass.rows_in)} rows`, speed].filter(Boolean).join(" \u00b7 ") || "no rows read"}</p>
      {again > 0 && <p class="again">{plural(again, "split")} done again</p>}
    </>
  );
}
