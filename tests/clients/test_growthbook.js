import assert from "node:assert/strict";
import { test } from "node:test";
import { CLIENT_KEY, DAEMON_URL } from "./support.js";
import { testPayload } from "./growthbook.js";

testPayload();

test("a page of another site may read payload, ETag and refusal", async () => {
  const headers = { Origin: "https://shop.example" };
  const reply = await fetch(`${DAEMON_URL}/api/features/${CLIENT_KEY}`, { headers });
  assert.equal(reply.headers.get("access-control-allow-origin"), "*");
  assert.match(reply.headers.get("access-control-expose-headers"), /ETag/);
  const again = await fetch(`${DAEMON_URL}/api/features/${CLIENT_KEY}`, { headers: { ...headers, "If-None-Match": reply.headers.get("etag") } });
  assert.equal(again.status, 304);
  const refused = await fetch(`${DAEMON_URL}/api/features/nobody`, { headers });
  assert.deepEqual([refused.status, refused.headers.get("x-unrecoverable"), refused.headers.get("access-control-allow-origin")], [400, "1", "*"]);
  assert.equal((await refused.json()).status, 400);
});
