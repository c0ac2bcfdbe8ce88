/* "factors.units@1": items for units, and what they had. */
#include "trainer/kernels/als/als_solve.h"
#include "trainer/kernels/factors/factors_params.h"
#include "trainer/kernels/factors/top_rows.h"
#include "trainer/kernels/matrix/rows.h"
#include "trainer/kernels/record.h"

enum { RECORD_MAX = 16 << 20, ARENA_FIRST = 1 << 20 };

struct units {
    struct task *task;
    struct factors_params params;
    struct als_factors units, items;
    struct top_rows ranking;
    struct matrix_row *rows; /* that are waiting to be scored, copied */
    uint32_t waiting, unit;  /* the number of the next row's unit */
    struct arena copies;
    struct buf record;
};

static void *copy(struct units *u, const void *p, size_t n)
{
    return memcpy(arena_alloc(&u->copies, n + 1), p, n);
}

static bool put(struct units *u, uint32_t at, struct err *err)
{
    const struct matrix_row *row = &u->rows[at];
    uint32_t n = top_rows_best(&u->ranking, at, row->items, row->count);
    buf_clear(&u->record);
    record_put_text(&u->record, row->unit);
    record_put(&u->record, &n, sizeof n);
    record_put(&u->record, u->ranking.best, n * sizeof *u->ranking.best);
    record_put(&u->record, &row->count, sizeof row->count);
    for (uint32_t i = 0; i < row->count; i++) {
        const struct factors_entry e = { row->items[i], row->weights[i] };
        record_put(&u->record, &e, sizeof e);
    }
    return buf_ok(&u->record, "the lists of a unit", err) && task_collect(u->task, buf_str(&u->record), err);
}

static bool flush(struct units *u, struct err *err)
{
    top_rows_score(&u->ranking, u->waiting);
    for (uint32_t i = 0; i < u->waiting; i++)
        if (!put(u, i, err))
            return false;
    u->waiting = 0;
    arena_reset(&u->copies);
    return task_tick(u->task, 0, err);
}

static bool add(struct units *u, const struct matrix_row *row, struct err *err)
{
    struct matrix_row *to = &u->rows[u->waiting];
    const size_t stride = u->units.stride;
    if (u->unit >= u->units.count)
        return err_set(err, ERR_SYSTEM, "unit %u has no factors", u->unit);
    *to = *row;
    to->unit.p = copy(u, row->unit.p, row->unit.n);
    to->items = copy(u, row->items, row->count * sizeof *row->items);
    to->weights = copy(u, row->weights, row->count * sizeof *row->weights);
    memcpy(u->ranking.askers + u->waiting * stride, u->units.rows + u->unit * stride, stride * sizeof(float));
    u->unit++;
    return ++u->waiting < u->ranking.block || flush(u, err);
}

static bool run(struct task *t, struct err *err)
{
    struct units u = { .task = t };
    struct matrix_rows rows;
    struct matrix_row row;
    uint32_t count;
    bool end = false;
    if (!factors_params_read(t, &u.params, err) || !factors_split_read(t, &u.unit, &count, err) ||
        !als_factors_read(task_blob(t, 0), u.params.rank, &u.units, err) ||
        !als_factors_read(task_blob(t, 1), u.params.rank, &u.items, err))
        return false;
    top_rows_init(&u.ranking, u.items.rows, u.items.count, u.items.stride, u.params.top, task_arena(t));
    u.rows = arena_alloc(task_arena(t), u.ranking.block * sizeof *u.rows);
    arena_init(&u.copies, ARENA_FIRST);
    buf_init(&u.record, RECORD_MAX);
    matrix_rows_open(&rows, t, 0);
    bool ok = true;
    while (ok && !end)
        ok = matrix_row_next(&rows, &row, &end, err) && (end ? flush(&u, err) : add(&u, &row, err));
    matrix_rows_close(&rows);
    buf_release(&u.record);
    arena_release(&u.copies);
    return ok;
}

const struct kernel kernel_factors_units = { FACTORS_UNITS_KERNEL, run };
