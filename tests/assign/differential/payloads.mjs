// Payloads, contexts and experiments: every kind of rule, good fields and odd ones.
import { condition, pattern, savedGroups } from "./conditions.mjs";
import { hit } from "./coverage.mjs";
import { below, chance, digits, pick, random, times, weighted } from "./random.mjs";
import { attributes, value, word } from "./values.mjs";

const FEATURES = ["f0", "f1", "f2", "f3", "10", "feature é", ""];
const EXPERIMENTS = ["exp-a", "exp-b", "exp é", "7", "🦄"];
const HASH_ATTRIBUTES = ["id", "deviceId", "anonymousId", "company", "missing", "premium", "tags"];
const SEEDS = ["seed-1", "s", "é", "用户", "🦄", ""];
const METAS = ["0", "1", "control", "é", "v2"];

/** Adds out[name] = make() now and then, and counts that as a kind of rule. */
function maybe(out, p, name, make, kind) {
  if (!chance(p)) return;
  out[name] = make();
  if (kind) hit("rule", kind);
}

const split = () => times(1 + below(2), () => [digits(random() * 0.6, 2), digits(0.4 + random() * 0.6, 2)]);
const filter = () => {
  const out = { seed: pick(SEEDS), ranges: split() };
  maybe(out, 0.5, "hashVersion", () => pick([1, 2, 2, 3, 0]));
  maybe(out, 0.4, "attribute", () => pick(HASH_ATTRIBUTES));
  return out;
};
const filters = () => times(weighted([[8, () => 1], [2, () => 2], [0.5, () => 0]]), filter);

function weights(n) {
  return weighted([
    [5, () => times(n, () => digits(1 / n, 4))],
    [2, () => { const w = times(n, () => random() + 0.01), sum = w.reduce((a, b) => a + b, 0); return w.map((x) => digits(x / sum, 4)); }],
    [1, () => { hit("rule", "weights: bad sum"); return times(n, () => pick([0.1, 1, -1, 0])); }],
    [1, () => { hit("rule", "weights: wrong count"); return times(n + pick([-1, 1]), () => digits(1 / (n + 1), 3)); }],
    [0.5, () => times(n, (i) => (i ? 0 : 1))]]);
}
const ranges = (n) => weighted([
  [6, () => times(n, (i) => [digits(i / n, 2), digits((i + 1) / n, 2)])],
  [1, () => { hit("rule", "ranges: more than variations"); return times(n + 1, (i) => [i / (n + 1), (i + 1) / (n + 1)]); }],
  [1, () => times(n - 1, (i) => [i / n, (i + 1) / n])], [1, () => times(n, () => [digits(random() * 0.5, 3), digits(random(), 3)])]]);
const coverage = () => weighted([[3, () => 1], [3, () => digits(random(), 2)], [2, () => {
  hit("rule", "coverage: odd");
  return pick([0, -0, -0.5, 1.5, 1e21, 5e-324, 0.9999999, null]);
}]]);

function meta(n) {
  return times(Math.max(n, 1), (i) => {
    const out = {};
    if (chance(0.8)) out.key = chance(0.8) ? METAS[i % METAS.length] : pick(METAS);
    maybe(out, 0.3, "name", word);
    maybe(out, 0.15, "passthrough", () => chance(0.8), "meta: passthrough");
    return out;
  });
}

const parents = (attrs, keys) => times(1 + below(2), () => {
  const out = { id: pick(keys) };
  if (chance(0.95)) out.condition = weighted([
    [3, () => ({ value: pick([true, false, 1, "on", null]) })], [2, () => condition({ value: pick([true, "on", 1, { a: 1 }]) }, 2, ["value", "value.a"])],
    [1, () => ({ value: { $exists: true } })], [1, () => ({})]]);
  maybe(out, 0.3, "gate", () => chance(0.8), "prerequisite: gate");
  return out;
});

const hashing = (out) => {
  maybe(out, 0.6, "seed", () => pick(SEEDS), "seed");
  maybe(out, 0.6, "hashVersion", () => { const v = pick([1, 2, 2, 2, 3, 0, 1.5]); hit("rule", v === 1 || v === 2 ? "hashVersion: " + v : "hashVersion: other"); return v; });
  maybe(out, 0.5, "hashAttribute", () => pick(HASH_ATTRIBUTES), "hashAttribute");
  maybe(out, 0.5, "fallbackAttribute", () => pick(["deviceId", "anonymousId", "id"]), "fallbackAttribute");
  maybe(out, 0.1, "disableStickyBucketing", () => chance(0.8), "disableStickyBucketing");
};

