// The live view in Chromium on a real daemon: what is sent by HTTP shows up. The tests run in this order: the first needs empty rings.
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { lowContrast, stumbles } from "./looks.js";
import { SHOTS, SIZES, startBrowser, shot } from "./support.js";

const { DAEMON_URL, CLIENT_KEY, ADMIN_KEY } = process.env;
let browser;
before(async () => void (browser = await startBrowser()));
after(async () => void (await browser?.close()));

async function send(path, body, key = CLIENT_KEY) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const reply = await fetch(DAEMON_URL + path, { method: "POST", headers: { Authorization: `Bearer ${key}` }, body: text });
  await reply.text();
  return reply.status;
}

/** The view, with the key given as a person would. */
async function live(options, url = DAEMON_URL) {
  const page = await browser.open(`${url}/live`, options);
  await page.getByLabel("Key").fill(ADMIN_KEY);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Live" }).waitFor();
  await page.locator(".arrivals, .help").waitFor();
  page.complaints = page.complaints.filter((c) => !c.includes("401")); /* Chromium tells of the first try, which had no key */
  return page;
}

/** A line to the daemon that can be cut: bytes are passed on as they are. */
async function startLine() {
  const to = new URL(DAEMON_URL), ends = new Set();
  let whole = true;
  const server = createServer((near) => {
    const far = connect(Number(to.port), to.hostname);
    for (const [from, into] of [[near, far], [far, near]]) {
      ends.add(from);
      from.on("error", () => into.destroy()).on("close", () => into.destroy()).pipe(into);
    }
    if (!whole) near.destroy();
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const cut = () => {
    whole = false;
    ends.forEach((socket) => socket.destroy());
  };
  const close = () => new Promise((closed) => {
    server.close(closed);
    cut();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, cut, mend: () => void (whole = true), close };
}

const rows = (page, text) => page.locator(".arrival", { hasText: text });
const words = (locator) => locator.evaluate((node) => node.querySelector("summary").textContent.replace(/\s+/g, " "));
const signal = (more) => ({ type: "click", unit: "u", ...more });

async function end(page) {
  assert.deepEqual(page.complaints, []);
  await page.close();
}

test("before anything has come, it says how to send a first signal, and then shows it", async () => {
  const page = await live();
  await page.getByRole("heading", { name: "Nothing has come yet" }).waitFor();
  const told = await page.locator("main pre").textContent();
  assert.ok(told.includes(`curl -H "Authorization: Bearer $(cat DIR/client.key)" ${DAEMON_URL}/v1/signals`), told);
  await shot(page, "live-empty-wide-light");
  assert.equal(await send("/v1/signals", /-d '(.*)'/.exec(told)[1]), 200);
  await rows(page, "user-1").waitFor();
  assert.match(await words(rows(page, "user-1")), /^\d\d:\d\d:\d\d.*click.*user-1.*“lamp” · d7 · position 1.*native/);
  await end(page);
});

test("signals of every format, exposures and refusals arrive, newest first", async () => {
  const page = await live();
  await send("/v1/signals", signal({ unit: "first" }));
  await rows(page, "first").waitFor();
  await send("/v1/exposures", { unit: "seen-by", experiment: "x", variant: "a" });
  await rows(page, "seen-by").waitFor();
  await send("/ubi_events", { client_id: "ubi-unit", action_name: "hover" });
  await rows(page, "ubi-unit").waitFor();
  await send("/v1/batch", { batch: [{ type: "page", anonymousId: "seg-unit" }, { type: "dance", anonymousId: "seg-unit" }] });
  await rows(page, "dance").waitFor();
  const order = await page.locator(".arrival summary").allTextContents();
  const at = (text) => order.findIndex((t) => t.includes(text));
  assert.ok(at("dance") < at("ubi-unit") && at("ubi-unit") < at("seen-by") && at("seen-by") < at("first"), String(order));
  assert.match(await words(rows(page, "seen-by")), /exposure.*seen-by.*saw a of x.*exposures/);
  const refused = rows(page, "dance");
  assert.match(await words(refused), /element 1 refused.*field "type" is "dance", none of track.*\{"type":"dance","anonymousId":"seg-unit"\}.*Segment/);
  assert.match(await refused.getAttribute("class"), /reject/);
  await end(page);
});

test("what will not count says why", async () => {
  const page = await live();
  await send("/v1/signals", signal({ unit: "crawler", params: { bot: true } }));
  await rows(page, "crawler").waitFor();
  assert.match(await words(rows(page, "crawler")), /click.*crawler.*not counted: bot/);
  await end(page);
});

test("a row opens to the whole record as JSON, by mouse and by keyboard", async () => {
  const page = await live();
  await send("/v1/signals", signal({ unit: "opened", value: 2.5, params: { colour: "red" } }));
  const row = rows(page, "opened");
  await row.locator("summary").click();
  const record = JSON.parse(await row.locator("pre").textContent());
  assert.deepEqual([record.kind, record.route, record.signal.unit, record.signal.value, record.signal.params.colour],
    ["signal", "/v1/signals", "opened", 2.5, "red"]);
  assert.match(await row.locator(".whole").textContent(), /key client\.key, xd_client_[0-9a-f]{4}…/);
  assert.ok(!(await page.content()).includes(CLIENT_KEY));
  await page.keyboard.press("Enter");
  assert.equal(await row.locator("pre:visible").count(), 0);
  await send("/v1/signals", signal({ unit: "behind-it" })); /* an open row stays open when others come */
  await page.keyboard.press("Enter");
  await rows(page, "behind-it").waitFor();
  assert.equal(await row.locator("pre:visible").count(), 1);
  await end(page);
});

test("filters: type, unit, format, rejects only; together; none that fits", async () => {
  const page = await live();
  await send("/v1/signals", [signal({ type: "fil-a", unit: "fil-1" }), signal({ type: "fil-b", unit: "fil-2" }), signal({ type: "fil-b", unit: "fil-1" })]);
  await send("/v1/signals", [signal({ type: "fil-b", unit: "fil-1", position: 0 })]);
  await rows(page, "fil-2").waitFor();
  const only = async (n) => {
    await page.waitForSelector(".loading", { state: "detached" });
    for (let tries = 0; tries < 200 && (await page.locator(".arrival").count()) !== n; tries++) await page.waitForTimeout(50);
    assert.equal(await page.locator(".arrival").count(), n);
  };
  await page.getByLabel("Type").fill("fil-b");
  await only(3);
  await page.getByLabel("Unit").fill("fil-1");
  await only(2);
  await send("/v1/signals", [signal({ type: "fil-b", unit: "fil-1", doc: "later" }), signal({ type: "fil-a", unit: "fil-1", doc: "not-this" })]);
  await rows(page, "later").waitFor();
  await only(3);
  await page.getByLabel("Rejects only").check();
  await only(1);
  assert.match(await words(page.locator(".arrival")), /field "position" is 0/);
  await page.getByLabel("Format").selectOption("ubi");
  await page.getByRole("heading", { name: "Nothing that fits" }).waitFor();
  await end(page);
});

test("pause holds the list still and counts on; going on shows what came", async () => {
  const page = await live();
  await send("/v1/signals", signal({ unit: "moving" }));
  await rows(page, "moving").waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await send("/v1/signals", [signal({ unit: "held-1" }), signal({ unit: "held-2" })]);
  await page.getByRole("button", { name: "Go on (2 new)" }).waitFor();
  assert.equal(await rows(page, "held-").count(), 0);
  assert.match(await page.locator(".counts").textContent(), /3 taken, 0 refused/);
  await page.getByRole("button", { name: "Go on (2 new)" }).click();
  await rows(page, "held-2").waitFor();
  assert.match(await words(page.locator(".arrival").first()), /held-2/);
  await end(page);
});

test("a flood is sampled, says so, and leaves the page usable", async () => {
  const page = await live();
  await send("/v1/signals", Array.from({ length: 3000 }, (_, i) => signal({ unit: `flood-${i}` })));
  await page.locator(".gap", { hasText: "2,800 records left out here" }).waitFor();
  await page.locator(".counts", { hasText: "200 taken, 0 refused, 2,800 not shown" }).waitFor();
  assert.ok(await page.locator(".arrivals > li").count() <= 200);
  await end(page);
});

test("the rate is of the last second, and falls to none", async () => {
  const page = await live();
  await send("/v1/signals", Array.from({ length: 50 }, () => signal({ unit: "rated" })));
  await page.locator(".rate", { hasText: /^50$/ }).waitFor();
  await page.locator(".rate", { hasText: /^0$/ }).waitFor();
  await end(page);
});

test("a connection that is lost is told, and comes back without a repeat", async () => {
  const line = await startLine();
  const page = await live({}, line.url);
  await send("/v1/signals", signal({ unit: "before-it" }));
  await rows(page, "before-it").waitFor();
  line.cut();
  await page.getByText(/Not connected/).waitFor();
  await send("/v1/signals", signal({ unit: "meanwhile" }));
  line.mend();
  await rows(page, "meanwhile").waitFor();
  await page.getByText(/Not connected/).waitFor({ state: "detached" });
  assert.deepEqual([await rows(page, "before-it").count(), await rows(page, "meanwhile").count()], [1, 1]);
  await page.close(); /* Chromium complains of the lost connection */
  await line.close();
});

test("a client's key is not enough, and the page says so", async () => {
  const page = await browser.open(`${DAEMON_URL}/live`);
  await page.getByLabel("Key").fill(CLIENT_KEY);
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("has scope client").waitFor();
  await page.close();
});

test("what clients send is text, never markup", async () => {
  const page = await live();
  const markup = "<img src=x onerror=\"document.title='owned'\"><b>x</b>";
  await send("/v1/signals", [signal({ unit: markup, query: markup }), { type: markup, unit: markup }]);
  await rows(page, "refused").filter({ hasText: "img src" }).waitFor();
  assert.equal(await page.locator(".arrivals img, .arrivals b").count(), 0);
  await end(page);
});

test("the navigation leads there and back", async () => {
  const page = await live();
  const views = page.getByRole("navigation", { name: "Views" });
  assert.equal(await views.getByRole("link", { name: "Live" }).getAttribute("aria-current"), "page");
  await views.getByRole("link", { name: "Experiments" }).click();
  await page.getByRole("heading", { level: 1, name: "Experiments" }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { level: 1, name: "Live" }).waitFor();
  await end(page);
});

/** A few minutes of a shop, so that a picture shows every kind of row. */
async function shop(last) {
  const key = { query_id: "q-81", query: "wireless keyboard", session: "s-17" };
  await send("/v1/signals", { type: "click", unit: "user-4711", ...key, doc: "sku-90" });
  await send("/v1/exposures", { unit: "user-4711", experiment: "x", variant: "b" });
  await send("/v1/signals", [{ type: "request", unit: "user-4711", ...key, value: 24 }, { type: "click", unit: "user-4711", ...key, doc: "sku-20011", position: 2 }]);
  await send("/ubi_queries", { client_id: "8f2c1f6e-device", user_query: "oak desk", query_id: "q-82", query_response_hit_ids: ["a", "b"] });
  await send("/v1/signals", [{ type: "click", unit: "user-12", doc: "sku-3", position: 1, params: { internal: true } }, { type: "click", unit: "user-12", doc: "sku-3", position: 0 }]);
  await send("/v1/batch", { batch: [{ type: "track", event: "Order Completed", anonymousId: "anon-5", properties: { revenue: 129.9 } },
    { type: "track", anonymousId: "anon-5" }] });
  await send("/v1/signals", `[{"type":"click","unit":"${last}"},`);
}

for (const size of ["wide", "phone"])
  for (const scheme of ["light", "dark"])
    test(`${size}, ${scheme}: contrast, names, no sideways scroll`, async () => {
      const page = await live({ size, scheme });
      await shop(`${size}-${scheme}`);
      await page.locator(".arrival").first().filter({ hasText: `${size}-${scheme}` }).waitFor();
      await page.locator(".arrival", { hasText: "sku-20011" }).first().locator("summary").click();
      await page.evaluate(() => scrollTo(0, 0));
      await page.mouse.move(0, 0);
      await page.screenshot({ path: join(SHOTS, `live-${size}-${scheme}.png`), clip: { x: 0, y: 0, ...SIZES[size] } });
      assert.deepEqual(await page.evaluate(lowContrast), []);
      assert.deepEqual(await page.evaluate(stumbles), []);
      const [seen, wide] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
      assert.ok(wide <= seen, `${wide} > ${seen}`);
      await end(page);
    });
