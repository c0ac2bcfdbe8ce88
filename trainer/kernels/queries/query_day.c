#include "trainer/kernels/queries/query_day.h"

#include <stdlib.h>

#include "base/clock.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/varint.h"

enum { FIRST_ROOM = 4096, TOTALS_NUMBER = 0 };

/* Query and other are places in the order of texts. */
struct query_fact {
    uint64_t unit;
    uint32_t part, query, other, count;
    uint8_t kind;
};

void query_day_init(struct query_day *d, int64_t gap_us)
{
    *d = (struct query_day){ .gap_us = gap_us };
    struct intern *const tables[] = { &d->docs, &d->ids, &d->sessions };
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        intern_init(tables[i]);
    typed_queries_init(&d->queries);
    (void)intern_add(&d->queries.queries, STR("")); /* TOTALS_NUMBER */
}

void query_day_release(struct query_day *d)
{
    struct intern *const tables[] = { &d->docs, &d->ids, &d->sessions };
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        intern_release(tables[i]);
    typed_queries_release(&d->queries);
    mem_free(d->events);
    mem_free(d->facts);
}

/* ---- gathering ---- */

void query_day_add(struct query_day *d, const struct query_event *e)
{
    if (e->kind != QUERY_RESPONSE && e->query == QUERY_NONE)
        return;
    if (e->kind == QUERY_CLICK && e->doc == QUERY_NONE)
        return;
    if (d->events_count == d->events_room) {
        d->events_room = d->events_room ? 2 * d->events_room : FIRST_ROOM;
        d->events = mem_realloc(d->events, d->events_room * sizeof *d->events);
    }
    d->events[d->events_count++] = *e;
}

/* ---- order ---- */

#define BY(x, y)    \
    if ((x) != (y)) \
    return (x) < (y) ? -1 : 1

static int by_unit_and_time(const void *a, const void *b)
{
    const struct query_event *x = a, *y = b;
    BY(x->unit, y->unit);
    BY(x->at_us, y->at_us);
    BY(x->kind, y->kind);
    BY(x->query, y->query);
    BY(x->doc, y->doc);
    BY(x->id, y->id);
    BY(x->session, y->session);
    BY(x->results, y->results);
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct query_fact *x = a, *y = b;
    BY(x->part, y->part);
    BY(x->query, y->query);
    BY(x->unit, y->unit);
    BY(x->kind, y->kind);
    BY(x->other, y->other);
    return 0;
}

/* From here on numbers of events are places: they do not depend on what came first. */
static void sort_events(struct query_day *d, const struct intern_order *queries, const struct intern_order *docs)
{
    struct intern_order ids = intern_order_of(&d->ids), sessions = intern_order_of(&d->sessions);
    for (size_t i = 0; i < d->events_count; i++) {
        struct query_event *e = &d->events[i];
        e->query = intern_place(queries, e->query);
        e->doc = intern_place(docs, e->doc);
        e->id = intern_place(&ids, e->id);
        e->session = intern_place(&sessions, e->session);
    }
    intern_order_release(&ids);
    intern_order_release(&sessions);
    if (d->events_count)
        qsort(d->events, d->events_count, sizeof *d->events, by_unit_and_time);
}

/* ---- sessions ---- */

/* One search: requests with one id and one text. */
struct search {
    uint32_t query, id;
    int64_t at_us;
    bool none, some; /* what was said of its results */
};

struct reading {
    struct query_day *d;
    const struct intern_order *queries;
    uint32_t parts;
    struct search *searches;     /* of a unit, in the order of time */
    size_t count, room, session; /* where the session's begin */
};

static void add_fact(struct reading *r, uint64_t unit, uint32_t query, enum query_fact_kind kind, uint32_t other)
{
    struct query_day *d = r->d;
    if (d->facts_count == d->facts_room) {
        d->facts_room = d->facts_room ? 2 * d->facts_room : FIRST_ROOM;
        d->facts = mem_realloc(d->facts, d->facts_room * sizeof *d->facts);
    }
    d->facts[d->facts_count++] = (struct query_fact){
        .unit = unit,
        .part = (uint32_t)(d->queries.queries.hashes[r->queries->number[query]] >> 16) % r->parts,
        .query = query,
        .other = other,
        .count = 1,
        .kind = (uint8_t)kind
    };
}

static struct search *search_of(struct reading *r, const struct query_event *e, size_t from)
{
    for (size_t i = r->count; i-- > from;)
        if (r->searches[i].id == e->id && (e->query == QUERY_NONE || r->searches[i].query == e->query))
            return &r->searches[i];
    return NULL;
}

