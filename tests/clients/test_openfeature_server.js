import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { OpenFeature } from "@openfeature/server-sdk";
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { CLIENT_KEY, DAEMON_URL, DEFAULTS, KEYS, assignments, call, checkSplit, favour, makeExperiments, users } from "./support.js";

let client;

before(async () => {
  await makeExperiments();
  await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: DAEMON_URL, headers: [["Authorization", `Bearer ${CLIENT_KEY}`]] }));
  client = OpenFeature.getClient();
});
after(() => OpenFeature.close());

const kind = { string: "getStringDetails", boolean: "getBooleanDetails", number: "getNumberDetails", object: "getObjectDetails" };
const details = (key, user) => client[kind[typeof DEFAULTS[key]]](key, DEFAULTS[key], { targetingKey: user.id, country: user.country, device: user.device });

async function compare(expected) {
  for (const [i, user] of users.entries()) {
    const got = await Promise.all(KEYS.map((key) => details(key, user)));
    got.forEach((d, k) => {
      const want = expected[i][KEYS[k]];
      assert.equal(d.errorCode, undefined, `${KEYS[k]} of ${user.id}: ${d.errorMessage}`);
      assert.deepEqual(d.value, want.value, `${KEYS[k]} of ${user.id}`);
      assert.equal(d.variant ?? null, want.variant);
      assert.equal(d.reason, want.variant === null ? "DEFAULT" : "SPLIT");
      assert.deepEqual(d.flagMetadata.experiment ?? null, want.variant === null ? null : KEYS[k]);
    });
  }
}

test("same user, same variant as POST /v1/assign", async () => {
  const expected = await assignments();
  checkSplit(expected);
  await compare(expected);
});

test("new weights count from the next evaluation on", async () => {
  await favour("bm25");
  await compare(await assignments());
});

test("errors have OpenFeature's codes, and the caller's default counts", async () => {
  const unknown = await client.getStringDetails("nobody", "mine", { targetingKey: "u" });
  assert.deepEqual([unknown.value, unknown.errorCode], ["mine", "FLAG_NOT_FOUND"]);
  const nobody = await client.getStringDetails("ranker", "mine", {});
  assert.deepEqual([nobody.value, nobody.errorCode], ["mine", "TARGETING_KEY_MISSING"]);
  const mismatch = await client.getBooleanDetails("ranker", true, { targetingKey: "u" });
  assert.deepEqual([mismatch.value, mismatch.errorCode], [true, "TYPE_MISMATCH"]);
});

test("a stopped experiment gives the caller's default", async () => {
  await call("POST", "/v1/experiments/german/stop");
  assert.equal((await client.getBooleanDetails("german", true, { targetingKey: "u", country: "DE" })).value, true);
});

test("without a key nothing is answered", async () => {
  const reply = await fetch(`${DAEMON_URL}/ofrep/v1/evaluate/flags/ranker`, { method: "POST", body: "{}" });
  assert.equal(reply.status, 401);
});
