// The parameters of a job as a typed form, made from its type's schema.
import { Field, Select, tied } from "./field.jsx";
import { defaultText } from "./fields.js";

const said = (field) => [field.help, field.range && `(${field.range})`].filter(Boolean).join(" ");
const isWord = (field) => field.kind === "text"; /* the unit of a text says what it is: key, rules */

/** `prefix`: makes ids of two forms on one page differ. `error(name)`: what the daemon said about a field. */
export function Params({ fields, texts, set, error, prefix = "param" }) {
  if (fields.length === 0) return <p class="quiet">This kind of job takes no parameters.</p>;
  return (
    <div class="fields">
      {fields.map((field) => {
        const id = `${prefix}-${field.name}`, help = said(field), wrong = error(field.name);
        return (
          <Field key={field.name} id={id} label={field.title} unit={isWord(field) ? "" : field.unit} required={field.required} help={help} error={wrong} wide={isLong(field)}>
            <Control field={field} text={texts[field.name] ?? ""} set={(text) => set(field.name, text)} {...tied(id, { help, error: wrong })} />
          </Field>);
      })}
    </div>
  );
}

const isLong = (field) => field.kind === "json" || field.long;

function Control({ field, text, set, ...rest }) {
  const onInput = (event) => set(event.currentTarget.value), fallback = defaultText(field);
  if (field.kind === "boolean")
    return <Select value={text} onInput={onInput} options={[["", field.default === undefined ? "not given" : `${field.default ? "yes" : "no"} (default)`], ["true", "yes"], ["false", "no"]]} {...rest} />;
  if (field.kind === "choice")
    return <Select value={text} onInput={onInput} options={[["", fallback ? `${fallback} (default)` : "not given"], ...field.choices.map((c) => [c, c])]} {...rest} />;
  if (isLong(field)) return <textarea rows="4" spellcheck={false} value={text} onInput={onInput} placeholder={fallback} {...rest} />;
  const hint = fallback || (field.kind === "day" ? "2026-03-02" : isWord(field) ? field.unit : "");
  return <input type="text" inputMode={field.kind === "integer" ? "numeric" : field.kind === "number" ? "decimal" : undefined} autocomplete="off" spellcheck={false}
    value={text} onInput={onInput} placeholder={hint} {...rest} />;
}
