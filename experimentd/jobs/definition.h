/* definition.h - a job as its owner writes it: read and checked, written again.
 *
 *   {"id", "type", "name", "params", "enabled", "engine", "workers", "timezone", "triggers", "concurrency", "catch_up", "max_retries",
 *    "retry_after_seconds", "timeout_seconds", "notify": {"url", "on": […]}}
 *
 * What the daemon adds when it shows one (summary, next_run_at, next_runs_at, last_run, running, predefined, version, …) is passed over when it is read, so
 * that what was got can be changed and put back. Pure but for zone files. */
#pragma once
#include "base/json.h"
#include "experimentd/jobs/trigger.h"
#include "job/types.h"

enum { JOB_ID_MAX = 64, JOB_TRIGGERS_MAX = 20, JOB_BYTES_MAX = 256 << 10 };

/* Ends of a run that can be told, as bits of job_def.notify_on. */
enum job_end { JOB_END_SUCCESS, JOB_END_FAILED, JOB_END_CANCELLED, JOB_END_TIMEOUT, JOB_END_LOST, JOB_END_COUNT };
extern const char *const job_end_names[JOB_END_COUNT];

struct job_def {
    struct str id, name, engine, timezone, concurrency, catch_up;
    const struct job_type *type;
    struct str params; /* JSON, in one form */
    bool enabled;
    int64_t workers, max_retries, retry_after_seconds, timeout_seconds;
    struct trigger triggers[JOB_TRIGGERS_MAX];
    size_t triggers_count;
    struct str notify_url; /* n 0: nobody is told */
    unsigned notify_on;    /* bits 1 << enum job_end */
};

/* `id`: of the path; n 0: the document has it. ERR_INVALID names field and reason. */
bool job_def_read(json_t *root, struct str id, struct arena *arena, struct job_def *out, struct err *err) MUSTCHECK;
/* Only "enabled", "triggers", "timezone", "concurrency" and "catch_up", over those that stand in *io. */
bool job_def_read_schedule(json_t *root, struct arena *arena, struct job_def *io, struct err *err) MUSTCHECK;
/* As job_edit() of the database and GET show it, without braces. */
void job_def_write(struct jsonw *w, const struct job_def *d);
/* The next instant of any trigger by the clock behind `after` (seconds); INT64_MAX: none. */
int64_t job_def_next(const struct job_def *d, const struct zone *z, int64_t after);
