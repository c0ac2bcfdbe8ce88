// What a model of kind "vectors" knows of a word: the words that stand in the same company.
import { useEffect, useState } from "preact/hooks";
import { fixed } from "../format.js";
import { Failure } from "../states.jsx";
import { predict } from "./api.js";

const TYPING_MS = 250, N = 12;
const asked = () => new URLSearchParams(location.search).get("word") ?? "";

/** "king - man + woman" is an analogy, one word a word, everything else a text. */
export function inputOf(text) {
  const parts = text.trim().split(/\s+([+-])\s+/);
  if (parts.length > 2) {
    const of = (sign) => parts.filter((p, i) => i % 2 === 0 && (i === 0 ? "+" : parts[i - 1]) === sign);
    return { plus: of("+"), minus: of("-") };
  }
  return /\s/.test(text.trim()) ? { text } : { word: text };
}

export function Nearest({ name, version }) {
  const [text, setText] = useState(asked);
  const [answer, setAnswer] = useState(null);
  const [error, setError] = useState(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    let wanted = true;
    history.replaceState(null, "", text.trim() ? `?word=${encodeURIComponent(text)}` : location.pathname);
    if (!text.trim()) return setAnswer(null);
    const timer = setTimeout(() => predict(name, [{ ...inputOf(text), n: N }]).then(([a]) => wanted && (setAnswer(a), setError(null)), (failed) => wanted && setError(failed)), TYPING_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [text, name, version, round]);
  return (
    <section class="card" aria-labelledby="nearest">
      <h2 id="nearest">Nearest words</h2>
      <form class="ask-form" onSubmit={(event) => event.preventDefault()}>
        <label for="word">A word, a text, or a sum: king - man + woman</label>
        <input id="word" type="search" autocomplete="off" autocapitalize="off" spellcheck={false} placeholder="lamp" value={text} onInput={(e) => setText(e.target.value)} />
      </form>
      {error ? <Failure error={error} reload={() => setRound(round + 1)} show="Ask again" /> : answer && <Answer answer={answer} choose={setText} />}
    </section>
  );
}

function Answer({ answer, choose }) {
  if (answer.nearest.length === 0) return <p class="quiet" role="status">No word of it is known.</p>;
  return (
    <>
      <p class="quiet" role="status">Cosine of the vectors{answer.unknown > 0 && <>; {answer.unknown} of the words {answer.unknown === 1 ? "is" : "are"} not known</>}. Choose one to go on from it.</p>
      <ol class="nearest" aria-label="Nearest words">{answer.nearest.map(({ word, cosine }) => (
        <li key={word}>
          <button type="button" class="link" onClick={() => choose(word)}>{word}</button>
          <span class="group-bar" aria-hidden="true"><span style={{ width: `${Math.max(0, 100 * cosine)}%` }} /></span>
          <span class="n">{fixed(cosine, 2)}</span>
        </li>))}</ol>
    </>
  );
}
