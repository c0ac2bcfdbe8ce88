#include "trainer/kernels/event_units.h"

#include <endian.h>
#include <stdlib.h>

#include "base/hash.h"

enum { FEW = 24 }; /* so many are sorted by moving each to its place */

/* ---- sorting the events of one unit ---- */

/* Of two events of one unit: their instants nearly always tell. */
static bool is_later(const struct day_event *a, const struct day_event *b)
{
    return a->at_us != b->at_us ? a->at_us > b->at_us : event_by_unit_and_time(a, b) > 0;
}

static void sort_by_time(struct day_event *events, size_t count)
{
    if (count > FEW) {
        qsort(events, count, sizeof *events, event_by_unit_and_time);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        size_t at = i;
        while (at > 0 && is_later(&events[at - 1], &events[i]))
            at--;
        if (at == i)
            continue;
        struct day_event e = events[i];
        memmove(&events[at + 1], &events[at], (i - at) * sizeof e);
        events[at] = e;
    }
}

/* Of an event in the order of queries: the first bytes of the query's id, which nearly always tell. */
struct query_key {
    uint64_t head;
    const struct day_event *event;
};

static uint64_t head_of(struct str s)
{
    uint64_t head = 0;
    if (s.n)
        memcpy(&head, s.p, s.n < sizeof head ? s.n : sizeof head);
    return be64toh(head);
}

static bool is_behind(const struct query_key *a, const struct query_key *b)
{
    return a->head != b->head ? a->head > b->head : event_compare_str(a->event->query_id, b->event->query_id) > 0;
}

/* Those of one query stay in the order of time, in which they are. */
static void sort_few_by_query(struct day_event *events, size_t count, struct day_event *scratch)
{
    struct query_key keys[FEW];
    for (size_t i = 0; i < count; i++) {
        struct query_key k = { head_of(events[i].query_id), &events[i] };
        size_t at = i;
        for (; at > 0 && is_behind(&keys[at - 1], &k); at--)
            keys[at] = keys[at - 1];
        keys[at] = k;
    }
    for (size_t i = 0; i < count; i++)
        scratch[i] = *keys[i].event;
    memcpy(events, scratch, count * sizeof *events);
}

void event_sort_by_query(struct day_event *events, size_t count, struct day_event *scratch)
{
    if (count <= FEW)
        sort_few_by_query(events, count, scratch);
    else
        qsort(events, count, sizeof *events, event_by_query_and_time);
}

/* ---- units by name ---- */

struct unit {
    struct str name;
    uint32_t hash;
    uint32_t count; /* of its events; then the place behind its last one */
};

struct units {
    struct unit *list;
    uint32_t count, room;
    uint32_t *slots; /* open addressing: a unit's number plus 1; 0 empty */
    uint32_t mask;
};

static void find_slot(const struct units *u, struct str name, uint32_t hash, uint32_t *out)
{
    uint32_t at = hash & u->mask;
    for (; u->slots[at]; at = (at + 1) & u->mask) {
        const struct unit *unit = &u->list[u->slots[at] - 1];
        if (unit->hash == hash && str_eq(unit->name, name))
            break;
    }
    *out = at;
}

static void grow(struct units *u)
{
    u->room *= 2;
    u->mask = u->room * 2 - 1;
    u->list = mem_realloc(u->list, u->room * sizeof *u->list);
    mem_free(u->slots);
    u->slots = mem_zalloc(((size_t)u->mask + 1) * sizeof *u->slots);
    for (uint32_t i = 0, at; i < u->count; i++) {
        find_slot(u, u->list[i].name, u->list[i].hash, &at);
        u->slots[at] = i + 1;
    }
}

static uint32_t unit_of(struct units *u, struct str name)
{
    uint32_t hash = (uint32_t)(hash64(name) >> 24), at; /* the low bits are the bucket: alike within a range */
    find_slot(u, name, hash, &at);
    if (!u->slots[at]) {
        if (u->count == u->room) {
            grow(u);
            find_slot(u, name, hash, &at);
        }
        u->list[u->count] = (struct unit){ .name = name, .hash = hash };
        u->slots[at] = ++u->count;
    }
    return u->slots[at] - 1;
}

