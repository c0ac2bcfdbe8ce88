// One card with several views: tabs as WAI-ARIA has them (arrow keys move, Home and End jump), the view below. Only the chosen one is made.
import { useRef, useState } from "preact/hooks";

/** `views`: [{ id, title, body }]. */
export function Tabs({ label, views }) {
  const [chosen, choose] = useState(views[0].id);
  const list = useRef(null);
  const at = Math.max(0, views.findIndex((v) => v.id === chosen));
  const moves = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: views.length - 1 };
  const move = (event) => {
    if (!(event.key in moves)) return;
    event.preventDefault();
    const next = (moves[event.key] + views.length) % views.length;
    choose(views[next].id);
    list.current.children[next].focus();
  };
  return (
    <section class="card figure tabbed" aria-label={label}>
      <div class="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={move}>
        {views.map((v, i) => (
          <button key={v.id} type="button" role="tab" id={`tab-${v.id}`} aria-selected={i === at} aria-controls="tab-view" tabIndex={i === at ? 0 : -1}
            onClick={() => choose(v.id)}>{v.title}</button>))}
      </div>
      <div role="tabpanel" id="tab-view" aria-labelledby={`tab-${views[at].id}`} class="tab-view">{views[at].body()}</div>
    </section>
  );
}
