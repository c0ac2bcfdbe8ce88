// Small labels: status, origin, outcome. Each says in words what its colour says.

const statuses = { draft: "Draft", running: "Running", stopped: "Stopped" };
const origins = { simulated: "Simulated data", imported: "Imported log" };

export const Status = ({ status }) => <span class={`badge status-${status}`}>{statuses[status] ?? status}</span>;

export const Origin = ({ origin }) => (origins[origin] ? <span class={`badge origin-${origin}`}>{origins[origin]}</span> : null);

const methods = { any_time: "Any-time test", group_sequential: "Group sequential", fixed: "Fixed horizon" };

/** How its results are looked at, as it was declared. */
export const Analysis = ({ method }) => (methods[method] ? <span class="badge">{methods[method]}</span> : null);

export const outcomes = {
  better: { word: "better", sign: "\u25b2" },
  worse: { word: "worse", sign: "\u25bc" },
  no_difference: { word: "no difference shown", short: "no difference", sign: "\u25cf" },
  not_yet: { word: "not yet: wait for the planned end", short: "not yet", sign: "\u2026" },
  none: { word: "no comparison", short: "none", sign: "\u25cb" },
};

export function Outcome({ outcome }) {
  const o = outcomes[outcome] ?? outcomes.none;
  return <span class={`outcome ${outcome}`}><span aria-hidden="true">{o.sign}</span> {o.short ?? o.word}</span>;
}
