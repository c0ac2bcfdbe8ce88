#include "trainer/kernels/clicks/click_events.h"

#include <stdlib.h>

#include "trainer/kernels/radix.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/varint.h"

enum { FIRST_ROOM = 4096, NO_FILTERS = 0 };

void click_events_init(struct click_events *e)
{
    *e = (struct click_events){ .room = FIRST_ROOM };
    e->list = mem_alloc(e->room * sizeof *e->list);
    struct intern *const tables[] = { &e->filters, &e->docs, &e->query_ids };
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        intern_init(tables[i]);
    typed_queries_init(&e->queries);
    (void)intern_add(&e->filters, STR("")); /* NO_FILTERS */
}

void click_events_release(struct click_events *e)
{
    struct intern *const tables[] = { &e->filters, &e->docs, &e->query_ids };
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        intern_release(tables[i]);
    typed_queries_release(&e->queries);
    mem_free(e->sources);
    mem_free(e->list);
}

/* ---- gathering ---- */

void click_events_add(struct click_events *e, const struct click_signal *s)
{
    bool looks = !s->filters.p && s->query_id.n;
    if (s->query == CLICK_BLANK || s->doc == CLICK_BLANK)
        return;
    if (e->count == e->room) {
        e->room *= 2;
        e->list = mem_realloc(e->list, e->room * sizeof *e->list);
    }
    e->list[e->count++] = (struct click_event){
        .filters = s->filters.n ? intern_add(&e->filters, str_cut(s->filters, CLICK_FILTERS_MAX)) : NO_FILTERS,
        .query = s->query,
        .doc = s->doc,
        .query_id = looks ? intern_add(&e->query_ids, s->query_id) : CLICK_OWN,
        .unit = s->unit,
        .at_us = s->at_us,
        .position = s->position > 0 ? s->position : 0,
        .type = s->type,
    };
}

static struct click_source *source_of(struct click_events *e, uint32_t query_id)
{
    size_t had = e->sources_room;
    if (query_id >= had) {
        e->sources_room = had ? 2 * had : FIRST_ROOM;
        while (query_id >= e->sources_room)
            e->sources_room *= 2;
        e->sources = mem_realloc(e->sources, e->sources_room * sizeof *e->sources);
        memset(e->sources + had, 0, (e->sources_room - had) * sizeof *e->sources);
    }
    return &e->sources[query_id];
}

/* Of two at one instant the text decides, so that the order in which they come does not. */
static bool better(const struct click_events *e, const struct click_source *x, const struct click_source *y)
{
    if (x->request != y->request)
        return x->request;
    if (x->at_us != y->at_us)
        return x->at_us < y->at_us;
    struct str a = e->filters.texts[x->filters], b = e->filters.texts[y->filters];
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n ? memcmp(a.p, b.p, n) : 0;
    return d ? d < 0 : a.n < b.n;
}

void click_events_source(struct click_events *e, struct str query_id, bool request, int64_t at_us, struct str filters)
{
    struct click_source *s = source_of(e, intern_add(&e->query_ids, query_id));
    struct click_source next = { true, request, at_us, intern_add(&e->filters, str_cut(filters, CLICK_FILTERS_MAX)) };
    if (!s->known || better(e, &next, s))
        *s = next;
}

/* ---- order ---- */

#define BY(x, y)    \
    if ((x) != (y)) \
    return (x) < (y) ? -1 : 1

/* Of two events about one document of one query. */
static int by_unit(const struct click_event *x, const struct click_event *y)
{
    BY(x->unit, y->unit);
    BY(x->at_us, y->at_us);
    BY(x->type, y->type);
    BY(x->position, y->position);
    return 0;
}

static unsigned bits_of(uint64_t count)
{
    unsigned bits = 0;
    while (count >> bits)
        bits++;
    return bits;
}

/* For qsort_r. */
static int by_unit_of(const void *a, const void *b, void *events)
{
    const struct placed *x = a, *y = b;
    const struct click_events *e = events;
    return by_unit(&e->list[x->number], &e->list[y->number]);
}

static void sort_equal_places(struct click_events *e, struct placed *p, size_t count)
{
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && p[end].place == p[i].place;)
            end++;
        if (end - i > 1)
            qsort_r(p + i, end - i, sizeof *p, by_unit_of, e);
    }
}

static void find_filters(struct click_events *e)
{
    for (size_t i = 0; i < e->count; i++) {
        struct click_event *v = &e->list[i];
        if (v->query_id < e->sources_room && e->sources[v->query_id].known)
            v->filters = e->sources[v->query_id].filters;
    }
}

/* An event's place: part, filters, query and document, in as many bits as each needs. */
struct layout {
    unsigned docs, queries, filters, all; /* bits up to the end of each, from the lowest */
};

static bool lay_out(const struct click_events *e, uint32_t parts, struct layout *out, struct err *err)
{
    out->docs = bits_of(e->docs.count);
    out->queries = out->docs + bits_of(e->queries.queries.count);
    out->filters = out->queries + bits_of(e->filters.count);
    out->all = out->filters + bits_of(parts);
    return out->all <= 64 || err_set(err, ERR_TOO_LARGE,
                                     "a range of a day has too many different queries and documents: %u and %u; give "
                                     "more ranges",
                                     e->queries.queries.count, e->docs.count);
}

