// Asks the daemon. Every failure becomes an ApiError whose kind decides which help the page shows.
//   key: the answer was 401 or 403      not_found: 404      changed: 412, somebody else was first
//   away: no answer                     server: any other status, or no JSON

const KEY = "experimentd.key";
const TIMEOUT_MS = 20000;

/** `field` is the one that the daemon's text names, or null: field "params.half_life" is 0, must be above 0 */
export class ApiError extends Error {
  constructor(kind, text, status = 0) {
    super(text);
    this.kind = kind;
    this.status = status;
    this.field = /(?:field|parameter) "([^"]+)"/.exec(text)?.[1] ?? null;
  }
}

export const hasKey = () => sessionStorage.getItem(KEY) !== null;

/** Event of `window` after the key came. */
export const KEY_CAME = "experimentd:key";

export function rememberKey(key) {
  sessionStorage.setItem(KEY, key);
  dispatchEvent(new Event(KEY_CAME));
}

export function forgetKey() {
  sessionStorage.removeItem(KEY);
  location.assign("/");
}

const kinds = { 401: "key", 403: "key", 404: "not_found", 412: "changed" };

async function problem(response) {
  const type = response.headers.get("content-type") || "";
  const body = type.includes("json") ? await response.json().catch(() => ({})) : {};
  const text = body.detail || body.title || `status ${response.status}`;
  return new ApiError(kinds[response.status] || "server", text, response.status);
}

/** The text of an answer. `method`, `headers`: other than a question's. A body that is a text is sent as it is. `look(response)`: at its headers. */
async function getText(path, body, { method = body === undefined ? "GET" : "POST", headers: more, look } = {}) {
  const key = sessionStorage.getItem(KEY);
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
  let response, text;
  try {
    const headers = { Accept: "application/json, text/csv", ...(key && { Authorization: `Bearer ${key}` }), ...more };
    response = await fetch(path, { method, headers, cache: "no-store", signal: stop.signal, body: body === undefined || typeof body === "string" ? body : JSON.stringify(body) });
    if (response.ok) text = await response.text();
  } catch {
    throw new ApiError("away", stop.signal.aborted ? `no answer within ${TIMEOUT_MS / 1000} seconds` : "no connection");
  } finally {
    clearTimeout(timer);
  }
  if (!response.ok) throw await problem(response);
  look?.(response);
  return text;
}

/** An open stream of server-sent events behind `last`; to be read with `readEvents` (events.js). */
export async function openEvents(path, last, signal) {
  const key = sessionStorage.getItem(KEY);
  const headers = { Accept: "text/event-stream", ...(key && { Authorization: `Bearer ${key}` }), ...(last && { "Last-Event-ID": last }) };
  const response = await fetch(path, { headers, cache: "no-store", signal }).catch(() => {
    throw new ApiError("away", "no connection");
  });
  if (!response.ok) throw await problem(response);
  return response.body.getReader();
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError("server", "the answer was not JSON");
  }
}

/** A question, or a change, and the JSON that answers it; null when there is none. */
export async function ask(path, { method, body, headers } = {}) {
  const text = await getText(path, body, { method, headers });
  return text === "" ? null : parse(text);
}

const of = (key) => `/v1/experiments/${encodeURIComponent(key)}`;

/** The first `pages` pages of the list, newest first as the daemon sends them. */
export async function getList(pages) {
  const all = { experiments: [], more: false };
  let token = null;
  for (let page = 0; page < pages; page++) {
    const answer = parse(await getText("/v1/experiments" + (token ? `?page_token=${encodeURIComponent(token)}` : "")));
    all.experiments.push(...answer.experiments);
    token = answer.next_page_token || null;
    all.more = token !== null;
    if (!token) break;
  }
  return all;
}

/** Results and time series of one experiment, asked for together. */
export async function getResult(key) {
  const [results, series] = await Promise.all([getText(`${of(key)}/results`), getText(`${of(key)}/timeseries`)]);
  return { ...parse(results), timeseries: parse(series) };
}

/** The effect on one metric within each value of a dimension; of all metrics with their values it would be megabytes. */
export async function getSegments(key, dimension, metric) {
  const only = metric === undefined ? "" : `&metric=${encodeURIComponent(metric)}`;
  return parse(await getText(`${of(key)}/results?segment=${encodeURIComponent(dimension)}${only}`));
}

/** The effect by "since_exposure" or "cohort". */
export async function getPeriods(key, by) {
  return parse(await getText(`${of(key)}/timeseries?by=${by}`));
}

/** Gives an answer to the browser as a file; a plain link could not send the key. */
export async function saveText(path, name) {
  saveAs(await getText(path), name);
}

/** Under the name that the daemon gives it. Returns header `wanted`, or null. */
export async function saveFile(path, wanted) {
  let name = "file", found = null;
  const look = ({ headers }) => {
    name = /filename="([^"]+)"/.exec(headers.get("content-disposition") ?? "")?.[1] ?? name;
    found = headers.get(wanted);
  };
  saveAs(await getText(path, undefined, { look }), name);
  return found;
}

function saveAs(text, name) {
  const address = URL.createObjectURL(new Blob([text], { type: name.endsWith(".csv") ? "text/csv" : name.endsWith(".json") ? "application/json" : "text/plain" }));
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 0);
}

/** The table of a result. `format`: csv or json. */
export const saveTable = (key, format, dimension) => saveText(`${of(key)}/results.${format}${dimension ? `?segment=${encodeURIComponent(dimension)}` : ""}`,
  `${key}${dimension ? `-${dimension}` : ""}.${format}`);

/** What starting a draft would say. */
export async function getPreflight(key) {
  return parse(await getText(`${of(key)}/preflight`));
}

/** Whether it can be believed. */
export async function getHealth(key) {
  return parse(await getText(`${of(key)}/health`));
}

/** Units, days and power of what `request` says (docs/planning.md). */
export async function askPlan(request) {
  return parse(await getText("/v1/plan", request));
}

/** Every metric with its definition. */
export async function getMetrics() {
  return parse(await getText("/v1/metrics"));
}