/* A unit's searches are few; of those with an id, the last ones are looked through. */
enum { LOOK_BACK = 256 };

static struct search *search_of_event(struct reading *r, const struct query_event *e)
{
    size_t from = r->count > LOOK_BACK ? r->count - LOOK_BACK : 0;
    if (e->id != QUERY_NONE)
        return search_of(r, e, from);
    return e->kind == QUERY_RESPONSE && r->count > r->session ? &r->searches[r->count - 1] : NULL;
}

static void note_results(struct search *s, enum query_results results)
{
    s->none = s->none || results == QUERY_RESULTS_NONE;
    s->some = s->some || results == QUERY_RESULTS_SOME;
}

static void add_event(struct reading *r, const struct query_event *e)
{
    if (e->kind == QUERY_CLICK) {
        if (e->at_us < US_PER_DAY)
            add_fact(r, e->unit, e->query, QUERY_FACT_CLICK, e->doc);
        return;
    }
    struct search *s = search_of_event(r, e);
    if (!s && e->kind == QUERY_RESPONSE)
        return;
    if (!s) {
        if (r->count == r->room) {
            r->room = r->room ? 2 * r->room : FIRST_ROOM;
            r->searches = mem_realloc(r->searches, r->room * sizeof *r->searches);
        }
        s = &r->searches[r->count++];
        *s = (struct search){ e->query, e->id, e->at_us, false, false };
    }
    note_results(s, e->results);
}

/* The different queries of the session, in the order in which they first came. */
static size_t distinct_of(const struct reading *r, const struct search **out)
{
    size_t n = 0;
    for (size_t i = r->session; i < r->count && n < QUERY_SESSION_MAX; i++) {
        size_t k = 0;
        while (k < n && out[k]->query != r->searches[i].query)
            k++;
        if (k == n)
            out[n++] = &r->searches[i];
    }
    return n;
}

static void add_pairs(struct reading *r, uint64_t unit)
{
    const struct search *seen[QUERY_SESSION_MAX];
    size_t n = distinct_of(r, seen);
    for (size_t i = 0; i < n && seen[i]->at_us < US_PER_DAY; i++) {
        add_fact(r, unit, seen[i]->query, QUERY_FACT_SESSIONS, 0);
        for (size_t k = i + 1; k < n; k++) {
            add_fact(r, unit, seen[i]->query, QUERY_FACT_SAME, seen[k]->query);
            add_fact(r, unit, seen[k]->query, QUERY_FACT_SAME, seen[i]->query);
        }
    }
    if (n && seen[0]->at_us < US_PER_DAY)
        add_fact(r, unit, r->queries->place[TOTALS_NUMBER], QUERY_FACT_SESSIONS, 0);
}

static void end_session(struct reading *r, uint64_t unit)
{
    for (size_t i = r->session; i < r->count && r->searches[i].at_us < US_PER_DAY; i++) {
        const struct search *s = &r->searches[i], *next = i + 1 < r->count ? s + 1 : NULL;
        add_fact(r, unit, s->query, QUERY_FACT_SEARCHES, 0);
        if (next && next->query != s->query)
            add_fact(r, unit, s->query, QUERY_FACT_NEXT, next->query);
    }
    add_pairs(r, unit);
    r->session = r->count;
}

/* Responses may come when the session has ended. */
static void end_unit(struct reading *r, uint64_t unit)
{
    end_session(r, unit);
    for (size_t i = 0; i < r->count; i++)
        if (r->searches[i].none && !r->searches[i].some && r->searches[i].at_us < US_PER_DAY)
            add_fact(r, unit, r->searches[i].query, QUERY_FACT_ZERO, 0);
    r->count = r->session = 0;
}

static bool goes_on(const struct query_event *last, const struct query_event *e, int64_t gap_us)
{
    return e->at_us - last->at_us <= gap_us &&
           (last->session == QUERY_NONE || e->session == QUERY_NONE || last->session == e->session);
}

static void find_facts(struct reading *r)
{
    const struct query_event *events = r->d->events;
    for (size_t i = 0, n = r->d->events_count; i < n; i++) {
        add_event(r, &events[i]);
        if (i + 1 == n || events[i + 1].unit != events[i].unit)
            end_unit(r, events[i].unit);
        else if (!goes_on(&events[i], &events[i + 1], r->d->gap_us))
            end_session(r, events[i].unit);
    }
}

