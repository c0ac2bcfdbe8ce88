import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { GrowthBook, configureCache, setPolyfills } from "@growthbook/growthbook";
import { EventSource } from "eventsource";
import { CLIENT_KEY, DAEMON_URL, KEYS, assignments, call, checkSplit, favour, makeExperiments, users, waitFor } from "./support.js";

let growthbook, tracked = [];
const tracks = () => tracked.map((t) => [t.unit, t.experiment, t.variant].join(" ")).sort();

before(async () => {
  setPolyfills({ EventSource });
  await makeExperiments();
  growthbook = new GrowthBook({
    apiHost: DAEMON_URL,
    streamingHost: `${DAEMON_URL}/remote`,
    clientKey: CLIENT_KEY,
    remoteEval: true,
    attributes: users[0],
    trackingCallback: (experiment, result) => tracked.push({ unit: String(result.hashValue), experiment: experiment.key, variant: result.key }),
  });
  const { success, source } = await growthbook.init({ streaming: true });
  assert.deepEqual([success, source], [true, "network"]);
});
after(() => {
  growthbook.destroy();
  configureCache({ backgroundSync: false }); // closes the stream, which would keep the process alive
});

test("same user, same variant as POST /v1/assign, and the trackingCallback is called", async () => {
  const expected = await assignments();
  checkSplit(expected);
  for (const [i, attributes] of users.entries()) {
    tracked = [];
    await growthbook.setAttributes(attributes);
    for (const key of KEYS) assert.deepEqual(growthbook.evalFeature(key).value, expected[i][key].value, `${key} of ${attributes.id}`);
    const split = Object.values(expected[i]).filter((x) => x.variant !== null);
    assert.deepEqual(tracks(), split.map((x) => [x.experiment === "device" ? attributes.device : attributes.id, x.experiment, x.variant].join(" ")).sort());
  }
});

test("the payload holds no rules but forced values", async () => {
  const { features } = growthbook.getPayload();
  assert.deepEqual(Object.keys(features).sort(), [...KEYS].sort());
  for (const feature of Object.values(features)) for (const rule of feature.rules ?? []) assert.deepEqual(Object.keys(rule).filter((k) => !["id", "force", "tracks"].includes(k)), []);
});

test("forced variations are obeyed and not tracked", async () => {
  tracked = [];
  await growthbook.setForcedVariations({ ranker: 1 });
  assert.equal(growthbook.evalFeature("ranker").value, "ltr");
  await growthbook.setForcedVariations({ ranker: 0 });
  assert.equal(growthbook.evalFeature("ranker").value, "bm25");
  assert.deepEqual(tracks().filter((t) => t.includes(" ranker ")), []);
  await growthbook.setForcedVariations({});
});

test("new weights reach the client: its stream says so, and it asks again", async () => {
  for (const favourite of ["bm25", "neural"]) {
    await favour(favourite);
    const expected = (await assignments()).at(-1).ranker.value;
    await waitFor(() => growthbook.evalFeature("ranker").value === expected, `weights that favour ${favourite}`);
  }
});

test("limits and faults are named", async () => {
  const ask = async (body) => {
    const reply = await fetch(`${DAEMON_URL}/api/eval/${CLIENT_KEY}`, { method: "POST", body: JSON.stringify(body) });
    return [reply.status, (await reply.json()).error, reply.headers.get("cache-control")];
  };
  const many = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`a${i}`, i]));
  assert.deepEqual((await ask({ attributes: { id: "u" } })).filter((_, i) => i !== 1), [200, "no-store"]);
  assert.match((await ask({ attributes: many }))[1], /"attributes" has more than 1000 entries/);
  assert.match((await ask({ attributes: [] }))[1], /"attributes" is a list, not an object/);
  assert.match((await ask({ forcedFeatures: [["a"]] }))[1], /"forcedFeatures" element 0/);
  assert.equal((await ask({ url: 3 }))[0], 400);
  await assert.rejects(call("POST", "/api/eval/nobody", {}), /400/);
});
