/* event_units <-> trainer/kernels/event_units.c: what it gives is what qsort gives, whatever the order, the sizes and the ties. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "trainer/kernels/event_units.h"

enum { EVENTS = 3000, NAMES = 900, QUERIES = 12 };

static uint64_t state;
static unsigned draw(unsigned n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % n;
}

static char names[NAMES][16], queries[QUERIES][24];

static void name_all(void)
{
    for (int i = 0; i < NAMES; i++)
        (void)snprintf(names[i], sizeof names[i], "u%d", i);
    for (int i = 0; i < QUERIES; i++) /* some are alike in their first 8 bytes, some are shorter */
        (void)snprintf(queries[i], sizeof queries[i], i % 3 ? "q%d" : "the-query-%d", i);
}

/* Half of all are of two units, as a robot's are. */
static struct day_event random_event(void)
{
    const char *query = draw(4) ? queries[draw(QUERIES)] : "";
    return (struct day_event){ .kind = (enum event_kind)draw(EVENT_KIND_COUNT),
                               .at_us = (int64_t)draw(50),
                               .unit = str_of(names[draw(2) ? draw(2) : draw(NAMES)]),
                               .query_id = str_of(query),
                               .position = (int32_t)draw(3),
                               .value = draw(2) ? (double)draw(3) : (double)NAN };
}

struct check {
    const struct day_event *sorted;
    size_t at;
    struct day_event scratch[EVENTS], again[EVENTS];
};

static bool same(const struct day_event *a, const struct day_event *b)
{
    return event_by_query_and_time(a, b) == 0;
}

static bool compare(void *arg, struct day_event *events, size_t count, struct err *err)
{
    struct check *c = arg;
    (void)err;
    for (size_t i = 0; i < count; i++)
        cr_assert(same(&events[i], &c->sorted[c->at + i]), "event %zu", c->at + i);
    cr_assert(c->at == 0 || event_compare_str(events[0].unit, c->sorted[c->at - 1].unit) > 0);
    c->at += count;
    memcpy(c->again, events, count * sizeof *events);
    qsort(c->again, count, sizeof *c->again, event_by_query_and_time);
    event_sort_by_query(events, count, c->scratch);
    for (size_t i = 0; i < count; i++)
        cr_assert(same(&events[i], &c->again[i]), "by query: event %zu of %zu", i, count);
    return true;
}

Test(event_units, every_unit_has_its_events_in_order)
{
    static struct day_event events[EVENTS], sorted[EVENTS];
    static struct check c;
    struct err err;
    name_all();
    for (state = 1; state < 40; state = state % 1000 + 1) {
        uint64_t round = state;
        size_t n = round < 3 ? round - 1 : draw(EVENTS);
        for (size_t i = 0; i < n; i++)
            sorted[i] = events[i] = random_event();
        qsort(sorted, n, sizeof *sorted, event_by_unit_and_time);
        c = (struct check){ .sorted = sorted };
        cr_assert(event_units(events, n, compare, &c, &err));
        cr_assert(eq(sz, c.at, n));
        state = round;
    }
}

static bool refuse(void *arg, struct day_event *events, size_t count, struct err *err)
{
    (void)events, (void)count;
    return ++*(int *)arg < 2 || err_set(err, ERR_SYSTEM, "enough");
}

Test(event_units, stops_where_it_is_told_to)
{
    struct day_event events[3] = { { .unit = STR("a") }, { .unit = STR("b") }, { .unit = STR("c") } };
    struct err err;
    int calls = 0;
    cr_assert(not(event_units(events, 3, refuse, &calls, &err)));
    cr_assert(eq(str, err.text, "enough"));
    cr_assert(eq(int, calls, 2));
}
