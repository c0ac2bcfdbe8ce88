/* progress.h - how far a run is, over all its passes.
 *
 * Which passes come is known only as they come, so what they weigh is taken from the last run of the same job: the seconds each pass took there. A pass
 * that was not in it (or the first run of a job) gets half of what is left. The share never goes back and is below 1 until the run has ended.
 * Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { PROGRESS_PASSES_MAX = 64, PROGRESS_NAME_MAX = 40, PROGRESS_LINE_MAX = 256 };

struct progress_pass {
    char name[PROGRESS_NAME_MAX];
    double seconds;
};

struct progress {
    struct progress_pass before[PROGRESS_PASSES_MAX]; /* of the last run, in their order */
    size_t before_count, next;                        /* next: before[…] not seen yet in this run */
    double total;                                     /* seconds of all of them */
    char pass[PROGRESS_NAME_MAX];
    double base, weight, share; /* of the run when the pass began; of the pass; now */
};

void progress_init(struct progress *p);
/* A pass of the last run, in order; those beyond PROGRESS_PASSES_MAX are left out. */
void progress_know(struct progress *p, struct str name, double seconds);
/* The run begins again: its share stays until it is reached once more. */
void progress_restart(struct progress *p);
void progress_begin(struct progress *p, const char *pass);
/* The run's share when `done` of the pass's `total` splits are. */
double progress_at(struct progress *p, uint32_t done, uint32_t total);
/* Seconds left, by the time it took so far; a negative number while that says nothing: too early, or no earlier run to go by. */
double progress_left(const struct progress *p, double elapsed_seconds);

struct progress_line {
    uint32_t done, total, workers, retries;
    uint64_t rows;
    double seconds, pass_seconds;
};
/* "days  [####……]  42 %  7 of 16 splits  1234567 rows  250 k rows/s  2 workers  0 retries  3.1 s, 4 s left" */
void progress_text(const struct progress *p, const struct progress_line *line, char out[PROGRESS_LINE_MAX]);
