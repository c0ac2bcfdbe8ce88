// A stand-in for the daemon: the answers of fixtures/ and the built page, with the headers that the daemon sends (static_files.c).
//
//   node dev/mock.js [--port 8090] [--key KEY] [--empty]      then `npm run dev`, or open it as it is after `npm run build`
//
// --key asks for that key with 401, --empty has no experiments. The browser tests start it through startMock().
import { createServer } from "node:http";
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { answerClusters, clustersOf } from "./mock_clusters.js";
import { answerJobs, jobsOf } from "./mock_jobs.js";
import { answerEvaluations, evaluationsOf } from "./mock_evaluations.js";
import { answerJudgments, judgmentsOf } from "./mock_judgments.js";
import { answerLoops, loopsOf } from "./mock_loops.js";
import { answerRewrites, rewritesOf } from "./mock_rewrites.js";

const here = fileURLToPath(new URL(".", import.meta.url));
export const DIST = join(here, "../dist");
const FIXTURES = join(here, "fixtures");

export const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml" };

/** Every fixture of a folder by its key: {results, timeseries}; in `preflight/` what the daemon answered about a draft. */
export function fixtures(folder = FIXTURES) {
  const read = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
  return new Map(readdirSync(folder).filter((name) => name.endsWith(".json")).sort().map((name) => [name.slice(0, -5), read(name)]));
}

function summary({ experiment: e, units, verdict, run, preference }) {
  const counted = run || preference?.as_of;
  const { key, name, status, origin, created_at, started_at, stopped_at } = e;
  return { key, name, status, origin, created_at, started_at, stopped_at, variants: e.variants.map(({ value, ...v }) => v),
    units: counted ? preference?.pairs[0]?.units ?? units : null, verdict: counted ? verdict : null };
}

function send(response, status, type, body, headers = {}) {
  response.writeHead(status, { "Content-Type": type, "X-Content-Type-Options": "nosniff", ...headers });
  response.end(body);
}

const json = (response, status, body, headers) =>
  send(response, status, status < 400 ? "application/json" : "application/problem+json", JSON.stringify(body), headers);
const problem = (response, status, title, detail) => json(response, status, { type: "about:blank", title, status, detail });

/** The JSON that was sent, or the text that is none; null: nothing was. */
async function bodyOf(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const text = Buffer.concat(pieces).toString();
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return text;
  }
}

function aboutJobs(state, request, response, path, query, body) {
  const reply = { json: (...all) => json(response, ...all), problem: (...all) => problem(response, ...all),
    none: () => send(response, 204, "application/json", "") };
  return answerJobs(state.jobs, { method: request.method, path, query, body, headers: request.headers }, response, reply) !== false;
}

function aboutRewrites(state, request, response, path, query, body) {
  const reply = { json: (...all) => json(response, ...all), problem: (...all) => problem(response, ...all), text: (status, text, headers) => send(response, status, "text/plain; charset=utf-8", text, headers) };
  const asked = { method: request.method, path, query, body, headers: request.headers };
  return answerClusters(state.clusters, asked, reply) !== false || answerRewrites(state.rewrites, asked, reply) !== false;
}

function aboutJudgments(state, request, response, path, query, body) {
  const reply = { json: (...all) => json(response, ...all), problem: (...all) => problem(response, ...all), text: (status, text) => send(response, status, "text/plain; charset=utf-8", text),
    none: () => send(response, 204, "application/json", "") };
  return answerJudgments(state.judgments, { method: request.method, path, query, body }, reply) !== false;
}

function aboutLoops(state, request, response, path) {
  const reply = { json: (...all) => json(response, ...all), problem: (...all) => problem(response, ...all) };
  return answerLoops(state.loops, { method: request.method, path }, reply) !== false;
}

function aboutEvaluations(state, response, path, query) {
  const reply = { json: (...all) => json(response, ...all), problem: (...all) => problem(response, ...all) };
  return answerEvaluations(state.evaluations, { path, query }, reply) !== false;
}

