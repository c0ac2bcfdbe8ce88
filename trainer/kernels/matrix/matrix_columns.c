/* "matrix.scatter@1" and "matrix.columns@1": rows → the same by item. Both count the cells of each item first, then put them in their places; so units
 * of an item come in the order of rows. Memory: 8 bytes a cell of the range or the part. */
#include "trainer/kernels/matrix/columns.h"
#include "trainer/kernels/matrix/matrix.h"
#include "trainer/kernels/matrix/rows.h"

/* Cells of items first … first + count - 1. */
struct by_item {
    uint32_t first, count;
    uint64_t *ends; /* of each item: where its next cell goes, at last the end */
    uint32_t *units;
    float *weights;
};

static void by_item_new(struct by_item *b, struct arena *arena, uint32_t first, uint32_t count)
{
    *b = (struct by_item){ .first = first, .count = count };
    b->ends = arena_zalloc(arena, ((size_t)count + 1) * sizeof *b->ends);
}

/* Counts become places. */
static void by_item_place(struct by_item *b, struct arena *arena)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        uint64_t n = b->ends[i];
        b->ends[i] = at;
        at += n;
    }
    b->units = arena_alloc(arena, (at + 1) * sizeof *b->units);
    b->weights = arena_alloc(arena, (at + 1) * sizeof *b->weights);
}

static void by_item_put(struct by_item *b, uint32_t item, uint32_t unit, float weight)
{
    uint64_t at = b->ends[item - b->first]++;
    b->units[at] = unit;
    b->weights[at] = weight;
}

static bool emit(struct task *t, uint32_t part, const struct matrix_column *c, struct buf *record, struct err *err)
{
    buf_clear(record);
    matrix_column_write(record, c);
    return buf_ok(record, "a column of the matrix", err) && task_emit(t, part, buf_str(record), err);
}

static bool emit_item(struct task *t, const struct by_item *b, uint32_t i, uint32_t part, struct buf *record,
                      struct err *err)
{
    uint64_t at = i ? b->ends[i - 1] : 0, end = b->ends[i];
    while (at < end) {
        uint32_t n = end - at < MATRIX_COLUMN_CELLS ? (uint32_t)(end - at) : MATRIX_COLUMN_CELLS;
        struct matrix_column c = { b->first + i, n, b->units + at, b->weights + at, at + n < end };
        if (!emit(t, part, &c, record, err))
            return false;
        at += n;
    }
    return true;
}

/* ---- matrix.scatter ---- */

/* The split's third word is not needed. */
static bool read_split(struct task *t, uint32_t *out_first, uint32_t *out_count, struct err *err)
{
    struct str rest = task_desc(t), word, first;
    return (str_split(&rest, ' ', &word) && str_split(&rest, ' ', &first) && parse_u32(first, out_first, NULL) &&
            parse_u32(rest, out_count, NULL)) ||
           err_set(err, ERR_INVALID, "the split is not three numbers");
}

static bool scatter_rows(struct task *t, struct by_item *b, bool counting, uint32_t unit, struct err *err)
{
    struct matrix_rows rows;
    struct matrix_row row;
    bool end = false, ok = true;
    matrix_rows_open(&rows, t, 0);
    for (; ok && !end; unit++) {
        ok = matrix_row_next(&rows, &row, &end, err);
        for (uint32_t i = 0; ok && !end && i < row.count; i++)
            if (counting)
                b->ends[row.items[i]]++;
            else
                by_item_put(b, row.items[i], unit, row.weights[i]);
    }
    matrix_rows_close(&rows);
    return ok;
}

static bool run_scatter(struct task *t, struct err *err)
{
    struct by_item b;
    struct buf record;
    uint32_t first_unit, units, part = 0;
    const uint32_t *firsts = (const uint32_t *)(const void *)task_blob(t, 0).p;
    if (task_blob(t, 0).n != (task_parts(t) + 1) * sizeof *firsts)
        return err_set(err, ERR_INVALID, "the blob does not say which items are in which part");
    by_item_new(&b, task_arena(t), 0, firsts[task_parts(t)]);
    if (!read_split(t, &first_unit, &units, err) || !scatter_rows(t, &b, true, first_unit, err))
        return false;
    by_item_place(&b, task_arena(t));
    if (!scatter_rows(t, &b, false, first_unit, err))
        return false;
    buf_init(&record, MATRIX_RECORD_MAX);
    bool ok = true;
    for (uint32_t i = 0; ok && i < b.count; i++) {
        while (i >= firsts[part + 1])
            part++;
        ok = emit_item(t, &b, i, part, &record, err);
    }
    buf_release(&record);
    return ok;
}

const struct kernel kernel_matrix_scatter = { MATRIX_SCATTER_KERNEL, run_scatter };

/* ---- matrix.columns ---- */

static bool gather_columns(struct task *t, struct by_item *b, bool counting, struct err *err)
{
    struct matrix_columns columns;
    struct matrix_column c;
    bool end = false, ok = true;
    matrix_columns_open(&columns, t);
    while (ok && !end) {
        ok = matrix_column_next(&columns, &c, &end, err);
        if (ok && !end && counting)
            b->ends[c.item - b->first] += c.count;
        for (uint32_t i = 0; ok && !end && !counting && i < c.count; i++)
            by_item_put(b, c.item, c.units[i], c.weights[i]);
    }
    matrix_columns_close(&columns);
    return ok;
}

static bool run_columns(struct task *t, struct err *err)
{
    struct by_item b;
    struct buf record;
    uint32_t first, count;
    if (!read_split(t, &first, &count, err))
        return false;
    by_item_new(&b, task_arena(t), first, count);
    if (!gather_columns(t, &b, true, err))
        return false;
    by_item_place(&b, task_arena(t));
    if (!gather_columns(t, &b, false, err))
        return false;
    buf_init(&record, MATRIX_RECORD_MAX);
    bool ok = true;
    for (uint32_t i = 0; ok && i < b.count; i++)
        ok = emit_item(t, &b, i, 0, &record, err);
    buf_release(&record);
    return ok;
}

const struct kernel kernel_matrix_columns = { MATRIX_COLUMNS_KERNEL, run_columns };
