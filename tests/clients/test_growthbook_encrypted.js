import assert from "node:assert/strict";
import { test } from "node:test";
import { CLIENT_KEY, DAEMON_URL } from "./support.js";
import { testPayload } from "./growthbook.js";

testPayload();

test("nothing of the configuration can be read without the key", async () => {
  const payload = await (await fetch(`${DAEMON_URL}/api/features/${CLIENT_KEY}`)).json();
  assert.deepEqual(payload.features, {});
  assert.equal(payload.savedGroups, undefined);
  assert.match(payload.encryptedFeatures, /^[A-Za-z0-9+/]{22}==\.[A-Za-z0-9+/]+=*$/);
  assert.ok(!JSON.stringify(payload).includes("ranker"));
});