async function api(state, request, response, path) {
  const body = request.method === "GET" ? null : await bodyOf(request);
  const given = (request.headers.authorization || "").replace(/^Bearer /, "");
  const query = new URL(request.url, "http://mock").searchParams;
  state.requests.push(path);
  if (state.broken) return problem(response, 503, "Service Unavailable", "PostgreSQL is away");
  if (state.key && given !== state.key)
    return problem(response, 401, "Unauthorized", given ? "this key is not known or was revoked" : "a key is needed");
  if (aboutJobs(state, request, response, path, query, body)) return undefined;
  if (aboutJudgments(state, request, response, path, query, body)) return undefined;
  if (aboutLoops(state, request, response, path)) return undefined;
  if (aboutRewrites(state, request, response, path, query, body)) return undefined;
  if (aboutEvaluations(state, response, path, query)) return undefined;
  if (path === "/v1/experiments") {
    const rows = [...state.experiments.values()].map((f) => summary(f.results));
    return json(response, 200, { experiments: rows, next_page_token: null });
  }
  if (path === "/v1/metrics") return json(response, 200, state.metrics);
  const [, key, what] = /^\/v1\/experiments\/([^/]+)\/(results|timeseries|results\.csv|results\.json)$/.exec(path) || [];
  const [, draft] = /^\/v1\/experiments\/([^/]+)\/preflight$/.exec(path) || [];
  const told = draft && state.preflights.get(decodeURIComponent(draft));
  const [, sick] = /^\/v1\/experiments\/([^/]+)\/health$/.exec(path) || [];
  if (sick) return json(response, 200, state.health.get(decodeURIComponent(sick)) ?? { ...state.health.get("nothing-known"), experiment: sick });
  if (path === "/v1/plan") return json(response, 200, state.plan);
  if (told) return json(response, 200, told);
  const found = key && state.experiments.get(decodeURIComponent(key));
  if (found) return answerOf(found, what, query, response);
  return problem(response, 404, "Not Found", `there is no experiment "${key ?? draft ?? path}"`);
}

/** Of an answer with a question: the recorded one, or what the daemon says when nothing has been counted that way. */
function answerOf(found, what, query, response) {
  const key = found.results.experiment.key, dimension = query.get("segment"), by = query.get("by");
  const bare = found.results.metrics.map(({ variants, ...m }) => m);
  if (what.startsWith("results.")) return send(response, 200, what.endsWith("csv") ? "text/csv; charset=utf-8" : "application/json",
    what.endsWith("csv") ? `experiment,metric\r\n"${key}","ctr"\r\n` : JSON.stringify({ experiment: key, rows: [] }));
  const of = (metrics) => metrics.filter((m) => !query.has("metric") || m.metric === query.get("metric"));
  const counted = dimension && found.segments?.[dimension];
  if (counted) return json(response, 200, { ...counted, metrics: of(counted.metrics) });
  if (dimension) return json(response, 200, { experiment: key, dimension, dimensions: [], looks: 0, text: "0 comparisons",
    reason: `no units have been counted by "${dimension}"`, metrics: of(bare).map((m) => ({ ...m, effects: [], values: [] })) });
  if (by && by !== "day") return json(response, 200, found[by] ?? { experiment: key, by, level: 0.95, text: "",
    reason: by === "cohort" ? "no cohorts have been counted" : "no days since exposure have been counted", metrics: bare.map((m) => ({ ...m, trends: [], periods: [] })) });
  return json(response, 200, found[what]);
}

async function page(request, response, path) {
  const name = normalize(path === "/" ? "/index.html" : path);
  const html = (request.headers.accept || "").includes("text/html");
  const body = await readFile(join(DIST, name)).catch(() => (html ? readFile(join(DIST, "index.html")) : null)).catch(() => null);
  if (!body) return problem(response, 404, "Not Found", `there is nothing at "${path}"`);
  const type = types[extname(name)] || types[".html"];
  send(response, 200, type, body, { "Content-Security-Policy": CSP, "Referrer-Policy": "no-referrer" });
}

/** Starts on `port` (0: any). `state` may be changed while it runs: experiments, preflights, metrics, jobs, key, broken,
    requests. `pace`: how long a run of a job takes, in ms; `then`: jobs keep the times at which they were recorded. */
export async function startMock({ port = 0, key = null, empty = false, pace, then } = {}) {
  const state = { experiments: empty ? new Map() : fixtures(), preflights: fixtures(join(FIXTURES, "preflight")),
    health: fixtures(join(FIXTURES, "health")), plan: fixtures(join(FIXTURES, "plan")).get("ctr"),
    metrics: fixtures(join(FIXTURES, "catalog")).get("metrics"), jobs: jobsOf(fixtures(join(FIXTURES, "jobs")), { pace, empty, then }),
    judgments: judgmentsOf(fixtures(join(FIXTURES, "judgments")), { empty }),
    loops: loopsOf(fixtures(join(FIXTURES, "loops")), { empty }),
    clusters: clustersOf(fixtures(join(FIXTURES, "clusters")), { empty }),
    rewrites: rewritesOf(fixtures(join(FIXTURES, "rewrites")), { empty }),
    evaluations: evaluationsOf(fixtures(join(FIXTURES, "evaluations")), { empty }), key, broken: false, requests: [] };
  const server = createServer((request, response) => {
    const path = new URL(request.url, "http://mock").pathname;
    const answer = path.startsWith("/v1/") ? api(state, request, response, path) : page(request, response, path);
    answer.catch((error) => problem(response, 500, "Internal Server Error", error.message));
  });
  await new Promise((ready) => server.listen(port, "127.0.0.1", ready));
  const close = () => new Promise((closed) => {
    server.close(closed);
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, state, close };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const option = (name) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
  const mock = await startMock({ port: Number(option("--port") ?? 8090), key: option("--key") ?? null, empty: process.argv.includes("--empty") });
  console.log(`mock of the daemon at ${mock.url}`);
}
