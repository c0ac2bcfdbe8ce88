#include "trainer/kernels/unit_total.h"

#include <assert.h>

#include "base/hash.h"

/* Of one column: a number, or the first of a list. Entry 0 of every list is not used: it ends them. */
union kept {
    double sum;
    uint32_t place;
};

struct value {
    double value;
    uint32_t next;
};

/* Sums of one unit and day, one for each fact in `sums` at the same place. */
struct past {
    int32_t day;
    uint32_t next; /* the day before it */
};

struct unit {
    uint64_t hash;
    uint32_t totals, past; /* the first of each */
    bool marked;
};

struct name {
    struct str unit; /* p NULL: empty */
    uint32_t number;
};

/* Which columns are kept for an experiment; places[column] is PROGRAM_NONE for the others. */
struct layout {
    uint32_t *columns, *places;
    size_t count;
};

/* Places of an experiment's totals. */
struct members {
    uint32_t *list;
    size_t list_count, list_room;
    int64_t last_us;
};

struct unit_totals {
    const struct total_rules *rules;
    struct arena texts;
    struct layout *layouts; /* of each experiment */
    struct members *members;
    struct name *names; /* open addressing */
    size_t names_room;
    struct unit *units;
    size_t units_count, units_room;
    struct total *totals;
    size_t totals_count, totals_room;
    union kept *kept;
    size_t kept_count, kept_room;
    struct value *values;
    size_t values_count, values_room;
    struct past *past;
    double *sums;
    size_t past_count, past_room, sums_room;
    uint32_t past_free; /* entries given back */
    struct total_variant *variants;
    size_t variants_count, variants_room;
    struct str *dims;
    size_t dims_count, dims_room;
};

