#include "trainer/kernels/serps/serp_day.h"

#include <stdlib.h>

#include "base/clock.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/varint.h"

enum { FIRST_ROOM = 4096, RANDOMISED = 0x80 };

void serp_day_init(struct serp_day *d)
{
    *d = (struct serp_day){ .events_count = 0 };
    typed_queries_init(&d->queries);
    intern_init(&d->docs);
    intern_init(&d->ids);
}

void serp_day_release(struct serp_day *d)
{
    typed_queries_release(&d->queries);
    intern_release(&d->docs);
    intern_release(&d->ids);
    mem_free(d->events);
    mem_free(d->lists);
    mem_free(d->shown);
    mem_free(d->propensities);
}

/* ---- gathering ---- */

/* Room for `more` behind `count` elements of `bytes` each. */
static void *room_for(void *p, size_t count, size_t more, size_t *room, size_t bytes)
{
    if (count + more <= *room)
        return p;
    *room = *room ? *room : FIRST_ROOM;
    while (count + more > *room)
        *room *= 2;
    return mem_realloc(p, *room * bytes);
}

uint32_t serp_day_list(struct serp_day *d, const struct serp_shown *s)
{
    struct serp_list l = { (uint32_t)d->shown_count, s->count,
                           s->randomised ? (uint32_t)d->propensities_count : SERP_NONE };
    d->lists = room_for(d->lists, d->lists_count, 1, &d->lists_room, sizeof *d->lists);
    d->shown = room_for(d->shown, d->shown_count, s->count, &d->shown_room, sizeof *d->shown);
    for (uint32_t i = 0; i < s->count; i++)
        d->shown[d->shown_count++] = intern_cut(&d->docs, s->docs[i], SERP_DOC_BYTES);
    if (s->randomised) {
        d->propensities = room_for(d->propensities, d->propensities_count, s->count, &d->propensities_room,
                                   sizeof *d->propensities);
        memcpy(d->propensities + d->propensities_count, s->propensities, s->count * sizeof *s->propensities);
        d->propensities_count += s->count;
    }
    d->lists[d->lists_count] = l;
    return (uint32_t)d->lists_count++;
}

void serp_day_add(struct serp_day *d, const struct serp_event *e)
{
    bool whole = e->kind < SERP_IMPRESSION    ? e->list != SERP_NONE || e->query != SERP_NONE
                 : e->kind == SERP_IMPRESSION ? e->doc != SERP_NONE && e->position > 0 && e->position <= SERP_DOCS_MAX
                                              : e->doc != SERP_NONE;
    if (e->id == SERP_NONE || !whole)
        return;
    d->events = room_for(d->events, d->events_count, 1, &d->events_room, sizeof *d->events);
    d->events[d->events_count++] = *e;
}

/* ---- order ---- */

#define BY(x, y)    \
    if ((x) != (y)) \
    return (x) < (y) ? -1 : 1

/* Of two lists by their documents; what came first in memory says nothing. */
static int by_list(const struct serp_day *d, uint32_t a, uint32_t b)
{
    if (a == SERP_NONE || b == SERP_NONE || a == b)
        return a == b ? 0 : a == SERP_NONE ? 1 : -1;
    const struct serp_list *x = &d->lists[a], *y = &d->lists[b];
    BY(x->count, y->count);
    for (uint32_t i = 0; i < x->count; i++)
        BY(d->shown[x->first + i], d->shown[y->first + i]);
    BY(x->propensities == SERP_NONE, y->propensities == SERP_NONE);
    return x->propensities == SERP_NONE ? 0
                                        : memcmp(d->propensities + x->propensities, d->propensities + y->propensities,
                                                 x->count * sizeof *d->propensities);
}

static int by_search(const void *a, const void *b, void *day)
{
    const struct serp_event *x = a, *y = b;
    BY(x->unit, y->unit);
    BY(x->id, y->id);
    BY(x->kind, y->kind);
    BY(x->at_us, y->at_us);
    BY(x->position, y->position);
    BY(x->doc, y->doc);
    BY(x->query, y->query);
    return by_list(day, x->list, y->list);
}

/* From here on numbers of texts in events and lists are places: they do not depend on what came first. */
static void use_places(struct serp_day *d, const struct intern_order *queries, const struct intern_order *docs)
{
    struct intern_order ids = intern_order_of(&d->ids);
    for (size_t i = 0; i < d->events_count; i++) {
        struct serp_event *e = &d->events[i];
        e->id = intern_place(&ids, e->id);
        e->query = intern_place(queries, e->query);
        e->doc = intern_place(docs, e->doc);
    }
    for (size_t i = 0; i < d->shown_count; i++)
        d->shown[i] = intern_place(docs, d->shown[i]);
    intern_order_release(&ids);
    if (d->events_count)
        qsort_r(d->events, d->events_count, sizeof *d->events, by_search, d);
}

/* ---- searches ---- */

