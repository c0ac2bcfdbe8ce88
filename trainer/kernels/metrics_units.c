/* "metrics.units@2": the unit-day records of one range of buckets, all days in order → cumulative moments at the end of each day, without the
 * units that are marked by then. */
#include <stdlib.h>

#include "base/pg.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/marked.h"
#include "trainer/kernels/metrics.h"
#include "trainer/kernels/run_snapshot.h"

enum { CELL_MAX = 4096 };

static bool collect_cell(void *arg, const struct total_cell *c, struct err *err)
{
    struct task *t = arg;
    struct buf b;
    buf_init(&b, CELL_MAX);
    metrics_write_cell(&b, c);
    bool ok = buf_ok(&b, "a cell", err) && task_collect(t, buf_str(&b), err);
    buf_release(&b);
    return ok;
}

static bool add_day(struct task *t, struct unit_totals *totals, size_t input, int32_t day,
                    const struct metrics_params *p, struct err *err)
{
    struct arena arena;
    struct str block;
    bool end = false, ok = true;
    arena_init(&arena, 1 << 16);
    while (ok && (ok = task_next(t, input, &block, &end, err)) && !end) {
        uint64_t rows = 0;
        for (; ok && block.n; rows++) {
            struct unit_day u;
            ok = unit_day_read(&block, &u, &arena) || err_set(err, ERR_SYSTEM, "a unit-day record is damaged");
            if (ok)
                unit_totals_add(totals, &u, day, p->last_days, p->count);
        }
        arena_reset(&arena);
        ok = ok && task_tick(t, rows, err);
    }
    arena_release(&arena);
    return ok;
}

/* Read here and not with the days: their records can be kept, while units are marked, and marks taken back, later. */
static bool read_marks(struct task *t, struct unit_totals *totals, const struct metrics_params *p, struct str range[2],
                       struct err *err)
{
    struct marked m;
    uint32_t lo, hi;
    if (!parse_u32(range[0], &lo, err) || !parse_u32(range[1], &hi, err))
        return false;
    AUTO(pg_close) struct pg *pg = pg_open(task_database_url(t), "trainer worker", NULL, 0, err);
    if (!pg || !run_snapshot_enter(pg, p->snapshot, err) || !marked_read(pg, lo, hi, task_arena(t), &m, err))
        return false;
    for (size_t i = 0; i < m.count; i++)
        unit_totals_mark(totals, m.units[i]);
    return true;
}

static bool add_days(struct task *t, struct unit_totals *totals, const struct metrics_params *p, struct err *err)
{
    struct str rest = task_desc(t), word, range[2];
    if (!str_split(&rest, ' ', &range[0]) || !str_split(&rest, ' ', &range[1]))
        return err_set(err, ERR_INVALID, "the split names no buckets");
    if (!read_marks(t, totals, p, range, err))
        return false;
    for (size_t i = 0; i < task_inputs(t); i++) {
        int64_t day;
        if (!str_split(&rest, ' ', &word) || !parse_i64(word, &day, err))
            return err_set(err, ERR_INVALID, "the split names fewer days than inputs");
        if (!add_day(t, totals, i, (int32_t)day, p, err) ||
            !unit_totals_day(totals, (int32_t)day, p->last_days, collect_cell, t, err) || !task_tick(t, 0, err))
            return false;
    }
    return true;
}

static bool collect_counts(struct task *t, const struct unit_totals *totals, const struct metrics_params *p,
                           struct err *err)
{
    for (uint32_t i = 0; i < p->count; i++) {
        struct total_counts counts;
        struct buf b;
        unit_totals_counts(totals, i, &counts);
        buf_init(&b, CELL_MAX);
        metrics_write_counts(&b, i, &counts);
        bool ok = task_collect(t, buf_str(&b), err);
        buf_release(&b);
        if (!ok)
            return false;
    }
    return true;
}

static bool run(struct task *t, struct err *err)
{
    struct metrics_params p;
    if (!metrics_params_read(task_params(t), &p, task_arena(t), err))
        return false;
    struct unit_totals *totals = unit_totals_new();
    bool ok = add_days(t, totals, &p, err) && unit_totals_cohorts(totals, p.cohorts, collect_cell, t, err) &&
              collect_counts(t, totals, &p, err);
    unit_totals_free(totals);
    return ok;
}

const struct kernel kernel_metrics_units = { "metrics.units@2", run };
