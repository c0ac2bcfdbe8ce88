// What the views of jobs ask the daemon.
import { ask } from "../api.js";

const of = (job) => `/v1/jobs/${encodeURIComponent(job)}`;
/** `job`: null of a run that a shell started. */
const runOf = (job, run) => `${job ? of(job) : "/v1"}/runs/${encodeURIComponent(run)}`;
const STRIP = 14;

/** The runs of a job's strip, oldest first; asked for again only when its last run is another one or has changed. */
const strips = new Map();
async function strip(job) {
  const last = job.last_run, mark = `${last?.id} ${last?.state}`;
  if (!last) return [];
  if (strips.get(job.id)?.mark !== mark)
    strips.set(job.id, { mark, runs: ask(`${of(job.id)}/runs?page_size=${STRIP}`).then((answer) => answer.runs.reverse()) });
  return strips.get(job.id).runs.catch(() => {
    strips.delete(job.id);
    return [];
  });
}

/** Every job, with its last runs as `strip`, and what runs or waits now. */
export async function getJobs() {
  const [{ jobs }, { runs }] = await Promise.all([ask("/v1/jobs"), ask("/v1/runs?state=running,queued,publishing")]);
  const found = await Promise.all(jobs.map(strip));
  return { jobs: jobs.map((job, i) => ({ ...job, strip: found[i] })), running: runs };
}

/** One job, its type with the schema of its parameters, and the names of all for words about triggers. */
export async function getJob(id) {
  const [job, types, all] = await Promise.all([ask(of(id)), getTypes(), ask("/v1/jobs")]);
  return { job, type: types.job_types.find((type) => type.name === job.type), jobs: all.jobs };
}

/** Pages of a job's runs, newest first. */
export async function getRuns(id, pages) {
  const all = { runs: [], more: false };
  for (let page = 0, token = null; page < pages && (page === 0 || token); page++) {
    const answer = await ask(`${of(id)}/runs?page_size=25${token ? `&page_token=${encodeURIComponent(token)}` : ""}`);
    all.runs.push(...answer.runs);
    token = answer.next_page_token;
    all.more = Boolean(token);
  }
  return all;
}

/** `version`: of what was read; another's edit in between is refused with kind "changed". */
export const saveJob = (job, body) => ask(of(job.id), { method: "PUT", body, headers: { "If-Match": `"${job.version}"` } });

export const getTypes = () => ask("/v1/job-types");
export const addJob = (body) => ask("/v1/jobs", { body });
export const deleteJob = (job) => ask(of(job.id), { method: "DELETE", headers: { "If-Match": `"${job.version}"` } });

/** Starts a run; `params`: other ones than the job's, for this run only. */
export const startRun = (id, params) => ask(`${of(id)}/runs`, { body: { trigger: "manual", ...(params && { params }) } });

export async function getRun(id, run) {
  const told = await ask(runOf(id, run));
  const followers = told.finished_at ? (await ask(`/v1/runs?triggered_by=${encodeURIComponent(run)}`)).runs : [];
  return { run: told, followers };
}

export const cancelRun = (run) => ask(`${runOf(run.job, run.id)}/cancel`, { body: {} });
export const retryRun = (run) => ask(`${runOf(run.job, run.id)}/retry`, { body: {} });

export const logPath = (run) => `${runOf(run.job, run.id)}/log`;
/** `size` lines of a log from number `from` on. */
export const getLog = (run, from, size) => ask(`${logPath(run)}?from=${from}&size=${size}`);
