// Values and attributes: ordinary ones, and those that part JavaScript from other languages. No lone surrogates: text is UTF-8 in libassign.
import { below, chance, pick, random, times, weighted } from "./random.mjs";

const WORDS = ["", "a", "b", "DE", "de", "US", "Fr", "pro", "PRO", "free", "user-1", "user-2", "hello world", "tag", "x-y_z.w", "null", "true", "false",
  "[object Object]", "a,b", "1,2", "é", "É", "ЯНА", "яна", "用户", "🦄", "👩‍💻", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}", "e\u0301", "a\u0000b",
  "\u007f\u0080", "quote\"back\\slash/\b\f\n\r\t", "line\u2028sep", " ", "%20", "a.b", "$x"];
const NUMERIC_WORDS = ["0", "1", "3", "3.0", "03", "-0", "10", "18", "0x10", "0b11", "0o7", " 12 ", "\t7\n", "1e3", "1e-7", ".5", "5.", "+5", "1_0", "Infinity", "-Infinity", "NaN",
  "1e21", "1e400", "9007199254740993", "--1", "1 2", "0x", "\u00a05", "\ufeff6"];
const NUMBERS = [0, -0, 1, 2, 3, -1, 3.5, 7, 10, 18, 42, 0.1, 0.2, 0.1 + 0.2, 1e21, 1e-7, 123456789012, 9007199254740991, 9007199254740992, -5.25, 2 ** 31, 2 ** 32, 1e300,
  1.7976931348623157e308, 5e-324, 1 / 3, 100];
const KEYS = ["a", "b", "name", "n", "0", "1", "10", "2", "01", "-1", "4294967294", "4294967295", "é", "", "a.b", "$k", "z"];
export const VERSIONS = ["1.2.3", "v1.2.3", "1.2.3+build.5", "1.2.3-rc.1", "1.2.3-rc.10", "1.10.0", "1.9.0", "2.0", "2", "10", "1.2.3.4", "v", "", "1.2.3-beta", "vv1.0.0",
  "1.2.3+a+b", "123456.0.0", "1.0.0-", "1..0", "1.0.0-é", "+1", "1.0.0\n", "~", "1.0.0-\u{10000}", "1.0.0-\uffff"];

export const word = () => (chance(0.75) ? pick(WORDS) : pick(NUMERIC_WORDS));
export const number = () => (chance(0.8) ? pick(NUMBERS) : chance(0.5) ? below(200) - 50 : (random() - 0.5) * 10 ** (below(40) - 20));
export const scalar = () => weighted([[4, word], [3, number], [1, () => chance(0.5)], [1, () => null]]);
export const object = (depth) => Object.fromEntries(times(below(4), () => [pick(KEYS), value(depth - 1)]));
export const array = (depth) => times(below(4), () => value(depth - 1));
export const value = (depth = 2) => (depth > 0 ? weighted([[6, scalar], [1, array], [1, object]], depth) : scalar());

/** {"in":{"in":…}}: n levels. */
export const nested = (n, inside) => (n ? { in: nested(n - 1, inside) } : inside);

/** What a hash attribute holds: mostly ids, some of them no text, some "empty" in JavaScript's sense. */
export const id = () => weighted([
  [14, () => "user-" + below(60)], [2, word], [2, number], [1, () => below(1000)],
  [2, () => pick(["", 0, -0, false, null])], [0.5, () => true], [0.5, () => array(2)], [0.5, () => object(2)]]);

const tags = () => weighted([[4, () => times(below(4), () => pick(["a", "b", "tag", "DE", "de", "É"]))], [2, () => times(below(5), scalar)], [1, () => array(2)]]);
const item = () => ({ sku: pick(["a", "b", "user-1"]), qty: pick(NUMBERS), tags: tags() });
const ATTRIBUTES = {
  id, deviceId: id, anonymousId: id,
  country: () => pick(["DE", "US", "de", "Fr", "É", "é"]),
  age: () => (chance(0.7) ? below(40) : pick(NUMERIC_WORDS)),
  premium: () => chance(0.5),
  tags,
  company: () => ({ name: word(), size: { n: number(), 10: word(), 2: word() }, tags: tags(), "": word() }),
  version: () => pick(VERSIONS),
  email: () => pick(["hello@a.example", "HELLO@A.EXAMPLE", "x+y@b.test", "ping", "naïve@é.example"]),
  scores: () => times(below(5), number),
  items: () => times(below(3), item),
  $groups: () => times(below(3), () => pick(["beta", "staff", "qa"])),
  10: scalar, 2: scalar, "a.b": scalar, "": scalar,
  deep: () => nested(1 + below(20), scalar()),
};
export const PATHS = [...Object.keys(ATTRIBUTES), "company.name", "company.size", "company.size.n", "company.size.10", "company.missing", "company.tags", "company.tags.0",
  "company.", "tags.0", "tags.length", "tags.00", "country.length", "items.0.sku", "items.1", "deep.in", "deep.in.in.in", "missing", "missing.x", "age.x", "scores.0", ".", "$groups.0"];

/** The attributes of a unit: each of the usual ones is often there, and now and then something else entirely. */
export function attributes() {
  const out = {};
  for (const [name, make] of Object.entries(ATTRIBUTES))
    if (chance(name === "id" ? 0.95 : 0.6)) out[name] = chance(0.08) ? value() : make();
  return out;
}

/** The value at a dotted path, or null: what conditions are aimed at. */
export function at(root, path) {
  let current = root;
  for (const part of path.split(".")) {
    if (current === null || typeof current !== "object" || !Object.hasOwn(current, part)) return null;
    current = current[part];
  }
  return current;
}

/** Something that may well equal v in one sense or another, or another value. */
export function near(v) {
  return weighted([
    [6, () => v], [1, () => String(v)], [1, () => Number(v)], [1, () => (typeof v === "string" ? v.toUpperCase() : v)],
    [1, () => (typeof v === "string" ? v.toLowerCase() : !!v)], [1, () => [v]], [3, () => value()]]);
}

/** NaN and Infinity have no JSON; neither have they here. */
export const plain = (v) => (typeof v === "number" && !Number.isFinite(v) ? 0 : v);
