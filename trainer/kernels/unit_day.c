#include "trainer/kernels/unit_day.h"

#include <math.h>
#include <stdlib.h>

#include "trainer/kernels/event_units.h"
#include "trainer/kernels/query.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/session.h"

/* A query, and what becomes known of its neighbours. */
struct found {
    struct query query;
    struct str id;
    bool today;
};

struct building {
    const struct unit_day_rules *rules;
    struct arena scratch; /* one unit's */
    struct unit_day u;
    size_t items_room;
    struct found *queries;
    size_t queries_count;
    bool compares_queries;
};

static bool is_today(const struct building *b, int64_t at_us)
{
    return at_us >= b->rules->from_us && at_us < b->rules->to_us;
}

static double *sums_new(struct building *b)
{
    return arena_zalloc(&b->scratch, (b->rules->program->facts_count + 1) * sizeof(double));
}

/* ---- what adds to facts ---- */

static void add_item(struct building *b, uint32_t fact, int64_t at_us, double value)
{
    struct unit_day *u = &b->u;
    if (u->items_count == UNIT_DAY_ITEMS)
        return;
    if (u->items_count == b->items_room) {
        struct day_item *old = u->items;
        b->items_room = b->items_room ? b->items_room * 2 : 16;
        u->items = arena_alloc(&b->scratch, b->items_room * sizeof *old);
        if (u->items_count)
            memcpy(u->items, old, u->items_count * sizeof *old);
    }
    u->items[u->items_count++] = (struct day_item){ at_us, value, fact };
}

static void add_at(struct building *b, uint32_t fact, int64_t at_us, double value)
{
    const struct program_fact *f = &b->rules->program->facts[fact];
    struct unit_day *u = &b->u;
    if (isnan(value) || (value == 0 && f->counted))
        return;
    u->all[fact] += value;
    for (size_t i = 0; i < u->exposures_count; i++)
        if (at_us >= u->exposures[i].at_us)
            u->exposures[i].after[fact] += value;
    if (f->listed)
        add_item(b, fact, at_us, value);
}

/* ---- exposures ---- */

/* Where the experiment's exposure stands, or would stand. */
static size_t exposure_place(const struct unit_day *u, uint32_t experiment)
{
    size_t k = 0;
    while (k < u->exposures_count && u->exposures[k].experiment < experiment)
        k++;
    return k;
}

/* The day's first exposure of each experiment; events are in the order of time. */
static void collect_exposures(struct building *b, const struct day_event *events, size_t count)
{
    struct unit_day *u = &b->u;
    size_t room = 0;
    for (size_t i = 0; i < count; i++)
        room += events[i].kind == EVENT_EXPOSURE;
    u->exposures = arena_alloc(&b->scratch, (room + 1) * sizeof *u->exposures);
    for (size_t i = 0; i < count; i++) {
        const struct day_event *e = &events[i];
        size_t k = exposure_place(u, e->experiment);
        if (e->kind != EVENT_EXPOSURE)
            continue;
        if (k < u->exposures_count && u->exposures[k].experiment == e->experiment) {
            u->exposures[k].several = u->exposures[k].several || !str_eq(u->exposures[k].variant, e->query_id);
            continue;
        }
        memmove(&u->exposures[k + 1], &u->exposures[k], (u->exposures_count - k) * sizeof *u->exposures);
        u->exposures[k] = (struct day_exposure){ .experiment = e->experiment,
                                                 .variant = e->query_id,
                                                 .dims = e->query,
                                                 .at_us = e->at_us,
                                                 .after = sums_new(b) };
        u->exposures_count++;
    }
}

/* ---- signals ---- */

static void add_signals(struct building *b, const struct day_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (events[i].kind != EVENT_ROW)
            b->u.last_us = events[i].at_us;
        for (uint32_t h = 0; h < events[i].hits_count; h++)
            add_at(b, events[i].hits[h].fact, events[i].at_us, events[i].hits[h].value);
    }
}

