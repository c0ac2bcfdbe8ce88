// Between a form's texts and what the daemon takes. What is left empty is left to the daemon, whose default is shown in its place.

const LONG = 1000; /* bytes that a text may have: from here on it gets a field of several lines */

/** The parameters of a job type's JSON Schema, in its order. */
export function fieldsOf(schema) {
  return Object.entries(schema?.properties ?? {}).map(([name, p]) => ({
    name, kind: kindOf(p), title: p.title ?? `${name[0].toUpperCase()}${name.slice(1).replace(/_/g, " ")}`, unit: p["x-unit"] ?? p.unit ?? "", help: p.description ?? "", default: p.default,
    range: rangeOf(p), choices: (p.enum ?? []).map(String), typed: p.enum ?? [], long: p.maxLength > LONG, required: (schema.required ?? []).includes(name),
  }));
}

const bound = (word, least, open) => (least !== undefined ? `${word} ${least}` : open !== undefined ? `${word === "from" ? "above" : "below"} ${open}` : null);
const rangeOf = (p) => [bound("from", p.minimum, p.exclusiveMinimum), bound("to", p.maximum, p.exclusiveMaximum)].filter(Boolean).join(" ");

function kindOf(p) {
  if (p.enum) return "choice";
  if (p.type === "boolean") return "boolean";
  if (p.type === "integer" || p.type === "number") return p.type;
  if (p.type !== "string") return "json";
  return p.format === "date" ? "day" : "text";
}

const asText = (value) => (value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value, null, 1) : String(value));

/** What is in the fields of a job with these parameters. */
export function textsOf(fields, params) {
  return Object.fromEntries(fields.map(({ name }) => [name, asText(params?.[name])]));
}

export const defaultText = (field) => asText(field.default);

/** The parameters that the texts say. What is no number or JSON goes as text: the daemon says what is wrong with it, beside the field. */
export function paramsOf(fields, texts) {
  const params = {};
  for (const { name, kind, choices, typed } of fields) {
    const text = texts[name] ?? "";
    if (text.trim() === "") continue;
    params[name] = kind === "choice" ? typed[choices.indexOf(text)] ?? text : valueOf(kind, text);
  }
  return params;
}

function valueOf(kind, text) {
  if (kind === "boolean") return text === "true";
  if (kind === "integer" || kind === "number") return Number.isFinite(Number(text)) ? Number(text) : text;
  if (kind !== "json") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** What the daemon said, beside the field that it is about: without what it was about as a whole ("job: "). */
export const refusalOf = (error) => `${error.message.replace(/^(job|run): /, "")}.`;

/** The field of the form that a refusal names, or null: "params.half_life" and "half_life" are the same. */
export function fieldNamed(names, field) {
  if (!field) return null;
  const bare = field.replace(/^params[.\]["']+/, "");
  return names.find((name) => name === field || name === bare) ?? names.find((name) => field.startsWith(`${name}.`) || field.startsWith(`${name}[`)) ?? null;
}
