// Numbers, instants and names as words. Nothing here computes: it rounds, and it writes what is missing as a dash.

const MINUS = "\u2212", NARROW = "\u202f", DASH = "\u2013";
export const NONE = "\u2014";

const superscripts = { "-": "\u207b", 0: "\u2070", 1: "\u00b9", 2: "\u00b2", 3: "\u00b3", 4: "\u2074", 5: "\u2075", 6: "\u2076",
  7: "\u2077", 8: "\u2078", 9: "\u2079" };
const raised = (n) => String(n).replace(/./g, (c) => superscripts[c]);
const missing = (x) => x === null || x === undefined || !Number.isFinite(x);
const minus = (text) => text.replace("-", MINUS);

export function fixed(x, digits) {
  return missing(x) ? NONE : minus(x.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }));
}

export const count = (x) => (missing(x) ? NONE : minus(Math.round(x).toLocaleString("en")));
export const plural = (n, one, many = one + "s") => `${count(n)} ${n === 1 ? one : many}`;
const plus = (x) => (x > 0 ? "+" : "");

/** Sums over units: what is whole but for rounding is written whole. */
export function sum(x) {
  return missing(x) ? NONE : Math.abs(x - Math.round(x)) < 1e-6 ? count(x) : fixed(x, 2);
}

const decimals = { share: 2, count: 4, seconds: 2, score: 4, money: 2 };
const units = { share: NARROW + "%", count: "", seconds: NARROW + "s", score: "", money: "" };
const scale = (display) => (display === "share" ? 100 : 1);

export function value(x, display) {
  return missing(x) ? NONE : fixed(x * scale(display), decimals[display] ?? 4) + (units[display] ?? "");
}

/** A difference of shares is in percentage points. */
export function difference(x, display) {
  if (missing(x)) return NONE;
  const unit = display === "share" ? NARROW + "pp" : units[display] ?? "";
  return plus(x) + fixed(x * scale(display), decimals[display] ?? 4) + unit;
}

export function interval(ci, write) {
  return ci ? `${missing(ci[0]) ? MINUS + "\u221e" : write(ci[0])} to ${missing(ci[1]) ? "+\u221e" : write(ci[1])}` : NONE;
}

export const directions = { increase: "higher is better", decrease: "lower is better" };

export function percent(x, digits = 0) {
  return missing(x) ? NONE : fixed(x * 100, digits) + NARROW + "%";
}

export function lift(x) {
  if (missing(x)) return NONE;
  const digits = Math.abs(x) >= 10 ? 0 : Math.abs(x) >= 1 ? 1 : 2;
  return plus(x) + percent(x, digits);
}

/** The interval of a lift in words, for each of its four kinds. */
export function liftInterval(c) {
  if (!c || c.lift_kind === "none") return NONE;
  if (c.lift_kind === "whole_line" || !c.lift_ci) return "any value";
  const [lo, hi] = c.lift_ci;
  if (c.lift_kind !== "exclusive") return interval(c.lift_ci, lift);
  return [missing(lo) ? null : `below ${lift(lo)}`, missing(hi) ? null : `above ${lift(hi)}`].filter(Boolean).join(" or ");
}

const SMALLEST = 1e-300;

/** "p = 0.031", "p = 2.4 × 10⁻¹⁵⁰", and below what a double holds "p < 10⁻³⁰⁰ (log₁₀ p = −412.3)". */
export function p(x, log10) {
  if ((missing(x) || x < SMALLEST) && !missing(log10)) return `< 10${raised(-300)} (log\u2081\u2080 p = ${fixed(log10, 1)})`;
  if (missing(x)) return NONE;
  if (x >= 0.001) return fixed(x, x >= 0.1 ? 2 : x >= 0.01 ? 3 : 4);
  const [digits, power] = x.toExponential(1).split("e");
  return `${digits} \u00d7 10${raised(Number(power))}`;
}

const dayWords = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const instantWords = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit",
  minute: "2-digit", timeZone: "UTC" });

export const day = (text) => (text ? dayWords.format(new Date(text)) : NONE);
export const instant = (text) => (text ? instantWords.format(new Date(text)) + " UTC" : NONE);

/** "10:50:12" of an instant in UTC. */
export const timeOfDay = (text) => text.slice(11, 19);

export function period(e) {
  if (!e.started_at) return "not started";
  return e.stopped_at ? `${day(e.started_at)} ${DASH} ${day(e.stopped_at)}` : `since ${day(e.started_at)}`;
}

export const nameOf = (thing) => thing.name || thing.key;

/** The name of an experiment's variant by its key. */
export function variantNames(experiment) {
  return new Map(experiment.variants.map((v) => [v.key, nameOf(v)]));
}
