#include "trainer/kernels/matrix/blocks.h"

#include "trainer/engine/spool.h"

void matrix_blocks_open(struct matrix_blocks *b, struct task *t, size_t first)
{
    *b = (struct matrix_blocks){ .task = t, .input = first, .inputs = task_inputs(t) };
    buf_init(&b->copy, SPOOL_BLOCK_MAX);
    task_again(t);
}

void matrix_blocks_close(struct matrix_blocks *b)
{
    buf_release(&b->copy);
}

static void align(struct matrix_blocks *b)
{
    if ((uintptr_t)b->block.p % 8 == 0)
        return;
    buf_clear(&b->copy);
    buf_add_str(&b->copy, b->block);
    b->block = buf_str(&b->copy);
}

bool matrix_blocks_next(struct matrix_blocks *b, bool *out_end, struct err *err)
{
    *out_end = false;
    while (b->block.n == 0) {
        bool end = false;
        *out_end = b->input >= b->inputs;
        if (*out_end)
            return true;
        if (!task_tick(b->task, b->rows, err) || !task_next(b->task, b->input, &b->block, &end, err))
            return false;
        b->rows = 0;
        b->input += end;
        if (end)
            b->block = (struct str){ NULL, 0 };
    }
    align(b);
    return true;
}

void matrix_pad(struct buf *b, size_t from)
{
    static const char zeros[8];
    size_t n = b->n - from;
    buf_add(b, zeros, matrix_aligned(n) - n);
}