struct search {
    uint64_t unit;
    int64_t at_us;
    uint32_t part, query, id;
    uint32_t docs[SERP_DOCS_MAX]; /* places */
    uint32_t count, clicks_count;
    uint32_t propensities;
    uint8_t clicks[SERP_DOCS_MAX];
};

struct reading {
    struct serp_day *d;
    const struct intern_order *queries;
    uint32_t parts;
    struct search *list;
    size_t count, room;
};

/* The events of one search, [from, end). */
static uint32_t query_of(const struct serp_event *events, size_t from, size_t end)
{
    for (size_t i = from; i < end; i++)
        if (events[i].query != SERP_NONE)
            return events[i].query;
    return SERP_NONE;
}

static void take_impressions(const struct serp_event *events, size_t from, size_t end, struct search *s)
{
    for (uint32_t i = 0; i < SERP_DOCS_MAX; i++)
        s->docs[i] = SERP_NONE;
    for (size_t i = from; i < end; i++) {
        if (events[i].kind != SERP_IMPRESSION)
            continue;
        uint32_t *doc = &s->docs[events[i].position - 1];
        s->at_us = s->at_us < 0 ? events[i].at_us : s->at_us;
        *doc = *doc == SERP_NONE ? events[i].doc : *doc;
    }
    while (s->count < SERP_DOCS_MAX && s->docs[s->count] != SERP_NONE)
        s->count++;
}

static bool take_list(const struct serp_day *d, size_t from, size_t end, struct search *s)
{
    s->at_us = -1;
    s->propensities = SERP_NONE;
    for (size_t i = from; i < end; i++) {
        const struct serp_event *e = &d->events[i];
        if (e->kind >= SERP_IMPRESSION || e->list == SERP_NONE)
            continue;
        const struct serp_list *l = &d->lists[e->list];
        s->at_us = e->at_us;
        s->count = l->count;
        s->propensities = l->propensities;
        memcpy(s->docs, d->shown + l->first, l->count * sizeof *s->docs);
        return true;
    }
    take_impressions(d->events, from, end, s);
    return s->count > 0;
}

/* Where the document stands: at the position that the click names, if it does there; else at the first one. SERP_NONE: nowhere. */
static uint32_t place_of(const struct search *s, const struct serp_event *click)
{
    uint32_t named = (uint32_t)click->position - 1;
    if (click->position > 0 && named < s->count && s->docs[named] == click->doc)
        return named;
    for (uint32_t i = 0; i < s->count; i++)
        if (s->docs[i] == click->doc)
            return i;
    return SERP_NONE;
}

static void take_clicks(const struct serp_event *events, size_t from, size_t end, struct search *s)
{
    for (size_t i = from; i < end; i++) {
        uint32_t place = events[i].kind == SERP_CLICK ? place_of(s, &events[i]) : SERP_NONE, n = 0;
        if (place == SERP_NONE)
            continue;
        for (uint32_t k = 0; k < s->clicks_count; k++)
            if (s->clicks[k] != place)
                s->clicks[n++] = s->clicks[k];
        s->clicks[n++] = (uint8_t)place;
        s->clicks_count = n;
    }
}

static void add_search(struct reading *r, size_t from, size_t end)
{
    const struct serp_day *d = r->d;
    struct search s = { .unit = d->events[from].unit, .id = d->events[from].id };
    s.query = query_of(d->events, from, end);
    if (s.query == SERP_NONE || !take_list(d, from, end, &s) || s.at_us >= US_PER_DAY)
        return;
    take_clicks(d->events, from, end, &s);
    s.part = (uint32_t)(d->queries.queries.hashes[r->queries->number[s.query]] >> 16) % r->parts;
    r->list = room_for(r->list, r->count, 1, &r->room, sizeof *r->list);
    r->list[r->count++] = s;
}

static int by_place(const void *a, const void *b)
{
    const struct search *x = a, *y = b;
    BY(x->part, y->part);
    BY(x->query, y->query);
    BY(x->at_us, y->at_us);
    BY(x->unit, y->unit);
    BY(x->id, y->id);
    return 0;
}

static void find_searches(struct reading *r)
{
    const struct serp_event *events = r->d->events;
    for (size_t i = 0, end; i < r->d->events_count; i = end) {
        for (end = i + 1;
             end < r->d->events_count && events[end].unit == events[i].unit && events[end].id == events[i].id;)
            end++;
        add_search(r, i, end);
    }
    if (r->count)
        qsort(r->list, r->count, sizeof *r->list, by_place);
}

/* ---- writing ---- */

struct writing {
    const struct serp_day *d;
    const struct reading *r;
    const struct intern_order *docs_order;
    uint32_t *local; /* of each place: its local number, of the record `record_of` says */
    uint32_t *record_of;
    uint32_t record, docs;
    struct buf bytes;
};

static void put_doc(struct writing *w, uint32_t place)
{
    bool known = w->record_of[place] == w->record;
    if (!known) {
        w->record_of[place] = w->record;
        w->local[place] = w->docs++;
    }
    varint_put(&w->bytes, w->local[place]);
    if (!known)
        varint_put_text(&w->bytes, w->d->docs.texts[w->docs_order->number[place]]);
}

