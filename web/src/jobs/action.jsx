// Something that changes things: asked once, its refusal shown where it was asked; what cannot be taken back asks first.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { KeyEntry } from "../states.jsx";

/** `act(fn)` calls it and keeps what went wrong; `again` is the last one, for after a key was given. */
export function useAction() {
  const [state, setState] = useState({ busy: false, error: null, done: null });
  const last = useRef(null);
  const act = useCallback(async (fn, done = null) => {
    last.current = [fn, done];
    setState({ busy: true, error: null, done: null });
    try {
      await fn();
      setState({ busy: false, error: null, done });
      return true;
    } catch (error) {
      setState({ busy: false, error, done: null });
      return false;
    }
  }, []);
  const forget = () => setState({ busy: false, error: null, done: null });
  return { ...state, act, forget, again: () => last.current && act(...last.current) };
}

/** What an action came to. `what`: "Not started", "Not saved". */
export function Outcome({ action, what, reload }) {
  const { error, done, again } = action;
  if (done && !error) return <p class="done" role="status">{"\u2713"} {done}</p>;
  if (!error) return null;
  if (error.kind === "key") return <KeyEntry error={error} reload={again} show="Go on" level={3} />;
  if (error.kind === "changed")
    return <p class="notice warn" role="alert">{what}: somebody else changed this job meanwhile. <button type="button" class="plain" onClick={reload}>Show theirs</button> and make your change again.</p>;
  return <p class="notice warn" role="alert">{what}: {error.message}.</p>;
}

/** Asks before it is done. `open`: shown; the safe answer has the focus. */
export function Confirm({ open, title, yes, no = "Go back", onYes, close, children }) {
  const box = useRef(null);
  useEffect(() => {
    if (!open) return undefined;
    const dialog = box.current;
    dialog.showModal();
    return () => dialog.open && dialog.close();
  }, [open]);
  if (!open) return null;
  return (
    <dialog class="confirm" ref={box} aria-labelledby="confirm-title" onClose={close}>
      <h2 id="confirm-title">{title}</h2>
      <div class="confirm-text">{children}</div>
      <p class="confirm-buttons">
        <button type="button" autofocus onClick={close}>{no}</button>
        <button type="button" class="strong" onClick={() => { close(); onYes(); }}>{yes}</button>
      </p>
    </dialog>
  );
}
