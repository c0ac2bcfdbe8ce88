#include "trainer/kernels/event.h"

#include <math.h>

enum event_kind event_kind_of(struct str type)
{
    static const char *const types[EVENT_KIND_COUNT] = { [EVENT_REQUEST] = "request",
                                                         [EVENT_RESPONSE] = "response",
                                                         [EVENT_CLICK] = "click",
                                                         [EVENT_CART] = "cart",
                                                         [EVENT_PURCHASE] = "purchase" };
    for (int k = EVENT_REQUEST; k <= EVENT_PURCHASE; k++)
        if (str_eq_c(type, types[k]))
            return (enum event_kind)k;
    return EVENT_OTHER;
}

int event_compare_str(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n ? memcmp(a.p, b.p, n) : 0;
    return d ? d : (a.n > b.n) - (a.n < b.n);
}

#define BY(x, y)    \
    if ((x) != (y)) \
    return (x) < (y) ? -1 : 1
#define BY_STR(x, y)                      \
    if (event_compare_str((x), (y)) != 0) \
    return event_compare_str((x), (y))

/* Of clicks at one instant, one whose position is known is the first. */
static int32_t place(const struct day_event *e)
{
    return e->position > 0 ? e->position : INT32_MAX;
}

/* What is unknown is less than any number. */
static double known(double v)
{
    return isnan(v) ? -INFINITY : v;
}

static int by_hits(const struct day_event *x, const struct day_event *y)
{
    BY(x->hits_count, y->hits_count);
    for (uint32_t i = 0; i < x->hits_count; i++) {
        BY(x->hits[i].fact, y->hits[i].fact);
        BY(x->hits[i].value, y->hits[i].value);
    }
    return 0;
}

int event_by_unit_and_time(const void *a, const void *b)
{
    const struct day_event *x = a, *y = b;
    BY_STR(x->unit, y->unit);
    BY(x->at_us, y->at_us);
    BY(x->kind, y->kind);
    BY(x->experiment, y->experiment);
    BY_STR(x->query_id, y->query_id);
    BY(place(x), place(y));
    BY(known(x->value), known(y->value));
    BY_STR(x->session, y->session);
    BY_STR(x->query, y->query);
    return by_hits(x, y);
}

int event_by_query_and_time(const void *a, const void *b)
{
    const struct day_event *x = a, *y = b;
    BY_STR(x->query_id, y->query_id);
    return event_by_unit_and_time(a, b);
}