/* Of every event the unit's next signal at a later instant; events are in the order of time. */
static void find_next_signals(struct day_event *events, size_t count)
{
    int64_t next_us = INT64_MAX, at_us = INT64_MAX;
    bool signal = false; /* one of the events at at_us is */
    for (size_t i = count; i > 0; i--) {
        struct day_event *e = &events[i - 1];
        if (e->at_us != at_us) {
            next_us = signal ? at_us : next_us;
            at_us = e->at_us;
            signal = false;
        }
        e->next_us = next_us;
        signal = signal || event_is_signal(e);
    }
}

/* ---- sessions ---- */

static bool add_session(void *arg, const struct session *s, struct err *err)
{
    struct building *b = arg;
    const struct program *p = b->rules->program;
    (void)err;
    for (uint32_t i = 0; i < p->facts_count; i++) {
        const double values[FACT_SESSION_COUNT] = {
            [FACT_SESSION_ALL] = 1,
            [FACT_SESSION_WITH_CLICK] = s->counts[SESSION_CLICK] > 0,
            [FACT_SESSION_ABANDONED] = s->counts[SESSION_QUERY] > 0 && s->counts[SESSION_CLICK] == 0,
            [FACT_SESSION_SECONDS] = (double)(s->ended_us - s->started_us) / 1e6,
        };
        if (p->facts[i].fact.of == FACT_SESSIONS)
            add_at(b, i, s->started_us, values[p->facts[i].fact.session]);
    }
    return true;
}

static bool add_sessions(struct building *b, const struct day_event *events, size_t count, struct err *err)
{
    static const enum session_kind kinds[EVENT_KIND_COUNT] = { [EVENT_REQUEST] = SESSION_QUERY,
                                                               [EVENT_CLICK] = SESSION_CLICK,
                                                               [EVENT_CART] = SESSION_CART,
                                                               [EVENT_PURCHASE] = SESSION_PURCHASE };
    struct session_event *of = arena_alloc(&b->scratch, (count + 1) * sizeof *of);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (event_is_signal(&events[i]))
            of[n++] = (struct session_event){ .at_us = events[i].at_us,
                                              .unit = events[i].unit,
                                              .session = events[i].session,
                                              .kind = kinds[events[i].kind],
                                              .value = (double)NAN };
    return sessions_find(of, n, b->rules->from_us, b->rules->to_us, METRIC_SESSION_GAP_US, add_session, b, err);
}

/* ---- queries ---- */

/* Events of one query id, in the order of time: at most one query, which starts with its first request. */
static void find_query(struct building *b, const struct day_event *events, size_t count)
{
    struct found *f = &b->queries[b->queries_count];
    *f = (struct found){ .query = { .results = (double)NAN, .next_us = INT64_MAX }, .id = events[0].query_id };
    for (size_t i = 0; i < count; i++) {
        const struct day_event *e = &events[i];
        bool asks = e->kind == EVENT_REQUEST;
        if (asks && !f->query.count) {
            f->today = is_today(b, e->at_us);
            f->query.at_us = e->at_us;
            f->query.events = e;
            f->query.count = count - i;
        }
        if (asks && !f->query.text.n)
            f->query.text = e->query;
        if ((asks || e->kind == EVENT_RESPONSE) && !isnan(e->value) && is_today(b, e->at_us))
            f->query.results = e->value;
    }
    b->queries_count += f->query.count > 0;
}

static int by_time(const void *a, const void *b)
{
    const struct found *x = *(struct found *const *)a, *y = *(struct found *const *)b;
    if (x->query.at_us != y->query.at_us)
        return x->query.at_us < y->query.at_us ? -1 : 1;
    int d = event_compare_str(x->id, y->id);
    return d ? d : (x > y) - (x < y); /* their places are an order, too: that of unlike events without an id */
}

/* Whether a fact looks at a query's next one. */
static bool compares_queries(const struct program *p)
{
    for (size_t i = 0; i < p->facts_count; i++)
        if (p->facts[i].fact.of == FACT_QUERIES && p->facts[i].fact.query == FACT_QUERY_REFORMULATED)
            return true;
    return false;
}