/* Makes room for `more` behind `count`. */
static void *grown(void *list, size_t count, size_t more, size_t *room, size_t size)
{
    if (count + more <= *room)
        return list;
    while (*room < count + more)
        *room = *room ? *room * 2 : 64;
    return mem_realloc(list, *room * size);
}
#define GROW(t, list, more) \
    ((t)->list = grown((t)->list, (t)->list##_count, (more), &(t)->list##_room, sizeof *(t)->list))

static void lay_out(struct layout *l, const struct program *p, const struct total_experiment *e, struct arena *arena)
{
    l->columns = arena_alloc(arena, (p->columns_count + 1) * sizeof *l->columns);
    l->places = arena_alloc(arena, (p->columns_count + 1) * sizeof *l->places);
    memset(l->places, 0xff, (p->columns_count + 1) * sizeof *l->places);
    for (size_t i = 0; i < e->metrics_count; i++) {
        const struct program_metric *m = &p->metrics[e->metrics[i]];
        const uint32_t of[] = { m->x, m->y, m->before_x, m->before_y };
        for (size_t k = 0; k < COUNT_OF(of); k++)
            if (of[k] != PROGRAM_NONE && l->places[of[k]] == PROGRAM_NONE) {
                l->places[of[k]] = (uint32_t)l->count;
                l->columns[l->count++] = of[k];
            }
    }
}

struct unit_totals *unit_totals_new(const struct total_rules *rules)
{
    struct unit_totals *t = mem_zalloc(sizeof *t);
    arena_init(&t->texts, 1 << 16);
    t->rules = rules;
    t->layouts = arena_zalloc(&t->texts, (rules->experiments_count + 1) * sizeof *t->layouts);
    t->members = arena_zalloc(&t->texts, (rules->experiments_count + 1) * sizeof *t->members);
    for (size_t i = 0; i < rules->experiments_count; i++)
        lay_out(&t->layouts[i], rules->program, &rules->experiments[i], &t->texts);
    t->names_room = 1024;
    t->names = mem_zalloc(t->names_room * sizeof *t->names);
    t->totals_count = t->values_count = t->past_count = 1;
    GROW(t, totals, 0);
    GROW(t, values, 0);
    GROW(t, past, 0);
    return t;
}

void unit_totals_free(struct unit_totals *t)
{
    for (size_t i = 0; i < t->rules->experiments_count; i++)
        mem_free(t->members[i].list);
    arena_release(&t->texts);
    mem_free(t->names);
    mem_free(t->units);
    mem_free(t->totals);
    mem_free(t->kept);
    mem_free(t->values);
    mem_free(t->past);
    mem_free(t->sums);
    mem_free(t->variants);
    mem_free(t->dims);
    mem_free(t);
}

/* ---- units by name ---- */

static struct name *probe(struct name *names, size_t room, struct str unit)
{
    size_t at = (size_t)(hash64(unit) >> 12); /* the low bits are the bucket: alike within a range */
    while (names[at & (room - 1)].unit.p && !str_eq(names[at & (room - 1)].unit, unit))
        at++;
    return &names[at & (room - 1)];
}

static void grow_names(struct unit_totals *t)
{
    size_t room = t->names_room * 2;
    struct name *names = mem_zalloc(room * sizeof *names);
    for (size_t i = 0; i < t->names_room; i++)
        if (t->names[i].unit.p)
            *probe(names, room, t->names[i].unit) = t->names[i];
    mem_free(t->names);
    t->names = names;
    t->names_room = room;
}

static struct unit *unit_of(struct unit_totals *t, struct str name, bool make)
{
    struct name *n = probe(t->names, t->names_room, name);
    if (n->unit.p || !make)
        return n->unit.p ? &t->units[n->number] : NULL;
    if (t->units_count * 2 >= t->names_room) {
        grow_names(t);
        n = probe(t->names, t->names_room, name);
    }
    GROW(t, units, 1);
    *n = (struct name){ arena_str(&t->texts, name), (uint32_t)t->units_count };
    t->units[t->units_count] = (struct unit){ .hash = hash64(name) };
    return &t->units[t->units_count++];
}

void unit_totals_mark(struct unit_totals *t, struct str unit)
{
    unit_of(t, unit, true)->marked = true;
}

void unit_totals_expect(struct unit_totals *t, struct str unit)
{
    (void)unit_of(t, unit, true);
}

static uint32_t variant_of(struct unit_totals *t, uint32_t experiment, struct str key)
{
    for (size_t i = 0; i < t->variants_count; i++)
        if (t->variants[i].experiment == experiment && str_eq(t->variants[i].key, key))
            return (uint32_t)i;
    GROW(t, variants, 1);
    t->variants[t->variants_count] = (struct total_variant){ experiment, arena_str(&t->texts, key) };
    return (uint32_t)t->variants_count++;
}

/* Few are different, and neighbours are often alike: from the end. */
static uint32_t dims_of(struct unit_totals *t, struct str dims)
{
    for (size_t i = t->dims_count; i > 0; i--)
        if (str_eq(t->dims[i - 1], dims))
            return (uint32_t)(i - 1);
    GROW(t, dims, 1);
    t->dims[t->dims_count] = arena_str(&t->texts, dims);
    return (uint32_t)t->dims_count++;
}

/* ---- the days of a unit ---- */

static uint32_t past_new(struct unit_totals *t, int32_t day, const double *sums)
{
    size_t facts = t->rules->program->facts_count;
    uint32_t at = t->past_free;
    if (at) {
        t->past_free = t->past[at].next;
    } else {
        GROW(t, past, 1);
        t->sums = grown(t->sums, t->past_count * facts, facts, &t->sums_room, sizeof *t->sums);
        at = (uint32_t)t->past_count++;
    }
    t->past[at] = (struct past){ .day = day };
    if (facts)
        memcpy(t->sums + at * facts, sums, facts * sizeof *sums);
    return at;
}

/* Gives back the days that lie before `day`. */
static void forget(struct unit_totals *t, struct unit *u, int32_t day)
{
    uint32_t *link = &u->past;
    while (*link && t->past[*link].day >= day)
        link = &t->past[*link].next;
    for (uint32_t at = *link, next; at; at = next) {
        next = t->past[at].next;
        t->past[at].next = t->past_free;
        t->past_free = at;
    }
    *link = 0;
}

static void remember(struct unit_totals *t, struct unit *u, int32_t day, const double *sums)
{
    bool any = false;
    for (size_t i = 0; i < t->rules->program->facts_count; i++)
        any = any || sums[i] != 0;
    if (!u->totals)
        forget(t, u, day - t->rules->program->covariate_days);
    if (!any)
        return;
    uint32_t at = past_new(t, day, sums);
    t->past[at].next = u->past;
    u->past = at;
}

static const double *sums_at(const struct unit_totals *t, uint32_t past)
{
    return t->sums + past * t->rules->program->facts_count;
}

/* ---- columns ---- */

static bool in_window(const struct total *total, const struct program_column *c, int64_t at_us)
{
    int64_t since_us = at_us - total->at_us;
    return since_us >= c->from_us && since_us < c->to_us;
}

static void add_window(const struct total *total, const struct program_column *c, const struct unit_day *u,
                       union kept *kept)
{
    for (size_t i = 0; i < u->items_count; i++)
        if (u->items[i].fact == c->facts[0] && in_window(total, c, u->items[i].at_us))
            kept->sum += u->items[i].value;
}

static void add_values(struct unit_totals *t, const struct total *total, const struct program_column *c,
                       const struct unit_day *u, union kept *kept)
{
    for (size_t i = 0; i < u->items_count; i++) {
        if (u->items[i].fact != c->facts[0] || !in_window(total, c, u->items[i].at_us))
            continue;
        GROW(t, values, 1);
        t->values[t->values_count] = (struct value){ u->items[i].value, kept->place };
        kept->place = (uint32_t)t->values_count++;
    }
}

/* The step that is next, among the values at one instant that no step has used: they have no order among themselves. */
static bool take_step(const struct unit_day *u, size_t from, size_t to, uint32_t fact, bool *used)
{
    for (size_t i = from; i < to; i++)
        if (!used[i - from] && u->items[i].fact == fact && u->items[i].value > 0) {
            used[i - from] = true;
            return true;
        }
    return false;
}

static void add_steps(const struct total *total, const struct program_column *c, const struct unit_day *u,
                      union kept *kept)
{
    enum { AT_ONCE = 64 }; /* more at one instant are looked at in pieces */
    for (size_t from = 0, to; from < u->items_count && kept->place < c->facts_count; from = to) {
        bool used[AT_ONCE] = { false };
        for (to = from + 1; to < u->items_count && to - from < AT_ONCE && u->items[to].at_us == u->items[from].at_us;)
            to++;
        if (!in_window(total, c, u->items[from].at_us))
            continue;
        while (kept->place < c->facts_count && take_step(u, from, to, c->facts[kept->place], used))
            kept->place++;
    }
}

/* A day's record of a unit in an experiment; sums are those that count. */
static void add_day(struct unit_totals *t, const struct total *total, const struct unit_day *u, const double *sums)
{
    const struct layout *l = &t->layouts[total->experiment];
    for (size_t i = 0; i < l->count; i++) {
        const struct program_column *c = &t->rules->program->columns[l->columns[i]];
        union kept *kept = &t->kept[total->kept + i];
        switch (c->kind) {
        case COLUMN_SUM:
            kept->sum += sums[c->facts[0]];
            break;
        case COLUMN_WINDOW:
            add_window(total, c, u, kept);
            break;
        case COLUMN_VALUES:
            add_values(t, total, c, u, kept);
            break;
        case COLUMN_STEPS:
            add_steps(total, c, u, kept);
            break;
        case COLUMN_BEFORE:
            break;
        }
    }
}

/* Once, on the day of the first exposure, before that day is remembered. */
static void fill_before(struct unit_totals *t, const struct unit *unit, const struct total *total,
                        const struct unit_day *u, const double *after)
{
    const struct layout *l = &t->layouts[total->experiment];
    for (size_t i = 0; i < l->count; i++) {
        const struct program_column *c = &t->rules->program->columns[l->columns[i]];
        if (c->kind != COLUMN_BEFORE)
            continue;
        double sum = u->all[c->facts[0]] - after[c->facts[0]];
        for (uint32_t at = unit->past; at && t->past[at].day >= total->day - c->days; at = t->past[at].next)
            sum += sums_at(t, at)[c->facts[0]];
        t->kept[total->kept + i].sum = sum;
    }
}

/* ---- totals ---- */

static struct total *total_of(struct unit_totals *t, const struct unit *u, uint32_t experiment)
{
    for (uint32_t i = u->totals; i; i = t->totals[i].next)
        if (t->totals[i].experiment == experiment)
            return &t->totals[i];
    return NULL;
}

static struct total *total_new(struct unit_totals *t, struct unit *u, const struct day_exposure *e, int32_t day)
{
    size_t columns = t->layouts[e->experiment].count;
    struct members *members = &t->members[e->experiment];
    GROW(members, list, 1);
    GROW(t, totals, 1);
    GROW(t, kept, columns);
    memset(t->kept + t->kept_count, 0, columns * sizeof *t->kept);
    uint32_t i = (uint32_t)t->totals_count++;
    t->totals[i] = (struct total){ .experiment = e->experiment,
                                   .variant = variant_of(t, e->experiment, e->variant),
                                   .dims = dims_of(t, e->dims),
                                   .day = day,
                                   .at_us = e->at_us,
                                   .marked = u->marked,
                                   .unit = (uint32_t)(u - t->units),
                                   .next = u->totals,
                                   .first_day = past_new(t, day, e->after),
                                   .kept = t->kept_count };
    t->kept_count += columns;
    members->list[members->list_count++] = i;
    u->totals = i;
    return &t->totals[i];
}

static void heard(struct unit_totals *t, uint32_t experiment, int64_t at_us)
{
    if (at_us > t->members[experiment].last_us)
        t->members[experiment].last_us = at_us;
}

static bool is_over(const struct unit_totals *t, uint32_t experiment, int32_t day)
{
    return experiment >= t->rules->experiments_count || day > t->rules->experiments[experiment].last_day;
}

static void add_exposure(struct unit_totals *t, struct unit *unit, const struct unit_day *u,
                         const struct day_exposure *e, int32_t day)
{
    struct total *total = total_of(t, unit, e->experiment);
    if (!total) {
        total = total_new(t, unit, e, day);
        fill_before(t, unit, total, u, e->after);
        add_day(t, total, u, e->after);
        heard(t, e->experiment, u->last_us);
    }
    total->several = total->several || e->several || !str_eq(t->variants[total->variant].key, e->variant);
}

void unit_totals_add(struct unit_totals *t, const struct unit_day *u, int32_t day)
{
    struct unit *unit = unit_of(t, u->unit, u->exposures_count > 0);
    if (!unit)
        return;
    for (uint32_t i = unit->totals; i; i = t->totals[i].next) {
        if (is_over(t, t->totals[i].experiment, day))
            continue;
        add_day(t, &t->totals[i], u, u->all);
        heard(t, t->totals[i].experiment, u->last_us);
    }
    for (size_t k = 0; k < u->exposures_count; k++)
        if (!is_over(t, u->exposures[k].experiment, day))
            add_exposure(t, unit, u, &u->exposures[k], day);
    remember(t, unit, day, u->all);
}

/* ---- what is asked ---- */

const struct total_rules *unit_totals_rules(const struct unit_totals *t)
{
    return t->rules;
}

size_t unit_totals_count(const struct unit_totals *t, uint32_t experiment)
{
    return t->members[experiment].list_count;
}

const struct total *unit_totals_at(const struct unit_totals *t, uint32_t experiment, size_t i)
{
    return &t->totals[t->members[experiment].list[i]];
}

size_t unit_totals_variants(const struct unit_totals *t)
{
    return t->variants_count;
}

struct total_variant unit_totals_variant(const struct unit_totals *t, uint32_t variant)
{
    return t->variants[variant];
}

size_t unit_totals_dims_count(const struct unit_totals *t)
{
    return t->dims_count;
}

struct str unit_totals_dims(const struct unit_totals *t, uint32_t dims)
{
    return t->dims[dims];
}

int64_t unit_totals_last_us(const struct unit_totals *t, uint32_t experiment)
{
    return t->members[experiment].last_us;
}

uint64_t unit_total_hash(const struct unit_totals *t, const struct total *total)
{
    return t->units[total->unit].hash;
}

static union kept kept_of(const struct unit_totals *t, const struct total *total, uint32_t column)
{
    uint32_t place = t->layouts[total->experiment].places[column];
    assert(place != PROGRAM_NONE);
    return t->kept[total->kept + place];
}

double unit_total_sum(const struct unit_totals *t, const struct total *total, uint32_t column)
{
    union kept k = kept_of(t, total, column);
    return t->rules->program->columns[column].kind == COLUMN_STEPS ? k.place : k.sum;
}

size_t unit_total_values(const struct unit_totals *t, const struct total *total, uint32_t column, double *out,
                         size_t room)
{
    size_t n = 0;
    for (uint32_t at = kept_of(t, total, column).place; at; at = t->values[at].next, n++)
        if (n < room)
            out[n] = t->values[at].value;
    return n;
}

void unit_total_since(const struct unit_totals *t, const struct total *total, uint32_t fact, double *out, size_t days)
{
    for (size_t i = 1; i < days; i++)
        out[i] = 0;
    out[0] = sums_at(t, total->first_day)[fact];
    for (uint32_t at = t->units[total->unit].past; at && t->past[at].day > total->day; at = t->past[at].next)
        if ((size_t)(t->past[at].day - total->day) < days)
            out[t->past[at].day - total->day] = sums_at(t, at)[fact];
}
