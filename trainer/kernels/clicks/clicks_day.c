/* "clicks.day@1": signals of one day and range of buckets → records of what they say of queries and documents.
 *
 * Where filters are asked for, a signal without any of its own takes those of the request or response that its query id names, of this day or the
 * hour before it. */
#include "archive/scan.h"
#include "base/clock.h"
#include "base/hash.h"
#include "trainer/engine/task.h"
#include "trainer/kernels/clicks/click_filters.h"
#include "trainer/kernels/clicks/clicks.h"
#include "trainer/kernels/day_split.h"
#include "trainer/kernels/run_snapshot.h"

enum { TICK_ROWS = 16384, WHERE_MAX = 4096, NO_TYPE = -1 };
#define BEFORE_US (INT64_C(3600) * US_PER_SECOND) /* how long before midnight a query may have been */

struct reading {
    struct task *task;
    const struct clicks_day_params *params;
    int64_t day_us;
    struct click_events events;
    struct buf filters;
    uint64_t rows;
};

static int type_of(const struct clicks_day_params *p, struct str type)
{
    for (size_t i = 0; i < p->types_count; i++)
        if (str_eq(p->types[i], type))
            return (int)i;
    return NO_TYPE;
}

/* ---- rows ---- */

enum { AT, TYPE, UNIT, QUERY, DOC, POSITION, PLAIN_COLUMNS, QUERY_ID = PLAIN_COLUMNS, PARAMS, ALL_COLUMNS };

static struct str text(const struct archive_value *v)
{
    return v->null ? (struct str){ NULL, 0 } : v->s;
}

static struct str filters_of(struct reading *r, const struct archive_value *row)
{
    return r->params->filters.p ? click_filters_of(text(&row[PARAMS]), r->params->filters, &r->filters)
                                : (struct str){ NULL, 0 };
}

static void add_source(struct reading *r, const struct archive_value *row)
{
    struct str id = text(&row[QUERY_ID]), filters = id.n ? filters_of(r, row) : (struct str){ NULL, 0 };
    if (filters.p)
        click_events_source(&r->events, id, str_eq_c(row[TYPE].s, "request"), row[AT].i, filters);
}

static void add_event(struct reading *r, const struct archive_value *row, int type)
{
    bool by_filters = r->params->filters.p;
    if (row[QUERY].null || row[DOC].null || row[AT].i < r->day_us)
        return;
    struct click_signal s = { .type = (uint8_t)type,
                              .at_us = row[AT].i - r->day_us,
                              .position = row[POSITION].null ? 0 : (int32_t)row[POSITION].i,
                              .unit = hash64(row[UNIT].s),
                              .query = row[QUERY].s,
                              .doc = row[DOC].s };
    if (by_filters) {
        s.query_id = text(&row[QUERY_ID]);
        s.filters = filters_of(r, row);
    }
    click_events_add(&r->events, &s);
}

static bool add_signal(void *arg, const struct archive_value *row, struct err *err)
{
    struct reading *r = arg;
    int type = type_of(r->params, row[TYPE].s);
    if (type >= 0)
        add_event(r, row, type);
    if (r->params->filters.p && (str_eq_c(row[TYPE].s, "request") || str_eq_c(row[TYPE].s, "response")))
        add_source(r, row);
    return ++r->rows % TICK_ROWS != 0 || task_tick(r->task, TICK_ROWS, err);
}

/* ---- reading ---- */

/* Names of types have no quotes: the job sees to that. */
static bool make_where(const struct clicks_day_params *p, struct buf *out, struct err *err)
{
    buf_add_c(out, "(query is not null and doc is not null and type in (");
    for (size_t i = 0; i < p->types_count; i++)
        buf_addf(out, "%s'" STR_FMT "'", i ? "," : "", STR_ARG(p->types[i]));
    buf_add_c(out, ")");
    buf_add_c(out, p->filters.p ? " or query_id is not null and type in ('request', 'response'))" : ")");
    return buf_ok(out, "the list of types", err);
}

static bool read_signals(struct reading *r, struct pg *pg, const struct day_split *split, struct err *err)
{
    static const struct archive_column columns[ALL_COLUMNS] = {
        [AT] = { STR("at"), ARCHIVE_TIME },
        [TYPE] = { STR("type"), ARCHIVE_TEXT },
        [UNIT] = { STR("unit"), ARCHIVE_TEXT },
        [QUERY] = { STR("query"), ARCHIVE_TEXT },
        [DOC] = { STR("doc"), ARCHIVE_TEXT },
        [POSITION] = { STR("position"), ARCHIVE_INT },
        [QUERY_ID] = { STR("query_id"), ARCHIVE_TEXT },
        [PARAMS] = { STR("params"), ARCHIVE_JSON },
    };
    bool by_filters = r->params->filters.p;
    AUTO(buf_release) struct buf where;
    buf_init(&where, WHERE_MAX);
    if (!make_where(r->params, &where, err))
        return false;
    const struct archive_scan scan = { .table = "signals",
                                       .columns = columns,
                                       .columns_count = by_filters ? ALL_COLUMNS : PLAIN_COLUMNS,
                                       .from_us = r->day_us - (by_filters ? BEFORE_US : 0),
                                       .to_us = r->day_us + US_PER_DAY,
                                       .lo = split->lo,
                                       .hi = split->hi,
                                       .where = where.p };
    return archive_scan(pg, r->params->archive.p, &scan, add_signal, r, err);
}

static bool emit(void *arg, uint32_t part, struct str record, struct err *err)
{
    return task_emit(arg, part, record, err);
}

static bool run(struct task *t, struct err *err)
{
    struct clicks_day_params p;
    struct day_split split;
    if (!clicks_day_params_read(task_params(t), &p, task_arena(t), err) || !day_split_read(task_desc(t), &split, err))
        return false;
    struct reading r = { .task = t, .params = &p, .day_us = split.day * US_PER_DAY };
    click_events_init(&r.events);
    buf_init(&r.filters, CLICK_FILTERS_TEXT_MAX);
    struct pg *pg = pg_open(task_database_url(t), "trainer worker", NULL, 0, err);
    bool ok = pg && run_snapshot_enter(pg, task_snapshot(t), err) && read_signals(&r, pg, &split, err);
    pg_close(pg);
    ok = ok && task_tick(t, r.rows % TICK_ROWS, err) && click_events_write(&r.events, task_parts(t), emit, t, err);
    click_events_release(&r.events);
    buf_release(&r.filters);
    return ok;
}

const struct kernel kernel_clicks_day = { "clicks.day@1", run };
