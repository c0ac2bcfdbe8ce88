/* job.h - job programs: what `trainer run JOB` runs, and what a run gives them. */
#pragma once
#include "base/pg.h"
#include "trainer/engine/engine.h"

struct run_context {
    const char *database_url;
    struct pg *pg; /* for the run's own row and for publication */
    struct engine *engine;
    char id[UUID_TEXT_MAX];
    int epoch;
    const char *(*param)(const struct run_context *run, const char *name); /* NULL: not given */
    const void *params;
    const char *archive_dir; /* NULL: none is known */
    uint32_t archive_after_days;
    const char *retention;     /* of signals: "default=400,impression=90" */
    uint64_t rows_in, retries; /* of all passes; added by run_pass */
    int passes;
};

struct job {
    const char *name, *summary, *params_help;
    bool (*run)(struct run_context *run, struct err *err);
};
extern const struct job *const jobs[]; /* ends with NULL */
extern const struct job job_metrics, job_preview, job_bootstrap, job_bandit, job_seal, job_retention, job_sessions,
    job_interleave, job_golden, job_clicks;

/* Runs a pass and keeps its row in run_passes. */
bool run_pass(struct run_context *run, const struct engine_pass *pass, struct engine_result *out,
              struct err *err) MUSTCHECK;
/* For work without a pass: draws the bar and beats; ERR_CONFLICT when another coordinator has the run. */
bool run_tick(struct run_context *run, const char *what, uint32_t done, uint32_t total, struct err *err) MUSTCHECK;
/* Opens the publishing transaction: the run's row is locked and its epoch checked; ERR_CONFLICT when another coordinator has it. */
bool run_publish_begin(struct run_context *run, struct err *err) MUSTCHECK;
/* Marks the run a success and commits. */
bool run_publish_end(struct run_context *run, struct err *err) MUSTCHECK;

/* `trainer run …` and `trainer jobs`. */
int run_main(int argc, char **argv);
int jobs_main(int argc, char **argv);
