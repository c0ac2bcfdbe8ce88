// send.js CLIENT URL KEY: what a shop would send, by one real SDK; what the SDK says of it, as JSON lines, goes to stdout.
import { createRequire } from "node:module";
import http from "node:http";

const require = createRequire(import.meta.url);
const [client, url, key] = process.argv.slice(2);
const say = (what, detail) => console.log(JSON.stringify({ what, ...detail }));

const at = (n) => new Date(Date.UTC(2026, 10, 20, 12, 0, n));
const EVENTS = [
  ["Products Searched", { query: "laptop", query_id: "q-1", results_count: 2 }],
  ["Product List Viewed", { list_id: "q-1", products: [{ product_id: "B01", position: 1 }, { product_id: "B02", position: 2 }] }],
  ["Product Clicked", { product_id: "B02", position: 2, query_id: "q-1" }],
  ["Product Added", { product_id: "B02", price: 10.5, quantity: 2, query_id: "q-1" }],
  ["Order Completed", { order_id: "o-1", revenue: 26, products: [{ product_id: "B02", price: 10.5, quantity: 2 }, { sku: "B03", price: 5 }] }],
  ["Experiment Viewed", { experiment_id: "ranker", experiment_name: "Ranker", variation_id: "ltr", variation_name: "LTR" }],
  ["Wish List Shared", { value: 3 }],
];

function track(analytics) {
  EVENTS.forEach(([event, properties], i) => analytics.track({ anonymousId: "anon-1", userId: "u1", event, properties, timestamp: at(i) }));
  analytics.identify({ anonymousId: "anon-1", userId: "u1", traits: { email: "someone@example.com" }, timestamp: at(20) });
  analytics.page({ anonymousId: "anon-1", name: "Search", properties: { url: "https://shop.example/s?q=laptop" }, timestamp: at(21) });
  analytics.track({ userId: "u2", event: "Product Clicked", properties: { product_id: "x".repeat(600) }, timestamp: at(22) }); // too long: a bad one
}

async function segment() {
  const { Analytics } = require("@segment/analytics-node");
  const analytics = new Analytics({ writeKey: key, host: url, path: "/v1/batch", flushAt: 100 });
  analytics.on("error", (e) => say("error", { code: e.code, reason: String(e.reason ?? "").slice(0, 200) }));
  track(analytics);
  await analytics.closeAndFlush();
}

async function rudderstack({ handled = true, ...options } = {}) {
  const Rudder = require("@rudderstack/rudder-sdk-node");
  const tell = (what) => (e) => e && say(what, { reason: String(e).slice(0, 200) });
  const analytics = new (Rudder.default ?? Rudder)(key, { dataPlaneUrl: url, flushAt: 100, flushInterval: 100, ...options, ...(handled && { errorHandler: tell("error") }) });
  track(analytics);
  await new Promise((resolve) => analytics.flush(resolve)).then(tell("flush"), tell("flush"));
}

async function insights() {
  const { createInsightsClient } = require("search-insights");
  const { hostname, port } = new URL(url);
  // The package's own Node build cannot use a port: it takes any function that sends.
  const send = (target, data) =>
    new Promise((resolve, reject) => {
      const { pathname, search } = new URL(target, url);
      const req = http.request({ hostname, port, path: pathname + search, method: "POST", headers: { "Content-Type": "application/json" } }, (res) => {
        res.resume();
        say("answer", { status: res.statusCode });
        resolve(res.statusCode === 200);
      });
      req.on("error", reject);
      req.end(JSON.stringify(data));
    });
  const aa = createInsightsClient(send);
  aa("init", { appId: "shop", apiKey: key });
  aa("setUserToken", "user-1");
  const query = { index: "products", queryID: "43b15df305339e827f0ac0bdc5ebcaa7" };
  await aa("viewedObjectIDs", { index: "products", eventName: "Impressions", objectIDs: ["B01", "B02"] });
  await aa("clickedObjectIDsAfterSearch", { ...query, eventName: "Clicked", objectIDs: ["B02"], positions: [2] });
  await aa("addedToCartObjectIDsAfterSearch", { ...query, eventName: "Added", objectIDs: ["B02"], objectData: [{ price: 10.5, quantity: 2 }], currency: "EUR" });
  const click = { eventType: "click", eventName: "Clicked", index: "products" };
  await aa("purchasedObjectIDs", { index: "products", eventName: "Bought", objectIDs: ["B02", "B03"], objectData: [{ price: 10.5, quantity: 2 }, { price: 5 }], currency: "EUR" });
  await aa("sendEvents", [{ ...click, objectIDs: ["B04"] }, { ...click, objectIDs: ["x".repeat(600)] }]); // too long: a bad one
}

// Without an errorHandler, which it does not have unless the shop gives one.
const rudderstack_unhandled = () => rudderstack({ handled: false });
const rudderstack_patient = () => rudderstack({ retryCount: 10 });

await { segment, rudderstack, rudderstack_unhandled, rudderstack_patient, insights }[client]();
say("done");
