/* columns.h - the matrix by item, as it lies in its data set: which units had an item. An item of very many units has several records behind each
 * other. Items come in ascending order, and within one the units do. */
#pragma once
#include "trainer/kernels/matrix/blocks.h"

enum { MATRIX_COLUMN_CELLS = 1 << 17 }; /* of a record */

struct matrix_column {
    uint32_t item;
    uint32_t count;        /* of this record */
    const uint32_t *units; /* numbers */
    const float *weights;
    bool more; /* the next record is of the same item */
};

/* One record; its size is a multiple of 8. */
void matrix_column_write(struct buf *b, const struct matrix_column *column);
/* The first record of *in, which begins at a multiple of 8; everything is borrowed from it. False: it is no record. */
bool matrix_column_read(struct str *in, struct matrix_column *out);

/* The columns of all inputs of a task, in their order. */
struct matrix_columns {
    struct matrix_blocks blocks;
};
void matrix_columns_open(struct matrix_columns *c, struct task *t);
void matrix_columns_close(struct matrix_columns *c);
/* Valid until the next call. *out_end: there is none. Ticks. */
bool matrix_column_next(struct matrix_columns *c, struct matrix_column *out, bool *out_end, struct err *err) MUSTCHECK;
