#include "experimentd/jobs/run_json.h"

#include <assert.h>

enum form { TEXT, WHOLE, REAL, INSTANT, TRUTH, JSON };

/* In the order of RUN_COLUMNS. */
static const struct {
    const char *name;
    enum form form;
} members[] = {
    { "id", TEXT },
    { "job", TEXT },
    { "type", TEXT },
    { "state", TEXT },
    { "trigger", TEXT },
    { "trigger_run", TEXT },
    { "trigger_job", TEXT },
    { "triggered_by", TEXT },
    { "due_at", INSTANT },
    { "queued_at", INSTANT },
    { "not_before", INSTANT },
    { "started_at", INSTANT },
    { "finished_at", INSTANT },
    { "seconds", REAL },
    { "attempt", WHOLE },
    { "resumes", WHOLE },
    { "progress", REAL },
    { "pass", TEXT },
    { "rows_in", WHOLE },
    { "retries", WHOLE },
    { "engine", TEXT },
    { "workers", WHOLE },
    { "host", TEXT },
    { "error", TEXT },
    { "result", JSON },
    { "log_lines", WHOLE },
    { "ui_url", TEXT },
    { "app_id", TEXT },
    { "note", TEXT },
    { "cancel_requested", TRUTH },
    { "params", JSON },
    { "timeout_seconds", WHOLE },
};
static_assert(sizeof members / sizeof *members == RUN_COLUMN_COUNT, "a name for every column");

static void write_member(struct jsonw *w, size_t i, const PGresult *r, int row, int column)
{
    const char *name = members[i].name;
    if (PQgetisnull(r, row, column)) {
        jsonw_null(w, name);
        return;
    }
    switch (members[i].form) {
    case TEXT:
        jsonw_str(w, name, pg_get(r, row, column));
        return;
    case WHOLE:
        jsonw_i64(w, name, pg_get_i64(r, row, column));
        return;
    case REAL:
        jsonw_double(w, name, pg_get_double(r, row, column));
        return;
    case INSTANT:
        jsonw_time(w, name, pg_get_i64(r, row, column));
        return;
    case TRUTH:
        jsonw_bool(w, name, pg_get_bool(r, row, column));
        return;
    case JSON:
        jsonw_raw(w, name, pg_get(r, row, column));
        return;
    }
}

void run_write(struct jsonw *w, const char *key, const PGresult *r, int row, int first, bool passes)
{
    char url[80];
    jsonw_open(w, key, '{');
    for (size_t i = 0; i < RUN_COLUMN_COUNT; i++)
        write_member(w, i, r, row, first + (int)i);
    (void)snprintf(url, sizeof url, "/v1/runs/" STR_FMT "/log", STR_ARG(pg_get(r, row, first)));
    jsonw_text(w, "log_url", url);
    if (passes)
        jsonw_raw(w, "passes", pg_get(r, row, first + RUN_COLUMN_COUNT));
    jsonw_close(w);
}
