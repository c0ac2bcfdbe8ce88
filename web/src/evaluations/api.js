// What the views of evaluations ask the daemon.
import { ask } from "../api.js";

const of = (id) => `/v1/evaluations/${encodeURIComponent(id)}`;
const query = (given) => new URLSearchParams(Object.entries(given).filter(([, v]) => v !== undefined && v !== null && v !== "")).toString();

export const getEvaluations = () => ask("/v1/evaluations?limit=50").then((a) => a.evaluations);
export const getEvaluation = (id) => ask(of(id));
/** Of each query the values of a metric of two searches. */
export const getPoints = (id, asked) => ask(`${of(id)}/points?${query(asked)}`).then((a) => a.points);
export const getQueries = (id, asked) => ask(`${of(id)}/queries?${query(asked)}`);
