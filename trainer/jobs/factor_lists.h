/* factor_lists.h - from vectors of units and items to an artifact of kind "recommender": what the jobs "als" and "bpr" end with.
 *
 * Sections: items_for_user (without what the unit had), items_for_item (cosine), users_for_item (without who had it), popular (units that had an item; key ""),
 * seen, factors, card. Keys are sorted by bytes. Parameters of the run: num_items, num_similar, num_users. */
#pragma once
#include "model/factors.h"
#include "trainer/jobs/matrix.h"
#include "trainer/models/training.h"

/* Rows of `stride` numbers; of BPR the number behind the rank is 1 for units and the bias for items. */
struct factor_lists {
    const struct matrix *m;
    uint32_t rank, row_rank;    /* row_rank: with the bias */
    int units_blob, items_blob; /* als_solve.h, of row_rank */
    const float *items;
    size_t stride;
    enum factors_fold fold;
    double alpha, lambda;
};
/* Passes "items for units", "similar items", "units for items", the gate's; then the version is published, or refused. m is transposed. */
bool factor_lists_publish(const struct factor_lists *f, uint64_t seed, double loss, struct err *err) MUSTCHECK;
