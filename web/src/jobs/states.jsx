// The states of a run: a word, a sign and a tone (a colour) each, and which of them are an end.

export const STATES = {
  queued: { word: "Waiting", sign: "\u2026", tone: "waits" },
  running: { word: "Running", sign: "\u25b6", tone: "runs" },
  publishing: { word: "Publishing", sign: "\u25b6", tone: "runs" },
  success: { word: "Done", sign: "\u2713", tone: "good" },
  failed: { word: "Failed", sign: "\u2715", tone: "bad" },
  timeout: { word: "Out of time", sign: "\u2715", tone: "bad" },
  lost: { word: "Lost", sign: "?", tone: "bad" },
  cancelled: { word: "Cancelled", sign: "\u2298", tone: "off" },
  skipped: { word: "Skipped", sign: "\u21b7", tone: "off" },
};

export const stateOf = (state) => STATES[state] ?? { word: state, sign: "?", tone: "off" };
export const isLive = (state) => ["queued", "running", "publishing"].includes(state);
export const isBad = (state) => stateOf(state).tone === "bad";

export function State({ state }) {
  const { word, sign, tone } = stateOf(state);
  return <span class={`run-state tone-${tone}`}><span aria-hidden="true">{sign}</span> {word}</span>;
}

/** A bar of progress; `done` from 0 to 1, or null when it is not known. */
export function Bar({ done, label }) {
  const share = done === null || done === undefined ? null : Math.min(1, Math.max(0, done));
  return (
    <span class={`bar ${share === null ? "bar-unknown" : ""}`} role="progressbar" aria-label={label} aria-valuemin="0" aria-valuemax="100"
      aria-valuenow={share === null ? undefined : Math.round(share * 100)}>
      <span style={{ width: `${(share ?? 1) * 100}%` }} />
    </span>
  );
}
