/* due.h - which of a job's instants that have passed become runs. Pure. */
#pragma once
#include "base/str.h"
#include "experimentd/jobs/definition.h"

/* An instant is missed when it is looked at so much later: no daemon was there. A new leader needs less. */
enum { DUE_LATE_S = 60, DUE_MAX = 100, DUE_NOTE_MAX = 120 };

struct due {
    int64_t at_s;
    bool skipped;            /* a row that says what was left out, and is not run */
    bool waits;              /* queued although another is under way: caught up with, one by one */
    char note[DUE_NOTE_MAX]; /* "": none */
};

struct due_plan {
    struct due runs[DUE_MAX];
    size_t count;
    int64_t
        scheduled_s; /* up to here all is said; with more than DUE_MAX to catch up with, the rest comes with the next look */
};

/* Instants in (since, now]. */
void due_make(const struct job_def *d, const struct zone *z, int64_t since_s, int64_t now_s, struct due_plan *out);
