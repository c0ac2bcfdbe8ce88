// Reviewing by keyboard: j and k or the arrows go, a approves, d denies, u takes back, x chooses, Enter shows why.
import { useEffect, useRef } from "preact/hooks";

export const help = [["j k", "next, previous"], ["a", "approve"], ["d", "deny"], ["u", "take back"], ["x", "choose"], ["Enter", "why"]];

/** `act`: { move(step), review(decision), pick(), open() }. Not while somebody types. */
export function useKeys(act) {
  const now = useRef(act); /* of what is on the screen, also before effects have run */
  now.current = act;
  useEffect(() => {
    const go = (step) => now.current.move(step), review = (decision) => now.current.review(decision);
    const keys = {
      j: () => go(1), ArrowDown: () => go(1), k: () => go(-1), ArrowUp: () => go(-1),
      a: () => review("approved"), d: () => review("denied"), u: () => review("pending"), x: () => now.current.pick(), Enter: () => now.current.open(),
    };
    const pressed = (event) => {
      const typing = event.target.closest?.("input:not([type=checkbox]), select, textarea, dialog, summary") || (event.key === "Enter" && event.target.closest?.("a, button"));
      if (typing || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}
