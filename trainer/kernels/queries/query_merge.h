/* query_merge.h - pure: records of days (query_day.h) → one record for each query (query_record.h). Numbers are whole and are added up, so neither the
 * order of days nor how they were cut matters. Memory: the different queries, pairs, and units by query of a part. */
#pragma once
#include "trainer/kernels/marked.h"
#include "trainer/kernels/queries/query_record.h"

struct query_totals {
    uint64_t queries, searches, zero_results, clicks, sessions;
};

struct query_merge;
/* `marked`: units that do not count; borrowed. */
struct query_merge *query_merge_new(const struct marked_hashes *marked);
void query_merge_free(struct query_merge *m);
DEFINE_AUTO(struct query_merge *, query_merge_free)
/* All records of a block; *out_units: how many units' there were. */
bool query_merge_add(struct query_merge *m, struct str block, uint64_t *out_units, struct err *err) MUSTCHECK;
/* The queries that were searched or clicked, sorted by text (bytes). */
typedef bool (*query_merge_fn)(void *arg, const struct query_record *q, struct err *err);
bool query_merge_finish(struct query_merge *m, query_merge_fn fn, void *arg, struct query_totals *out,
                        struct err *err) MUSTCHECK;
