// What to do about a run that did not end well: by its state, then by what its error says.

const BY_STATE = {
  timeout: "It took longer than the job allows. Look where its passes spent the time; then give it more workers, or a later end under Settings.",
  lost: "The process that ran it is gone: its machine went down or it was killed. What was done is kept; another try goes on from there.",
  cancelled: "Somebody ended it. Nothing of it was published: readers still see the rows of the run before.",
  skipped: "It was not run. The reason stands above; the next one comes as planned.",
};

const BY_ERROR = [
  [/memory cap|cap of \d+ ?m|out of memory/i, "A worker needed more memory than it may take. Take fewer days at once, or raise the cap of workers."],
  [/no space left|disk/i, "The disk of the data directory is full. Make room, then try again: what was done is kept."],
  [/not deterministic/i, "Two tries of one split gave different rows, which is a fault of the job's program. Keep the log and report it; trying again does not help."],
  [/another coordinator|epoch|fenced/i, "Another process has taken this run over; look at the newest run of the job."],
  [/connection|server closed|could not connect|starting up|shutting down|terminating connection/i, "PostgreSQL was away. When it is back, try again: what was done is kept."],
  [/stall|no heartbeat|hung/i, "A worker stood still. If it happens with the same split again, look in the log which one."],
  [/spark|java|yarn|kubernetes/i, "Spark could not run it. Its own page and the log say more; docs/spark.md has what it needs."],
  [/permission|denied/i, "A file or a table may not be read or written by this user. The log says which."],
  [/parameter|field "/i, "A parameter does not fit. Change it under Settings of the job, then run it again."],
];

/** A sentence, or null when there is nothing to be done. */
export function adviceFor(run) {
  if (run.error) {
    const found = BY_ERROR.find(([pattern]) => pattern.test(run.error));
    if (found) return found[1];
  }
  if (BY_STATE[run.state]) return BY_STATE[run.state];
  return run.state === "failed" ? "The log's last lines say what it did when it failed. Nothing of it was published: readers still see the rows of the run before." : null;
}