/** The fields that rules and experiments share. */
function experimentFields(out, attrs, n) {
  hashing(out);
  maybe(out, 0.4, "coverage", coverage);
  maybe(out, 0.4, "weights", () => weights(n));
  maybe(out, 0.2, "ranges", () => ranges(n), "ranges");
  maybe(out, 0.2, "namespace", () => [pick(["ns", "é"]), ...pick([[0, 0.5], [0.2, 1], [0, 1], [0.9, 0.1]])], "namespace");
  maybe(out, 0.15, "filters", filters, "filters");
  maybe(out, 0.6, "meta", () => meta(n), "meta");
  maybe(out, 0.3, "condition", () => condition(attrs), "condition");
  maybe(out, 0.3, "bucketVersion", () => pick([0, 1, 2, 3]), "bucketVersion");
  maybe(out, 0.2, "minBucketVersion", () => pick([0, 1, 2, 3]), "minBucketVersion");
  maybe(out, 0.2, "name", word);
  maybe(out, 0.2, "phase", () => pick(["0", "1", ""]));
  maybe(out, 0.1, "foo", value, "unknown field");
}

const variations = () => times(weighted([[10, () => 2], [4, () => 3], [2, () => 4], [0.5, () => 1], [0.3, () => 0], [0.3, () => 12]]), (i) => (chance(0.5) ? i : value()));

function experimentRule(attrs, bandits) {
  const rule = {}, list = variations(), bandit = bandits && chance(0.8);
  rule[bandit || chance(0.05) ? "contextualVariations" : "variations"] = list;
  if (bandit) hit("rule", "contextual bandit");
  if (bandit) rule.contextualBanditRef = pick(["cb", "cb", "cb-none", "cb-odd", "cb-dangling"]);
  maybe(rule, 0.7, "key", () => pick(EXPERIMENTS));
  experimentFields(rule, attrs, list.length);
  hit("rule", "experiment");
  return rule;
}

function forceRule(attrs) {
  const rule = { force: value() };
  hit("rule", "force");
  maybe(rule, 0.6, "condition", () => condition(attrs), "force: condition");
  maybe(rule, 0.4, "coverage", coverage, "rollout: coverage");
  maybe(rule, 0.2, "range", () => [digits(random() * 0.5, 2), digits(0.5 + random() * 0.5, 2)], "rollout: range");
  if (chance(0.6)) hashing(rule);
  maybe(rule, 0.15, "filters", filters, "filters");
  return rule;
}

function holdoutRule(attrs) {
  const rule = experimentRule(attrs, false), n = rule.variations?.length ?? rule.contextualVariations.length;
  rule.meta = times(n, (i) => (i ? { key: String(i), passthrough: true } : { key: "0" }));
  hit("rule", "holdout");
  return rule;
}

function rule(attrs, keys, bandits) {
  const out = weighted([[5, () => experimentRule(attrs, bandits)], [4, () => forceRule(attrs)], [1, () => holdoutRule(attrs)],
    [0.4, () => { hit("rule", "nothing to do"); return pick([{}, { condition: {} }, { variations: null }]); }]]);
  maybe(out, 0.4, "id", () => pick(["rule-1", "", "é"]));
  maybe(out, keys.length ? 0.25 : 0, "parentConditions", () => parents(attrs, keys), "prerequisite");
  return out;
}

function feature(attrs, keys, bandits) {
  const out = {};
  maybe(out, 0.9, "defaultValue", () => (chance(0.5) ? pick([true, false, "on", 1]) : value()));
  maybe(out, 0.95, "rules", () => times(weighted([[4, () => 1], [3, () => 2], [2, () => 3], [1, () => 0]]), () => rule(attrs, keys, bandits)));
  return out;
}

/** Prerequisites go to any of the features, so there are chains, diamonds and cycles. */
export function features(attrs, bandits) {
  const keys = times(1 + below(4), () => pick(FEATURES)), named = [...new Set(keys)];
  const out = Object.fromEntries(named.map((k) => [k, feature(attrs, [...named, "unknown"], bandits)]));
  return out;
}

