// libassign beside the real GrowthBook SDK: random cases from a seed, whole answers compared.
//   node differential.mjs [--seed N] [--count N] [--only NUMBER] [--program FILE] [--differences N]
import { join } from "node:path";
import { parseArgs } from "node:util";
import { print, wrong } from "./coverage.mjs";
import { random, reseed } from "./random.mjs";
import { SECTIONS, counted } from "./sections.mjs";
import { shrink } from "./shrink.mjs";
import { write } from "./text.mjs";
import { Xassign, answers } from "./xassign.mjs";

const text = { type: "string" };
const { values: options } = parseArgs({ options: { seed: text, count: text, only: text, program: text, differences: text } });
const seed = options.seed === undefined ? crypto.getRandomValues(new Uint32Array(1))[0] : Number(options.seed) >>> 0;
const count = Number(options.count ?? 100000), only = options.only === undefined ? null : Number(options.only);
const program = options.program ?? join(process.env.BUILD_DIR ?? "build", "xassign");
const differencesMax = Number(options.differences ?? 5);
console.error = () => {}; // the SDK complains there about bad weights, patterns and operators
console.log(`seed ${seed}, ${count} evaluations, ${program}`);

const plain = (v) => (v === undefined ? null : JSON.parse(JSON.stringify(v)));

function same(a, b) {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object" || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((k) => Object.hasOwn(b, k) && same(a[k], b[k]));
}

function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    return { "no JSON": line };
  }
}

/** The SDK's answer; where it throws there is none, and only whether libassign answers at all is looked at. */
async function ask(section, inputs, way) {
  try {
    return { answer: plain(await SECTIONS[section].ask(inputs, way)) };
  } catch (e) {
    return { threw: String(e) };
  }
}
const agrees = ({ answer, threw }, ours) => (threw ? !("no JSON" in Object(ours)) : same(answer, ours));

const differences = [], tally = Object.fromEntries(Object.keys(SECTIONS).map((s) => [s, { asked: 0, answered: 0, threw: 0 }]));
function compare(one, line) {
  const ours = parsed(line);
  tally[one.section].answered++;
  if (!agrees(one, ours)) differences.push({ ...one, ours });
}

const table = Object.entries(SECTIONS), total = table.reduce((sum, [, s]) => sum + s.weight, 0);
function draw(number) {
  reseed(seed, number);
  let at = random() * total;
  const [section, s] = table.find(([, one]) => (at -= one.weight) < 0);
  const inputs = s.draw();
  return { number, section, text: write(inputs), operator: inputs.operator };
}

async function askBoth(children, number) {
  const one = draw(number), inputs = JSON.parse(one.text); // what the text says is what both are asked
  const theirs = await ask(one.section, inputs, counted);
  tally[one.section].asked++;
  if (theirs.threw) tally[one.section].threw++;
  else SECTIONS[one.section].note(theirs.answer, Object.assign(inputs, { operator: one.operator }));
  await children[one.section].ask({ ...one, ...theirs });
}

async function smallest({ section, text: given }) {
  const differs = async (tries) => {
    const lines = answers(program, section, tries.map((t) => JSON.stringify(t)));
    for (let i = 0; i < tries.length; i++) {
      const theirs = await ask(section, JSON.parse(JSON.stringify(tries[i])), {}), ours = parsed(lines[i] ?? "");
      if (!theirs.threw && !agrees(theirs, ours)) return tries[i];
    }
    return undefined;
  };
  const start = JSON.parse(given); // minus zeros and keys given twice are lost here: then it does not differ any more
  return (await differs([start])) ? shrink(start, differs) : null;
}

async function report(d) {
  console.log(`\ncase ${d.number} of seed ${seed} differs (--seed ${seed} --only ${d.number}): ${d.section} ${d.text}`);
  console.log(`  SDK:       ${d.threw ?? JSON.stringify(d.answer)}\n  libassign: ${JSON.stringify(d.ours)}`);
  const less = await smallest(d);
  if (!less) return console.log("  (only as written: a number's or key's spelling)");
  console.log(`  smaller:   ${JSON.stringify(less)}`);
  console.log(`  SDK:       ${JSON.stringify((await ask(d.section, JSON.parse(JSON.stringify(less)), {})).answer)}\n  libassign: ${answers(program, d.section, [JSON.stringify(less)])[0]}`);
}

async function run() {
  const children = Object.fromEntries(Object.keys(SECTIONS).map((s) => [s, new Xassign(program, s, compare)]));
  for (let number = only ?? 0; number < (only === null ? count : only + 1); number++) await askBoth(children, number);
  const ends = await Promise.all(Object.entries(children).map(async ([s, c]) => [s, await c.end(), c.waiting.length]));
  return ends.filter(([, how, left]) => how !== 0 || left).map(([s, how, left]) => `xassign ${s} ended with ${how}, ${left} answers missing`);
}

const failures = await run();
for (const d of differences.slice(0, differencesMax)) await report(d);
if (only === null) print();
console.log();
for (const [s, t] of Object.entries(tally)) console.log(`${s.padEnd(18)} ${t.answered} of ${t.asked} answered, ${t.threw} of them without an answer by the SDK (it threw)`);
if (differences.length) failures.push(`${differences.length} cases differ`);
if (only === null) failures.push(...wrong());
for (const f of failures) console.log(`failed: ${f}`);
console.log(`seed ${seed}: ${failures.length ? "failed" : "all answers are the same"}`);
process.exit(failures.length ? 1 : 0);
