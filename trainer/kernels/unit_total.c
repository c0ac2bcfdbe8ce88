#include "trainer/kernels/unit_total.h"

#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"

const char *const total_metric_keys[] = {
    [TOTAL_CTR] = "ctr",
    [TOTAL_CLICKS_PER_UNIT] = "clicks_per_unit",
    [TOTAL_CLICKS_PER_QUERY] = "clicks_per_query",
    [TOTAL_MRR] = "mrr",
    [TOTAL_ZERO_RESULT_RATE] = "zero_result_rate",
    [TOTAL_TIME_TO_FIRST_CLICK] = "time_to_first_click",
};
static_assert(sizeof total_metric_keys / sizeof *total_metric_keys == TOTAL_METRIC_COUNT, "a key for every metric");

bool total_metric_is_ratio(enum total_metric m)
{
    return m != TOTAL_CTR && m != TOTAL_CLICKS_PER_UNIT;
}

/* A unit in one experiment. */
struct total {
    uint32_t experiment, variant; /* number of the variant's cell */
    uint32_t next;                /* of the same unit; 0 none (entry 0 is not used) */
    int32_t day;                  /* of the first exposure */
    bool several, marked;
    struct day_sums sums;
};

struct variant {
    uint32_t experiment;
    struct str key;
};

struct slot {
    struct str unit;
    uint32_t first; /* its totals */
    bool marked;
};

struct unit_totals {
    struct arena texts;
    struct slot *slots; /* open addressing; unit.p NULL: empty */
    size_t slots_room, slots_used;
    struct total *totals;
    size_t totals_count, totals_room;
    struct variant *variants;
    size_t variants_count, variants_room;
    int64_t *last_us; /* per experiment */
    size_t experiments;
};

struct unit_totals *unit_totals_new(void)
{
    struct unit_totals *t = mem_zalloc(sizeof *t);
    arena_init(&t->texts, 1 << 16);
    t->slots_room = 1024;
    t->slots = mem_zalloc(t->slots_room * sizeof *t->slots);
    t->totals_count = 1;
    t->totals_room = 1024;
    t->totals = mem_zalloc(t->totals_room * sizeof *t->totals);
    return t;
}

void unit_totals_free(struct unit_totals *t)
{
    arena_release(&t->texts);
    mem_free(t->slots);
    mem_free(t->totals);
    mem_free(t->variants);
    mem_free(t->last_us);
    mem_free(t);
}

static struct slot *probe(struct slot *slots, size_t room, struct str unit)
{
    size_t at = (size_t)(hash64(unit) >> 12); /* the low bits are the bucket: alike within a range */
    while (slots[at & (room - 1)].unit.p && !str_eq(slots[at & (room - 1)].unit, unit))
        at++;
    return &slots[at & (room - 1)];
}

static void grow_slots(struct unit_totals *t)
{
    size_t room = t->slots_room * 2;
    struct slot *slots = mem_zalloc(room * sizeof *slots);
    for (size_t i = 0; i < t->slots_room; i++)
        if (t->slots[i].unit.p)
            *probe(slots, room, t->slots[i].unit) = t->slots[i];
    mem_free(t->slots);
    t->slots = slots;
    t->slots_room = room;
}

static struct slot *slot_of(struct unit_totals *t, struct str unit, bool make)
{
    struct slot *s = probe(t->slots, t->slots_room, unit);
    if (s->unit.p || !make)
        return s->unit.p ? s : NULL;
    if (t->slots_used * 2 >= t->slots_room) {
        grow_slots(t);
        s = probe(t->slots, t->slots_room, unit);
    }
    s->unit = arena_str(&t->texts, unit);
    t->slots_used++;
    return s;
}

static uint32_t variant_of(struct unit_totals *t, uint32_t experiment, struct str key)
{
    for (size_t i = 0; i < t->variants_count; i++)
        if (t->variants[i].experiment == experiment && str_eq(t->variants[i].key, key))
            return (uint32_t)i;
    if (t->variants_count == t->variants_room) {
        t->variants_room = t->variants_room ? t->variants_room * 2 : 16;
        t->variants = mem_realloc(t->variants, t->variants_room * sizeof *t->variants);
    }
    t->variants[t->variants_count] = (struct variant){ experiment, arena_str(&t->texts, key) };
    return (uint32_t)t->variants_count++;
}

static struct total *total_of(struct unit_totals *t, const struct slot *s, uint32_t experiment)
{
    for (uint32_t i = s ? s->first : 0; i; i = t->totals[i].next)
        if (t->totals[i].experiment == experiment)
            return &t->totals[i];
    return NULL;
}

static struct total *total_new(struct unit_totals *t, struct slot *s, uint32_t experiment, struct str variant,
                               int32_t day)
{
    if (t->totals_count == t->totals_room) {
        t->totals_room *= 2;
        t->totals = mem_realloc(t->totals, t->totals_room * sizeof *t->totals);
    }
    uint32_t i = (uint32_t)t->totals_count++;
    t->totals[i] = (struct total){ .experiment = experiment,
                                   .variant = variant_of(t, experiment, variant),
                                   .next = s->first,
                                   .day = day,
                                   .marked = s->marked };
    s->first = i;
    return &t->totals[i];
}