static void put_search(struct writing *w, const struct search *s)
{
    bool randomised = s->propensities != SERP_NONE;
    buf_add(&w->bytes, &s->unit, sizeof s->unit);
    varint_put(&w->bytes, (uint64_t)s->at_us);
    buf_add_byte(&w->bytes, (char)(s->count | (randomised ? RANDOMISED : 0)));
    for (uint32_t i = 0; i < s->count; i++)
        put_doc(w, s->docs[i]);
    varint_put(&w->bytes, s->clicks_count);
    buf_add(&w->bytes, s->clicks, s->clicks_count);
    if (randomised)
        buf_add(&w->bytes, w->d->propensities + s->propensities, s->count * sizeof(float));
}

/* One record: a query with as many of its searches as fit. Returns behind them. */
static size_t put_record(struct writing *w, size_t i)
{
    const struct search *list = w->r->list;
    const uint32_t query = list[i].query;
    w->record++;
    w->docs = 0;
    buf_clear(&w->bytes);
    const size_t begin = record_begin(&w->bytes);
    varint_put_text(&w->bytes, w->d->queries.queries.texts[w->r->queries->number[query]]);
    for (; i < w->r->count && list[i].query == query && w->bytes.n < SERP_DAY_RECORD_BYTES; i++)
        put_search(w, &list[i]);
    record_end(&w->bytes, begin);
    return i;
}

static bool write_all(struct writing *w, serp_day_fn fn, void *arg, struct err *err)
{
    for (size_t i = 0; i < w->r->count;) {
        uint32_t part = w->r->list[i].part;
        i = put_record(w, i);
        if (!buf_ok(&w->bytes, "what searches of a query were shown on one day", err) ||
            !fn(arg, part, buf_str(&w->bytes), err))
            return false;
    }
    return true;
}

static bool write_searches(const struct serp_day *d, const struct reading *r, const struct intern_order *docs,
                           serp_day_fn fn, void *arg, struct err *err)
{
    size_t room = (size_t)d->docs.count + 1;
    struct writing w = { .d = d,
                         .r = r,
                         .docs_order = docs,
                         .local = mem_alloc(room * sizeof *w.local),
                         .record_of = mem_zalloc(room * sizeof *w.record_of) };
    buf_init(&w.bytes, 1 << 20);
    bool ok = write_all(&w, fn, arg, err);
    buf_release(&w.bytes);
    mem_free(w.local);
    mem_free(w.record_of);
    return ok;
}

bool serp_day_write(struct serp_day *d, uint32_t parts, serp_day_fn fn, void *arg, struct err *err)
{
    struct intern_order queries = intern_order_of(&d->queries.queries), docs = intern_order_of(&d->docs);
    struct reading r = { .d = d, .queries = &queries, .parts = parts };
    use_places(d, &queries, &docs);
    find_searches(&r);
    bool ok = write_searches(d, &r, &docs, fn, arg, err);
    mem_free(r.list);
    intern_order_release(&queries);
    intern_order_release(&docs);
    return ok;
}

/* ---- reading ---- */

bool serp_day_read(struct str *block, struct serp_day_record *out)
{
    *out = (struct serp_day_record){ .docs = 0 };
    return record_take_whole(block, &out->rest) && varint_take_text(&out->rest, &out->query);
}

static bool take_docs(struct serp_day_record *r, struct serp_search *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        uint64_t number;
        if (!varint_take(&r->rest, &number) || number > r->docs)
            return false;
        s->docs[i] = (uint32_t)number;
        if (number == r->docs && (!varint_take_text(&r->rest, &s->fresh[s->fresh_count++]) || ++r->docs == 0))
            return false;
    }
    return true;
}

static bool take_places(struct serp_day_record *r, struct serp_search *s)
{
    uint64_t clicks;
    if (!varint_take(&r->rest, &clicks) || clicks > s->count || !record_take(&r->rest, s->clicks, (size_t)clicks))
        return false;
    s->clicks_count = (uint32_t)clicks;
    for (uint32_t i = 0; i < s->clicks_count; i++)
        if (s->clicks[i] >= s->count)
            return false;
    return true;
}

bool serp_day_search(struct serp_day_record *r, struct serp_search *out)
{
    uint64_t at;
    uint8_t count;
    out->fresh_count = out->clicks_count = 0;
    if (!record_take(&r->rest, &out->unit, sizeof out->unit) || !varint_take(&r->rest, &at) ||
        !record_take(&r->rest, &count, 1))
        return false;
    out->at_us = (int64_t)at;
    out->randomised = count & RANDOMISED;
    out->count = count & (RANDOMISED - 1U);
    return out->count > 0 && out->count <= SERP_DOCS_MAX && take_docs(r, out) && take_places(r, out) &&
           (!out->randomised || record_take(&r->rest, out->propensities, out->count * sizeof *out->propensities));
}
