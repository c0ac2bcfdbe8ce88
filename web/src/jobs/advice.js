// What to do about a run that did not end well: by its state, then by what its error says.

const BY_STATE = {
  timeout: "It took longer than the job allows. Look where its passes spent the time; then give it more workers, or a later end under Settings.",
  lost: "The process that ran it is gone: its machine went down or it was killed. What was done is kept; another try goes on from there.",
  cancelled: "Somebody ended it. Nothing of it was published: readers still see the rows of the run before.",
  skipped: "It was left out. The reason stands above; the next one comes as planned.",
};

const BY_ERROR = [
  [/of memory|memory_mb/i, "A worker needed more memory than it may take, also when it ran alone with twice as much. Let it read fewer days at once, or give workers more."],
  [/no space left|cannot write/i, "The disk is full. Make room, then run it again: what was done is kept."],
  [/not deterministic/i, "Two tries of one split gave different rows, which is a fault of the job's program. Keep the log and report it; trying again does not help."],
  [/another coordinator/i, "Another process has taken this run over; look at the newest run of the job."],
  [/PostgreSQL|connection|server closed/i, "PostgreSQL was away for too long. When it is back, run it again: what was done is kept."],
  [/is damaged/i, "A file between two passes was damaged. Look after the disk; another try makes the file anew."],
  [/said nothing for/i, "A worker stood still, more than once. The log says at which split; what it reads there is worth a look."],
  [/ended by signal|exit code/i, "A worker crashed, more than once at the same split. The log says where; report it with the lines around it."],
  [/took longer than its/i, "A pass took longer than it may. Give it more workers, or let it read fewer days at once."],
  [/parameter "/i, "A parameter does not fit. Change it under Settings of the job, then run it again."],
  [/spark|yarn|kubernetes/i, "Spark could not run it. Its own page and the log say more; docs/spark.md has what it needs."],
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
