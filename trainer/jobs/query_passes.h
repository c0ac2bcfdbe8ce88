/* query_passes.h - for jobs whose passes read a query log (query_log.h): their splits, and whether there is enough of it. */
#pragma once
#include "trainer/jobs/query_log.h"

enum { QUERY_PARTS = 16 }; /* of data sets that such passes leave by another key */

/* One split for each of the `count` splits of an earlier pass, which reads its part 0. */
struct engine_split *query_splits_each(struct arena *arena, uint32_t count);
/* One split for each of `parts` parts that `count` splits of an earlier pass left: it reads that part of all of them. */
struct engine_split *query_splits_by_part(struct arena *arena, uint32_t count, uint32_t parts);
/* Searches and clicks are at least the parameter min_signals; ERR_INVALID says how many there are. */
bool query_log_is_enough(const struct query_log *q, struct err *err) MUSTCHECK;
/* Opens the training window, and asks whether it is enough. */
bool query_log_begin(struct query_log *q, struct run_context *run, struct arena *arena, struct err *err) MUSTCHECK;
/* Behind rewrites_put: "found 12 (3 new, 9 as they were, …)" for the log, and a JSON object for the result. */
struct rewrites_counts;
struct str query_rewrites_said(struct arena *arena, const struct rewrites_counts *c);
struct str query_rewrites_json(struct arena *arena, const struct rewrites_counts *c);
