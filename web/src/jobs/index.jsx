// The views of jobs, a chunk of its own: /jobs, /jobs/ID, /jobs/ID/runs/RUN, and /runs/RUN of one that a shell started.
import { NotFound } from "../states.jsx";
import { Job } from "./job.jsx";
import { Jobs } from "./list.jsx";
import { Run } from "./run.jsx";
import "../style/jobs.css";

/** `parts`: of the address, decoded. */
export function JobViews({ parts }) {
  const [first, id, runs, run] = parts, is = (kind, length) => first === kind && parts.length === length;
  if (is("jobs", 1)) return <Jobs />;
  if (is("jobs", 2)) return <Job key={id} id={id} />;
  if (is("jobs", 4) && runs === "runs") return <Run key={run} job={id} id={run} />;
  if (is("runs", 2)) return <Run key={id} job={null} id={id} />;
  return <NotFound what={`/${parts.join("/")}`} />;
}
