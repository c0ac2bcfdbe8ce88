/* "bpr.epoch@1": an epoch over the cells of some ranges. Memory: items' factors once more, 8 bytes a cell. */
#include "base/json.h"
#include "trainer/kernels/als/als_solve.h"
#include "trainer/kernels/bpr/bpr.h"
#include "trainer/kernels/matrix/rows.h"

enum {
    TRIES = 16 /* until an item is found that the unit did not have */,
    TICK_STEPS = 4096,
    DRAW_CELL = 0,
    DRAW_ITEM = 1
};

struct epoch {
    struct task *task;
    struct bpr_rules rules;
    struct als_factors old_items, old_units;
    float *items, *units;         /* rows that are moved: all items, the block's units */
    uint32_t *moved;              /* of each item */
    uint32_t *there, there_count; /* items that somebody had */
    int64_t first, units_count;
    /* Cells of the block: the item of each, whose it is, where each unit's end. */
    uint32_t *cells, *owners, *ends;
    uint32_t count, room;
    struct bpr_result result;
};

static bool read_params(struct epoch *e, struct err *err)
{
    struct json_reader r;
    int64_t rank = 0;
    double rate = 0, shrink = 0;
    json_auto_t *root = json_parse(task_params(e->task), err);
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "rank", JSON_REQUIRED, &rank);
    (void)json_get_double(&r, "learning_rate", JSON_REQUIRED, &rate);
    (void)json_get_double(&r, "regularization", JSON_REQUIRED, &shrink);
    e->rules = (struct bpr_rules){ (uint32_t)rank, (float)rate, (float)shrink };
    return json_reader_close(&r, err);
}

/* ---- what units had ---- */

static void add_row(struct epoch *e, uint32_t unit, const struct matrix_row *row)
{
    if (e->count + row->count > e->room) {
        e->room = 2 * (e->count + row->count);
        e->cells = mem_realloc(e->cells, e->room * sizeof *e->cells);
        e->owners = mem_realloc(e->owners, e->room * sizeof *e->owners);
    }
    memcpy(e->cells + e->count, row->items, row->count * sizeof *row->items);
    for (uint32_t i = 0; i < row->count; i++)
        e->owners[e->count + i] = unit;
    e->count += row->count;
    e->ends[unit] = e->count;
}

static bool read_rows(struct epoch *e, struct err *err)
{
    struct matrix_rows rows;
    struct matrix_row row;
    bool end = false, ok = true;
    matrix_rows_open(&rows, e->task, 0);
    for (uint32_t unit = 0; ok && !end; unit++) {
        ok = matrix_row_next(&rows, &row, &end, err);
        if (ok && !end && (unit >= e->units_count || row.items[row.count - 1] >= e->old_items.count))
            ok = err_set(err, ERR_SYSTEM, "the block's rows are not those of its factors");
        if (ok && !end)
            add_row(e, unit, &row);
    }
    matrix_rows_close(&rows);
    return ok;
}

static bool had(const struct epoch *e, uint32_t unit, uint32_t item)
{
    uint32_t lo = unit ? e->ends[unit - 1] : 0, hi = e->ends[unit];
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (e->cells[mid] == item)
            return true;
        if (e->cells[mid] < item)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

/* ---- steps ---- */

static bool draw_other(const struct epoch *e, uint64_t step, uint32_t unit, uint32_t *out)
{
    for (uint64_t i = 0; i < TRIES; i++) {
        *out = e->there[task_rand(e->task, DRAW_ITEM, step * TRIES + i) % e->there_count];
        if (!had(e, unit, *out))
            return true;
    }
    return false; /* it had nearly all of them */
}

static void go_step(struct epoch *e, uint64_t step)
{
    const size_t stride = e->old_items.stride;
    uint32_t cell = (uint32_t)(task_rand(e->task, DRAW_CELL, step) % e->count), unit = e->owners[cell];
    uint32_t item = e->cells[cell], other;
    if (!draw_other(e, step, unit, &other))
        return;
    float x = bpr_step(&e->rules, e->units + unit * stride, e->items + item * stride, e->items + other * stride);
    e->result.loss += bpr_loss(x);
    e->result.right += x > 0;
    e->result.steps++;
    e->moved[item]++;
    e->moved[other]++;
}

/* ---- the kernel ---- */

static void find_there(struct epoch *e)
{
    const size_t stride = e->old_items.stride;
    for (uint32_t i = 0; i < e->old_items.count; i++)
        for (size_t k = 0; k < stride; k++)
            if (e->items[i * stride + k] != 0) {
                e->there[e->there_count++] = i;
                break;
            }
}

static bool open_block(struct epoch *e, struct err *err)
{
    struct arena *arena = task_arena(e->task);
    struct str rest = task_desc(e->task), word, first;
    if (!read_params(e, err) || !als_factors_read(task_blob(e->task, 0), e->rules.rank + 1, &e->old_items, err) ||
        !als_factors_read(task_blob(e->task, 1), e->rules.rank + 1, &e->old_units, err))
        return false;
    if (!str_split(&rest, ' ', &word) || !str_split(&rest, ' ', &first) || !parse_i64(first, &e->first, NULL) ||
        !parse_i64(rest, &e->units_count, NULL) || e->first < 0 || e->units_count < 0 ||
        e->first + e->units_count > e->old_units.count)
        return err_set(err, ERR_INVALID, "the split does not name units that have factors");
    const size_t stride = e->old_items.stride, items = e->old_items.count * stride,
                 units = (size_t)e->units_count * stride;
    e->items = memcpy(arena_alloc(arena, (items + 1) * sizeof *e->items), e->old_items.rows, items * sizeof *e->items);
    e->units = memcpy(arena_alloc(arena, (units + 1) * sizeof *e->units), e->old_units.rows + (size_t)e->first * stride,
                      units * sizeof *e->units);
    e->moved = arena_zalloc(arena, (e->old_items.count + 1) * sizeof *e->moved);
    e->there = arena_alloc(arena, (e->old_items.count + 1) * sizeof *e->there);
    e->ends = arena_zalloc(arena, ((size_t)e->units_count + 1) * sizeof *e->ends);
    find_there(e);
    return true;
}

static bool collect(struct task *t, const void *p, size_t n, struct err *err)
{
    return task_collect(t, (struct str){ p, n }, err);
}

static bool run_steps(struct epoch *e, struct err *err)
{
    for (uint64_t step = 0; step < e->count && e->there_count; step++) {
        go_step(e, step);
        if (step % TICK_STEPS == 0 && !task_tick(e->task, 0, err))
            return false;
    }
    const size_t stride = e->old_items.stride, items = e->old_items.count;
    return collect(e->task, &e->result, sizeof e->result, err) &&
           collect(e->task, e->moved, items * sizeof *e->moved, err) &&
           collect(e->task, e->items, items * stride * sizeof *e->items, err) &&
           collect(e->task, e->units, (size_t)e->units_count * stride * sizeof *e->units, err);
}

static bool run(struct task *t, struct err *err)
{
    struct epoch e = { .task = t };
    bool ok = open_block(&e, err) && read_rows(&e, err) && run_steps(&e, err);
    mem_free(e.cells);
    mem_free(e.owners);
    return ok;
}

const struct kernel kernel_bpr_epoch = { BPR_EPOCH_KERNEL, run };
