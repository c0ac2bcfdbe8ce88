// Draws that replay: every case has a stream of its own, made from the printed seed and the case's number.
let state = 0;

/** Starts the stream of case `number` of a run. */
export function reseed(seed, number) {
  state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(number + 1, 0xc2b2ae35)) | 0;
}

export function random() { // mulberry32
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

export const below = (n) => Math.floor(random() * n);
export const pick = (list) => list[below(list.length)];
export const chance = (p) => random() < p;
export const times = (n, make) => Array.from({ length: n }, (_, i) => make(i));
export const digits = (x, n) => Number(x.toFixed(n));

/** One of [[weight, make], …], by weight; the chosen one's make() is called. */
export function weighted(table, ...args) {
  let at = random() * table.reduce((sum, [w]) => sum + w, 0);
  return (table.find(([w]) => (at -= w) < 0) ?? table[table.length - 1])[1](...args);
}
