// Writes growthbook.json: inputs drawn from a fixed seed, answers by the real SDK. Each case is [inputs…, answer], the inputs as a
// line of `xassign SECTION` takes them. The helpers are not exported by the package, so they are imported from its files.
import { GrowthBook } from "@growthbook/growthbook";
import { readFileSync } from "node:fs";

const root = new URL("./node_modules/@growthbook/growthbook/", import.meta.url);
const sdk = await import(new URL("dist/esm/util.mjs", root));
const { version } = JSON.parse(readFileSync(new URL("package.json", root)));

const SEED = 20160301;
let state = SEED;
function random() { // mulberry32
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];
const times = (n, make) => Array.from({ length: n }, (_, i) => make(i));
const digits = (x, n) => Number(x.toFixed(n));

// One code point of each length in UTF-8 and UTF-16, and the ends of their ranges.
const ALPHABET = ["a", "Z", "0", "-", "_", ".", " ", "\"", "\\", "\u007f", "\u0080", "é", "e\u0301", "ß", "\u07ff", "\u0800", "я", "用",
  "户", "\ud7ff", "\ue000", "\ufffd", "\uffff", "\u{10000}", "🦄", "👩‍💻", "\u{10ffff}"];
const text = (longest) => times(below(longest + 1), () => pick(ALPHABET)).join("");
const NUMBERS = [1, 3, 3.5, -7, 1e21, 1e-6, 1e-7, 0.1, 0.30000000000000004, 1 / 3, 9007199254740991, 9007199254740992,
  5e-324, 1.7976931348623157e308, 2 ** 31, 2 ** 53 + 2, 1e300, 123456.789, 100];
const id = () => (random() < 0.1 ? pick(NUMBERS) : random() < 0.03 ? random() < 0.5 : text(12));

function weights(n) {
  const raw = times(n, () => random() + 0.01);
  const sum = raw.reduce((a, b) => a + b, 0);
  return raw.map((w) => digits(w / sum, 4));
}
function rangeInputs() {
  const n = 1 + below(6);
  const odd = pick([null, null, weights(n), weights(n), weights(n), weights(n + 1), times(n, () => 0.1), times(n, () => 1)]);
  return [n, pick([1, 1, 0.5, 0, -0.2, 1.5, digits(random(), 3)]), odd];
}
const ranges = () => sdk.getBucketRanges(...rangeInputs());
const floor8 = (x) => Math.floor(x * 1e8 + 1e-4) / 1e8;

const PARTS = ["k=0", "k=1", "k=2", "k=9", "k=-1", "k=-0", "k=+1", "k= 1", "k=0x1", "k=0x", "k=1.9", "k=1e3", "k=", "k", "k=1=0", "kk=1", "K=1", "", "a=1",
  "k=x", "k=%31", "k=01", "k=99999999999999999999", "x=k=1", "k=1?k=2"];
function url() {
  const query = times(below(4), () => pick(PARTS)).join("&");
  return pick(["", "https://a.example/p", "/p#f"]) + pick(["", "?", "?", "?", "??"]) + query + pick(["", "", "#k=1", "#?k=1", "?k=1"]);
}

// The whole of run(): [seed, id, version, coverage, weights, count] → variation, or -1 when not in the experiment.
function assignment() {
  const [, coverage, odd] = rangeInputs();
  const n = odd && odd.length >= 2 ? odd.length : 2 + below(4);
  const inputs = [text(8) || "seed", id(), 1 + below(2), coverage, odd && odd.length === n ? odd : null, n];
  const [seed, unit, hashVersion] = inputs;
  const gb = new GrowthBook({ attributes: { id: unit } });
  const result = gb.run({ key: "k", seed, hashVersion, coverage, weights: inputs[4] ?? undefined, variations: times(n, (i) => i) });
  gb.destroy();
  return [...inputs, result.inExperiment ? result.variationId : -1];
}

const with_ = (inputs, answer) => [...inputs, answer];
const cases = {
  hash: times(300, () => [text(8), id(), pick([1, 1, 1, 2, 2, 2, 3])]).map((i) => with_(i, sdk.hash(i[0], String(i[1]), i[2]))),
  getBucketRange: times(80, rangeInputs).map((i) => [i, sdk.getBucketRanges(...i).map((r) => r.map(floor8))]),
  chooseVariation: times(80, () => [digits(random(), 4), ranges()]).map((i) => with_(i, sdk.chooseVariation(...i))),
  inNamespace: times(80, () => [text(6), [text(4), digits(random() / 2, 2), digits(0.5 + random() / 2, 2)]]).map((i) => with_(i, sdk.inNamespace(...i))),
  getEqualWeights: times(20, (i) => [i - 3]).map((i) => with_(i, sdk.getEqualWeights(...i).map(floor8))),
  getQueryStringOverride: times(200, () => ["k", url(), 2 + below(2)]).map((i) => with_(i, sdk.getQueryStringOverride(...i))),
  assignment: times(300, assignment),
  numberText: [...NUMBERS, ...times(60, (i) => 2 ** (i * 35 - 1050)), ...times(100, () => (random() - 0.5) * 10 ** (below(60) - 30)), 123456789012345680000,
    -0].map((v) => [v.toExponential(20), String(v)]),
};
const sections = Object.entries(cases).map(([name, list]) => `"${name}":[\n${list.map((c) => JSON.stringify(c)).join(",\n")}\n]`);
process.stdout.write(`{"source":"@growthbook/growthbook ${version}, seed ${SEED}",\n${sections.join(",\n")}}\n`);
