/* run_json.h - a run's row as JSON: one list of columns for every statement that shows runs, read and written in one place. */
#pragma once
#include "base/jsonw.h"
#include "base/pg.h"

/* Of a row `r` of runs, in the order of enum run_column. */
#define RUN_COLUMNS                                                                                               \
    "r.id, r.job_id, r.job, r.state, r.trigger, r.trigger_run, (select t.job_id from runs t where t.id = "        \
    "r.trigger_run), r.triggered_by, us(r.due_at), us(r.queued_at), us(r.not_before), us(r.started_at), "         \
    "us(r.finished_at), extract(epoch from coalesce(r.finished_at, now()) - r.started_at)::float8, r.attempt, "   \
    "r.resumes, r.progress, r.pass, r.rows_in, r.retries, r.engine, r.workers, r.host, r.error, r.result::text, " \
    "r.log_lines, r.ui_url, r.app_id, r.note, r.cancel_requested, r.params::text, r.timeout_seconds"
/* Behind them: the run's passes as a JSON list. */
#define RUN_PASSES                                                                                               \
    "(select coalesce(json_agg(json_build_object('pass', p.pass, 'name', p.name, 'splits', p.splits, 'done', "   \
    "p.done, 'attempts', p.attempts, 'rows_in', p.rows_in, 'seconds', p.seconds) order by p.pass), '[]')::text " \
    "from run_passes p where p.run = r.id)"
enum { RUN_COLUMN_COUNT = 32 };

/* An object under `key` from the columns of a row, the first of them `first`; `passes`: a column of RUN_PASSES follows them. */
void run_write(struct jsonw *w, const char *key, const PGresult *r, int row, int first, bool passes);
