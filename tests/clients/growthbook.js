// What the tests of GrowthBook's SDK with a payload share; with DECRYPTION_KEY the payload is encrypted.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { GrowthBookClient, configureCache, setPolyfills } from "@growthbook/growthbook";
import { EventSource } from "eventsource";
import { ADMIN_KEY, CLIENT_KEY, DAEMON_URL, DECRYPTION_KEY, DEFAULTS, KEYS, assignments, call, checkSplit, favour, makeExperiments, users, waitFor } from "./support.js";

export function testPayload() {
  const tracked = [];
  let client;

  before(async () => {
    setPolyfills({ EventSource });
    await makeExperiments();
    client = new GrowthBookClient({
      apiHost: DAEMON_URL,
      clientKey: CLIENT_KEY,
      decryptionKey: DECRYPTION_KEY || undefined,
      trackingCallback: (experiment, result, { attributes }) =>
        tracked.push({ unit: String(result.hashValue), experiment: experiment.key, variant: result.key, attributes }),
    });
    const { success, source } = await client.init({ streaming: true });
    assert.deepEqual([success, source], [true, "network"]);
  });
  after(() => {
    client.destroy();
    configureCache({ backgroundSync: false }); // closes the stream, which would keep the process alive
  });

  function compare(expected) {
    users.forEach((attributes, i) => {
      for (const key of KEYS) {
        const got = client.evalFeature(key, { attributes });
        assert.deepEqual(got.value, expected[i][key].value, `${key} of ${attributes.id}`);
        assert.equal(got.experimentResult?.key ?? null, expected[i][key].variant, `${key} of ${attributes.id}`);
        if (expected[i][key].variant === null) assert.deepEqual(got.value, DEFAULTS[key]);
      }
    });
  }

  test("same user, same variant as POST /v1/assign", async () => {
    const expected = await assignments();
    checkSplit(expected);
    compare(expected);
  });

  test("what the trackingCallback got is taken by POST /v1/exposures", async () => {
    const expected = (await assignments()).flatMap((e) => Object.values(e)).filter((x) => x.variant !== null);
    assert.equal(tracked.length, expected.length);
    const answer = await call("POST", "/v1/exposures", tracked, CLIENT_KEY);
    assert.deepEqual(answer, { accepted: tracked.length, rejected: [] });
    const { records } = await call("GET", "/v1/signals/live?wait=0&type=exposure");
    assert.ok(records.length > 0);
    const known = new Map(users.flatMap(({ id, device, country }) => [id, device].map((unit) => [unit, { device, country }])));
    for (const { exposure } of records) assert.deepEqual(exposure.dimensions, known.get(exposure.unit), exposure.unit);
  });

  test("new weights reach the client over its stream", async () => {
    for (const favourite of ["bm25", "neural"]) {
      await favour(favourite);
      const expected = await assignments();
      assert.ok(expected.filter((e) => e.ranker.variant === favourite).length > 0.9 * users.length);
      await waitFor(() => users.every((attributes, i) => client.evalFeature("ranker", { attributes }).value === expected[i].ranker.value), `weights that favour ${favourite}`);
      compare(expected);
    }
  });

  test("a stopped experiment is gone from the client", async () => {
    await call("POST", "/v1/experiments/german/stop", undefined, ADMIN_KEY);
    await waitFor(() => users.every((attributes) => client.evalFeature("german", { attributes }).value === null), "the stop");
  });
}
