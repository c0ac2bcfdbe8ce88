/* query_log.h - what was searched in some days, query by query: the pass and the merge that all jobs about queries share.
 *
 *   query_log_window, query_log_open → query_log_collect, or a pass of the job's own with input_pass = q.pass → query_log_close
 *
 * Days are read by a kernel whose data sets are kept from run to run and from job to job: whoever asks with the same session_gap_minutes and
 * click_types finds them. A merge pass adds them up, without units that are marked, into a data set of one record for each query
 * (kernels/queries/query_record.h), sorted by text within each part. Neither ranges nor workers change its bytes.
 *
 * The run's parameters that count: as_of, days, holdout_days, session_gap_minutes, click_types, ranges, full (QUERY_LOG in job/types.c). */
#pragma once
#include "trainer/jobs/log_passes.h"
#include "trainer/kernels/queries/query_record.h"

/* What is trained on, [as_of − holdout − days + 1, as_of − holdout] (days 0: from the first one), and what is evaluated on, the holdout_days behind
 * it. A job without parameter holdout_days has none. */
void query_log_window(struct run_context *run, struct query_window *out_training, struct query_window *out_evaluation);

struct query_log {
    struct run_context *run;
    struct arena *arena;
    struct day_plan days; /* closed, as soon as the query log is open: what it knows of days stays */
    int pass;             /* data set: parts splits of one part each */
    uint32_t parts;
    uint64_t queries, searches, zero_results, clicks;
    uint64_t sessions; /* with any query: what the sessions of queries are shares of */
};

/* `what` names its two passes in progress and log: "training", "evaluation". Everything lies in the arena. Close it in any case. Without days with
 * signals, or without queries in them, it is open and empty. */
bool query_log_open(struct query_log *q, struct run_context *run, struct arena *arena, const char *what,
                    struct query_window window, struct err *err) MUSTCHECK;
/* Its data set is needed no more. */
void query_log_close(struct query_log *q);

/* On the coordinator: records of queries with at least so many searches, sorted by text (bytes). What does not fit into QUERY_SET_BYTES is left
 * out, the least searched first; the run says how many. */
enum { QUERY_SET_BYTES = 1 << 30 };
struct query_set {
    struct arena arena;
    struct log_parts bytes;
    struct query_record *queries;
    size_t count, room;
};
bool query_log_collect(struct query_log *q, uint64_t min_searches, struct query_set *out, struct err *err) MUSTCHECK;
void query_set_release(struct query_set *s);
/* NULL: it is not in it. The text is in the form of query_text.h. */
const struct query_record *query_set_find(const struct query_set *s, struct str text);
