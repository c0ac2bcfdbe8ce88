#include "trainer/kernels/unit_reading.h"

#include "base/clock.h"
#include "base/pg.h"
#include "trainer/kernels/marked.h"
#include "trainer/kernels/run_snapshot.h"

/* Every record of an input. */
typedef void (*record_fn)(struct unit_reading *r, const struct unit_day *u);
static bool each_record(struct unit_reading *r, size_t input, record_fn fn, struct err *err)
{
    struct arena arena;
    struct str block;
    bool end = false, ok = true;
    arena_init(&arena, 1 << 16);
    while (ok && (ok = task_next(r->task, input, &block, &end, err)) && !end) {
        uint64_t rows = 0;
        for (; ok && block.n; rows++) {
            struct unit_day u;
            ok = unit_day_read(&block, &r->params->program, &u, &arena) ||
                 err_set(err, ERR_SYSTEM, "a unit-day record is damaged");
            if (ok)
                fn(r, &u);
        }
        arena_reset(&arena);
        ok = ok && task_tick(r->task, rows, err);
    }
    arena_release(&arena);
    return ok;
}

static void add_record(struct unit_reading *r, const struct unit_day *u)
{
    unit_totals_add(r->totals, u, r->day);
}

static void expect_record(struct unit_reading *r, const struct unit_day *u)
{
    if (u->exposures_count)
        unit_totals_expect(r->totals, u->unit);
}

static bool expect_units(struct unit_reading *r, struct err *err)
{
    bool ok = true;
    for (size_t i = 0; ok && r->params->program.covariate_days && i < task_inputs(r->task); i++)
        ok = each_record(r, i, expect_record, err);
    task_again(r->task);
    return ok;
}

static bool read_marks(struct unit_reading *r, struct str range[2], struct err *err)
{
    struct marked m;
    uint32_t lo, hi;
    if (!parse_u32(range[0], &lo, err) || !parse_u32(range[1], &hi, err))
        return false;
    AUTO(run_snapshot_close) struct pg *pg = run_snapshot_open(r->task, err);
    if (!pg || !marked_read(pg, lo, hi, task_arena(r->task), &m, err))
        return false;
    for (size_t i = 0; i < m.count; i++)
        unit_totals_mark(r->totals, m.units[i]);
    return true;
}

bool unit_reading_run(struct unit_reading *r, unit_reading_fn after_day, void *arg, struct err *err)
{
    struct str rest = task_desc(r->task), word, range[2];
    if (!str_split(&rest, ' ', &range[0]) || !str_split(&rest, ' ', &range[1]))
        return err_set(err, ERR_INVALID, "the split names no buckets");
    if (!read_marks(r, range, err) || !expect_units(r, err))
        return false;
    for (size_t i = 0; i < task_inputs(r->task); i++) {
        int64_t day;
        if (!str_split(&rest, ' ', &word) || !parse_i64(word, &day, err))
            return err_set(err, ERR_INVALID, "the split names fewer days than inputs");
        r->day = (int32_t)day;
        if (!each_record(r, i, add_record, err) || (after_day && !after_day(r, arg, err)) ||
            !task_tick(r->task, 0, err))
            return false;
    }
    return true;
}

int64_t unit_reading_end_us(const struct unit_reading *r)
{
    int64_t day_end_us = (r->day + 1) * US_PER_DAY;
    return day_end_us < r->params->data_end_us ? day_end_us : r->params->data_end_us;
}
