// Which view an address names, the frame around every view, and links that change the view without a reload.
import { useEffect, useState } from "preact/hooks";
import { forgetKey, hasKey, KEY_CAME } from "./api.js";
import { Catalog } from "./catalog.jsx";
import { List } from "./list.jsx";
import { Live } from "./live.jsx";
import { Plan } from "./plan.jsx";
import { Result } from "./result.jsx";
import { Failure, Loading, NotFound } from "./states.jsx";

const moved = "experimentd:moved";

/** The keyboard goes on in the new view, not at a button that is gone. */
export function go(path) {
  history.pushState(null, "", path);
  dispatchEvent(new Event(moved));
  document.getElementById("main")?.focus({ preventScroll: true });
}

/** A link inside the page; with a modifier key it is the browser's own link. */
export function Link({ to, children, ...rest }) {
  const follow = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button) return;
    event.preventDefault();
    go(to);
    scrollTo(0, 0);
  };
  return <a href={to} onClick={follow} {...rest}>{children}</a>;
}

function usePath() {
  const [path, setPath] = useState(location.pathname);
  useEffect(() => {
    const read = () => setPath(location.pathname);
    addEventListener("popstate", read);
    addEventListener(moved, read);
    return () => {
      removeEventListener("popstate", read);
      removeEventListener(moved, read);
    };
  }, []);
  return path;
}

function useKey() {
  const [known, setKnown] = useState(hasKey());
  useEffect(() => {
    const read = () => setKnown(hasKey());
    addEventListener(KEY_CAME, read);
    return () => removeEventListener(KEY_CAME, read);
  }, []);
  return known;
}

const views = [["/", "Experiments"], ["/metrics-catalog", "Metrics"], ["/plan", "Plan"], ["/jobs", "Jobs"], ["/models", "Models"], ["/judgments", "Judgments"], ["/evaluations", "Evaluations"], ["/rewrites", "Rewrites"], ["/live", "Live"]];
const viewOf = (path) => (path.startsWith("/runs/") ? "/jobs" : path.startsWith("/query-sets") ? "/judgments" : (views.find(([to]) => to !== "/" && path.startsWith(to)) ?? views[0])[0]);

/** A chunk of its own, fetched when it is first looked at. */
function Later({ load, of, ...rest }) {
  const [found, setFound] = useState(null);
  useEffect(() => {
    load().then((chunk) => setFound(() => chunk[of]), () => setFound(() => Missing));
  }, []);
  const View = found;
  return View ? <View {...rest} /> : <Loading />;
}

/** The daemon is away, or was renewed: then a chunk has another name. */
const Missing = () => <Failure error={{ kind: "away", message: "a part of this page did not come" }} reload={() => location.reload()} />;

function view(path) {
  const parts = path.split("/").filter(Boolean).map(decode);
  if (parts[0] === "jobs" || parts[0] === "runs") return <Later key="jobs" load={() => import("./jobs/index.jsx")} of="JobViews" parts={parts} />;
  if (parts[0] === "rewrites") return <Later key="rewrites" load={() => import("./rewrites/index.jsx")} of="RewriteViews" parts={parts} />;
  if (parts[0] === "judgments" || parts[0] === "query-sets")
    return <Later key="judgments" load={() => import("./judgments/index.jsx")} of="JudgmentViews" parts={parts} />;
  if (parts[0] === "evaluations") return <Later key="evaluations" load={() => import("./evaluations/index.jsx")} of="EvaluationViews" parts={parts} />;
  if (parts[0] === "models") return <Later key="models" load={() => import("./models/index.jsx")} of="ModelViews" parts={parts} />;
  if (path === "/" || path === "/index.html" || path === "/experiments") return <List />;
  if (/^\/live\/?$/.test(path)) return <Live />;
  if (/^\/plan\/?$/.test(path)) return <Plan />;
  if (/^\/metrics-catalog\/?$/.test(path)) return <Catalog />;
  const found = /^\/experiments\/([^/]+)\/?$/.exec(path);
  if (!found) return <NotFound what={path} />;
  const key = decode(found[1]);
  return <Result key={key} experiment={key} />;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function App() {
  const path = usePath();
  const keyed = useKey();
  return (
    <>
      <a class="skip" href="#main">Skip to the content</a>
      <header class="top">
        <Link to="/" class="brand"><Mark /> experimentd</Link>
        <nav aria-label="Views" class="views">
          {views.map(([to, word]) => <Link key={to} to={to} aria-current={to === viewOf(path) ? "page" : undefined}>{word}</Link>)}
        </nav>
        {keyed && <button type="button" class="plain" onClick={forgetKey}>Forget key</button>}
      </header>
      <main id="main" tabIndex={-1}>{view(path)}</main>
    </>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 32 20" width="32" height="20" aria-hidden="true" class="mark">
      <path d="M2 5h14M16 15h14" />
      <circle cx="9" cy="5" r="3.5" />
      <circle cx="23" cy="15" r="3.5" />
    </svg>
  );
}
