// The views of rewrites, a chunk of its own: /rewrites to review, /rewrites/try to see what becomes of a query.
import { Link } from "../app.jsx";
import { NotFound } from "../states.jsx";
import { Review } from "./review.jsx";
import { Try } from "./try.jsx";
import "../style/jobs.css";
import "../style/rewrites.css";

/** `parts`: of the address, decoded. */
export function RewriteViews({ parts }) {
  if (parts.length === 1) return <Frame at="/rewrites"><Review /></Frame>;
  if (parts.length === 2 && parts[1] === "try") return <Frame at="/rewrites/try"><Try /></Frame>;
  return <NotFound what={`/${parts.join("/")}`} kind="rewrite" />;
}

const views = [["/rewrites", "Review"], ["/rewrites/try", "Try it"]];

function Frame({ at, children }) {
  return (
    <div class="result rewrites">
      <div class="head">
        <h1>Rewrites</h1>
        <p class="quiet">What is done to a query before it is searched: found by jobs, reviewed by people, published as a version of model{" "}
          <Link to="/models/rewrites"><code>rewrites</code></Link>.</p>
        <nav class="subviews" aria-label="Rewrites">
          {views.map(([to, word]) => <Link key={to} to={to} aria-current={to === at ? "page" : undefined}>{word}</Link>)}
        </nav>
      </div>
      {children}
    </div>
  );
}
