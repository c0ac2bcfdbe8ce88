#include "trainer/kernels/unit_day.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

struct query {
    int64_t at_us, first_click_us; /* INT64_MAX: none */
    double results;                /* NAN: unknown */
    int32_t position;              /* of the first click; 0 unknown */
};

static int compare_str(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n ? memcmp(a.p, b.p, n) : 0;
    return d ? d : (a.n > b.n) - (a.n < b.n);
}

#define BY(x, y)    \
    if ((x) != (y)) \
    return (x) < (y) ? -1 : 1

static int32_t place(const struct day_event *e)
{
    return e->position > 0 ? e->position : INT32_MAX;
}

/* A total order of everything a kernel looks at: the order in which rows arrive cannot matter. */
static int by_unit_and_time(const void *a, const void *b)
{
    const struct day_event *x = a, *y = b;
    int d = compare_str(x->unit, y->unit);
    if (d)
        return d;
    BY(x->at_us, y->at_us);
    BY(x->kind, y->kind);
    BY(x->experiment, y->experiment);
    d = compare_str(x->query_id, y->query_id);
    if (d)
        return d;
    BY(place(x), place(y)); /* of clicks at one instant, one whose position is known is the first */
    return (x->value > y->value) - (x->value < y->value);
}

static int by_query_and_time(const void *a, const void *b)
{
    const struct day_event *x = a, *y = b;
    int d = compare_str(x->query_id, y->query_id);
    return d ? d : by_unit_and_time(a, b);
}

void day_sums_add(struct day_sums *into, const struct day_sums *other)
{
    into->clicks += other->clicks;
    into->queries += other->queries;
    into->reciprocal_ranks += other->reciprocal_ranks;
    into->known_queries += other->known_queries;
    into->zero_queries += other->zero_queries;
    into->timed_queries += other->timed_queries;
    into->seconds += other->seconds;
}

static struct day_sums sums_of_query(const struct query *q)
{
    struct day_sums s = { .queries = 1 };
    if (!isnan(q->results)) {
        s.known_queries = 1;
        s.zero_queries = q->results == 0;
    }
    if (q->first_click_us != INT64_MAX) {
        s.reciprocal_ranks = q->position > 0 ? 1.0 / q->position : 0;
        if (q->first_click_us > q->at_us) {
            s.timed_queries = 1;
            s.seconds = (double)(q->first_click_us - q->at_us) / 1e6;
        }
    }
    return s;
}

/* ---- one unit ---- */

/* The day's first exposure of each experiment; events are in the order of time. */
static void collect_exposures(const struct day_event *events, size_t count, int64_t day_end_us, struct unit_day *u,
                              struct arena *arena)
{
    u->exposures = arena_alloc(arena, count * sizeof *u->exposures);
    for (size_t i = 0; i < count; i++) {
        const struct day_event *e = &events[i];
        size_t k = 0;
        if (e->kind != EVENT_EXPOSURE || e->at_us >= day_end_us)
            continue;
        while (k < u->exposures_count && u->exposures[k].experiment < e->experiment)
            k++;
        if (k < u->exposures_count && u->exposures[k].experiment == e->experiment) {
            u->exposures[k].several = u->exposures[k].several || compare_str(u->exposures[k].variant, e->query_id) != 0;
            continue;
        }
        memmove(&u->exposures[k + 1], &u->exposures[k], (u->exposures_count - k) * sizeof *u->exposures);
        u->exposures[k] = (struct day_exposure){ .experiment = e->experiment,
                                                 .variant = e->query_id,
                                                 .at_us = e->at_us };
        u->exposures_count++;
    }
}

static void add_at(struct unit_day *u, int64_t at_us, const struct day_sums *s)
{
    day_sums_add(&u->all, s);
    for (size_t i = 0; i < u->exposures_count; i++)
        if (at_us >= u->exposures[i].at_us)
            day_sums_add(&u->exposures[i].after, s);
}

static void count_clicks(const struct day_event *events, size_t count, int64_t day_end_us, struct unit_day *u)
{
    static const struct day_sums one_click = { .clicks = 1 };
    for (size_t i = 0; i < count && events[i].at_us < day_end_us; i++) {
        u->last_us = events[i].at_us;
        if (events[i].kind == EVENT_CLICK)
            add_at(u, events[i].at_us, &one_click);
    }
}