function bandits(attrs) {
  const leaf = (n) => ({ leafId: pick([0, 1, 7, 123]), condition: condition(attrs, 2), weights: weights(n) });
  const definition = () => {
    const out = { contexts: times(below(4), () => leaf(2)) };
    if (chance(0.2) && out.contexts.length) delete out.contexts[0].condition;
    maybe(out, 0.8, "banditVersion", () => pick([0, 1, 7]));
    return out;
  };
  return { cb: definition(), "cb-none": { banditVersion: 1, contexts: [] }, "cb-odd": pick([{}, { banditVersion: null }, definition()]) };
}

const QUERY = ["", "?exp-a=1", "?exp-a=0&exp-b=9", "?7=1", "?x=1&exp-b=1#f", "?exp-a=1.9", "?exp-a=-1", "?exp-a= 2", "?f0=1", "?f1=0", "?%F0%9F%A6%84=1"];
export const URLS = ["http://www.example.com/home", "https://example.com/", "https://example.com", "https://shop.example.com:8080/a/b/", "HTTPS://Example.COM/Home", "https://example.com:443/x",
  "https://example.com/a/../b/./c", "https://example.com/caf%C3%A9", "https://example.com/café", "https://example.com/a b", "/relative/path", "", "not a url", "https://example.com/x?q=1&r=2",
  "https://example.com/x?q=a%20b&q=2", "https://example.com/x?q=a+b#frag", "https://user:pw@example.com/p", "https://example.com//double", "http://10.0.0.1/p", "https://example.com/x?Q=1", "//example.com/p"];
export const url = () => (chance(0.6) ? pick(URLS) : pick(URLS.slice(0, 4)) + pick(QUERY));

const URL_PATTERNS = ["http://www.example.com/home", "/home", "home", "*", "example.com", "www.example.com/*", "*.example.com/*", "https://example.com/*", "/a/b", "/a/b/", "example.com/b/c", "/caf*",
  "/x?q=1", "/x?q=*&r=2", "/x#frag", "/HOME", "/ho.e", "(", "?exp-a=*", "https://*.example.com:8080/*", "https://example.com", "//example.com/p", "/x?q=a b", "/a%20b", "/a b", "/café"];
const URL_REGEXES = ["^https?://", "example\\.com/home$", "^/home", "/home", "[", "^https://example.com/$", "\\?exp-a=", "#frag$", "caf%C3%A9", ":8080/", "/a/b", "x\\?q=(1|2)"];
export const urlPatterns = () => times(weighted([[5, () => 1], [3, () => 2], [0.4, () => 0]]), () => {
  const type = weighted([[5, () => "simple"], [3, () => "regex"], [0.2, () => "other"]]), include = chance(0.75);
  hit("rule", "urlPatterns: " + type + (include ? ", include" : ", exclude"));
  return { type, include, pattern: type === "regex" ? (chance(0.8) ? pick(URL_REGEXES) : pattern()) : pick(URL_PATTERNS) };
});

/** What is known beside the payload: URL, forced variations and features, switches. */
function situation(out, p = 0.1) {
  maybe(out, 0.35, "url", url);
  maybe(out, p / 2, "enabled", () => chance(0.3), "enabled");
  maybe(out, p / 2, "qaMode", () => chance(0.8), "qaMode");
  maybe(out, p, "forcedVariations", () => Object.fromEntries(times(1 + below(2), () => [pick([...EXPERIMENTS, "f0"]), pick([0, 1, 1, 2, -1, 99])])), "forcedVariations");
}

export function context({ withBandits = false, whole = false } = {}) {
  const attrs = attributes(), out = { attributes: attrs, features: features(attrs, withBandits) };
  if (chance(0.02)) delete out.attributes;
  if (!whole && chance(0.02)) out.features[pick(FEATURES)] = null;
  if (chance(0.7)) out.savedGroups = savedGroups(attrs);
  if (withBandits || chance(0.1)) out.contextualBandits = bandits(attrs);
  situation(out);
  maybe(out, 0.08, "forcedFeatures", () => ({ [pick(FEATURES)]: value() }), "forcedFeatures");
  return out;
}
export const featureKey = (ctx) => (chance(0.96) ? pick(Object.keys(ctx.features)) : "unknown");

