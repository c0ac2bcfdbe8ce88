/* "metrics.units@3": the unit-day records of one range of buckets, all days in order → cumulative moments at the end of each day, without the
 * units that are marked by then; or the sketches of what caps are made of. */
#include <math.h>

#include "base/clock.h"
#include "base/pg.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/marked.h"
#include "trainer/kernels/metrics.h"
#include "trainer/kernels/run_snapshot.h"

struct adding {
    struct task *task;
    const struct metrics_params *params;
    struct unit_totals *totals;
    double *caps; /* of the day at hand, as in struct cell_pass */
    int32_t day;
};

static bool collect(struct adding *a, struct buf *b, struct err *err)
{
    bool ok = buf_ok(b, "a cell", err) && task_collect(a->task, buf_str(b), err);
    buf_release(b);
    return ok;
}

static bool collect_cell(void *arg, const struct total_cell *c, struct err *err)
{
    struct adding *a = arg;
    struct buf b;
    buf_init(&b, METRICS_RECORD_MAX);
    metrics_write_cell(&b, a->params->want_caps ? METRICS_CAP : METRICS_CELL, c);
    return collect(a, &b, err);
}

static bool collect_exposures(void *arg, const struct total_exposures *e, struct err *err)
{
    struct buf b;
    buf_init(&b, METRICS_RECORD_MAX);
    metrics_write_exposures(&b, e);
    return collect(arg, &b, err);
}

static bool collect_counts(struct adding *a, struct err *err)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < a->params->count; i++) {
        struct total_counts counts;
        struct buf b;
        unit_cells_counts(a->totals, i, &counts);
        buf_init(&b, METRICS_RECORD_MAX);
        metrics_write_counts(&b, i, &counts);
        ok = collect(a, &b, err);
    }
    return ok;
}

/* Every record of an input. */
typedef void (*record_fn)(struct adding *a, const struct unit_day *u);
static bool each_record(struct adding *a, size_t input, record_fn fn, struct err *err)
{
    struct arena arena;
    struct str block;
    bool end = false, ok = true;
    arena_init(&arena, 1 << 16);
    while (ok && (ok = task_next(a->task, input, &block, &end, err)) && !end) {
        uint64_t rows = 0;
        for (; ok && block.n; rows++) {
            struct unit_day u;
            ok = unit_day_read(&block, &a->params->program, &u, &arena) ||
                 err_set(err, ERR_SYSTEM, "a unit-day record is damaged");
            if (ok)
                fn(a, &u);
        }
        arena_reset(&arena);
        ok = ok && task_tick(a->task, rows, err);
    }
    arena_release(&arena);
    return ok;
}

static void add_record(struct adding *a, const struct unit_day *u)
{
    unit_totals_add(a->totals, u, a->day);
}

static void expect_record(struct adding *a, const struct unit_day *u)
{
    if (u->exposures_count)
        unit_totals_expect(a->totals, u->unit);
}

/* Most units may never be in an experiment: so that only of those that will be anything is remembered, the inputs are read twice. */
static bool expect_units(struct adding *a, struct err *err)
{
    bool ok = true;
    for (size_t i = 0; ok && a->params->program.covariate_days && i < task_inputs(a->task); i++)
        ok = each_record(a, i, expect_record, err);
    task_again(a->task);
    return ok;
}

static void take_caps(struct adding *a)
{
    const struct metrics_params *p = a->params;
    for (size_t i = 0; i < p->count * p->program.metrics_count; i++)
        a->caps[i] = (double)NAN;
    for (size_t i = 0; i < p->caps_count; i++)
        if (p->caps[i].day == a->day)
            a->caps[p->caps[i].experiment * p->program.metrics_count + p->caps[i].metric] = p->caps[i].value;
}

static struct cell_pass pass_of(struct adding *a)
{
    int64_t day_end_us = (a->day + 1) * US_PER_DAY;
    return (struct cell_pass){ .totals = a->totals,
                               .day = a->day,
                               .data_end_us = day_end_us < a->params->data_end_us ? day_end_us : a->params->data_end_us,
                               .caps = a->caps,
                               .fn = collect_cell,
                               .arg = a };
}

/* What is there for the last day only. */
static bool collect_last(struct adding *a, struct err *err)
{
    const struct cell_pass p = pass_of(a);
    return unit_cells_cohorts(&p, a->params->cohorts, err) && unit_cells_segments(&p, err) &&
           task_tick(a->task, 0, err) && unit_cells_since(&p, err) && unit_cells_steps(&p, err) &&
           unit_cells_exposures(a->totals, collect_exposures, a, err) && collect_counts(a, err);
}

/* Read here and not with the days: their records can be kept, while units are marked, and marks taken back, later. */
static bool read_marks(struct adding *a, struct str range[2], struct err *err)
{
    struct marked m;
    uint32_t lo, hi;
    if (!parse_u32(range[0], &lo, err) || !parse_u32(range[1], &hi, err))
        return false;
    AUTO(pg_close) struct pg *pg = pg_open(task_database_url(a->task), "trainer worker", NULL, 0, err);
    if (!pg || !run_snapshot_enter(pg, a->params->snapshot, err) ||
        !marked_read(pg, lo, hi, task_arena(a->task), &m, err))
        return false;
    for (size_t i = 0; i < m.count; i++)
        unit_totals_mark(a->totals, m.units[i]);
    return true;
}

static bool add_days(struct adding *a, struct err *err)
{
    struct str rest = task_desc(a->task), word, range[2];
    if (!str_split(&rest, ' ', &range[0]) || !str_split(&rest, ' ', &range[1]))
        return err_set(err, ERR_INVALID, "the split names no buckets");
    if (!read_marks(a, range, err) || !expect_units(a, err))
        return false;
    for (size_t i = 0; i < task_inputs(a->task); i++) {
        int64_t day;
        if (!str_split(&rest, ' ', &word) || !parse_i64(word, &day, err))
            return err_set(err, ERR_INVALID, "the split names fewer days than inputs");
        a->day = (int32_t)day;
        take_caps(a);
        const struct cell_pass p = pass_of(a);
        if (!each_record(a, i, add_record, err) ||
            !(a->params->want_caps ? unit_cells_caps(&p, err) : unit_cells_day(&p, err)) || !task_tick(a->task, 0, err))
            return false;
    }
    return true;
}

static bool run(struct task *t, struct err *err)
{
    struct metrics_params p;
    if (!metrics_params_read(task_params(t), &p, task_arena(t), err))
        return false;
    const struct total_rules rules = metrics_rules(&p);
    struct adding a = { .task = t,
                        .params = &p,
                        .totals = unit_totals_new(&rules),
                        .caps = arena_alloc(task_arena(t), (p.count * p.program.metrics_count + 1) * sizeof *a.caps) };
    bool ok = add_days(&a, err) && (p.want_caps || collect_last(&a, err));
    unit_totals_free(a.totals);
    return ok;
}

const struct kernel kernel_metrics_units = { "metrics.units@3", run };
