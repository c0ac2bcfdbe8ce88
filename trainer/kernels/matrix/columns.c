#include "trainer/kernels/matrix/columns.h"

/* Then: units, weights. */
struct head {
    uint32_t item, count, more, zero;
};

void matrix_column_write(struct buf *b, const struct matrix_column *c)
{
    const struct head h = { c->item, c->count, c->more, 0 };
    size_t from = b->n;
    buf_add(b, &h, sizeof h);
    buf_add(b, c->units, c->count * sizeof *c->units);
    buf_add(b, c->weights, c->count * sizeof *c->weights);
    matrix_pad(b, from);
}

bool matrix_column_read(struct str *in, struct matrix_column *out)
{
    struct head h;
    if (in->n < sizeof h)
        return false;
    memcpy(&h, in->p, sizeof h);
    size_t n = sizeof h + (size_t)h.count * (sizeof *out->units + sizeof *out->weights);
    if (in->n < n)
        return false;
    const char *units = in->p + sizeof h, *weights = units + h.count * sizeof *out->units;
    *out = (struct matrix_column){ h.item, h.count, (const uint32_t *)(const void *)units,
                                   (const float *)(const void *)weights, h.more != 0 };
    in->p += n;
    in->n -= n;
    return true;
}

void matrix_columns_open(struct matrix_columns *c, struct task *t)
{
    matrix_blocks_open(&c->blocks, t, 0);
}

void matrix_columns_close(struct matrix_columns *c)
{
    matrix_blocks_close(&c->blocks);
}

bool matrix_column_next(struct matrix_columns *c, struct matrix_column *out, bool *out_end, struct err *err)
{
    if (!matrix_blocks_next(&c->blocks, out_end, err) || *out_end)
        return *out_end;
    c->blocks.rows++;
    return matrix_column_read(&c->blocks.block, out) || err_set(err, ERR_SYSTEM, "a column of the matrix is damaged");
}
