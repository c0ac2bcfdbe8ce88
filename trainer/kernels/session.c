#include "trainer/kernels/session.h"

#include <math.h>
#include <stdlib.h>

enum session_kind session_kind_of(struct str type)
{
    static const char *const types[] = {
        [SESSION_QUERY] = "request", [SESSION_CLICK] = "click", [SESSION_CART] = "cart", [SESSION_PURCHASE] = "purchase"
    };
    for (int k = SESSION_QUERY; k < SESSION_KIND_COUNT; k++)
        if (str_eq_c(type, types[k]))
            return (enum session_kind)k;
    return SESSION_OTHER;
}

static int by_text(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n ? memcmp(a.p, b.p, n) : 0;
    return d ? d : (a.n > b.n) - (a.n < b.n);
}

/* Total: what is equal in all of it adds up to the same in any order. */
static int by_unit_and_time(const void *a, const void *b)
{
    const struct session_event *x = a, *y = b;
    int d = by_text(x->unit, y->unit);
    if (!d)
        d = (x->at_us > y->at_us) - (x->at_us < y->at_us);
    if (!d)
        d = by_text(x->session, y->session);
    if (!d)
        d = (x->kind > y->kind) - (x->kind < y->kind);
    if (!d)
        d = by_text(x->query, y->query);
    return d ? d : (x->value > y->value) - (x->value < y->value);
}

/* Of neighbours alone: what was further back must not matter, for a day is read from one gap before it. */
static bool goes_on(const struct session_event *last, const struct session_event *e, int64_t gap_us)
{
    return str_eq(last->unit, e->unit) && e->at_us - last->at_us <= gap_us &&
           (!last->session.n || !e->session.n || str_eq(last->session, e->session));
}

static void add(struct session *s, const struct session_event *e)
{
    s->ended_us = e->at_us;
    s->signals++;
    s->counts[e->kind]++;
    if (!s->id.n && e->session.n)
        s->id = e->session;
    if (e->kind == SESSION_PURCHASE && !isnan(e->value))
        s->revenue += e->value;
    if (e->kind != SESSION_QUERY || !e->query.n)
        return;
    s->last_query = e->query;
    if (!s->first_query.n)
        s->first_query = e->query;
}

static struct session begin(const struct session_event *e)
{
    return (struct session){ .unit = e->unit, .started_us = e->at_us, .ended_us = e->at_us };
}

bool sessions_find(struct session_event *events, size_t count, int64_t from_us, int64_t to_us, int64_t gap_us,
                   session_fn fn, void *arg, struct err *err)
{
    if (count)
        qsort(events, count, sizeof *events, by_unit_and_time);
    for (size_t i = 0; i < count;) {
        struct session s = begin(&events[i]);
        do
            add(&s, &events[i++]);
        while (i < count && goes_on(&events[i - 1], &events[i], gap_us));
        if (s.started_us >= from_us && s.started_us < to_us && !fn(arg, &s, err))
            return false;
    }
    return true;
}
