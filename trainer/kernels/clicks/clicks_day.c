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

enum { WHERE_MAX = 4096, NO_TYPE = 255, SOURCE = 254 };
#define BEFORE_US (INT64_C(3600) * US_PER_SECOND) /* how long before midnight a query may have been */
#define UNKNOWN (UINT32_MAX - 1)

enum { AT, TYPE, UNIT, QUERY, DOC, POSITION, PLAIN_COLUMNS, QUERY_ID = PLAIN_COLUMNS, PARAMS, ALL_COLUMNS };

/* What is known of the different texts of a batch, by their codes: each is looked at once, when a row that counts has it. */
struct looked_up {
    uint8_t *types;
    uint32_t *queries, *docs;
    size_t types_room, queries_room, docs_room;
};

struct reading {
    struct task *task;
    const struct clicks_day_params *params;
    int64_t day_us;
    struct click_events events;
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

static void *room_for(void *p, size_t *room, size_t count, size_t size)
{
    if (count <= *room)
        return p;
    *room = 2 * count;
    return mem_realloc(p, *room * size);
}

static void forget(struct reading *r, const struct archive_batch *b)
{
    struct looked_up *k = &r->known;
    size_t types = b->columns[TYPE].texts_count + 1, queries = b->columns[QUERY].texts_count + 1,
           docs = b->columns[DOC].texts_count + 1;
    k->types = room_for(k->types, &k->types_room, types, sizeof *k->types);
    k->queries = room_for(k->queries, &k->queries_room, queries, sizeof *k->queries);
    k->docs = room_for(k->docs, &k->docs_room, docs, sizeof *k->docs);
    for (size_t i = 0; i < types; i++)
        k->types[i] = type_of(r->params, b->columns[TYPE].texts[i]);
    for (size_t i = 0; i < queries; i++)
        k->queries[i] = UNKNOWN;
    for (size_t i = 0; i < docs; i++)
        k->docs[i] = UNKNOWN;
}

static struct str text_of(const struct archive_batch *b, size_t column, uint32_t row)
{
    const struct archive_vector *v = &b->columns[column];
    return v->texts[v->codes[row]];
}

static uint32_t query_of(struct reading *r, const struct archive_batch *b, uint32_t row)
{
    uint32_t *known = &r->known.queries[b->columns[QUERY].codes[row]];
    if (*known == UNKNOWN)
        *known = click_events_query(&r->events, text_of(b, QUERY, row));
    return *known;
}

static uint32_t doc_of(struct reading *r, const struct archive_batch *b, uint32_t row)
{
    uint32_t *known = &r->known.docs[b->columns[DOC].codes[row]];
    if (*known == UNKNOWN)
        *known = click_events_doc(&r->events, text_of(b, DOC, row));
    return *known;
}

static struct str filters_of(struct reading *r, const struct archive_batch *b, uint32_t row)
{
    return click_filters_of(text_of(b, PARAMS, row), r->params->filters, &r->filters);
}

/* ---- rows ---- */

static void add_source(struct reading *r, const struct archive_batch *b, uint32_t row)
{
    struct str id = text_of(b, QUERY_ID, row), filters = id.n ? filters_of(r, b, row) : (struct str){ NULL, 0 };
    if (filters.p)
        click_events_source(&r->events, id, str_eq_c(text_of(b, TYPE, row), "request"), b->columns[AT].ints[row],
                            filters);
}

static void add_event(struct reading *r, const struct archive_batch *b, uint32_t row, uint8_t type)
{
    int64_t at_us = b->columns[AT].ints[row];
    if (at_us < r->day_us)
        return;
    struct click_signal s = { .type = type,
                              .at_us = at_us - r->day_us,
                              .position = (int32_t)b->columns[POSITION].ints[row],
                              .query = query_of(r, b, row),
                              .doc = doc_of(r, b, row) };
    if (s.query == CLICK_BLANK || s.doc == CLICK_BLANK)
        return;
    s.unit = hash64(text_of(b, UNIT, row));
    if (r->params->filters.p) {
        s.query_id = text_of(b, QUERY_ID, row);
        s.filters = filters_of(r, b, row);
    }
    click_events_add(&r->events, &s);
}

static bool add_batch(void *arg, const struct archive_batch *b, struct err *err)
{
    struct reading *r = arg;
    const uint32_t *types = b->columns[TYPE].codes;
    forget(r, b);
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t row = b->rows[i];
        uint8_t type = r->known.types[types[row]];
        if (type < SOURCE)
            add_event(r, b, row, type);
        else if (type == SOURCE)
            add_source(r, b, row);
    }
    return task_tick(r->task, b->count, err);
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
    return archive_scan_batches(pg, r->params->archive.p, &scan, add_batch, r, err);
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
    struct pg *pg = run_snapshot_open(t, err);
    bool ok = pg && read_signals(&r, pg, &split, err);
    run_snapshot_close(pg);
    ok = ok && click_events_write(&r.events, task_parts(t), emit, t, err);
    click_events_release(&r.events);
    buf_release(&r.filters);
    mem_free(r.known.types);
    mem_free(r.known.queries);
    mem_free(r.known.docs);
    return ok;
}

const struct kernel kernel_clicks_day = { "clicks.day@1", run };
