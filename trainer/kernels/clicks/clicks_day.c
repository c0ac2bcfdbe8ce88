/* "clicks.day@1": signals of one day and range of buckets → records of what they say of queries and documents.
 *
 * Where filters are asked for, a signal without any of its own takes those of the request or response that its query id names, of this day or the
 * hour before it. */
#include "base/clock.h"
#include "base/hash.h"
#include "trainer/kernels/clicks/click_filters.h"
#include "trainer/kernels/clicks/clicks.h"
#include "trainer/kernels/signals/day_signals.h"
#include "trainer/kernels/task_blocks.h"

enum { NO_TYPE = 255, SOURCE = 254 };
#define BEFORE_US (INT64_C(3600) * US_PER_SECOND) /* how long before midnight a query may have been */

enum { AT, TYPE, UNIT, QUERY, DOC, POSITION, PLAIN_COLUMNS, QUERY_ID = PLAIN_COLUMNS, PARAMS, ALL_COLUMNS };

struct looked_up {
    uint8_t *types;
    uint32_t *queries, *docs;
};

struct reading {
    struct task *task;
    const struct clicks_day_params *params;
    int64_t day_us;
    struct click_events events;
    struct arena arena; /* of a batch */
    struct looked_up known;
    struct buf filters;
};

/* ---- texts ---- */

static uint8_t type_of(const struct clicks_day_params *p, struct str type)
{
    for (size_t i = 0; i < p->types_count; i++)
        if (str_eq(p->types[i], type))
            return (uint8_t)i;
    return p->filters.p && (str_eq_c(type, "request") || str_eq_c(type, "response")) ? SOURCE : NO_TYPE;
}

static void forget(struct reading *r, const struct archive_vector *c)
{
    arena_reset(&r->arena);
    r->known = (struct looked_up){ arena_alloc(&r->arena, c[TYPE].texts_count + (size_t)1),
                                   texts_unknown(&c[QUERY], &r->arena), texts_unknown(&c[DOC], &r->arena) };
    for (size_t i = 0; i <= c[TYPE].texts_count; i++)
        r->known.types[i] = type_of(r->params, c[TYPE].texts[i]);
}

static struct str filters_of(struct reading *r, const struct archive_batch *b, uint32_t row)
{
    return click_filters_of(text_at(&b->columns[PARAMS], row), r->params->filters, &r->filters);
}

/* ---- rows ---- */

static void add_source(struct reading *r, const struct archive_batch *b, uint32_t row)
{
    struct str id = text_at(&b->columns[QUERY_ID], row),
               filters = id.n ? filters_of(r, b, row) : (struct str){ NULL, 0 };
    if (filters.p)
        click_events_source(&r->events, id, str_eq_c(text_at(&b->columns[TYPE], row), "request"),
                            b->columns[AT].ints[row], filters);
}

static void add_event(struct reading *r, const struct archive_batch *b, uint32_t row, uint8_t type)
{
    int64_t at_us = b->columns[AT].ints[row];
    if (at_us < r->day_us)
        return;
    struct click_signal s = { .type = type,
                              .at_us = at_us - r->day_us,
                              .position = (int32_t)b->columns[POSITION].ints[row],
                              .query = query_number(r->known.queries, &r->events.queries, &b->columns[QUERY], row),
                              .doc = text_number(r->known.docs, &r->events.docs, CLICK_DOC_MAX, &b->columns[DOC],
                                                 row) };
    if (s.query == CLICK_BLANK || s.doc == CLICK_BLANK)
        return;
    s.unit = hash64(text_at(&b->columns[UNIT], row));
    if (r->params->filters.p) {
        s.query_id = text_at(&b->columns[QUERY_ID], row);
        s.filters = filters_of(r, b, row);
    }
    click_events_add(&r->events, &s);
}

static bool add_batch(void *arg, const struct archive_batch *b, struct err *err)
{
    (void)err;
    struct reading *r = arg;
    forget(r, b->columns);
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t row = b->rows[i];
        uint8_t type = r->known.types[b->columns[TYPE].codes[row]];
        if (type < SOURCE)
            add_event(r, b, row, type);
        else if (type == SOURCE)
            add_source(r, b, row);
    }
    return true;
}

/* ---- reading ---- */

static bool read_signals(struct reading *r, const struct day_split *split, struct err *err)
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
    static const char before[] = "(query is not null and doc is not null and type in (",
                      sources[] = ") or query_id is not null and type in ('request', 'response'))";
    const struct day_signals signals = { .task = r->task,
                                         .archive = r->params->archive,
                                         .split = *split,
                                         .columns = columns,
                                         .columns_count = by_filters ? ALL_COLUMNS : PLAIN_COLUMNS,
                                         .before_us = by_filters ? BEFORE_US : 0,
                                         .where = day_signals_where(task_arena(r->task), before, r->params->types,
                                                                    r->params->types_count,
                                                                    by_filters ? sources : "))") };
    return day_signals_read(&signals, add_batch, r, err);
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
    arena_init(&r.arena, 1 << 18);
    bool ok = read_signals(&r, &split, err) && click_events_write(&r.events, task_parts(t), task_emit_record, t, err);
    click_events_release(&r.events);
    buf_release(&r.filters);
    arena_release(&r.arena);
    return ok;
}

const struct kernel kernel_clicks_day = { "clicks.day@1", run };
