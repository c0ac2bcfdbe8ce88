// How a number came to be. A number that the daemon explains is a button; it opens a drawer with words, counts and method, and the lines
// of xstat that give the same number again.
import { createContext } from "preact";
import { useCallback, useContext, useEffect, useRef, useState } from "preact/hooks";
import { count, instant, NONE, percent, sum } from "./format.js";

const Explain = createContext(null);

/** Everything inside may hold <Explained>. `methods`: formula and source by the name of a method. */
export function ExplainProvider({ methods, children }) {
  const [shown, setShown] = useState(null);
  const close = useCallback(() => setShown(null), []);
  return (
    <Explain.Provider value={setShown}>
      {children}
      {shown && <Drawer {...shown} methods={{ ...methods, ...shown.methods }} close={close} />}
    </Explain.Provider>
  );
}

/** A number as a button when there is an explanation, else as it is. */
export function Explained({ title, explain, numbers, methods, children }) {
  const show = useContext(Explain);
  if (!explain || !show) return children;
  return (
    <button type="button" class="explained" aria-haspopup="dialog" title="How this number came to be"
      onClick={() => show({ title, explain, numbers, methods })}>{children}</button>
  );
}

function Drawer({ title, explain, numbers, methods, close }) {
  const box = useRef(null);
  useEffect(() => {
    box.current.showModal();
    const opener = box.current;
    return () => opener.open && opener.close();
  }, []);
  const outside = (event) => event.target === box.current && close();
  return (
    <dialog class="drawer" ref={box} aria-labelledby="explained" onClose={close} onClick={outside}>
      <div class="drawer-inside">
        <div class="drawer-head">
          <h2 id="explained">{title}</h2>
          <button type="button" onClick={close} aria-label="Close">✕</button>
        </div>
        <p>{explain.words[0].toUpperCase() + explain.words.slice(1)}.</p>
        <dl class="facts">{facts(explain).map(([term, text]) => <div key={term}><dt>{term}</dt><dd>{text}</dd></div>)}</dl>
        <Counts counts={explain.counts} />
        {numbers.bootstrap && <Drawn drawn={numbers.bootstrap} formula={numbers} />}
        {explain.steps.length > 0 && <h3>Step by step</h3>}
        <ol class="explain-steps">{explain.steps.map((step, i) => <Step key={i} step={step} numbers={numbers} method={methods[step.method]} />)}</ol>
      </div>
    </dialog>
  );
}

const facts = (e) => [
  ["Method", e.method],
  ["Level", `${percent(e.level)}, two-sided`],
  e.looks && ["Looks", e.looks],
  e.family && ["Read together", `${e.family}${e.family_comparisons > 1 ? `, ${e.family_comparisons} comparisons` : ""}`],
  e.adjusted_by !== undefined && ["Adjusted", e.adjusted_by ? `by ${e.adjusted_by}` : "no: as measured"],
].filter(Boolean);

const names = { units: "Units", control: "Control", treatment: "Treatment" };

function Counts({ counts }) {
  return (
    <>
      <h3>What went in</h3>
      <table class="plain-table">
        <thead><tr><th scope="col"><span class="visually-hidden">Arm</span></th><th scope="col" class="n">Units</th><th scope="col" class="n">Numerator</th>
          <th scope="col" class="n">Denominator</th></tr></thead>
        <tbody>{Object.entries(counts).map(([arm, c]) => (
          <tr key={arm}><th scope="row">{names[arm] ?? arm}</th><td class="n">{count(c.units)}</td><td class="n">{sum(c.numerator)}</td>
            <td class="n">{sum(c.denominator)}</td></tr>))}</tbody>
      </table>
    </>
  );
}

/** Intervals by drawing the units anew, above those of the formulas, which are taken before any adjustment: drawing knows of none. */
function Drawn({ drawn, formula }) {
  const like = formula.unadjusted ?? formula, note = formula.unadjusted ? " The formula's numbers here are those before adjustment." : "";
  const rows = [["Difference", "difference", "se"], ["Lift", "lift", null]].filter(([, key]) => drawn[key] !== null);
  return (
    <>
      <h3>Units drawn anew</h3>
      {drawn.stale && <p class="notice warn">Older than these results: run the job bootstrap again.</p>}
      <div class="scroll" tabIndex={0} role="region" aria-label="Units drawn anew">
        <table class="plain-table">
          <thead><tr><th scope="col"><span class="visually-hidden">Number</span></th><th scope="col">By</th><th scope="col" class="n">Estimate</th>
            <th scope="col" class="n">Standard error</th><th scope="col" class="n">Interval</th></tr></thead>
          <tbody>{rows.flatMap(([name, key, se]) => [
            <tr key={key} class="first"><th scope="row">{name}</th><td>drawing</td><td class="n">{short(drawn[key])}</td>
              <td class="n">{short(drawn[`${key}_se`])}</td><td class="n">{short(drawn[`${key}_ci`])}</td></tr>,
            <tr key={`${key}/formula`}><td /><td>formula</td><td class="n">{short(like[key])}</td><td class="n">{se ? short(like[se]) : NONE}</td>
              <td class="n">{short(like[`${key}_ci`])}</td></tr>])}</tbody>
        </table>
      </div>
      <p class="quiet">{drawn.method}; {count(drawn.replicates)} replicates, seed {drawn.seed}, level {percent(drawn.level)}, of {count(drawn.n)} against{" "}
        {count(drawn.control_n)}; begun {instant(drawn.as_of)}. {drawn.text}{note}</p>
    </>
  );
}

/** Four digits: replicates say no more. */
const short = (x) => (Array.isArray(x) ? x.map(short).join(" to ") : x === null || x === undefined ? NONE : x.toPrecision(4).replace("-", "\u2212"));

/** A number with all its digits, an interval as two. */
const exact = (x) => (Array.isArray(x) ? x.map(exact).join(" to ") : x === null || x === undefined ? "none" : String(x).replace("-", "\u2212"));
const member = { ci: "interval", difference_ci: "interval of the difference", lift_ci: "interval of the lift", se: "standard error" };

function Step({ step, numbers, method }) {
  const input = JSON.stringify(step.input, null, 1).replace(/\n */g, " ");
  const line = `echo '${input}' | xstat ${step.method}`;
  return (
    <li>
      <p><strong>{step.method}</strong>{method && <>: {method.summary}</>}</p>
      {method && <details><summary>Formula and source</summary><pre tabIndex={0}><code>{method.formula}</code></pre>
        <p class="quiet">{method.source}</p></details>}
      <Line text={line} />
      <ul class="gives">{Object.entries(step.gives).map(([ours, theirs]) => (
        <li key={ours}>{member[ours] ?? ours} = <code>{exact(numbers[ours])}</code>{" "}
          <span class="quiet">in the answer: {Array.isArray(theirs) ? theirs.join(", ") : theirs}</span></li>))}</ul>
    </li>
  );
}

function Line({ text }) {
  const [copied, setCopied] = useState(false);
  const copy = () => navigator.clipboard?.writeText(text).then(() => setCopied(true), () => setCopied(false));
  return (
    <div class="line">
      <pre tabIndex={0}><code>{text}</code></pre>
      <button type="button" onClick={copy}>{copied ? "Copied" : "Copy"}</button>
    </div>
  );
}
