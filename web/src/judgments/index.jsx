// The views of judgments, a chunk of its own: /judgments, /judgments/NAME, /query-sets, /query-sets/NAME.
import { Link } from "../app.jsx";
import { NotFound } from "../states.jsx";
import { Judgments } from "./list.jsx";
import { QuerySet, QuerySets } from "./queries.jsx";
import { JudgmentSet } from "./set.jsx";
import "../style/jobs.css";
import "../style/models.css";
import "../style/rewrites.css";
import "../style/judgments.css";

/** `parts`: of the address, decoded. */
export function JudgmentViews({ parts: [kind, name, ...more] }) {
  if (more.length) return <NotFound what={`/${[kind, name, ...more].join("/")}`} kind="set" />;
  const queries = kind === "query-sets";
  return (
    <div class="result judged">
      <nav class="subnav" aria-label="Sets">
        <Link to="/judgments" aria-current={queries ? undefined : "page"}>Judgments</Link>
        <Link to="/query-sets" aria-current={queries ? "page" : undefined}>Query sets</Link>
      </nav>
      {queries ? (name ? <QuerySet key={name} name={name} /> : <QuerySets />) : name ? <JudgmentSet key={name} name={name} /> : <Judgments />}
    </div>
  );
}
