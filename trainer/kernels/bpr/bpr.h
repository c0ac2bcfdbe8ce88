/* bpr.h - what the job "bpr" and its kernel say to each other.
 *
 * "bpr.epoch@1": rows of some ranges behind each other, and the factors of before → those behind as many steps as there are cells. Params: JSON {"rank",
 * "learning_rate", "regularization"}; text of a split "BLOCK FIRST_UNIT UNITS". Blobs: factors of items, factors of units, both of rank + 1 numbers:
 * an item's last one is its bias, a unit's is 1. Pairs are drawn by task_rand. Collects a struct bpr_result, of each item how often it was moved (u32), all
 * items' rows, the rows of the block's units. */
#pragma once
#include "trainer/engine/task.h"
#include "trainer/kernels/bpr/bpr_sgd.h"

#define BPR_EPOCH_KERNEL "bpr.epoch@1"

extern const struct kernel kernel_bpr_epoch;

struct bpr_result {
    double loss; /* Σ -ln of what the model gave the pair's order */
    uint64_t steps, right;
};
