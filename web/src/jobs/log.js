// A run's log: its last lines, followed while it runs, earlier ones on demand.
import { useCallback, useEffect, useReducer, useState } from "preact/hooks";
import { followOn } from "../events.js";
import { getLog, logPath } from "./api.js";

const FIRST = 1000, KEPT = 20000;

/** Ordered by number, each once: after a lost connection a line may come again. */
function merge(old, lines) {
  if (lines.length === 0) return old;
  if (old.length === 0 || lines[0].seq > old[old.length - 1].seq) return [...old, ...lines].slice(-KEPT);
  if (lines[lines.length - 1].seq < old[0].seq) return [...lines, ...old];
  const known = new Set(old.map((line) => line.seq));
  return [...old, ...lines.filter((line) => !known.has(line.seq))].sort((a, b) => a.seq - b.seq).slice(-KEPT);
}

const step = (state, { lines, forget }) => (forget ? [] : merge(state, lines));
const linesOf = (events) => events.filter((e) => e.event === "line").map((e) => ({ seq: Number(e.id), ...e.data }));

/** `live`: whether it runs, when it is first looked at. `onEnd`: called when its last line is there. */
export function useLog(run, live, onEnd) {
  const [lines, dispatch] = useReducer(step, []);
  const [error, setError] = useState(null);
  const [begun] = useState({ live, from: Math.max(1, run.log_lines - FIRST + 1) });
  useEffect(() => {
    const stop = new AbortController();
    dispatch({ forget: true });
    setError(null);
    const take = (events) => {
      setError(null);
      dispatch({ lines: linesOf(events) });
      if (!events.some((e) => e.event === "end")) return;
      stop.abort();
      onEnd();
    };
    if (begun.live) followOn(`${logPath(run)}?from=${begun.from}`, stop, take, setError);
    else getLog(run, begun.from, FIRST).then((answer) => stop.signal.aborted || dispatch({ lines: answer.lines }), setError);
    return () => stop.abort();
  }, [run.job, run.id]);
  const first = lines[0]?.seq ?? 1;
  const earlier = useCallback(() => {
    const from = Math.max(1, first - FIRST);
    return getLog(run, from, first - from).then((answer) => dispatch({ lines: answer.lines }), setError);
  }, [run.id, first]);
  return { lines, error, earlier: first > 1 ? earlier : null };
}