export function experiment(ctx) {
  const list = variations(), out = { key: pick(EXPERIMENTS), variations: list };
  experimentFields(out, ctx.attributes ?? {}, list.length);
  maybe(out, 0.1, "active", () => chance(0.5), "active");
  maybe(out, 0.1, "status", () => pick(["draft", "running", "stopped"]), "status");
  maybe(out, 0.1, "force", () => pick([0, 1, -1, 9]), "experiment: force");
  maybe(out, 0.2, "urlPatterns", urlPatterns);
  maybe(out, 0.25, "parentConditions", () => parents(ctx.attributes ?? {}, [...Object.keys(ctx.features), "unknown"]), "experiment: prerequisite");
  return out;
}

/** An assignment that one of the context's rules might find, under the attribute that it is looked for. */
function likelyAssignment(ctx) {
  const rules = Object.entries(ctx.features).flatMap(([key, f]) => (f.rules ?? []).filter((r) => r.meta).map((r) => ({ ...r, key: r.key ?? key })));
  if (!rules.length) return null;
  const r = pick(rules), version = chance(0.75) ? (r.bucketVersion ?? 0) : below(3);
  return [chance(0.4) && r.fallbackAttribute ? r.fallbackAttribute : (r.hashAttribute ?? "id"), { [`${r.key}__${version}`]: pick(r.meta)?.key ?? "0" }];
}

function stickyDoc(ctx) {
  const names = [...EXPERIMENTS, ...Object.keys(ctx.features)];
  const any = () => [pick(HASH_ATTRIBUTES), Object.fromEntries(times(below(5), () => [`${pick(names)}__${below(4)}`, pick(METAS)]))];
  const [attributeName, assignments] = (chance(0.7) && likelyAssignment(ctx)) || any(), given = ctx.attributes?.[attributeName];
  const attributeValue = chance(0.9) && given ? (typeof given === "string" ? given : JSON.stringify(given)) : "user-1";
  return { attributeName, attributeValue, assignments };
}

/** Documents of assignments, of the unit's own attributes for the most part. */
export const stickyDocs = (ctx) => times(below(4), () => stickyDoc(ctx));

const REDIRECTS = ["http://www.example.com/home-new", "http://www.example.com/home-new?name=test&color=red", "https://example.com/new?q=9#there", "https://other.example.com", "https://example.com/é?x=é",
  "https://example.com/home?q", "/relative", ""];
const redirectUrl = () => pick(URLS.filter((u) => /^https?:/i.test(u))) + pick(["", "", "?color=blue&food=sushi", "?q=1&q=2&x=%C3%A9", "?a=b%26c&d=e+f&g", "?", "?&&=&a", "?é=🦄#x"]);

/** A page with automatic experiments: redirects, changes of the page, and others. */
export function page() {
  const attrs = attributes(), out = { attributes: attrs, url: chance(0.95) ? redirectUrl() : pick(URLS), features: features(attrs, false) };
  situation(out, 0.05);
  out.url ??= redirectUrl();
  out.experiments = EXPERIMENTS.slice(0, 1 + below(3)).map((key) => {
    const exp = chance(0.6) ? { variations: variations(), hashVersion: 2, key } : { ...experiment(out), key }, kind = weighted([[6, () => "redirect"], [1, () => "visual"], [0.5, () => "unknown"]]);
    hit("rule", "automatic: " + kind);
    exp.variations = exp.variations.map((_, i) => (kind === "redirect" ? (i || chance(0.3) ? { urlRedirect: pick(REDIRECTS.slice(0, chance(0.85) ? 6 : REDIRECTS.length)) } : {}) : kind === "visual" ? { css: "a{}" } : {}));
    if (chance(0.9)) exp.urlPatterns = chance(0.6) ? [{ type: "simple", include: true, pattern: pick(["/home*", "*.example.com/*", "example.com/*", "*/*"]) }] : urlPatterns();
    maybe(exp, 0.5, "persistQueryString", () => chance(0.9), "persistQueryString");
    maybe(exp, 0.05, "manual", () => chance(0.5), "manual");
    return exp;
  });
  return out;
}

