/* top_rows.h - pure: the best of many rows for some rows at once: products by BLAS, then the greatest of each. */
#pragma once
#include "base/mem.h"
#include "trainer/kernels/factors/factors.h"

struct top_rows {
    const float *rows; /* of all candidates */
    uint32_t count, top;
    size_t stride;
    uint32_t block; /* askers at once */
    float *askers;  /* block × stride: the caller fills them */
    float *scores;  /* block × count */
    bool *there;    /* a candidate's row is not all zeros */
    struct factors_entry *best;
};
void top_rows_init(struct top_rows *r, const float *rows, uint32_t count, size_t stride, uint32_t top,
                   struct arena *arena);
/* The products of the first `askers` rows of r->askers with all candidates. */
void top_rows_score(struct top_rows *r, uint32_t askers);
/* Asker's best, in r->best, without `left_out`; spoils its scores. Returns how many. */
uint32_t top_rows_best(struct top_rows *r, uint32_t asker, const uint32_t *left_out, uint32_t left_out_count);
