/* unit_scores.h - pure: how good a list of items was for a unit, by what it did later.
 *
 * Relevant are the items of the later days that the unit had not had; a list has none that it had. Every unit of the evaluation has at least one, so no
 * value is undefined; an empty list scores 0. Definitions are those of stats/ranking, with grades 0 and 1. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum unit_score {
    SCORE_NDCG,
    SCORE_RECALL,
    SCORE_PRECISION,
    SCORE_MAP,
    SCORE_MRR,
    SCORE_HIT_RATE,
    SCORE_NOVELTY,
    SCORE_COUNT
};
extern const char *const unit_score_names[]; /* "ndcg@10", …; ends with NULL */

enum { UNIT_SCORES_K = 10 };
#define UNIT_SCORES_OUTSIDE UINT32_MAX /* an item that the matrix does not have */

struct unit_list {
    uint32_t items[UNIT_SCORES_K]; /* numbers, best first */
    size_t count;
};

/* relevant: ascending numbers, at least one. item_units: of each item, units that had it, of `units`: what novelty is measured by, which is the mean over
 * the list of -log2(share of units that had the item), a unit at least. */
bool unit_scores_of(const struct unit_list *list, const uint32_t *relevant, size_t relevant_count,
                    const uint32_t *item_units, uint64_t units, double out[SCORE_COUNT], struct err *err) MUSTCHECK;
