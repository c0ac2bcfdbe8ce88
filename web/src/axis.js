// How far an axis of lifts reaches. It always shows zero. Estimates and interval ends count unless they dwarf the rest; what lies
// beyond the edge is drawn with an arrow by the caller, or said in a note.

const finite = (x) => x !== null && x !== undefined && Number.isFinite(x);
const ROOM = 0.06;       /* of the span, left free at each side */
const LEAST = 0.01;      /* no axis is shorter than from -1 % to +1 %: an A/A test need not look dramatic */
const DWARFS = 4;        /* an end this many times as far as the farthest estimate leaves the figure */
const ENDS_LEAST = 0.25; /* ... but never one within 25 % */

/** `lifts`: the estimates, of which those beyond `widest` leave the figure; `ends`: ends of intervals. Returns [from, to]. */
export function reach(lifts, ends, widest = Infinity) {
  const shown = lifts.filter((x) => finite(x) && Math.abs(x) <= widest);
  const limit = Math.max(ENDS_LEAST, ...shown.map((x) => Math.abs(x) * DWARFS));
  const all = [...shown, ...ends.filter(finite).map((x) => Math.max(-limit, Math.min(limit, x)))];
  const from = Math.min(-LEAST, ...all), to = Math.max(LEAST, ...all);
  const room = (to - from) * ROOM;
  return [from - room, to + room];
}

/** Ticks in percent read as "+10 %"; the sign says the direction. */
export function tick(x) {
  const percent = Math.round(x * 1000) / 10;
  return (percent > 0 ? "+" : percent < 0 ? "\u2212" : "") + Math.abs(percent).toLocaleString("en") + "\u202f%";
}
