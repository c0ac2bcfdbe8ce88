// Conditions: every operator, aimed at a unit's attributes so that about half of them hold.
import { hit } from "./coverage.mjs";
import { below, chance, pick, times, weighted } from "./random.mjs";
import { PATHS, VERSIONS, at, near, number, object, plain, scalar, value, word } from "./values.mjs";

const PATTERNS = ["^hello", "^HELLO", "(DE|US)$", "-12-25$", "^$", "", "a", "^user-\\d+$", "^user-[0-9]{1,2}$", "[^a-z]", "\\bworld\\b", "\\w+@\\w+\\.\\w+", "^(?:a|b)$",
  "(?=h)hello", "^(?!user)", "(?<=l)o", "(?<!l)o", "(l)\\1", "(?<x>l)\\k<x>", "a{2}", "l{2}", "l{2,}", "l{1,3}?", "^[a-zA-Z]{2}$", "a.b", "a/b", "a\\/b", "//", "\\x61", "\\u0061", "\\u00e9",
  "é", "É", "[é]", "яна", "用户", "null", "true", "^\\s", "\\S$", "\\D", "\\.", "[.]", "[\\d-]", "[a\\]]", "]", "}", "x{", "a|", "^a|b$", "(a)?b\\1", "[]", "[^]", "a*?", "(a*)*",
  "[", "(", ")", "*", "a**", "/???***[)", "(?<x", "(?", "a{2,1}", "[b-a]", "\\", "(?i)a", "a++", "(?>a)", "^\\/?a", "\\0", "\\cJ", "\\t", "[\\b]", "\\-", "\\_"];
export const pattern = () => pick(PATTERNS);

const elements = (v) => (Array.isArray(v) ? v : [v]);
const list = (v) => times(below(4), () => plain(near(elements(v).length ? pick(elements(v)) : v)));
const odd = (p, make, other = value) => (chance(p) ? other() : make());
const version = () => odd(0.1, () => pick(VERSIONS), scalar);
const GROUPS = ["g_ids", "g_list", "7", "g_none", "g_condition", "g_cycle", "g_broken", "g_future", "unknown"];

/** A saved group of each kind there is. */
export const savedGroups = ({ id = null, country = null, ...attrs }) => ({
  g_ids: list(id).concat(times(below(3), scalar)), g_none: [], 7: list(country),
  g_list: { type: "list", attributeKey: pick(["country", "id", "company.name", "tags"]), values: list(country) },
  g_condition: { type: "condition", condition: condition({ id, country, ...attrs }, 1) },
  g_cycle: { type: "condition", condition: { $savedGroup: { id: pick(["g_cycle", "g_condition", "g_list"]) } } },
  g_broken: pick([{ type: "list", values: "x" }, { type: "condition", condition: null }, { type: "list", values: ["DE"] }]),
  g_future: { type: "later", values: ["DE"] },
});

const comparison = (v) => weighted([[3, () => plain(near(v))], [2, number], [2, () => plain(Number(v) + pick([-1, 1, 0.5]))], [1, word]]);
const elementwise = (v, depth) => times(below(3), () => {
  const one = elements(v).length ? pick(elements(v)) : v;
  return chance(0.2) && depth > 0 ? operators(one, depth - 1) : plain(near(one));
});
const OPERATORS = {
  $eq: (v) => plain(near(v)), $ne: (v) => plain(near(v)),
  $lt: comparison, $lte: comparison, $gt: comparison, $gte: comparison,
  $exists: () => pick([true, true, false, false, 1, 0, "", null]),
  $in: (v) => odd(0.1, () => list(v)), $nin: (v) => odd(0.1, () => list(v)), $ini: (v) => odd(0.1, () => list(v)), $nini: (v) => odd(0.1, () => list(v)),
  $inGroup: () => pick(GROUPS.slice(0, chance(0.5) ? 4 : GROUPS.length)), $notInGroup: () => pick(GROUPS),
  $all: (v, depth) => odd(0.1, () => elementwise(v, depth)), $alli: (v, depth) => odd(0.1, () => elementwise(v, depth)),
  $elemMatch: (v, depth) => elementMatch(Array.isArray(v) && v.length ? pick(v) : v, depth),
  $size: (v, depth) => weighted([[3, () => (Array.isArray(v) ? v.length : below(4))], [1, () => operators(below(4), depth - 1)], [1, () => String(below(3))]]),
  $not: (v, depth) => conditionValue(v, depth - 1),
  $regex: pattern, $regexi: pattern,
  $type: () => pick(["string", "number", "boolean", "object", "array", "null", "undefined", "String", "unknown"]),
  $veq: version, $vne: version, $vgt: version, $vgte: version, $vlt: version, $vlte: version,
  $unheard: () => value(),
};
export const OPERATOR_NAMES = Object.keys(OPERATORS);
const LOGICAL = ["$or", "$nor", "$and", "$not", "$savedGroup"];

