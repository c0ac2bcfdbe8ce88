// The views of evaluations, a chunk of its own: /evaluations and /evaluations/ID.
import { NotFound } from "../states.jsx";
import { Evaluation } from "./evaluation.jsx";
import { Evaluations } from "./list.jsx";
import "../style/jobs.css";
import "../style/evaluations.css";

/** `parts`: of the address, decoded. */
export function EvaluationViews({ parts }) {
  if (parts.length === 1) return <Evaluations />;
  if (parts.length === 2) return <Evaluation key={parts[1]} id={parts[1]} />;
  return <NotFound what={`/${parts.join("/")}`} kind="evaluation" />;
}
