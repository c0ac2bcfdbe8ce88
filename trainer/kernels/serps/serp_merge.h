/* serp_merge.h - pure: records of days (serp_day.h) → one query after the other with its patterns (serp_record.h). Numbers are whole and are added up, so
 * neither the order of days nor how they were cut matters. Memory: the different patterns of a part; to hold out by time, also 24 bytes a search. */
#pragma once
#include "trainer/kernels/marked.h"
#include "trainer/kernels/serps/serp_record.h"

struct serp_totals {
    uint64_t queries, documents, sessions, held, clicks,
        clicked_sessions; /* documents: of each query; the last two: not of those held out */
};

struct serp_merge_rules {
    const struct marked_hashes *marked; /* units that do not count; borrowed */
    uint32_t positions;                 /* lists are cut behind so many documents */
    double holdout_share;               /* of the searches of each query, the last ones in time: held out. 0: none */
    int64_t held_from_us;               /* searches from this instant on are held out. 0: none */
};

struct serp_merge;
struct serp_merge *serp_merge_new(const struct serp_merge_rules *rules);
void serp_merge_free(struct serp_merge *m);
DEFINE_AUTO(struct serp_merge *, serp_merge_free)
/* All records of a block of the day that begins at day_us; *out_searches: how many there were. */
bool serp_merge_add(struct serp_merge *m, int64_t day_us, struct str block, uint64_t *out_searches,
                    struct err *err) MUSTCHECK;
/* Sorted by text (bytes). */
typedef bool (*serp_merge_fn)(void *arg, const struct serp_query *q, struct err *err);
bool serp_merge_finish(struct serp_merge *m, serp_merge_fn fn, void *arg, struct serp_totals *out,
                       struct err *err) MUSTCHECK;
