// The views of models, a chunk of its own: /models, /models/NAME and /models/NAME/story.
import { NotFound } from "../states.jsx";
import { Models } from "./list.jsx";
import { Model } from "./model.jsx";
import { Story } from "./story.jsx";
import "../style/jobs.css";
import "../style/models.css";

/** `parts`: of the address, decoded. */
export function ModelViews({ parts }) {
  if (parts.length === 1) return <Models />;
  if (parts.length === 2) return <Model key={parts[1]} name={parts[1]} />;
  if (parts.length === 3 && parts[2] === "story") return <Story key={parts[1]} name={parts[1]} />;
  return <NotFound what={`/${parts.join("/")}`} kind="model" />;
}
