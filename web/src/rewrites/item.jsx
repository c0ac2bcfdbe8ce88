// One rewrite: what becomes of what, how sure that is, why, and what was decided.
import { instant, percent, plural } from "../format.js";
import { Link } from "../app.jsx";
import { classes, difference, evidence, reviews, types, typeWord } from "./words.js";

/** A text with what is not in the other one marked. */
const Parts = ({ of, tag: Tag }) => of.map((part, i) => (part.same ? <span key={i}>{part.text}</span> : <Tag key={i}>{part.text}</Tag>));

export function Change({ type, input, output, both }) {
  if (type === "phrase") return <span class="change"><q class="to">{input}</q></span>;
  if (output === "") return <span class="change"><span class="from"><del>{input}</del></span> <span class="quiet">is left out</span></span>;
  const plain = (text) => [{ text, same: true }];
  const [from, to] = type === "synonym" ? [plain(input), plain(output)] : difference(input, output);
  return (
    <span class="change">
      <span class="from"><Parts of={from} tag="del" /></span>
      <span class="arrow"><span aria-hidden="true">{type === "synonym" ? (both ? "\u2194" : "+") : "\u2192"}</span>
        <span class="visually-hidden">{type === "synonym" ? (both ? " and " : " also searches ") : " becomes "}</span></span>
      <span class="to"><Parts of={to} tag="ins" /></span>
    </span>
  );
}

export function Confidence({ value, of }) {
  return (
    <span class={`confidence is-${of}`} title={`confidence ${percent(value)}`}>
      <span class="confidence-bar" aria-hidden="true"><span style={{ width: `${100 * value}%` }} /></span>
      {classes[of]} <span class="quiet">{percent(value)}</span>
    </span>
  );
}

export function ReviewWord({ review }) {
  const r = reviews[review];
  return <span class={`review-word tone-${r.tone}`}><span aria-hidden="true">{r.sign}</span> {r.word}</span>;
}

function Why({ rewrite: r }) {
  const facts = evidence(r.evidence);
  return (
    <div class="why">
      {facts.length > 0 && <ul class="evidence" aria-label="Evidence">{facts.map(([value, word]) => <li key={word}>{value && <strong>{value}</strong>} <span class="quiet">{word}</span></li>)}</ul>}
      <p class="quiet">
        {r.source === "manual" ? "Written by hand" : <>Found by <Link to={`/jobs/${encodeURIComponent(r.job)}`}>{r.job}</Link></>} {instant(r.created_at)}
        {r.reviewed_by && `; ${reviews[r.review].word.toLowerCase()} by ${r.reviewed_by} ${instant(r.reviewed_at)}`}{r.note && <>: {"\u201c"}{r.note}{"\u201d"}</>}
      </p>
    </div>
  );
}

/** `at`: the keyboard is here. */
export function Item({ rewrite: r, at, picked, open, busy, on }) {
  return (
    <li class={`rewrite is-${r.review} ${at ? "is-at" : ""}`} aria-current={at ? "true" : undefined} id={`rewrite-${r.id}`}>
      <input type="checkbox" class="pick" checked={picked} onChange={on.pick} aria-label={`Choose ${r.input}`} tabIndex={-1} />
      <div class="rewrite-what" onClick={on.open}>
        <p class="rewrite-change"><Change type={r.type} input={r.input} output={r.output} both={r.bidirectional} /></p>
        <p class="rewrite-facts">
          <span class="badge">{typeWord(r.type)}</span>
          <Confidence value={r.confidence} of={r.confidence_class} />
          {r.searches > 0 && <span class="quiet">{plural(r.searches, "search", "searches")}</span>}
          {r.source === "manual" && <span class="badge">by hand</span>}
          {!open && evidence(r.evidence).slice(0, 3).map(([value, word]) => <span key={word} class="quiet">{value} {word}</span>)}
        </p>
        {open && <Why rewrite={r} />}
      </div>
      <div class="rewrite-do">
        <ReviewWord review={r.review} />
        <span class="buttons">
          {r.review !== "approved" && <button type="button" disabled={busy} onClick={() => on.review("approved")}>Approve</button>}
          {r.review !== "denied" && <button type="button" disabled={busy} onClick={() => on.review("denied")}>Deny</button>}
          <button type="button" class="plain" aria-expanded={open} onClick={on.open}>{open ? "Less" : "Why"}</button>
        </span>
      </div>
    </li>
  );
}

export const explained = (r) => `${typeWord(r.type)}: ${r.input}${r.output && r.type !== "phrase" ? ` becomes ${r.output}` : ` ${types[r.type].does}`}, ${reviews[r.review].word}`;
