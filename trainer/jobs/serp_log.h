/* serp_log.h - what searches were shown in some days, and what was clicked of it, query by query: the pass and the merge that jobs about ranking share.
 *
 *   query_log_window, serp_log_open → serp_log_collect, or a pass of the job's own with input_pass = s.pass (kernels/serps/serp_each.h) → serp_log_close
 *
 * Days are read by a kernel whose data sets are kept from run to run and from job to job: whoever asks with the same click_types finds them. A merge pass
 * adds them up, without units that are marked, into a data set of the queries (kernels/serps/serp_record.h), sorted by text within each part. Neither
 * ranges nor workers change its bytes. What a list is, and which clicks belong to it: kernels/serps/serp_day.h.
 *
 * The run's parameters that count: as_of, days, holdout_days (the window), positions, click_types, ranges, full (SERP_LOG in job/ranking.h). With the
 * parameter holdout_share the last searches of each query are held out: for data that has no later days. */
#pragma once
#include "trainer/jobs/query_log.h"
#include "trainer/kernels/serps/serp_record.h"

struct serp_log {
    struct run_context *run;
    struct arena *arena;
    struct day_plan days; /* closed, as soon as the log is open: what it knows of days stays */
    int pass;             /* data set: parts splits of one part each */
    uint32_t parts;
    uint64_t queries, documents; /* documents of each query, added up */
    uint64_t sessions, held;     /* searches with a list; held out of them, which `sessions` does not count */
    uint64_t clicks, clicked_sessions;
    int32_t held_from; /* day */
};

/* `what` names its two passes in progress and log: "training", "evaluation". Everything lies in the arena. Close it in any case. Without days with
 * signals, or without lists in them, it is open and empty. */
bool serp_log_open(struct serp_log *s, struct run_context *run, struct arena *arena, const char *what,
                   struct query_window window, struct err *err) MUSTCHECK;
/* The same of both windows at once: what was shown in the later one is held out. One that is empty holds nothing out. */
bool serp_log_open_both(struct serp_log *s, struct run_context *run, struct arena *arena, struct query_window training,
                        struct query_window evaluation, struct err *err) MUSTCHECK;
/* Its data set is needed no more. */
void serp_log_close(struct serp_log *s);
/* Splits of a pass over it: each reads one part. Its desc is the part. */
struct engine_split *serp_log_splits(const struct serp_log *s);

/* On the coordinator: queries with at least so many searches, sorted by text (bytes). What does not fit into SERP_SET_BYTES is left out, the least
 * searched first; the run says how many. */
enum { SERP_SET_BYTES = 1 << 30 };
struct serp_set {
    struct arena arena;
    struct log_parts bytes;
    struct serp_query *queries;
    size_t count, room;
};
bool serp_log_collect(struct serp_log *s, uint64_t min_sessions, struct serp_set *out, struct err *err) MUSTCHECK;
void serp_set_release(struct serp_set *s);
/* NULL: it is not in it. The text is in the form of query_text.h. */
const struct serp_query *serp_set_find(const struct serp_set *s, struct str text);
