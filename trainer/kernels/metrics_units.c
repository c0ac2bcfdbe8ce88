/* "metrics.units@3": the unit-day records of one range of buckets, all days in order → cumulative moments at the end of each day, without the
 * units that are marked by then; or the sketches of what caps are made of. */
#include <math.h>

#include "trainer/kernels/unit_reading.h"

struct adding {
    struct unit_reading reading;
    double *caps; /* of the day at hand, as in struct cell_pass */
    int32_t *cap_days;
};

static bool collect(struct adding *a, struct buf *b, struct err *err)
{
    bool ok = buf_ok(b, "a cell", err) && task_collect(a->reading.task, buf_str(b), err);
    buf_release(b);
    return ok;
}

static bool collect_cell(void *arg, const struct total_cell *c, struct err *err)
{
    struct adding *a = arg;
    struct buf b;
    buf_init(&b, METRICS_RECORD_MAX);
    metrics_write_cell(&b, a->reading.params->want_caps ? METRICS_CAP : METRICS_CELL, c);
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
    for (uint32_t i = 0; ok && i < a->reading.params->count; i++) {
        struct total_counts counts;
        struct buf b;
        unit_cells_counts(a->reading.totals, i, &counts);
        buf_init(&b, METRICS_RECORD_MAX);
        metrics_write_counts(&b, i, &counts);
        ok = collect(a, &b, err);
    }
    return ok;
}

/* Of each experiment those of this day, or of its last one before. */
static void take_caps(struct adding *a)
{
    const struct metrics_params *p = a->reading.params;
    for (size_t i = 0; i < p->count * p->program.metrics_count; i++) {
        a->caps[i] = (double)NAN;
        a->cap_days[i] = INT32_MIN;
    }
    for (size_t i = 0; i < p->caps_count; i++) {
        size_t at = p->caps[i].experiment * p->program.metrics_count + p->caps[i].metric;
        if (p->caps[i].day > a->reading.day || p->caps[i].day < a->cap_days[at])
            continue;
        a->caps[at] = p->caps[i].value;
        a->cap_days[at] = p->caps[i].day;
    }
}

static struct cell_pass pass_of(struct adding *a)
{
    return (struct cell_pass){ .totals = a->reading.totals,
                               .day = a->reading.day,
                               .data_end_us = unit_reading_end_us(&a->reading),
                               .caps = a->caps,
                               .fn = collect_cell,
                               .arg = a };
}

static bool after_day(struct unit_reading *r, void *arg, struct err *err)
{
    struct adding *a = arg;
    take_caps(a);
    const struct cell_pass p = pass_of(a);
    return r->params->want_caps ? unit_cells_caps(&p, err) : unit_cells_day(&p, err);
}

/* What is there for the last day only. */
static bool collect_last(struct adding *a, struct err *err)
{
    const struct cell_pass p = pass_of(a);
    return unit_cells_cohorts(&p, a->reading.params->cohorts, err) && unit_cells_segments(&p, err) &&
           task_tick(a->reading.task, 0, err) && unit_cells_since(&p, err) && unit_cells_steps(&p, err) &&
           unit_cells_exposures(a->reading.totals, collect_exposures, a, err) && collect_counts(a, err);
}

static bool run(struct task *t, struct err *err)
{
    struct metrics_params p;
    if (!metrics_params_read(task_params(t), &p, task_arena(t), err))
        return false;
    const struct total_rules rules = metrics_rules(&p);
    size_t cells = p.count * p.program.metrics_count + 1;
    struct adding a = { .reading = { .task = t, .params = &p, .totals = unit_totals_new(&rules) },
                        .caps = arena_alloc(task_arena(t), cells * sizeof *a.caps),
                        .cap_days = arena_alloc(task_arena(t), cells * sizeof *a.cap_days) };
    bool ok = unit_reading_run(&a.reading, after_day, &a, err) && (p.want_caps || collect_last(&a, err));
    unit_totals_free(a.reading.totals);
    return ok;
}

const struct kernel kernel_metrics_units = { "metrics.units@3", run };
