// One field of a form: its name, its unit, what it means, and what the daemon said about it.

/** Names between backticks, as the daemon writes them, in type of their own. */
const coded = (text) => text.split("`").map((part, i) => (i % 2 ? <code key={i}>{part}</code> : part));

export function Field({ id, label, unit, help, error, wide, required, children }) {
  return (
    <div class={`field ${wide ? "wide" : ""} ${error ? "wrong" : ""}`}>
      <label for={id}>{label}{required && <span class="quiet"> must be given</span>}</label>
      <span class="field-in">{children}{unit && <span class="quiet">{unit}</span>}</span>
      {error && <p class="bad" id={`${id}-error`} role="alert">{error}</p>}
      {help && <p class="quiet" id={`${id}-help`}>{coded(help)}</p>}
    </div>
  );
}

/** What ties a control to the words of its field. */
export const tied = (id, { help, error }) => ({
  id, "aria-describedby": [error && `${id}-error`, help && `${id}-help`].filter(Boolean).join(" ") || undefined, "aria-invalid": error ? "true" : undefined,
});

export function Select({ value, onInput, options, ...rest }) {
  return <select value={value} onInput={onInput} {...rest}>{options.map(([key, word]) => <option key={key} value={key}>{word}</option>)}</select>;
}
