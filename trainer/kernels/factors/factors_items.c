/* "factors.similar@1": items for items; "factors.items@1": units for items. */
#include <math.h>

#include "trainer/kernels/als/als_solve.h"
#include "trainer/kernels/factors/factors_params.h"
#include "trainer/kernels/factors/top_rows.h"
#include "trainer/kernels/matrix/columns.h"

struct items {
    struct task *task;
    struct factors_params params;
    struct als_factors units, items;
    struct top_rows ranking;
    uint32_t first, count; /* of the part */
};

static bool put(struct items *s, uint32_t asker, const uint32_t *left_out, uint32_t count, struct err *err)
{
    uint32_t n = top_rows_best(&s->ranking, asker, left_out, count);
    return task_collect(s->task, (struct str){ (const char *)&n, sizeof n }, err) &&
           task_collect(s->task, (struct str){ (const char *)s->ranking.best, n * sizeof *s->ranking.best }, err);
}

static void ask(struct items *s, uint32_t asker, const float *row)
{
    const size_t stride = s->ranking.stride;
    memcpy(s->ranking.askers + asker * stride, row, stride * sizeof *row);
}

static bool open_split(struct items *s, struct err *err)
{
    return factors_params_read(s->task, &s->params, err) && factors_split_read(s->task, &s->first, &s->count, err);
}

static bool check_part(const struct items *s, struct err *err)
{
    return (s->first <= s->items.count && s->count <= s->items.count - s->first) ||
           err_set(err, ERR_SYSTEM, "the part has items that have no factors");
}

/* ---- factors.similar ---- */

/* All rows of length 1, without what lies behind `columns`; one of zeros stays. */
static float *unit_rows(const struct als_factors *f, size_t columns, struct arena *arena)
{
    float *rows = arena_zalloc(arena, (f->count * f->stride + 1) * sizeof *rows);
    for (uint32_t i = 0; i < f->count; i++) {
        const float *from = f->rows + i * f->stride;
        double sum = 0;
        for (size_t k = 0; k < columns; k++)
            sum += (double)from[k] * (double)from[k];
        const float by = sum > 0 ? (float)(1 / sqrt(sum)) : 0;
        for (size_t k = 0; k < columns; k++)
            rows[i * f->stride + k] = by * from[k];
    }
    return rows;
}

static bool run_similar(struct task *t, struct err *err)
{
    struct items s = { .task = t };
    if (!open_split(&s, err) || !als_factors_read(task_blob(t, 0), s.params.rank, &s.items, err) ||
        !check_part(&s, err))
        return false;
    const float *rows = unit_rows(&s.items, s.params.columns, task_arena(t));
    top_rows_init(&s.ranking, rows, s.items.count, s.items.stride, s.params.top, task_arena(t));
    for (uint32_t at = 0, n; at < s.count; at += n) {
        n = s.count - at < s.ranking.block ? s.count - at : s.ranking.block;
        for (uint32_t i = 0; i < n; i++)
            ask(&s, i, rows + (s.first + at + i) * s.items.stride);
        top_rows_score(&s.ranking, n);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t self = s.first + at + i;
            if (!put(&s, i, &self, 1, err))
                return false;
        }
        if (!task_tick(t, n, err))
            return false;
    }
    return true;
}

const struct kernel kernel_factors_similar = { FACTORS_SIMILAR_KERNEL, run_similar };

/* ---- factors.items ---- */

/* Who had the items that are waiting to be scored. */
struct waiting {
    uint32_t *units, count, room;
    uint32_t *items, *ends, items_count;
    uint32_t next; /* item of the next list */
};

static void add_units(struct waiting *w, const struct matrix_column *c)
{
    if (w->count + c->count > w->room) {
        w->room = 2 * (w->count + c->count);
        w->units = mem_realloc(w->units, w->room * sizeof *w->units);
    }
    memcpy(w->units + w->count, c->units, c->count * sizeof *c->units);
    w->count += c->count;
}

/* Items that nobody had have no column: their lists are empty. */
static bool skip_to(struct items *s, struct waiting *w, uint32_t item, struct err *err)
{
    const uint32_t none = 0;
    for (; w->next < item; w->next++)
        if (!task_collect(s->task, (struct str){ (const char *)&none, sizeof none }, err))
            return false;
    return true;
}

static bool flush(struct items *s, struct waiting *w, struct err *err)
{
    uint32_t from = 0;
    top_rows_score(&s->ranking, w->items_count);
    for (uint32_t i = 0; i < w->items_count; i++) {
        if (!skip_to(s, w, w->items[i], err) || !put(s, i, w->units + from, w->ends[i] - from, err))
            return false;
        w->next++;
        from = w->ends[i];
    }
    w->items_count = w->count = 0;
    return task_tick(s->task, 0, err);
}

static bool add_column(struct items *s, struct waiting *w, const struct matrix_column *c, struct err *err)
{
    add_units(w, c);
    if (c->more)
        return true;
    ask(s, w->items_count, s->items.rows + c->item * s->items.stride);
    w->items[w->items_count] = c->item;
    w->ends[w->items_count++] = w->count;
    return w->items_count < s->ranking.block || flush(s, w, err);
}

static bool run_items(struct task *t, struct err *err)
{
    struct items s = { .task = t };
    struct waiting w = { .room = 0 };
    struct matrix_columns columns;
    struct matrix_column c;
    bool end = false, ok = true;
    if (!open_split(&s, err) || !als_factors_read(task_blob(t, 0), s.params.rank, &s.units, err) ||
        !als_factors_read(task_blob(t, 1), s.params.rank, &s.items, err) || !check_part(&s, err))
        return false;
    w.next = s.first;
    top_rows_init(&s.ranking, s.units.rows, s.units.count, s.units.stride, s.params.top, task_arena(t));
    w.items = arena_alloc(task_arena(t), s.ranking.block * sizeof *w.items);
    w.ends = arena_alloc(task_arena(t), s.ranking.block * sizeof *w.ends);
    matrix_columns_open(&columns, t);
    while (ok && !end)
        ok = matrix_column_next(&columns, &c, &end, err) &&
             (end ? flush(&s, &w, err) && skip_to(&s, &w, s.first + s.count, err) : add_column(&s, &w, &c, err));
    matrix_columns_close(&columns);
    mem_free(w.units);
    return ok;
}

const struct kernel kernel_factors_items = { FACTORS_ITEMS_KERNEL, run_items };
