/* "matrix.rows@1": rows by numbers of a range → rows by numbers of the matrix, without items that too few units had and units with too few items. */
#include <stdlib.h>

#include "base/json.h"
#include "trainer/kernels/matrix/items.h"
#include "trainer/kernels/matrix/matrix.h"
#include "trainer/kernels/matrix/rows.h"
#include "trainer/kernels/record.h"

enum { INPUT_ITEMS, INPUT_ROWS };

struct cell {
    uint32_t item, place;
};

struct numbering {
    struct task *task;
    struct matrix_items items;
    uint32_t *numbers, numbers_count; /* by the range's number; UINT32_MAX: not in the matrix */
    int64_t min_unit_items;
    struct matrix_counts counts;
    double *item_weights;
    uint32_t *item_units;
    struct cell cells[MATRIX_UNIT_ITEMS_MAX];
    uint32_t out[MATRIX_UNIT_ITEMS_MAX], held[MATRIX_UNIT_ITEMS_MAX];
    float weights[MATRIX_UNIT_ITEMS_MAX];
    int64_t last_us[MATRIX_UNIT_ITEMS_MAX];
    struct buf record;
};

static bool read_params(struct numbering *n, struct err *err)
{
    struct json_reader r;
    json_auto_t *root = json_parse(task_params(n->task), err);
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "min_unit_items", JSON_REQUIRED, &n->min_unit_items);
    return json_reader_close(&r, err);
}

/* ---- items ---- */

static void note_item(struct numbering *n, struct str text)
{
    uint32_t number = UINT32_MAX, at = n->numbers_count++;
    if ((at & (at + 1)) == 0)
        n->numbers = mem_realloc(n->numbers, (2 * (size_t)at + 1) * sizeof *n->numbers);
    (void)matrix_item_find(&n->items, text, &number);
    n->numbers[at] = number;
}

static bool read_items(struct numbering *n, struct err *err)
{
    for (;;) {
        struct str block, text;
        bool end;
        if (!task_next(n->task, INPUT_ITEMS, &block, &end, err) || end)
            return end;
        while (block.n) {
            if (!record_take_text(&block, &text))
                return err_set(err, ERR_SYSTEM, "the items of a range are damaged");
            note_item(n, text);
        }
        if (!task_tick(n->task, 0, err))
            return false;
    }
}

/* ---- rows ---- */

static int by_item(const void *a, const void *b)
{
    const struct cell *x = a, *y = b;
    return (x->item > y->item) - (x->item < y->item);
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static uint32_t number_of(const struct numbering *n, uint32_t of_range)
{
    return of_range < n->numbers_count ? n->numbers[of_range] : UINT32_MAX;
}

static uint32_t number_cells(struct numbering *n, const struct matrix_row *row)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < row->count && i < MATRIX_UNIT_ITEMS_MAX; i++) {
        n->cells[count] = (struct cell){ number_of(n, row->items[i]), i };
        count += n->cells[count].item != UINT32_MAX;
    }
    if (count)
        qsort(n->cells, count, sizeof *n->cells, by_item);
    for (uint32_t i = 0; i < count; i++) {
        n->out[i] = n->cells[i].item;
        n->weights[i] = row->weights[n->cells[i].place];
        n->last_us[i] = row->last_us[n->cells[i].place];
    }
    return count;
}

/* New ones first. */
static void number_held(struct numbering *n, const struct matrix_row *raw, struct matrix_row *row)
{
    uint32_t old[MATRIX_UNIT_ITEMS_MAX], old_count = 0;
    for (uint32_t i = 0; i < raw->held && i < MATRIX_UNIT_ITEMS_MAX; i++) {
        uint32_t item = number_of(n, raw->held_items[i]);
        if (item == UINT32_MAX)
            row->held_outside++;
        else if (row->count && bsearch(&item, n->out, row->count, sizeof item, by_number))
            old[old_count++] = item;
        else
            n->held[row->held_new++] = item;
    }
    if (row->held_new)
        qsort(n->held, row->held_new, sizeof *n->held, by_number);
    if (old_count)
        qsort(old, old_count, sizeof *old, by_number);
    for (uint32_t i = 0; i < old_count; i++)
        n->held[row->held_new + i] = old[i];
    row->held = row->held_new + old_count;
}

static void count(struct numbering *n, const struct matrix_row *row)
{
    n->counts.units++;
    n->counts.cells += row->count;
    n->counts.held_out += row->held_new;
    n->counts.held_units += row->held_new > 0;
    for (uint32_t i = 0; i < row->count; i++) {
        n->item_units[row->items[i]]++;
        n->item_weights[row->items[i]] += (double)row->weights[i];
    }
}

static bool number_row(struct numbering *n, const struct matrix_row *raw, struct err *err)
{
    struct matrix_row row = { .unit = raw->unit,
                              .count = number_cells(n, raw),
                              .items = n->out,
                              .weights = n->weights,
                              .last_us = n->last_us,
                              .held_items = n->held };
    if (row.count == 0 || row.count < n->min_unit_items)
        return true;
    number_held(n, raw, &row);
    count(n, &row);
    buf_clear(&n->record);
    matrix_row_write(&n->record, &row);
    return buf_ok(&n->record, "a row of the matrix", err) && task_emit(n->task, 0, buf_str(&n->record), err);
}

static bool number_rows(struct numbering *n, struct err *err)
{
    struct matrix_rows rows;
    struct matrix_row row;
    bool end = false, ok = true;
    matrix_rows_open(&rows, n->task, INPUT_ROWS);
    while (ok && !end)
        ok = matrix_row_next(&rows, &row, &end, err) && (end || number_row(n, &row, err));
    matrix_rows_close(&rows);
    return ok;
}

static bool collect(struct task *t, const void *p, size_t n, struct err *err)
{
    return task_collect(t, (struct str){ p, n }, err);
}

static bool run(struct task *t, struct err *err)
{
    struct numbering *n = arena_zalloc(task_arena(t), sizeof *n);
    n->task = t;
    if (!read_params(n, err) || !matrix_items_read(task_blob(t, 0), &n->items, err))
        return false;
    n->item_weights = arena_zalloc(task_arena(t), (n->items.count + 1) * sizeof *n->item_weights);
    n->item_units = arena_zalloc(task_arena(t), (n->items.count + 1) * sizeof *n->item_units);
    buf_init(&n->record, MATRIX_RECORD_MAX);
    bool ok = read_items(n, err) && number_rows(n, err) && collect(t, &n->counts, sizeof n->counts, err) &&
              collect(t, n->item_weights, n->items.count * sizeof *n->item_weights, err) &&
              collect(t, n->item_units, n->items.count * sizeof *n->item_units, err);
    buf_release(&n->record);
    mem_free(n->numbers);
    return ok;
}

const struct kernel kernel_matrix_rows = { MATRIX_ROWS_KERNEL, run };
