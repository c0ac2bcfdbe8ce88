/* blocks.h - all blocks of a task's inputs, one behind the other, as records that are read where they lie: a block begins at a multiple of 8. */
#pragma once
#include "base/buf.h"
#include "trainer/engine/task.h"

struct matrix_blocks {
    struct task *task;
    size_t input, inputs;
    struct str block; /* what of it is not read yet */
    struct buf copy;  /* of a block that lay askew */
    uint64_t rows;    /* read since the last tick */
};
/* From input `first` on; inputs are opened anew. */
void matrix_blocks_open(struct matrix_blocks *b, struct task *t, size_t first);
void matrix_blocks_close(struct matrix_blocks *b);
/* True: b->block has something in it, or *out_end. Ticks. */
bool matrix_blocks_next(struct matrix_blocks *b, bool *out_end, struct err *err) MUSTCHECK;

static inline size_t matrix_aligned(size_t n)
{
    return (n + 7) / 8 * 8;
}
/* Zeros up to a multiple of 8 behind what was added since the buf had `from` bytes. */
void matrix_pad(struct buf *b, size_t from);