function elementMatch(one, depth) {
  if (chance(0.5) || one === null || typeof one !== "object" || Array.isArray(one)) return operators(one, depth - 1);
  return condition(one, depth - 1, Object.keys(one));
}

/** {"$gt": 3, …} for a value. */
export function operators(v, depth, count = chance(0.8) ? 1 : 2) {
  return Object.fromEntries(times(count, () => {
    const name = pick(OPERATOR_NAMES);
    hit("operator", name);
    return [name, OPERATORS[name](v, depth)];
  }));
}

export function conditionValue(v, depth) {
  if (depth > 0 && chance(0.65)) return operators(v, depth);
  hit("condition", v !== null && typeof v === "object" ? (Array.isArray(v) ? "equality of arrays" : "equality of objects") : "implicit equality");
  return chance(0.1) ? object(2) : plain(near(v));
}

function logical(name, attrs, depth, paths) {
  hit("condition", name);
  if (name === "$not") return condition(attrs, depth - 1, paths);
  if (name === "$savedGroup") {
    const reference = { id: pick(GROUPS) };
    if (chance(0.3)) reference.attributeKey = pick(["country", "id", "tags", "missing"]);
    return odd(0.08, () => reference, () => pick([null, "g_list", ["g_list"], {}, { id: 7 }, { id: "g_list", attributeKey: 5 }]));
  }
  return times(below(4), () => condition(attrs, depth - 1, paths));
}

/** A whole condition on attributes. */
export function condition(attrs, depth = 3, paths = PATHS) {
  const count = weighted([[12, () => 1], [4, () => 2], [1, () => 3], [0.6, () => 0]]);
  return Object.fromEntries(times(count, () => {
    if (depth > 0 && chance(0.25)) {
      const name = pick(LOGICAL);
      return [name, logical(name, attrs, depth, paths)];
    }
    const path = paths.length ? pick(paths) : word();
    if (path[0] === "$") hit("condition", "path that starts with $");
    if (path.includes(".")) hit("condition", "dotted path");
    return [path, conditionValue(at(attrs, path), depth)];
  }));
}

const FIT = { $veq: "version", $vne: "version", $vgt: "version", $vgte: "version", $vlt: "version", $vlte: "version", $regex: "email", $regexi: "email", $all: "tags", $alli: "tags",
  $elemMatch: "items", $size: "scores", $inGroup: "id", $notInGroup: "country", $gt: "age", $lt: "age", $gte: "age", $lte: "age" };

/** One operator on one path, one that suits it for the most part: what its answers are counted by. */
export function single(attrs) {
  const name = pick(OPERATOR_NAMES), there = PATHS.filter((p) => at(attrs, p) !== null);
  const path = name in FIT && chance(0.5) ? FIT[name] : pick(there.length && chance(0.8) ? there : PATHS);
  hit("operator", name);
  return [name, { [path]: { [name]: OPERATORS[name](at(attrs, path), 2) } }];
}