/* Events of one query id, in the order of time: at most one query, which starts with its first request of this day. */
static void count_query(const struct day_event *events, size_t count, int64_t day_end_us, struct unit_day *u)
{
    struct query q = { .first_click_us = INT64_MAX, .results = NAN };
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        const struct day_event *e = &events[i];
        if (e->kind == EVENT_REQUEST && !found && e->at_us < day_end_us) {
            found = true;
            q.at_us = e->at_us;
        }
        if ((e->kind == EVENT_REQUEST || e->kind == EVENT_RESPONSE) && !isnan(e->value))
            q.results = e->value;
        if (e->kind == EVENT_CLICK && found && q.first_click_us == INT64_MAX && e->at_us <= q.at_us + QUERY_WINDOW_US) {
            q.first_click_us = e->at_us;
            q.position = e->position;
        }
    }
    struct day_sums s = sums_of_query(&q);
    if (found)
        add_at(u, q.at_us, &s);
}

/* Requests without a query id are queries of their own, whose clicks nobody can name. */
static void count_queries(struct day_event *events, size_t count, int64_t day_end_us, struct unit_day *u)
{
    qsort(events, count, sizeof *events, by_query_and_time);
    for (size_t from = 0, to; from < count; from = to) {
        to = from + 1;
        if (events[from].kind == EVENT_EXPOSURE)
            continue;
        while (events[from].query_id.n && to < count && compare_str(events[to].query_id, events[from].query_id) == 0)
            to++;
        count_query(events + from, to - from, day_end_us, u);
    }
}

bool unit_days(struct day_event *events, size_t count, int64_t day_end_us, struct arena *arena, unit_day_fn fn,
               void *arg, struct err *err)
{
    if (count == 0)
        return true;
    qsort(events, count, sizeof *events, by_unit_and_time);
    for (size_t from = 0, to; from < count; from = to) {
        struct unit_day u = { .unit = events[from].unit };
        for (to = from + 1; to < count && compare_str(events[to].unit, u.unit) == 0;)
            to++;
        if (events[from].at_us >= day_end_us)
            continue; /* only clicks of tomorrow */
        collect_exposures(events + from, to - from, day_end_us, &u, arena);
        count_clicks(events + from, to - from, day_end_us, &u);
        count_queries(events + from, to - from, day_end_us, &u);
        if (!fn(arg, &u, err))
            return false;
    }
    return true;
}

/* ---- the record ---- */

static void put_text(struct buf *b, struct str s)
{
    uint32_t n = (uint32_t)s.n;
    buf_add(b, &n, sizeof n);
    buf_add_str(b, s);
}

void unit_day_write(struct buf *b, const struct unit_day *u)
{
    uint32_t n = (uint32_t)u->exposures_count;
    put_text(b, u->unit);
    buf_add(b, &u->last_us, sizeof u->last_us);
    buf_add(b, &u->all, sizeof u->all);
    buf_add(b, &n, sizeof n);
    for (size_t i = 0; i < u->exposures_count; i++) {
        const struct day_exposure *e = &u->exposures[i];
        buf_add(b, &e->experiment, sizeof e->experiment);
        buf_add(b, &e->at_us, sizeof e->at_us);
        buf_add_byte(b, (char)e->several);
        buf_add(b, &e->after, sizeof e->after);
        put_text(b, e->variant);
    }
}

static bool take(struct str *in, void *out, size_t n)
{
    if (in->n < n)
        return false;
    memcpy(out, in->p, n);
    in->p += n;
    in->n -= n;
    return true;
}

static bool take_text(struct str *in, struct str *out)
{
    uint32_t n;
    if (!take(in, &n, sizeof n) || in->n < n)
        return false;
    *out = (struct str){ in->p, n };
    in->p += n;
    in->n -= n;
    return true;
}

bool unit_day_read(struct str *in, struct unit_day *out, struct arena *arena)
{
    uint32_t n;
    if (!take_text(in, &out->unit) || !take(in, &out->last_us, sizeof out->last_us) ||
        !take(in, &out->all, sizeof out->all) || !take(in, &n, sizeof n) || n > in->n)
        return false;
    out->exposures_count = n;
    out->exposures = arena_alloc(arena, n * sizeof *out->exposures);
    for (uint32_t i = 0; i < n; i++) {
        struct day_exposure *e = &out->exposures[i];
        char several;
        if (!take(in, &e->experiment, sizeof e->experiment) || !take(in, &e->at_us, sizeof e->at_us) ||
            !take(in, &several, 1) || !take(in, &e->after, sizeof e->after) || !take_text(in, &e->variant))
            return false;
        e->several = several != 0;
    }
    return true;
}
