// JSON text of a case as a client might write it: minus zero, escapes, spaces, other spellings of numbers, keys given twice.
import { chance, pick } from "./random.mjs";

const escaped = (s) => Array.from({ length: s.length }, (_, i) => "\\u" + s.charCodeAt(i).toString(16).padStart(4, "0")).join("");
const string = (s) => (s.length < 20 && chance(0.02) ? `"${escaped(s)}"` : JSON.stringify(s));

function number(v) {
  if (Object.is(v, -0)) return pick(["-0", "-0.0", "-0e5"]);
  return chance(0.03) ? v.toExponential() : String(v);
}

function member([key, v]) {
  const text = `${string(key)}:${write(v)}`;
  return chance(0.004) ? `${string(key)}:${pick(["1", "null", "{\"x\":[]}"])},${text}` : text; // the last one counts
}

export function write(v) {
  if (typeof v === "number") return number(v);
  if (typeof v === "string") return string(v);
  if (v === null || typeof v === "boolean") return String(v);
  const space = chance(0.02) ? pick([" ", "\t", "\r", "  "]) : "";
  return Array.isArray(v) ? `[${space}${v.map(write).join("," + space)}${space}]` : `{${space}${Object.entries(v).map(member).join("," + space)}${space}}`;
}
