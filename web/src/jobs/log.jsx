// The log as it is said: follows the end, can be held still, and searched.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { plural } from "../format.js";
import { useLog } from "./log.js";
import { clock } from "./words.js";

const NEAR_PX = 24;

export function Log({ run, live, onEnd }) {
  const { lines, error, earlier } = useLog(run, live, onEnd);
  const [held, setHeld] = useState(null); /* the number of the last line that is shown while it is held still */
  const [wanted, setWanted] = useState("");
  const box = useRef(null);
  const last = lines[lines.length - 1]?.seq ?? 0;
  const words = wanted.trim().toLowerCase();
  const still = held === null ? lines : lines.filter((line) => line.seq <= held);
  const shown = words ? still.filter((line) => `${line.source} ${line.line}`.toLowerCase().includes(words)) : still;
  const hold = (on) => setHeld(on ? last : null);
  useLayoutEffect(() => {
    if (held === null && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [last, held, words]);
  useEffect(() => void (words && held === null && !live && setHeld(null)), [words]);
  /* who scrolls up reads: the list stays where it is until its end is looked for again */
  const scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current, atEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    if (!atEnd && held === null && live) hold(true);
    else if (atEnd && held !== null && held === last) hold(false);
  };
  return (
    <section class="card" aria-labelledby="log">
      <div class="tables-head log-head">
        <h2 id="log">Log</h2>
        <label class="log-find"><span class="visually-hidden">Find in the log</span><input type="search" placeholder="Find" value={wanted} spellcheck={false} onInput={(e) => setWanted(e.currentTarget.value)} /></label>
        {live && <button type="button" aria-pressed={held !== null} onClick={() => hold(held === null)}>{held === null ? "Hold still" : `Follow the end${last > held ? ` (${last - held} new)` : ""}`}</button>}
      </div>
      {error && <p class="notice warn" role="status">The log: {error.message}.{live && " This page tries again by itself."}</p>}
      {words && <p class="quiet" role="status">{plural(shown.length, "line")} of {still.length} with {"\u201c"}{wanted.trim()}{"\u201d"}</p>}
      {earlier && <button type="button" class="plain" onClick={earlier}>Show earlier lines</button>}
      {lines.length === 0 ? <p class="quiet">{live ? "Nothing was said yet." : "Nothing was said, or the log is no longer kept."}</p> :
        <div class="log" ref={box} tabIndex={0} role="region" aria-label="Lines of the log" onScroll={scrolled}>
          <ol>{shown.map((line) => <li key={line.seq}><time dateTime={line.at} class="log-at">{clock(line.at)}</time> <span class="log-source">{line.source}</span> <span class="log-line"><Marked text={line.line} words={words} /></span></li>)}</ol>
        </div>}
      <p class="quiet log-foot">Times in UTC.{` ${plural(Math.max(run.log_lines, last), "line")} in all.`}</p>
    </section>
  );
}

/** What was looked for stands out in its line. */
function Marked({ text, words }) {
  const at = words ? text.toLowerCase().indexOf(words) : -1;
  if (at < 0) return text;
  return <>{text.slice(0, at)}<mark>{text.slice(at, at + words.length)}</mark>{text.slice(at + words.length)}</>;
}