static void find_next_queries(struct building *b)
{
    struct found **sorted = arena_alloc(&b->scratch, (b->queries_count + 1) * sizeof(struct found *));
    for (size_t i = 0; i < b->queries_count; i++)
        sorted[i] = &b->queries[i];
    qsort(sorted, b->queries_count, sizeof(struct found *), by_time);
    for (size_t i = 0; i + 1 < b->queries_count; i++) {
        sorted[i]->query.next_us = sorted[i + 1]->query.at_us;
        sorted[i]->query.next_text = sorted[i + 1]->query.text;
    }
}

/* Requests without a query id are queries of their own, whose clicks nobody can name. Events in the order of query ids: the order in which
 * queries are added. */
static void find_queries(struct building *b, struct day_event *events, size_t count)
{
    b->queries = arena_alloc(&b->scratch, (count + 1) * sizeof *b->queries);
    b->queries_count = 0;
    event_sort_by_query(events, count, arena_alloc(&b->scratch, (count + 1) * sizeof *events));
    for (size_t from = 0, to; from < count; from = to) {
        to = from + 1;
        if (!event_is_signal(&events[from]))
            continue;
        while (events[from].query_id.n && to < count && str_eq(events[to].query_id, events[from].query_id))
            to++;
        find_query(b, events + from, to - from);
    }
}

static void add_queries(struct building *b, struct day_event *events, size_t count)
{
    const struct program *p = b->rules->program;
    find_queries(b, events, count);
    if (b->compares_queries)
        find_next_queries(b);
    for (size_t i = 0; i < b->queries_count; i++)
        for (uint32_t f = 0; f < p->facts_count && b->queries[i].today; f++)
            if (p->facts[f].fact.of == FACT_QUERIES)
                add_at(b, f, b->queries[i].query.at_us, query_measure(&b->queries[i].query, &p->facts[f].fact));
}

/* ---- one unit ---- */

