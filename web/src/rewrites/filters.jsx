// Which rewrites are shown, and in which order.
import { useEffect, useState } from "preact/hooks";
import { classes, reviews, sorts, types } from "./words.js";

const TYPING_MS = 250;

function Choice({ id, label, value, all, of, change }) {
  return (
    <div class="word">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(e) => change(e.target.value)}>
        {all && <option value="">{all}</option>}
        {Object.entries(of).map(([key, word]) => <option key={key} value={key}>{word.word ?? word}</option>)}
      </select>
    </div>
  );
}

/** Asked for when it was left alone for a moment. */
function Text({ value, change }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return undefined;
    const timer = setTimeout(() => change(typed), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <div class="word">
      <label for="text">Text</label>
      <input id="text" type="search" autocomplete="off" spellcheck={false} value={typed} onInput={(e) => setTyped(e.target.value)} />
    </div>
  );
}

export function Filters({ filter, change, sort, setSort }) {
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      <Choice id="type" label="Type" value={filter.type} all="all" of={types} change={(type) => change({ type })} />
      <Choice id="review" label="Review" value={filter.review} all="all" of={reviews} change={(review) => change({ review })} />
      <Choice id="confidence" label="Confidence" value={filter.confidence_class} all="any" of={classes} change={(confidence_class) => change({ confidence_class })} />
      <Text value={filter.text} change={(text) => change({ text })} />
      <Choice id="sort" label="Order" value={sort} of={sorts} change={setSort} />
    </form>
  );
}
