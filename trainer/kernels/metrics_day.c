/* "metrics.day@1": exposures and signals of one day and range of buckets, from partitions and archive files in the run's snapshot → unit-day
 * records. */
#include <math.h>
#include <stdio.h>

#include "archive/scan.h"
#include "base/clock.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/day_split.h"
#include "trainer/kernels/metrics.h"
#include "trainer/kernels/run_snapshot.h"

enum { RECORD_MAX = 1 << 20, TICK_ROWS = 4096, WHERE_MAX = 200 };

struct reading {
    struct task *task;
    const struct metrics_params *params;
    struct arena *arena;
    struct day_event *events;
    size_t count, room;
    uint64_t rows;
    int64_t day_end_us;
};

static struct day_event *event_new(struct reading *r)
{
    if (r->count == r->room) {
        r->room = r->room ? r->room * 2 : 4096;
        r->events = mem_realloc(r->events, r->room * sizeof *r->events);
    }
    r->events[r->count] = (struct day_event){ .value = NAN };
    return &r->events[r->count++];
}

/* ---- rows ---- */

static bool tick(struct reading *r, struct err *err)
{
    return ++r->rows % TICK_ROWS != 0 || task_tick(r->task, TICK_ROWS, err);
}

static bool add_exposure(void *arg, const struct archive_value *row, struct err *err)
{
    enum { AT, EXPERIMENT, VARIANT, UNIT };
    struct reading *r = arg;
    for (size_t i = 0; i < r->params->count; i++) {
        if (!str_eq(r->params->keys[i], row[EXPERIMENT].s) || row[AT].i < r->params->first_us[i])
            continue;
        struct day_event *e = event_new(r);
        e->kind = EVENT_EXPOSURE;
        e->at_us = row[AT].i;
        e->experiment = (uint32_t)i;
        e->query_id = arena_str(r->arena, row[VARIANT].s);
        e->unit = arena_str(r->arena, row[UNIT].s);
    }
    return tick(r, err);
}

static bool kind_of(struct str type, enum event_kind *out)
{
    *out = str_eq(type, STR("click")) ? EVENT_CLICK : str_eq(type, STR("request")) ? EVENT_REQUEST : EVENT_RESPONSE;
    return *out != EVENT_RESPONSE || str_eq(type, STR("response"));
}

static bool add_signal(void *arg, const struct archive_value *row, struct err *err)
{
    enum { AT, TYPE, UNIT, QUERY_ID, POSITION, VALUE };
    struct reading *r = arg;
    enum event_kind kind;
    if (!kind_of(row[TYPE].s, &kind) || (row[AT].i >= r->day_end_us && kind != EVENT_CLICK))
        return true;
    struct day_event *e = event_new(r);
    e->kind = kind;
    e->at_us = row[AT].i;
    e->unit = arena_str(r->arena, row[UNIT].s);
    if (!row[QUERY_ID].null)
        e->query_id = arena_str(r->arena, row[QUERY_ID].s);
    if (!row[POSITION].null)
        e->position = (int32_t)row[POSITION].i;
    if (!row[VALUE].null)
        e->value = row[VALUE].d;
    return tick(r, err);
}

static bool read_day(struct reading *r, struct pg *pg, const struct day_split *split, struct err *err)
{
    static const struct archive_column of_exposures[] = { { STR("at"), ARCHIVE_TIME },
                                                          { STR("experiment"), ARCHIVE_TEXT },
                                                          { STR("variant"), ARCHIVE_TEXT },
                                                          { STR("unit"), ARCHIVE_TEXT } };
    static const struct archive_column of_signals[] = {
        { STR("at"), ARCHIVE_TIME },       { STR("type"), ARCHIVE_TEXT },    { STR("unit"), ARCHIVE_TEXT },
        { STR("query_id"), ARCHIVE_TEXT }, { STR("position"), ARCHIVE_INT }, { STR("value"), ARCHIVE_REAL }
    };
    char end[CLOCK_TEXT_MAX], where[WHERE_MAX];
    r->day_end_us = (split->day + 1) * US_PER_DAY;
    struct archive_scan scan = { .table = "exposures",
                                 .columns = of_exposures,
                                 .columns_count = COUNT_OF(of_exposures),
                                 .from_us = split->day * US_PER_DAY,
                                 .to_us = r->day_end_us,
                                 .lo = split->lo,
                                 .hi = split->hi };
    if (!archive_scan(pg, r->params->archive.p, &scan, add_exposure, r, err))
        return false;
    (void)snprintf(where, sizeof where, "(at < '%s' or type = 'click') and type in ('request', 'response', 'click')",
                   clock_format(r->day_end_us, end));
    scan.table = "signals";
    scan.columns = of_signals;
    scan.columns_count = COUNT_OF(of_signals);
    scan.to_us = r->day_end_us + QUERY_WINDOW_US + 1;
    scan.where = where;
    return archive_scan(pg, r->params->archive.p, &scan, add_signal, r, err);
}

static bool emit(void *arg, const struct unit_day *u, struct err *err)
{
    struct buf b;
    buf_init(&b, RECORD_MAX);
    unit_day_write(&b, u);
    bool ok = buf_ok(&b, "a unit-day record", err) && task_emit(arg, buf_str(&b), err);
    buf_release(&b);
    return ok;
}

static bool run(struct task *t, struct err *err)
{
    struct metrics_params p;
    struct day_split split;
    if (!metrics_params_read(task_params(t), &p, task_arena(t), err) || !day_split_read(task_desc(t), &split, err))
        return false;
    struct reading r = { .task = t, .params = &p, .arena = task_arena(t) };
    struct pg *pg = pg_open(task_database_url(t), "trainer worker", NULL, 0, err);
    bool ok = pg && run_snapshot_enter(pg, p.snapshot, err) && read_day(&r, pg, &split, err);
    pg_close(pg);
    ok = ok && task_tick(t, r.rows % TICK_ROWS, err) &&
         unit_days(r.events, r.count, (split.day + 1) * US_PER_DAY, task_arena(t), emit, t, err);
    mem_free(r.events);
    return ok;
}

const struct kernel kernel_metrics_day = { "metrics.day@1", run };
