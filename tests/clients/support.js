// What the client tests share: requests, experiments of every kind, users, what POST /v1/assign says of them, and waiting.
import assert from "node:assert/strict";

export const { DAEMON_URL, CLIENT_KEY, ADMIN_KEY, DECRYPTION_KEY } = process.env;
const PATIENCE_MS = 30000; // until a wait is given up; only ever reached when something is broken
const USERS = 300;

export async function call(method, path, body, key = ADMIN_KEY) {
  const reply = await fetch(DAEMON_URL + path, {
    method,
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await reply.text();
  assert.ok(reply.ok, `${method} ${path}: ${reply.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

const variants = (...values) => values.map(([key, weight, value]) => ({ key, weight, value }));

const EXPERIMENTS = [
  { key: "ranker", default_value: "none", variants: variants(["bm25", 0.2, "bm25"], ["ltr", 0.3, "ltr"], ["neural", 0.5, "neural"]) },
  { key: "half", coverage: 0.5, default_value: { k1: 0 }, variants: variants(["low", 0.5, { k1: 0.9 }], ["high", 0.5, { k1: 1.6 }]) },
  { key: "german", targeting: { country: { $in: ["DE", "AT"] } }, default_value: false, variants: variants(["off", 0.5, false], ["on", 0.5, true]) },
  { key: "device", hash_attribute: "device", default_value: 0, variants: variants(["ten", 0.7, 10], ["twenty", 0.3, 20]) },
  { key: "left", layer: "pages", layer_share: 0.4, default_value: "-", variants: variants(["a", 0.5, "left-a"], ["b", 0.5, "left-b"]) },
  { key: "right", layer: "pages", layer_share: 0.6, default_value: "-", variants: variants(["a", 0.5, "right-a"], ["b", 0.5, "right-b"]) },
];
export const KEYS = EXPERIMENTS.map((e) => e.key);
export const DEFAULTS = Object.fromEntries(EXPERIMENTS.map((e) => [e.key, e.default_value]));

/** Makes and starts the experiments. */
export async function makeExperiments() {
  await call("POST", "/v1/layers", { key: "pages" });
  for (const e of EXPERIMENTS) {
    await call("POST", "/v1/experiments", e);
    await call("POST", `/v1/experiments/${e.key}/start`);
  }
}

/** A new phase of "ranker", in which nearly everybody gets `favourite`. */
export async function favour(favourite) {
  const ranker = EXPERIMENTS[0].variants.map((v) => ({ ...v, weight: v.key === favourite ? 0.98 : 0.01 }));
  await call("POST", "/v1/experiments/ranker/phases", { variants: ranker });
}

/** Users with an id (some not ASCII), a country and a device. */
export const users = Array.from({ length: USERS }, (_, i) => ({
  id: i % 10 === 0 ? `nutzer-ä🦄-${i}` : `user-${i}`,
  country: ["DE", "AT", "FR", "US"][i % 4],
  device: `device-${i}`,
}));

/** What POST /v1/assign says: for each user {experiment: {variant, value}}. */
export async function assignments() {
  const asks = users.map((u) => ({ unit: u.id, attributes: u, experiments: KEYS }));
  const answers = await call("POST", "/v1/assign", asks, CLIENT_KEY);
  return answers.map((a) => Object.fromEntries(a.assignments.map((x) => [x.experiment, x])));
}

/** That the experiments split the users at all: otherwise agreeing would say little. */
export function checkSplit(expected) {
  for (const key of KEYS) {
    const seen = new Set(expected.map((e) => e[key].variant));
    assert.ok(seen.size >= 2, `${key}: ${[...seen]}`);
  }
  assert.ok(expected.every((e) => e.left.variant === null || e.right.variant === null), "a layer's experiments exclude each other");
}

export async function waitFor(condition, what) {
  const until = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    assert.ok(Date.now() < until, `waited ${PATIENCE_MS} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