static int by_time_and_fact(const void *a, const void *b)
{
    const struct day_item *x = a, *y = b;
    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    if (x->fact != y->fact)
        return x->fact < y->fact ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

/* Events in the order of time. *out_any: whether one of them is of this day. */
static bool build(struct building *b, struct day_event *events, size_t count, bool *out_any, struct err *err)
{
    size_t first = 0, last = 0;
    while (first < count && events[first].at_us < b->rules->from_us)
        first++;
    for (last = first; last < count && events[last].at_us < b->rules->to_us;)
        last++;
    *out_any = last > first;
    if (!*out_any)
        return true;
    arena_reset(&b->scratch);
    b->u = (struct unit_day){ .unit = events[0].unit, .all = sums_new(b) };
    b->items_room = 0;
    collect_exposures(b, events + first, last - first);
    add_signals(b, events + first, last - first);
    if (b->rules->program->facts_of[FACT_SESSIONS] && !add_sessions(b, events, count, err))
        return false;
    find_next_signals(events, count);
    add_queries(b, events + first, count - first);
    if (b->u.items_count)
        qsort(b->u.items, b->u.items_count, sizeof *b->u.items, by_time_and_fact);
    return true;
}

struct telling {
    struct building building;
    unit_day_fn fn;
    void *arg;
};

static bool tell(void *arg, struct day_event *events, size_t count, struct err *err)
{
    struct telling *t = arg;
    bool any;
    return build(&t->building, events, count, &any, err) && (!any || t->fn(t->arg, &t->building.u, err));
}

bool unit_days(const struct day_event *events, size_t count, const struct unit_day_rules *rules, unit_day_fn fn,
               void *arg, struct err *err)
{
    struct telling t = { .building = { .rules = rules }, .fn = fn, .arg = arg };
    arena_init(&t.building.scratch, 1 << 16);
    t.building.compares_queries = compares_queries(rules->program);
    bool ok = event_units(events, count, tell, &t, err);
    arena_release(&t.building.scratch);
    return ok;
}

/* ---- the record ---- */

static void put_text(struct buf *b, struct str s)
{
    uint32_t n = (uint32_t)s.n;
    buf_add(b, &n, sizeof n);
    buf_add_str(b, s);
}

/* Which of them are not 0, a bit each; and those. */
static void put_sums(struct buf *b, const double *sums, size_t count)
{
    for (size_t from = 0; from < count; from += 8) {
        unsigned bits = 0;
        for (size_t i = from; i < count && i < from + 8; i++)
            bits |= (unsigned)(sums[i] != 0) << (i - from);
        buf_add_byte(b, (char)bits);
    }
    for (size_t i = 0; i < count; i++)
        if (sums[i] != 0)
            buf_add(b, &sums[i], sizeof sums[i]);
}

void unit_day_write(struct buf *b, const struct unit_day *u, const struct program *p)
{
    uint32_t exposures = (uint32_t)u->exposures_count, items = (uint32_t)u->items_count;
    put_text(b, u->unit);
    buf_add(b, &u->last_us, sizeof u->last_us);
    put_sums(b, u->all, p->facts_count);
    buf_add(b, &exposures, sizeof exposures);
    for (size_t i = 0; i < u->exposures_count; i++) {
        const struct day_exposure *e = &u->exposures[i];
        buf_add(b, &e->experiment, sizeof e->experiment);
        buf_add(b, &e->at_us, sizeof e->at_us);
        buf_add_byte(b, (char)e->several);
        put_sums(b, e->after, p->facts_count);
        put_text(b, e->variant);
        put_text(b, e->dims);
    }
    buf_add(b, &items, sizeof items);
    for (size_t i = 0; i < u->items_count; i++) {
        buf_add(b, &u->items[i].at_us, sizeof u->items[i].at_us);
        buf_add(b, &u->items[i].value, sizeof u->items[i].value);
        buf_add(b, &u->items[i].fact, sizeof u->items[i].fact);
    }
}

static bool take_sums(struct str *in, const struct program *p, double **out, struct arena *arena)
{
    struct str bits = { in->p, (p->facts_count + 7) / 8 };
    if (in->n < bits.n)
        return false;
    in->p += bits.n;
    in->n -= bits.n;
    *out = arena_zalloc(arena, (p->facts_count + 1) * sizeof **out);
    for (size_t i = 0; i < p->facts_count; i++)
        if ((unsigned char)bits.p[i / 8] >> (i % 8) & 1 && !record_take(in, &(*out)[i], sizeof **out))
            return false;
    return true;
}

static bool take_exposures(struct str *in, const struct program *p, struct unit_day *out, struct arena *arena)
{
    uint32_t n;
    if (!record_take(in, &n, sizeof n) || n > in->n)
        return false;
    out->exposures_count = n;
    out->exposures = arena_alloc(arena, (n + 1) * sizeof *out->exposures);
    for (uint32_t i = 0; i < n; i++) {
        struct day_exposure *e = &out->exposures[i];
        char several;
        if (!record_take(in, &e->experiment, sizeof e->experiment) || !record_take(in, &e->at_us, sizeof e->at_us) ||
            !record_take(in, &several, 1) || !take_sums(in, p, &e->after, arena) ||
            !record_take_text(in, &e->variant) || !record_take_text(in, &e->dims))
            return false;
        e->several = several != 0;
    }
    return true;
}

bool unit_day_read(struct str *in, const struct program *p, struct unit_day *out, struct arena *arena)
{
    uint32_t n;
    if (!record_take_text(in, &out->unit) || !record_take(in, &out->last_us, sizeof out->last_us) ||
        !take_sums(in, p, &out->all, arena) || !take_exposures(in, p, out, arena) || !record_take(in, &n, sizeof n) ||
        n > in->n)
        return false;
    out->items_count = n;
    out->items = arena_alloc(arena, (n + 1) * sizeof *out->items);
    for (uint32_t i = 0; i < n; i++) {
        struct day_item *item = &out->items[i];
        if (!record_take(in, &item->at_us, sizeof item->at_us) || !record_take(in, &item->value, sizeof item->value) ||
            !record_take(in, &item->fact, sizeof item->fact) || item->fact >= p->facts_count)
            return false;
    }
    return true;
}
