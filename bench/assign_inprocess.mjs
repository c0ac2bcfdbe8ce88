// The real SDK's side of assign_inprocess.py: the same commands as assign_inprocess.c, evaluated by GrowthBookClient, the SDK's form for servers.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const sdk = createRequire(new URL("../tests/assign/differential/package.json", import.meta.url));
const { GrowthBookClient } = sdk("@growthbook/growthbook");
const payload = JSON.parse(readFileSync(process.argv[2], "utf8"));
const lines = readFileSync(process.argv[3], "utf8").trimEnd().split("\n");
const units = lines.map((line) => JSON.parse(line)), keys = Object.keys(payload.features);
const client = new GrowthBookClient().initSync({ payload });
let sink = 0;

function evaluateAll(fromText) {
  for (let i = 0; i < units.length; i++) {
    const user = { attributes: fromText ? JSON.parse(lines[i]) : units[i] };
    for (const key of keys) sink += client.evalFeature(key, user).on;
  }
}

function measure(fromText, seconds) {
  const before = process.cpuUsage();
  const spent = () => { const c = process.cpuUsage(before); return (c.user + c.system) * 1000; };
  let assignments = 0;
  while (spent() < seconds * 1e9) {
    evaluateAll(fromText);
    assignments += units.length * keys.length;
  }
  return `${spent()} ${assignments}\n`;
}

for await (const command of createInterface({ input: process.stdin })) {
  const [word, seconds] = command.split(" ");
  process.stdout.write(word === "answers"
    ? units.map((attributes) => JSON.stringify(keys.map((key) => client.evalFeature(key, { attributes }).value)) + "\n").join("")
    : measure(word === "text", Number(seconds)));
}
