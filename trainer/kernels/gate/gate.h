/* gate.h - what trainer/models/gate_recommender.c and its kernel say to each other.
 *
 * "gate.units@1": rows of a range (kernels/matrix/rows.h) → how good candidate and champion were for the units that had something new in the later days.
 * Text as matrix_range() makes it; params {"units": of the matrix}; blobs: the candidate's artifact, the matrix' items, the units of each item (u32), and the
 * champion's artifact when there is one. Collects a struct gate_counts, then for candidate and champion the lists that each item is in (u32, all items).
 *
 * Each is asked as the daemon is asked: for the unit, with what it did in the training days as its history, without what it had. So a champion that was
 * trained earlier has what it would have had, and folds in. */
#pragma once
#include "stats/moments.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/gate/unit_scores.h"

#define GATE_UNITS_KERNEL "gate.units@1"
enum { GATE_BLOB_CANDIDATE, GATE_BLOB_ITEMS, GATE_BLOB_ITEM_UNITS, GATE_BLOB_CHAMPION, GATE_BLOBS };

struct gate_counts {
    struct moments2 m[SCORE_COUNT]; /* x: the candidate's, y: the champion's, or the candidate's again */
    uint64_t lists[2],
        outside
            [2]; /* lists with an item in them; items of lists that the matrix does not have; of candidate and champion */
};

extern const struct kernel kernel_gate_units;
