/* log_passes.h - the passes of logs of searches (query_log.h, serp_log.h): over days, whose data sets are kept from run to run and from job to job; their
 * merge, query by query, without units that are marked; and what of it is brought to the coordinator.
 *
 * The run's parameters that count: click_types, session_gap_minutes where sessions are told apart, ranges, full. */
#pragma once
#include "trainer/jobs/day_plan.h"

/* Days since 1970, inclusive; from > until: none. */
struct query_window {
    int32_t from, until;
};

/* What tells one log from another. */
struct log_kind {
    const char *day, *merge, *collect; /* kernels */
    const char *merged;                /* names the pass of the merge: "queries" */
    const char *collected;             /* and that which collects */
    const char *const *own_types;      /* of signals that are no clicks; ends with NULL */
    const char *own_said;              /* "request or response" */
    bool sessions;                     /* are told apart */
    size_t totals;                     /* numbers (u64) that each part of the merge collects; they are added up */
    uint32_t set_bytes;                /* that a collection may have */
};

enum { LOG_PARTS = 16 };
struct log_opening {
    const struct log_kind *kind;
    struct run_context *run;
    struct arena *arena;
    struct day_plan *days; /* closed behind log_open */
    const char *what;      /* names the passes: "training" */
    struct str merge_params;
    int *out_pass;       /* of the merge, of LOG_PARTS splits of one part each; as it was: there were no days */
    uint32_t *out_parts; /* how many those are */
    uint64_t *out_totals;
};
bool log_open(const struct log_opening *o, struct query_window window, struct err *err) MUSTCHECK;
/* The merge's data set is needed no more. */
void log_close(struct run_context *run, int *pass);

/* What was collected: bytes that records borrow from. */
struct log_parts {
    struct buf *parts;
    uint32_t count;
    uint64_t left_out; /* queries with searches enough that do not fit */
};
/* Takes what stands first off *rest; false: it is damaged. */
typedef bool (*log_take_fn)(void *arg, struct str *rest);
bool log_collect(const struct log_kind *kind, struct run_context *run, struct arena *arena, int pass, uint32_t parts,
                 uint64_t min_searches, struct log_parts *out, log_take_fn take, void *arg, struct err *err) MUSTCHECK;
void log_parts_release(struct log_parts *p);
