// What clients send, as it arrives: reads the stream, keeps the newest, counts, and connects again by itself.
import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { followOn } from "./events.js";

export const SHOWN_MAX = 200;
const KINDS = ["signal", "exposure", "reject"];

const nothing = { records: [], waiting: [], ready: false, taken: 0, refused: 0, skipped: 0, pieces: 0 };

/** Newest first. A gap stands where records were left out, between older and newer ones. */
function add(list, events, number) {
  const all = [...list];
  for (const e of events) {
    if (KINDS.includes(e.event)) all.unshift({ key: e.data.sequence, record: e.data });
    else if (e.event === "skipped" && all[0]?.skipped) all[0] = { ...all[0], skipped: all[0].skipped + e.data.count };
    else if (e.event === "skipped") all.unshift({ key: `gap-${number}`, skipped: e.data.count });
  }
  return all.slice(0, SHOWN_MAX);
}

const countOf = (events, ...kinds) => events.filter((e) => kinds.includes(e.event)).length;
const leftOut = (events) => events.filter((e) => e.event === "skipped").reduce((sum, e) => sum + e.data.count, 0);

/** What came after `ready` is counted; what the daemon remembered is not. */
function step(state, { type, events, paused }) {
  if (type === "forget") return nothing;
  if (type === "resume") return { ...state, records: [...state.waiting, ...state.records].slice(0, SHOWN_MAX), waiting: [] };
  const from = state.ready ? 0 : events.findIndex((e) => e.event === "ready");
  const live = from < 0 ? [] : events.slice(from);
  const where = paused && state.ready ? "waiting" : "records";
  return {
    ...state,
    [where]: add(state[where], events, state.pieces),
    ready: state.ready || from >= 0,
    taken: state.taken + countOf(live, "signal", "exposure"),
    refused: state.refused + countOf(live, "reject"),
    skipped: state.skipped + leftOut(live),
    pieces: state.pieces + 1,
  };
}

/** How many came in the last second. */
function useRate(total) {
  const [rate, setRate] = useState(0);
  const seen = useRef({ total: 0, now: 0 });
  seen.current.now = total;
  useEffect(() => {
    const timer = setInterval(() => {
      const { total: before, now } = seen.current;
      seen.current.total = now;
      setRate(Math.max(0, now - before));
    }, 1000);
    return () => clearInterval(timer);
  }, []);
  return rate;
}

export function useArrivals(query, paused) {
  const [state, dispatch] = useReducer(step, nothing);
  const [error, setError] = useState(null);
  const [round, setRound] = useState(0);
  const pausedNow = useRef(paused);
  pausedNow.current = paused;
  useEffect(() => {
    const stop = new AbortController();
    dispatch({ type: "forget" });
    setError(null);
    followOn(`/v1/signals/live?${query}`, stop, (events) => {
      setError(null);
      dispatch({ type: "events", events, paused: pausedNow.current });
    }, setError);
    return () => stop.abort();
  }, [query, round]);
  useEffect(() => void (paused || dispatch({ type: "resume" })), [paused]);
  const rate = useRate(state.taken + state.refused + state.skipped);
  return { ...state, rate, error, reload: () => setRound(round + 1) };
}