/* Facts that are equal but for their counts become one. */
static void sort_facts(struct query_day *d)
{
    size_t n = 0;
    if (d->facts_count)
        qsort(d->facts, d->facts_count, sizeof *d->facts, by_place);
    for (size_t i = 0; i < d->facts_count; i++) {
        if (n && by_place(&d->facts[n - 1], &d->facts[i]) == 0)
            d->facts[n - 1].count += d->facts[i].count;
        else
            d->facts[n++] = d->facts[i];
    }
    d->facts_count = n;
}

/* ---- writing ---- */

struct writing {
    const struct query_day *d;
    const struct intern_order *queries, *docs;
    struct buf record;
};

static struct str other_of(const struct writing *w, const struct query_fact *f)
{
    if (f->kind == QUERY_FACT_CLICK)
        return w->d->docs.texts[w->docs->number[f->other]];
    if (f->kind == QUERY_FACT_NEXT || f->kind == QUERY_FACT_SAME)
        return w->d->queries.queries.texts[w->queries->number[f->other]];
    return (struct str){ "", 0 };
}

/* The facts of one unit from `i` on, as many as a record takes; returns behind them. */
static size_t put_unit(struct writing *w, size_t i)
{
    enum { FACTS_MAX = 512 };
    const struct query_fact *f = w->d->facts;
    size_t end = i;
    while (end < w->d->facts_count && end - i < FACTS_MAX && f[end].query == f[i].query && f[end].unit == f[i].unit)
        end++;
    buf_add(&w->record, &f[i].unit, sizeof f[i].unit);
    varint_put(&w->record, end - i);
    for (; i < end; i++) {
        buf_add_byte(&w->record, (char)f[i].kind);
        varint_put(&w->record, f[i].count);
        varint_put_text(&w->record, other_of(w, &f[i]));
    }
    return end;
}

/* One record: a query with as many of its units as fit. */
static size_t put_record(struct writing *w, size_t i)
{
    const struct query_fact *f = w->d->facts;
    const uint32_t query = f[i].query;
    buf_clear(&w->record);
    const size_t begin = record_begin(&w->record);
    varint_put_text(&w->record, w->d->queries.queries.texts[w->queries->number[query]]);
    while (i < w->d->facts_count && f[i].query == query && w->record.n < QUERY_DAY_RECORD_BYTES)
        i = put_unit(w, i);
    record_end(&w->record, begin);
    return i;
}

static bool write_all(struct writing *w, query_day_fn fn, void *arg, struct err *err)
{
    for (size_t i = 0; i < w->d->facts_count;) {
        uint32_t part = w->d->facts[i].part;
        i = put_record(w, i);
        if (!buf_ok(&w->record, "what a unit did with a query on one day", err) ||
            !fn(arg, part, buf_str(&w->record), err))
            return false;
    }
    return true;
}

bool query_day_write(struct query_day *d, uint32_t parts, query_day_fn fn, void *arg, struct err *err)
{
    struct intern_order queries = intern_order_of(&d->queries.queries), docs = intern_order_of(&d->docs);
    struct reading r = { .d = d, .queries = &queries, .parts = parts };
    struct writing w = { .d = d, .queries = &queries, .docs = &docs };
    sort_events(d, &queries, &docs);
    find_facts(&r);
    mem_free(r.searches);
    sort_facts(d);
    buf_init(&w.record, 1 << 20);
    bool ok = write_all(&w, fn, arg, err);
    buf_release(&w.record);
    intern_order_release(&queries);
    intern_order_release(&docs);
    return ok;
}

/* ---- reading ---- */

bool query_day_read(struct str *block, struct query_day_record *out)
{
    return record_take_whole(block, &out->rest) && varint_take_text(&out->rest, &out->query);
}

bool query_day_unit(struct query_day_record *r, uint64_t *out_unit, uint64_t *out_facts)
{
    return record_take(&r->rest, out_unit, sizeof *out_unit) && varint_take(&r->rest, out_facts);
}

bool query_day_fact(struct query_day_record *r, enum query_fact_kind *out_kind, struct str *out_other,
                    uint64_t *out_count)
{
    if (r->rest.n == 0 || (unsigned char)r->rest.p[0] >= QUERY_FACT_KIND_COUNT)
        return false;
    *out_kind = (enum query_fact_kind)r->rest.p[0];
    r->rest = (struct str){ r->rest.p + 1, r->rest.n - 1 };
    return varint_take(&r->rest, out_count) && varint_take_text(&r->rest, out_other);
}
