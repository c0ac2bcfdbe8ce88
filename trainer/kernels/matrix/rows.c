#include "trainer/kernels/matrix/rows.h"

/* Then: last_us, items, weights, held items, the unit's text, zeros. */
struct head {
    uint32_t unit_bytes, count, held, held_new, held_outside, zero;
};

void matrix_row_write(struct buf *b, const struct matrix_row *row)
{
    const struct head h = { (uint32_t)row->unit.n, row->count, row->held, row->held_new, row->held_outside, 0 };
    size_t from = b->n;
    buf_add(b, &h, sizeof h);
    buf_add(b, row->last_us, row->count * sizeof *row->last_us);
    buf_add(b, row->items, row->count * sizeof *row->items);
    buf_add(b, row->weights, row->count * sizeof *row->weights);
    buf_add(b, row->held_items, row->held * sizeof *row->held_items);
    buf_add_str(b, row->unit);
    matrix_pad(b, from);
}

bool matrix_row_read(struct str *in, struct matrix_row *out)
{
    struct head h;
    if (in->n < sizeof h)
        return false;
    memcpy(&h, in->p, sizeof h);
    const size_t cell = sizeof *out->last_us + sizeof *out->items + sizeof *out->weights;
    size_t n = matrix_aligned(sizeof h + h.count * cell + h.held * sizeof *out->held_items + h.unit_bytes);
    if (in->n < n || h.held_new > h.held)
        return false;
    const char *p = in->p + sizeof h;
    *out = (struct matrix_row){
        .count = h.count, .held = h.held, .held_new = h.held_new, .held_outside = h.held_outside
    };
    out->last_us = (const int64_t *)(const void *)p;
    p += h.count * sizeof *out->last_us;
    out->items = (const uint32_t *)(const void *)p;
    p += h.count * sizeof *out->items;
    out->weights = (const float *)(const void *)p;
    p += h.count * sizeof *out->weights;
    out->held_items = (const uint32_t *)(const void *)p;
    p += h.held * sizeof *out->held_items;
    out->unit = (struct str){ p, h.unit_bytes };
    in->p += n;
    in->n -= n;
    return true;
}

void matrix_rows_open(struct matrix_rows *r, struct task *t, size_t first)
{
    matrix_blocks_open(&r->blocks, t, first);
}

void matrix_rows_close(struct matrix_rows *r)
{
    matrix_blocks_close(&r->blocks);
}

bool matrix_row_next(struct matrix_rows *r, struct matrix_row *out, bool *out_end, struct err *err)
{
    if (!matrix_blocks_next(&r->blocks, out_end, err) || *out_end)
        return *out_end;
    r->blocks.rows++;
    return matrix_row_read(&r->blocks.block, out) || err_set(err, ERR_SYSTEM, "a row of the matrix is damaged");
}
