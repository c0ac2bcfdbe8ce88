// What was hit, counted. Every name that must be hit stands here; one that never was fails the test.
const OPERATORS = ["$eq", "$ne", "$lt", "$lte", "$gt", "$gte", "$exists", "$in", "$nin", "$ini", "$nini", "$inGroup", "$notInGroup", "$all", "$alli", "$elemMatch", "$size",
  "$not", "$regex", "$regexi", "$type", "$veq", "$vne", "$vgt", "$vgte", "$vlt", "$vlte"];
const EXPECTED = {
  operator: [...OPERATORS, "$unheard"],
  "operator alone": OPERATORS.flatMap((o) => [o + " true", o + " false"]).concat("$unheard false"),
  condition: ["implicit equality", "equality of arrays", "equality of objects", "dotted path", "path that starts with $", "$or", "$nor", "$and", "$not", "$savedGroup"],
  rule: ["force", "force: condition", "rollout: coverage", "rollout: range", "experiment", "holdout", "contextual bandit", "nothing to do", "prerequisite", "prerequisite: gate", "hashVersion: 1",
    "hashVersion: 2", "hashVersion: other", "seed", "hashAttribute", "fallbackAttribute", "disableStickyBucketing", "namespace", "filters", "ranges", "ranges: more than variations",
    "weights: bad sum", "weights: wrong count", "coverage: odd", "meta", "meta: passthrough", "condition", "bucketVersion", "minBucketVersion", "unknown field", "enabled", "qaMode",
    "forcedVariations", "forcedFeatures", "active", "status", "experiment: force", "experiment: prerequisite", "persistQueryString", "manual", "automatic: redirect", "automatic: visual",
    "automatic: unknown", ...["simple", "regex", "other"].flatMap((t) => [`urlPatterns: ${t}, include`, `urlPatterns: ${t}, exclude`])],
  // The SDK's own debug messages: each is one way out of its evaluation.
  "SDK's way": ["circular dependency", "Global override", "Unknown feature", "Feature blocked by prerequisite", "Skip rule because prerequisite evaluation fails", "Skip rule because of filters",
    "Skip rule because of condition ff", "Skip rule because user not included in rollout", "Force value from rule", "Skip invalid rule", "Use default value", "Invalid experiment",
    "Context disabled", "Skip because of url targeting", "Force via querystring", "Force via dev tools", "Skip because inactive", "Skip because missing hashAttribute", "Skip because of filters",
    "Skip because of namespace", "Skip because of condition exp", "Skip because prerequisite evaluation fails", "Skip because of invalid hash version",
    "Skip because sticky bucket version is blocked", "Skip because of coverage", "Force variation", "Skip because QA mode", "Skip because stopped", "In experiment",
    "Contextual bandit ref not found in payload, using aggregate weights", "Contextual bandit: no matching leaf, using fallback weights", "Auto experiment blocked",
    "Skipping redirect because original URL matches redirect URL", "Error parsing current or redirect URL"],
  answer: ["evalCondition true", "evalCondition false", "feature unknownFeature", "feature defaultValue", "feature force", "feature override", "feature experiment", "feature prerequisite",
    "feature cyclicPrerequisite", "run in, hashed", "run in, forced", "run out", "stickyBucket new", "stickyBucket found", "stickyBucket from the fallback", "stickyBucket none",
    "urlRedirect redirected", "urlRedirect stayed", "urlRedirect query merged", "contextualBandit leaf", "contextualBandit no leaf", "contextualBandit not hashed", "decrypt text", "decrypt null"],
};
const counts = Object.fromEntries(Object.entries(EXPECTED).map(([kind, names]) => [kind, Object.fromEntries(names.map((n) => [n, 0]))]));

export function hit(kind, name) {
  counts[kind][name] = (counts[kind][name] ?? 0) + 1;
}

export function print() {
  for (const [kind, names] of Object.entries(counts)) {
    console.log(`\n${kind}:`);
    console.log(Object.entries(names).map(([n, count]) => `  ${String(count).padStart(8)}  ${n}`).join("\n"));
  }
}

/** What is wrong with the coverage: names that nothing reached, and names that are not listed (an SDK that goes new ways). */
export const wrong = () => Object.entries(counts).flatMap(([kind, names]) => Object.keys(names)
  .filter((n) => !names[n] || !EXPECTED[kind].includes(n)).map((n) => `${names[n] ? "not listed in coverage.mjs" : "never hit"}: ${kind} "${n}"`));
