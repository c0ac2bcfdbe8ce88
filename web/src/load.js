// useLoad: what a view shows is loaded once, then again every REFRESH_MS while `live(data)` holds (a number: that many ms) and the tab is visible. A failed
// refresh keeps the data on the screen and only notes the failure; unchanged data keeps its identity, so nothing redraws.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export const REFRESH_MS = 10000;

export function useLoad(load, live, inputs) {
  const [state, setState] = useState({ data: null, error: null, text: "" });
  const round = useRef(0);
  const reload = useCallback(async () => {
    const mine = ++round.current;
    try {
      const data = await load();
      const text = JSON.stringify(data);
      if (mine !== round.current) return;
      setState((old) => (old.text === text && !old.error ? old : { data: old.text === text ? old.data : data, error: null, text }));
    } catch (error) {
      if (mine === round.current) setState((old) => ({ ...old, error }));
    }
  }, inputs);
  useEffect(() => {
    reload();
    return () => void round.current++;
  }, [reload]);
  const wanted = state.data ? live(state.data) : state.error?.kind === "away";
  useEffect(() => {
    if (!wanted) return undefined;
    const timer = setInterval(() => document.hidden || reload(), wanted === true ? REFRESH_MS : wanted);
    return () => clearInterval(timer);
  }, [wanted, reload]);
  return { data: state.data, error: state.error, reload };
}
