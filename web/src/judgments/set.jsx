// One judgment set: what it is, how clicks and people agree, and its judgments, query by query.
import { useEffect, useState } from "preact/hooks";
import { go, Link } from "../app.jsx";
import { instant, plural } from "../format.js";
import { Confirm, Outcome, useAction } from "../jobs/action.jsx";
import { useLoad } from "../load.js";
import { Failure, Loading, NotFound, Stale } from "../states.jsx";
import { getSet, removeSet } from "./api.js";
import { Agreement, Grades } from "./figures.jsx";
import { Export, Import } from "./files.jsx";
import { Ratings } from "./ratings.jsx";
import { grade, methods, sources } from "./words.js";

export function JudgmentSet({ name }) {
  const { data, error, reload } = useLoad(() => getSet(name), () => false, []);
  const [chosen, setChosen] = useState(null);
  useEffect(() => void (document.title = `${name} \u00b7 experimentd`), []);
  if (error?.kind === "not_found") return <NotFound what={name} kind="judgment set" />;
  if (!data) return error ? <Failure error={error} reload={reload} show="Show the set" /> : <Loading />;
  return (
    <>
      <p class="crumbs"><Link to="/judgments">All sets</Link></p>
      <div class="head">
        <h1>{name}</h1>
        <p class="badges"><span class="badge">{sources[data.source] ?? data.source}</span>{data.spec.method && <span class="badge">{methods[data.spec.method]}</span>}</p>
        {data.description && <p class="hypothesis">{data.description}</p>}
      </div>
      <Stale error={error} reload={reload} />
      <section class="card facts" aria-label="What it has">
        <Grades tally={data.tally} />
        <p>{plural(data.tally.judgments ?? 0, "judgment")} of {plural(data.tally.documents ?? 0, "document")} for {plural(data.tally.queries ?? 0, "query", "queries")}; {data.tally.human ?? 0} by people,
          {" "}{data.tally.unjudged ?? 0} still to judge. <span class="quiet">Grades from 0 to {grade(data.max_grade)}, version {data.version}, changed {instant(data.updated_at)} by {data.updated_by}.</span></p>
      </section>
      <Agreement agreement={data.spec.agreement} />
      <Conflicts list={data.spec.conflicts ?? []} total={data.spec.agreement?.conflicts ?? 0} choose={setChosen} />
      <Ratings set={data} chosen={chosen} choose={setChosen} changed={reload} />
      <Import kind="judgments" name={name} done={reload} />
      <Export kind="judgments" name={name} />
      <Remove name={name} />
    </>
  );
}

function Conflicts({ list, total, choose }) {
  if (list.length === 0) return null;
  return (
    <details class="card add">
      <summary>{plural(total, "conflict")}: where they are furthest apart</summary>
      <div class="scroll"><table>
        <thead><tr><th scope="col">Query</th><th scope="col">Document</th><th scope="col" class="n">People</th><th scope="col" class="n">Clicks</th></tr></thead>
        <tbody>{list.slice(0, 20).map((c) => (
          <tr key={`${c.query} ${c.doc}`}><th scope="row"><button type="button" class="plain" onClick={() => choose(c.query)}>{c.query}</button></th>
            <td>{c.doc}</td><td class="n">{grade(c.human)}</td><td class="n">{grade(c.clicks)}</td></tr>))}</tbody>
      </table></div>
    </details>
  );
}

function Remove({ name }) {
  const [asked, setAsked] = useState(false);
  const action = useAction();
  return (
    <>
      <p><button type="button" onClick={() => setAsked(true)}>Delete this set</button></p>
      <Outcome action={action} what="Not deleted" reload={() => {}} />
      <Confirm open={asked} title={`Delete ${name}?`} yes="Delete" close={() => setAsked(false)} onYes={async () => (await action.act(() => removeSet(name))) && go("/judgments")}>
        <p>Its judgments go with it. The audit trail keeps that it was there, not what it had.</p>
      </Confirm>
    </>
  );
}
