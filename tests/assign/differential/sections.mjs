// The sections of xassign: how a case is drawn, and what the real SDK answers to it.
import { GrowthBook, StickyBucketServiceSync } from "@growthbook/growthbook";
import { createCipheriv } from "node:crypto";
import { condition, savedGroups, single } from "./conditions.mjs";
import { hit } from "./coverage.mjs";
import * as payloads from "./payloads.mjs";
import { below, chance, pick, times } from "./random.mjs";
import { attributes, value, word } from "./values.mjs";

// Not exported by the package, so they are imported from its files.
const dist = new URL("dist/esm/", new URL("package.json", import.meta.resolve("@growthbook/growthbook/package.json")));
const { evalCondition } = await import(new URL("mongrule.mjs", dist));
const { decrypt } = await import(new URL("util.mjs", dist));

function log(message) {
  hit("SDK's way", message.startsWith("evalFeature: circular dependency") ? "circular dependency" : message);
}

class Store extends StickyBucketServiceSync {
  docs = new Map();
  getAssignmentsSync(name, text) { return this.docs.get(this.getKey(name, text)) ?? null; }
  saveAssignmentsSync(doc) { this.docs.set(this.getKey(doc.attributeName, doc.attributeValue), doc); }
}

const PAYLOAD = ["features", "experiments", "savedGroups", "contextualBandits"];
function growthbook(context, store, counted) {
  const { forcedFeatures, ...options } = context;
  if (forcedFeatures) options.forcedFeatureValues = new Map(Object.entries(forcedFeatures));
  if (!store) return new GrowthBook({ ...options, ...counted });
  const payload = Object.fromEntries(PAYLOAD.filter((k) => k in options).map((k) => [k, options[k]]));
  for (const k of PAYLOAD) delete options[k];
  delete options.stickyBucketAssignmentDocs;
  return new GrowthBook({ ...options, ...counted, stickyBucketService: store }).initSync({ payload });
}

const evaluate = ([context, key], counted) => growthbook(context, null, counted).evalFeature(key);

const cipher = (text, key, iv) => {
  const c = createCipheriv(`aes-${key.length * 8}-cbc`, key, iv);
  return Buffer.concat([c.update(text), c.final()]).toString("base64");
};
function encrypted() {
  const key = Buffer.from(times(16, () => below(256))), iv = Buffer.from(times(16, () => below(256)));
  const parts = [iv.toString("base64"), cipher(chance(0.5) ? JSON.stringify(value()) : times(below(30), word).join(" "), key, iv)];
  const text = pick([...times(6, () => parts.join(".")), parts.join(""), parts.join(".") + ".x", parts.join(".").slice(0, -4), " " + parts.join(" . "), parts[0].slice(4) + "." + parts[1],
    parts[0] + ".", "." + parts[1], parts.join(".").replaceAll("=", ""), parts.join(".").replaceAll("+", "-"), ""]);
  return [text, pick([...times(10, () => key.toString("base64")), key.toString("base64").replaceAll("=", ""), key.subarray(4).toString("base64"), "not base64!", ""])];
}

/** draw() → inputs; ask(inputs, counted) → the SDK's answer; note(answer, inputs) counts what kind of answer it was. */
export const SECTIONS = {
  evalCondition: {
    weight: 30,
    draw() {
      const attrs = attributes();
      const [operator, alone] = chance(0.4) ? single(attrs) : [null, condition(attrs, 4)];
      const inputs = chance(0.7) ? [alone, attrs, savedGroups(attrs)] : [alone, attrs];
      return Object.defineProperty(inputs, "operator", { value: operator });
    },
    ask: ([c, attrs, groups]) => evalCondition(attrs, c, groups),
    note(answer, inputs) {
      hit("answer", `evalCondition ${answer}`);
      if (inputs.operator && !(inputs.operator === "$unheard" && answer)) hit("operator alone", `${inputs.operator} ${answer}`);
    },
  },
  feature: {
    weight: 30,
    draw() { const context = payloads.context(); return [context, payloads.featureKey(context)]; },
    ask: evaluate,
    note: (answer) => hit("answer", "feature " + answer.source),
  },
  run: {
    weight: 15,
    draw() { const context = payloads.context(); return [context, payloads.experiment(context)]; },
    ask([context, experiment], counted) {
      const r = growthbook(context, null, counted).run(experiment);
      return [r.value, r.inExperiment, r.hashUsed];
    },
    note: ([, inside, hashed]) => hit("answer", inside ? (hashed ? "run in, hashed" : "run in, forced") : "run out"),
  },
  stickyBucket: {
    weight: 10,
    draw() { const context = payloads.context({ withBandits: chance(0.2), whole: true }); return [context, payloads.stickyDocs(context), payloads.featureKey(context)]; },
    ask([context, docs, key], counted) {
      const store = new Store();
      docs.forEach((doc) => store.saveAssignmentsSync(doc));
      const gb = growthbook(context, store, counted);
      const result = gb.evalFeature(key).experimentResult ?? null;
      return [result, gb.getStickyBucketAssignmentDocs()];
    },
    note([result], [, docs]) {
      const way = result?.stickyBucketUsed ? (docs.some((d) => d.attributeName === result.hashAttribute) ? "found" : "from the fallback") : result ? "new" : "none";
      hit("answer", "stickyBucket " + way);
    },
  },
  urlRedirect: {
    weight: 6,
    draw: () => [payloads.page()],
    ask([context], counted) {
      const gb = growthbook(context, null, counted), url = gb.getRedirectUrl();
      const list = [...gb.getAllResults().values()].filter((r) => r.result.inExperiment && r.result.value?.urlRedirect);
      return url ? [{ inExperiment: true, urlRedirect: list.at(-1).result.value.urlRedirect, urlWithParams: url }] : [];
    },
    note(answer) {
      hit("answer", answer.length ? "urlRedirect redirected" : "urlRedirect stayed");
      if (answer.length && answer[0].urlRedirect !== answer[0].urlWithParams) hit("answer", "urlRedirect query merged");
    },
  },
  contextualBandit: {
    weight: 7,
    draw() { const context = payloads.context({ withBandits: true }); return [context, payloads.featureKey(context)]; },
    ask: evaluate,
    note({ experimentResult: r }) {
      if (r) hit("answer", "contextualBandit " + (r.leafId === undefined ? "not hashed" : r.leafId === -1 ? "no leaf" : "leaf"));
    },
  },
  decrypt: {
    weight: 2,
    draw: encrypted,
    ask: ([text, key]) => decrypt(text, key).catch(() => null),
    note: (answer) => hit("answer", answer === null ? "decrypt null" : "decrypt text"),
  },
};
export const counted = { debug: true, log };