static void find_places(const struct click_events *e, const struct layout *at, uint32_t parts, struct placed *out)
{
    uint32_t *filters = intern_ranks(&e->filters), *queries = intern_ranks(&e->queries.queries),
             *docs = intern_ranks(&e->docs);
    for (size_t i = 0; i < e->count; i++) {
        const struct click_event *v = &e->list[i];
        uint64_t part = ((e->queries.queries.hashes[v->query] + 31 * e->filters.hashes[v->filters]) >> 16) % parts;
        out[i] = (struct placed){ part << at->filters | (uint64_t)filters[v->filters] << at->queries |
                                      (uint64_t)queries[v->query] << at->docs | docs[v->doc],
                                  (uint32_t)i };
    }
    mem_free(filters);
    mem_free(queries);
    mem_free(docs);
}

/* ---- writing ---- */

static void put_event(struct buf *b, const struct click_event *e)
{
    buf_add(b, &e->unit, sizeof e->unit);
    varint_put(b, (uint64_t)e->at_us);
    buf_add_byte(b, (char)e->type);
    varint_put(b, (uint64_t)e->position);
}

struct writing {
    const struct click_events *events;
    const struct placed *placed;
    struct layout at;
    struct buf record;
    size_t begin; /* of the record */
    click_record_fn fn;
    void *arg;
};

static const struct click_event *event_at(const struct writing *w, size_t i)
{
    return &w->events->list[w->placed[i].number];
}

static void begin_record(struct writing *w, const struct click_event *e)
{
    buf_clear(&w->record);
    w->begin = record_begin(&w->record);
    varint_put_text(&w->record, w->events->filters.texts[e->filters]);
    varint_put_text(&w->record, w->events->queries.queries.texts[e->query]);
}

static bool end_record(struct writing *w, uint64_t place, struct err *err)
{
    record_end(&w->record, w->begin);
    return buf_ok(&w->record, "a record of clicks", err) &&
           w->fn(w->arg, (uint32_t)(place >> w->at.filters), buf_str(&w->record), err);
}

/* The events of a document that fit, from `i` on; returns behind them. */
static size_t put_doc(struct writing *w, size_t i)
{
    enum { EVENTS_MAX = 512 };
    size_t end = i + 1;
    while (end < w->events->count && end - i < EVENTS_MAX && w->placed[end].place == w->placed[i].place)
        end++;
    varint_put_text(&w->record, w->events->docs.texts[event_at(w, i)->doc]);
    varint_put(&w->record, end - i);
    for (; i < end; i++)
        put_event(&w->record, event_at(w, i));
    return end;
}

static bool write_all(struct writing *w, struct err *err)
{
    for (size_t i = 0; i < w->events->count;) {
        uint64_t place = w->placed[i].place, query = place >> w->at.docs;
        begin_record(w, event_at(w, i));
        while (i < w->events->count && w->placed[i].place >> w->at.docs == query && w->record.n < CLICK_RECORD_BYTES)
            i = put_doc(w, i);
        if (!end_record(w, place, err))
            return false;
    }
    return true;
}

bool click_events_write(struct click_events *e, uint32_t parts, click_record_fn fn, void *arg, struct err *err)
{
    struct writing w = { .events = e, .fn = fn, .arg = arg };
    find_filters(e);
    if (!lay_out(e, parts, &w.at, err))
        return false;
    struct placed *placed = mem_alloc(2 * (e->count + 1) * sizeof *placed);
    find_places(e, &w.at, parts, placed);
    radix_sort(placed, placed + e->count + 1, e->count, w.at.all);
    sort_equal_places(e, placed, e->count);
    w.placed = placed;
    buf_init(&w.record, (size_t)8 * CLICK_RECORD_BYTES);
    bool ok = write_all(&w, err);
    buf_release(&w.record);
    mem_free(placed);
    return ok;
}

/* ---- reading ---- */

bool click_record_read(struct str *block, struct click_record *out)
{
    return record_take_whole(block, &out->rest) && varint_take_text(&out->rest, &out->filters) &&
           varint_take_text(&out->rest, &out->query);
}

bool click_record_doc(struct click_record *r, struct str *out_doc, uint64_t *out_events, bool *out_damaged)
{
    *out_damaged = false;
    if (r->rest.n == 0)
        return false;
    *out_damaged = !varint_take_text(&r->rest, out_doc) || !varint_take(&r->rest, out_events);
    return !*out_damaged;
}

bool click_record_event(struct click_record *r, struct click_event *out)
{
    uint64_t at, position;
    if (!record_take(&r->rest, &out->unit, sizeof out->unit) || !varint_take(&r->rest, &at) ||
        !record_take(&r->rest, &out->type, 1) || !varint_take(&r->rest, &position) || position > INT32_MAX)
        return false;
    out->at_us = (int64_t)at;
    out->position = (int32_t)position;
    return true;
}
