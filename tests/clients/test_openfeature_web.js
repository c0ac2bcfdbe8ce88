import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { OpenFeature, ProviderEvents } from "@openfeature/web-sdk";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { EventSource } from "eventsource";
import { CLIENT_KEY, DAEMON_URL, DEFAULTS, KEYS, assignments, checkSplit, favour, makeExperiments, users, waitFor } from "./support.js";

const seen = []; // status of each bulk request, with what it asked for
let client, changes = 0;

before(async () => {
  globalThis.EventSource = EventSource;
  await makeExperiments();
  const fetchImplementation = async (...request) => {
    const tag = request[0].headers.get("if-none-match");
    const reply = await fetch(...request);
    seen.push({ status: reply.status, tag, etag: reply.headers.get("etag") });
    return reply;
  };
  const provider = new OFREPWebProvider({ baseUrl: DAEMON_URL, cacheMode: "disabled", fetchImplementation, headers: [["Authorization", `Bearer ${CLIENT_KEY}`]] });
  await OpenFeature.setContext(context(users[0]));
  await OpenFeature.setProviderAndWait(provider);
  client = OpenFeature.getClient();
  client.addHandler(ProviderEvents.ConfigurationChanged, () => changes++);
});
after(() => OpenFeature.close());

const context = (user) => ({ targetingKey: user.id, country: user.country, device: user.device });
const kind = { string: "getStringDetails", boolean: "getBooleanDetails", number: "getNumberDetails", object: "getObjectDetails" };
const details = (key) => client[kind[typeof DEFAULTS[key]]](key, DEFAULTS[key]);

test("same user, same variant as POST /v1/assign", async () => {
  const expected = await assignments();
  checkSplit(expected);
  for (const [i, user] of users.entries()) {
    await OpenFeature.setContext(context(user));
    for (const key of KEYS) {
      const got = details(key);
      assert.equal(got.errorCode, undefined, `${key} of ${user.id}: ${got.errorMessage}`);
      assert.deepEqual(got.value, expected[i][key].value, `${key} of ${user.id}`);
      assert.equal(got.variant ?? null, expected[i][key].variant);
    }
  }
});

test("the same context again is answered by 304", async () => {
  await OpenFeature.setContext({ ...context(users.at(-1)) });
  await waitFor(() => seen.at(-1).status === 304, "a 304");
  assert.equal(seen.at(-1).tag, seen.findLast((s) => s.status === 200).etag);
});

test("new weights reach the client: its stream says so, and it fetches again", async () => {
  for (const favourite of ["bm25", "neural"]) {
    await favour(favourite);
    const expected = (await assignments()).at(-1);
    await waitFor(() => details("ranker").value === expected.ranker.value && details("ranker").flagMetadata.phase === (favourite === "bm25" ? 2 : 3), `weights that favour ${favourite}`);
    for (const key of KEYS) assert.deepEqual(details(key).value, expected[key].value, key);
  }
  assert.ok(changes >= 1, "the SDK told of the change");
});

test("a context without a targetingKey fails flag by flag", async () => {
  await OpenFeature.setContext({ country: "FR", device: "device-1" });
  assert.equal(details("ranker").errorCode, "TARGETING_KEY_MISSING");
  assert.equal(details("device").errorCode, undefined);
});