/* ---- unit after unit ---- */

struct grouping {
    const struct day_event *events;
    size_t count;
    struct units units;
    uint32_t *unit_of; /* of each event */
    uint32_t *places;  /* of events, those of one unit together, in the order in which they came */
    const struct unit **by_name;
    size_t most; /* events of one unit */
};

static int by_name(const void *a, const void *b)
{
    const struct unit *const *x = a, *const *y = b;
    return event_compare_str((*x)->name, (*y)->name);
}

static void count_units(struct grouping *g)
{
    struct str last = { NULL, 0 };
    uint32_t number = 0;
    g->units = (struct units){ .room = 512 };
    grow(&g->units);
    for (size_t i = 0; i < g->count; i++) {
        struct str name = g->events[i].unit;
        if (i == 0 || name.p != last.p || name.n != last.n)
            number = unit_of(&g->units, name);
        last = name;
        g->unit_of[i] = number;
        g->units.list[number].count++;
    }
}

static void place_events(struct grouping *g)
{
    struct units *u = &g->units;
    uint32_t at = 0;
    for (uint32_t i = 0; i < u->count; i++) {
        uint32_t count = u->list[i].count;
        g->most = count > g->most ? count : g->most;
        u->list[i].count = at;
        at += count;
        g->by_name[i] = &u->list[i];
    }
    for (size_t i = 0; i < g->count; i++)
        g->places[u->list[g->unit_of[i]].count++] = (uint32_t)i;
    qsort(g->by_name, u->count, sizeof(const struct unit *), by_name);
}

static size_t first_of(const struct grouping *g, const struct unit *unit)
{
    return unit == g->units.list ? 0 : unit[-1].count;
}

/* Units by name lie anywhere among the events: those of one to come are fetched while another is at hand. */
static void fetch_ahead(const struct grouping *g, uint32_t i)
{
    const struct unit *unit = i < g->units.count ? g->by_name[i] : NULL;
    for (size_t at = unit ? first_of(g, unit) : 0; unit && at < unit->count; at++) {
        const char *event = (const char *)&g->events[g->places[at]];
        __builtin_prefetch(event);
        __builtin_prefetch(event + 64);
    }
}

static bool each_unit(const struct grouping *g, event_unit_fn fn, void *arg, struct err *err)
{
    struct day_event *events = mem_alloc((g->most + 1) * sizeof *events);
    bool ok = true;
    for (uint32_t i = 0; ok && i < g->units.count; i++) {
        const struct unit *unit = g->by_name[i];
        size_t from = first_of(g, unit), count = unit->count - from;
        fetch_ahead(g, i + 2);
        for (size_t k = 0; k < count; k++)
            events[k] = g->events[g->places[from + k]];
        sort_by_time(events, count);
        ok = fn(arg, events, count, err);
    }
    mem_free(events);
    return ok;
}

bool event_units(const struct day_event *events, size_t count, event_unit_fn fn, void *arg, struct err *err)
{
    struct grouping g = { .events = events, .count = count };
    if (count > UINT32_MAX)
        return err_set(err, ERR_TOO_LARGE, "%zu events are more than a split may have", count);
    g.unit_of = mem_alloc((count + 1) * sizeof *g.unit_of);
    g.places = mem_alloc((count + 1) * sizeof *g.places);
    count_units(&g);
    g.by_name = mem_alloc((g.units.count + (size_t)1) * sizeof(const struct unit *));
    place_events(&g);
    bool ok = each_unit(&g, fn, arg, err);
    mem_free(g.unit_of);
    mem_free(g.places);
    mem_free((void *)g.by_name);
    mem_free(g.units.list);
    mem_free(g.units.slots);
    return ok;
}
