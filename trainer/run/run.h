/* run.h - one run in its coordinator: its row, its job, its engine, what it says. Inside trainer/run/; job programs see trainer/jobs/job.h.
 *
 *   coordinate()  opens the database, makes or takes the row, starts the heartbeat, runs the job, closes the row
 *
 * An attempt that failed while the database was away is made again, when it is back, as often as that happens: the job plans its passes anew, on a
 * snapshot of its own, and the engine finds in the spool what was made before of equal input. */
#pragma once
#include "job/params.h"
#include "trainer/jobs/job.h"
#include "trainer/run/beat.h"
#include "trainer/run/progress.h"
#include "trainer/run/settings.h"

/* By the names of the engine's own table (trainer/engine/engine.c). */
struct run_engine {
    const char *name, *help;
};
extern const struct run_engine run_engines[]; /* ends with a name of NULL */

struct run {
    struct run_context context; /* first */
    const struct run_settings *settings;
    const struct job *job;
    const struct run_engine *engine;
    bool resume; /* something may lie in the spool that is of use */
    struct row row;
    struct job_params params;
    struct arena arena; /* params, texts of the row */
    struct pgcluster *cluster;
    char *url, *spool, *archive;
    struct beat *beat;
    struct lines *lines;
    struct buf result; /* JSON; empty: none */
    struct progress progress;
    struct row_news news;
    bool terminal, drawn;     /* drawn: the cursor stands behind a bar */
    bool too_little;          /* data: run_too_little() */
    bool phase;               /* the open row of run_passes is one of run_tick */
    bool reopened, published; /* in this attempt */
    int rows_of_passes;       /* in run_passes */
    int64_t line_us, pass_us, started_us;
};

/* Makes the row of a run of `job` with the settings' params, checked. */
bool run_insert(const struct run_settings *settings, const char *job, struct pg *pg, struct row *row,
                struct err *err) MUSTCHECK;
/* Its exit status. `settings` have a job's name in `job`, or a run to take. */
int coordinate(const struct run_settings *settings, const char *job);

/* True as soon as PostgreSQL answers again on run->context.pg and the row is still ours; waits as long as the settings say. */
bool run_await_database(struct run *run, struct err *err) MUSTCHECK;
/* Ends the bar's line, so that text can follow. */
void run_end_bar(struct run *run);
/* The engine's callback: draws, tells the heartbeat; false: the run is to end. */
bool run_on_progress(void *arg, const char *pass, uint32_t done, uint32_t total, uint64_t rows, uint32_t retries);
/* Puts what was said, and all numbers of the run's end, into an end of this state. */
struct row_end run_end_of(struct run *run, const char *state, const char *error);
