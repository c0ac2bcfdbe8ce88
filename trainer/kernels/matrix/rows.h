/* rows.h - rows of the matrix as they lie in its data set: what a unit had in the training days, and what it had later. A kernel reads them by
 * matrix_rows_open and matrix_row_next; the pure part is matrix_row_write and matrix_row_read. */
#pragma once
#include "trainer/kernels/matrix/blocks.h"

struct matrix_row {
    struct str unit;
    uint32_t count;         /* at least 1 */
    const uint32_t *items;  /* numbers, ascending */
    const float *weights;   /* of each, above 0 */
    const int64_t *last_us; /* of each, the unit's last signal */

    /* Of the days of evaluation; the trainer must not look. */
    uint32_t held, held_new;    /* items, of which the first held_new were not in `items` (both kinds ascending) */
    const uint32_t *held_items; /* numbers */
    uint32_t held_outside;      /* items besides, that the matrix does not have */
};

/* One record; its size is a multiple of 8. */
void matrix_row_write(struct buf *b, const struct matrix_row *row);
/* The first record of *in, which begins at a multiple of 8; everything is borrowed from it. False: it is no record. */
bool matrix_row_read(struct str *in, struct matrix_row *out);

/* The rows of a task's inputs, from input `first` on, in their order. */
struct matrix_rows {
    struct matrix_blocks blocks;
};
void matrix_rows_open(struct matrix_rows *r, struct task *t, size_t first);
void matrix_rows_close(struct matrix_rows *r);
/* Valid until the next call. *out_end: there is none. Ticks. */
bool matrix_row_next(struct matrix_rows *r, struct matrix_row *out, bool *out_end, struct err *err) MUSTCHECK;