static void heard(struct unit_totals *t, uint32_t experiment, int64_t at_us)
{
    if (experiment >= t->experiments) {
        t->last_us = mem_realloc(t->last_us, (experiment + 1) * sizeof *t->last_us);
        memset(t->last_us + t->experiments, 0, (experiment + 1 - t->experiments) * sizeof *t->last_us);
        t->experiments = experiment + 1;
    }
    if (at_us > t->last_us[experiment])
        t->last_us[experiment] = at_us;
}

void unit_totals_mark(struct unit_totals *t, struct str unit)
{
    slot_of(t, unit, true)->marked = true;
}

void unit_totals_add(struct unit_totals *t, const struct unit_day *u, int32_t day, const int32_t *last_days,
                     size_t experiments)
{
    struct slot *s = slot_of(t, u->unit, u->exposures_count > 0);
    for (uint32_t i = s ? s->first : 0; i; i = t->totals[i].next) {
        struct total *total = &t->totals[i];
        if (day > last_days[total->experiment])
            continue;
        day_sums_add(&total->sums, &u->all);
        heard(t, total->experiment, u->last_us);
    }
    for (size_t k = 0; k < u->exposures_count; k++) {
        const struct day_exposure *e = &u->exposures[k];
        if (e->experiment >= experiments || day > last_days[e->experiment])
            continue;
        struct total *total = total_of(t, s, e->experiment);
        if (!total) {
            total = total_new(t, s, e->experiment, e->variant, day);
            total->sums = e->after;
            heard(t, e->experiment, u->last_us);
        }
        total->several = total->several || e->several || !str_eq(t->variants[total->variant].key, e->variant);
    }
}

static bool counts(const struct total *t)
{
    return !t->several && !t->marked;
}

static void add_metrics(struct moments2 m[TOTAL_METRIC_COUNT], const struct day_sums *s)
{
    moments2_add(&m[TOTAL_CTR], s->clicks > 0, 0);
    moments2_add(&m[TOTAL_CLICKS_PER_UNIT], s->clicks, 0);
    moments2_add(&m[TOTAL_CLICKS_PER_QUERY], s->clicks, s->queries);
    moments2_add(&m[TOTAL_MRR], s->reciprocal_ranks, s->queries);
    moments2_add(&m[TOTAL_ZERO_RESULT_RATE], s->zero_queries, s->known_queries);
    moments2_add(&m[TOTAL_TIME_TO_FIRST_CLICK], s->seconds, s->timed_queries);
}

/* Totals stand in the order in which units were first exposed, by day and then by name: the same whatever the workers do. */
bool unit_totals_day(struct unit_totals *t, int32_t day, const int32_t *last_days, total_cell_fn fn, void *arg,
                     struct err *err)
{
    struct total_cell *cells = mem_zalloc((t->variants_count + 1) * sizeof *cells);
    bool ok = true;
    for (size_t i = 1; i < t->totals_count; i++)
        if (counts(&t->totals[i]))
            add_metrics(cells[t->totals[i].variant].metrics, &t->totals[i].sums);
    for (size_t i = 0; ok && i < t->variants_count; i++) {
        cells[i].experiment = t->variants[i].experiment;
        cells[i].variant = t->variants[i].key;
        cells[i].day = day;
        if (day <= last_days[cells[i].experiment])
            ok = fn(arg, &cells[i], err);
    }
    mem_free(cells);
    return ok;
}

/* Totals of one day stand together. Adds them up and returns where the next day begins. */
static size_t add_cohort(const struct unit_totals *t, size_t from, struct total_cell *cells)
{
    size_t i = from;
    for (; i < t->totals_count && t->totals[i].day == t->totals[from].day; i++)
        if (counts(&t->totals[i]))
            add_metrics(cells[t->totals[i].variant].metrics, &t->totals[i].sums);
    return i;
}

bool unit_totals_cohorts(const struct unit_totals *t, const bool *wanted, total_cell_fn fn, void *arg, struct err *err)
{
    struct total_cell *cells = mem_zalloc((t->variants_count + 1) * sizeof *cells);
    bool ok = true;
    for (size_t at = 1; ok && at < t->totals_count;) {
        int32_t day = t->totals[at].day;
        memset(cells, 0, t->variants_count * sizeof *cells);
        at = add_cohort(t, at, cells);
        for (size_t i = 0; ok && i < t->variants_count; i++) {
            cells[i].experiment = t->variants[i].experiment;
            cells[i].variant = t->variants[i].key;
            cells[i].day = day;
            cells[i].cohort = true;
            if (wanted[cells[i].experiment] && cells[i].metrics[TOTAL_CTR].n > 0)
                ok = fn(arg, &cells[i], err);
        }
    }
    mem_free(cells);
    return ok;
}

void unit_totals_counts(const struct unit_totals *t, uint32_t experiment, struct total_counts *out)
{
    *out = (struct total_counts){ .last_us = experiment < t->experiments ? t->last_us[experiment] : 0 };
    for (size_t i = 1; i < t->totals_count; i++) {
        if (t->totals[i].experiment != experiment)
            continue;
        out->units += counts(&t->totals[i]);
        out->marked += t->totals[i].marked;
        out->several += t->totals[i].several && !t->totals[i].marked;
    }
}
