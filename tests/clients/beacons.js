// beacons.js PAGE URL KEY: a page of another site than the daemon's in Chromium, which sends and is left; what it was answered goes to stdout.
import { readFileSync } from "node:fs";
import http from "node:http";
import { fileURLToPath } from "node:url";
import { startBrowser } from "../browser/support.js";

const [name, url, key] = process.argv.slice(2);
const say = (what, detail) => console.log(JSON.stringify({ what, ...detail }));
const PACKAGES = { "/search-insights.min.js": "search-insights/dist/search-insights.min.js",
  "/instantsearch.js": "instantsearch.js/dist/instantsearch.production.min.js" };
// What the shop's own search engine says.
const FOUND = { results: [{ index: "products", query: "", params: "", queryID: "43b15df305339e827f0ac0bdc5ebcaa7", nbHits: 2, page: 0, nbPages: 1,
  hitsPerPage: 20, processingTimeMS: 1, exhaustiveNbHits: true, hits: [{ objectID: "B01", name: "A laptop" }, { objectID: "B02", name: "Another" }] }] };

// What stands in the pages: code as a shop would write it. Each sends at once and when the page is left.
const PAGES = {
  insights(daemon, apiKey) {
    window.AlgoliaAnalyticsObject = "aa"; // the vendor's snippet: calls wait in a queue until the script is there
    window.aa = (...call) => (window.aa.queue ||= []).push(call);
    const script = document.createElement("script");
    script.src = "/search-insights.min.js";
    document.head.append(script);
    const aa = (...call) => window.aa(...call);
    aa("init", { appId: "shop", apiKey, host: daemon });
    aa("setUserToken", "user-1");
    const query = { index: "products", queryID: "43b15df305339e827f0ac0bdc5ebcaa7" };
    aa("viewedObjectIDs", { index: "products", eventName: "Impressions", objectIDs: ["B01", "B02"] });
    aa("clickedObjectIDsAfterSearch", { ...query, eventName: "Clicked", objectIDs: ["B02"], positions: [2] });
    const click = { eventType: "click", eventName: "Clicked", index: "products" };
    aa("sendEvents", [{ ...click, objectIDs: ["B04"] }, { ...click, objectIDs: ["x".repeat(600)] }]); // too long: a bad one
    addEventListener("pagehide", () => aa("convertedObjectIDsAfterSearch", { ...query, eventName: "Left with it", objectIDs: ["B02"] }));
  },
  instantsearch(daemon, apiKey) {
    window.AlgoliaAnalyticsObject = "aa";
    window.aa = (...call) => (window.aa.queue ||= []).push(call);
    window.aa.version = "2.17.3"; // without it InstantSearch takes it for an old one and sets it up anew, with no key
    const start = () => {
      const { instantsearch, aa } = window;
      const { configure, hits } = instantsearch.widgets;
      aa("init", { appId: "shop", apiKey, host: daemon });
      aa("setUserToken", "user-4");
      const searchClient = { search: () => fetch("/search").then((reply) => reply.json()) };
      const search = instantsearch({ indexName: "products", searchClient, insights: { insightsClient: aa } });
      const item = (hit, { html, sendEvent }) => html`<a id=${hit.objectID} onClick=${() => sendEvent("click", hit, "Clicked")}>${hit.name}</a>`;
      search.addWidgets([configure({ clickAnalytics: true }), hits({ container: "#hits", templates: { item } })]);
      search.start();
    };
    for (const src of ["/search-insights.min.js", "/instantsearch.js"])
      document.head.append(Object.assign(document.createElement("script"), { src, async: false, onload: src === "/instantsearch.js" ? start : null }));
  },
  native(daemon, clientKey) {
    const send = (signals) => navigator.sendBeacon(`${daemon}/v1/signals?key=${clientKey}`, JSON.stringify(signals));
    const click = { id: "s-1", type: "click", unit: "user-2", query_id: "q-1", doc: "B01", position: 1 };
    send([{ id: "s-0", type: "impression", unit: "user-2", query_id: "q-1", doc: "B01", position: 1 }, click]);
    send(click); // a repeat: it has an id
    navigator.sendBeacon(`${daemon}/v1/exposures?key=${clientKey}`, JSON.stringify({ unit: "user-2", experiment: "ranker", variant: "a" }));
    navigator.sendBeacon(`${daemon}/ubi_events?key=${clientKey}`, JSON.stringify({ action_name: "click", client_id: "user-2", query_id: "q-2" }));
    addEventListener("visibilitychange", () => document.visibilityState === "hidden" && send({ id: "s-2", type: "dwell", unit: "user-2", value: 7 }));
    addEventListener("pagehide", () => send({ id: "s-3", type: "page_left", unit: "user-2" }));
  },
  fetched(daemon, clientKey) {
    const send = (headers, path) =>
      fetch(`${daemon}/v1/signals${path}`, { method: "POST", keepalive: true, headers, body: JSON.stringify({ id: "f-1", type: "click", unit: "user-3" }) })
        .then((reply) => reply.text(), String)
        .then((text) => console.log(text));
    send({ "Content-Type": "application/json", Authorization: `Bearer ${clientKey}` }, "");
    send({ "Content-Type": "text/plain" }, `?key=${clientKey}`);
    // A Blob of another type is asked for first, with credentials, and those we want none of: the browser does not send it.
    navigator.sendBeacon(`${daemon}/v1/signals?key=${clientKey}`, new Blob(['{"id":"f-2","type":"click","unit":"user-3"}'], { type: "application/json" }));
  },
};

const call = `(function ${PAGES[name]})(${JSON.stringify(url)}, ${JSON.stringify(key)});`;
const page = `<!doctype html><meta charset="utf-8"><title>${name}</title><link rel="icon" href="data:,"><script>${call}</script><div id="hits"></div>`;

const site = http.createServer((req, res) => {
  const script = PACKAGES[req.url], type = script ? "text/javascript" : req.url === "/search" ? "application/json" : "text/html";
  res.setHeader("Content-Type", type);
  if (script) res.end(readFileSync(fileURLToPath(new URL(`node_modules/${script}`, import.meta.url))));
  else res.end(req.url === "/search" ? JSON.stringify(FOUND) : req.url === "/left" ? "<!doctype html><link rel=icon href='data:,'>" : page);
});
await new Promise((resolve) => site.listen(Number(process.env.SITE_PORT || 0), "127.0.0.1", resolve));
const browser = await startBrowser();
const tab = await browser.open("about:blank");
const answered = [];
tab.on("console", (message) => say("console", { text: message.text() }));
tab.on("response", (response) => {
  const request = response.request();
  if (!request.url().startsWith(url)) return;
  answered.push(response.finished().then(async () => say("answer", { method: request.method(), path: new URL(request.url()).pathname,
    kind: request.resourceType(), type: (await request.allHeaders())["content-type"], status: response.status() })));
});
await tab.goto(`http://127.0.0.1:${site.address().port}/`, { waitUntil: "networkidle" });
if (name === "instantsearch") await tab.click("#B02");
await tab.goto(`http://127.0.0.1:${site.address().port}/left`, { waitUntil: "networkidle" });
await Promise.allSettled(answered);
await browser.close();
site.close();
say("done");
