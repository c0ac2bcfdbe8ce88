#include "trainer/kernels/unit_cells.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "trainer/kernels/segments.h"
#include "trainer/kernels/unit_value.h"

enum { NAME_MAX_BYTES = 32 };

/* ---- an experiment's units and variants ---- */

struct scope {
    const struct cell_pass *pass;
    const struct unit_totals *totals;
    const struct program *program;
    uint32_t experiment;
    size_t units_count;
    uint32_t *variants; /* numbers */
    size_t variants_count;
    uint32_t *places; /* of a variant's number, in `variants` */
    struct arena *arena;
};

static struct scope scope_of(const struct unit_totals *t, uint32_t experiment, struct arena *arena)
{
    struct scope s = {
        .totals = t, .program = unit_totals_rules(t)->program, .experiment = experiment, .arena = arena
    };
    size_t variants = unit_totals_variants(t);
    s.units_count = unit_totals_count(t, experiment);
    s.variants = arena_alloc(arena, (variants + 1) * sizeof *s.variants);
    s.places = arena_zalloc(arena, (variants + 1) * sizeof *s.places);
    for (uint32_t v = 0; v < variants; v++)
        if (unit_totals_variant(t, v).experiment == experiment) {
            s.places[v] = (uint32_t)s.variants_count;
            s.variants[s.variants_count++] = v;
        }
    return s;
}

static const struct total *unit_at(const struct scope *s, size_t i)
{
    return unit_totals_at(s->totals, s->experiment, i);
}

static struct str variant_key(const struct scope *s, size_t place)
{
    return unit_totals_variant(s->totals, s->variants[place]).key;
}

static const struct total_experiment *rules_of(const struct scope *s)
{
    return &unit_totals_rules(s->totals)->experiments[s->experiment];
}

static double cap_of(const struct scope *s, uint32_t metric)
{
    size_t at = s->experiment * s->program->metrics_count + metric;
    return unit_value_cap(&s->program->metrics[metric], s->pass->caps ? s->pass->caps[at] : (double)NAN);
}

/* ---- groups of units ---- */

struct groups {
    size_t count;
    struct moments2 *m;
    struct cross *pre;        /* NULL: the metric has no covariates */
    struct sketch **sketches; /* of a quantile; NULL of groups without a unit */
    double *values;           /* scratch: one unit's */
    size_t values_room;
};

static void groups_init(struct groups *g, const struct program_metric *m, size_t count)
{
    *g = (struct groups){ .count = count, .m = mem_zalloc((count + 1) * sizeof *g->m) };
    if (m->before_x != PROGRAM_NONE) {
        g->pre = mem_alloc((count + 1) * sizeof *g->pre);
        for (size_t i = 0; i < count; i++)
            g->pre[i] = cross_none(program_is_ratio(m) ? 4 : 2);
    }
    if (m->def.form == METRIC_FORM_QUANTILE)
        g->sketches = mem_zalloc((count + 1) * sizeof *g->sketches);
}

static void groups_release(struct groups *g)
{
    for (size_t i = 0; g->sketches && i < g->count; i++)
        mem_free(g->sketches[i]);
    mem_free(g->m);
    mem_free(g->pre);
    mem_free(g->sketches);
    mem_free(g->values);
}

static bool add_values(struct groups *g, size_t group, const struct scope *s, const struct program_metric *m,
                       const struct total *t, struct err *err)
{
    size_t n = unit_total_values(s->totals, t, m->x, g->values, g->values_room);
    if (n > g->values_room) {
        g->values_room = n * 2;
        g->values = mem_realloc(g->values, g->values_room * sizeof *g->values);
        n = unit_total_values(s->totals, t, m->x, g->values, g->values_room);
    }
    if (!g->sketches[group]) {
        g->sketches[group] = mem_alloc(sizeof **g->sketches);
        sketch_init(g->sketches[group]);
    }
    g->m[group].n++;
    return sketch_add_unit(g->sketches[group], g->values, n, err) ||
           err_prefix(err, "metric \"" STR_FMT "\": ", STR_ARG(m->def.key));
}

static bool add_unit(struct groups *g, size_t group, const struct scope *s, const struct program_metric *m,
                     const struct total *t, double cap, struct err *err)
{
    if (g->sketches)
        return add_values(g, group, s, m, t, err);
    struct unit_value v = unit_value_of(s->totals, t, m, cap);
    moments2_add(&g->m[group], v.values[0], program_is_ratio(m) ? v.values[1] : 0);
    if (g->pre)
        cross_add(&g->pre[group], v.values);
    return true;
}

/* How units are grouped: into which groups one goes, and what a group's cell is called. */
struct grouping {
    size_t count;
    size_t (*of)(const struct grouping *how, const struct scope *s, const struct total *t, size_t *out_groups);
    void (*name)(const struct grouping *how, const struct scope *s, size_t group, struct total_cell *c);
    bool only_filled; /* no cell for groups without a unit */
    int32_t first_day;
    const struct segments *segments;
};

static bool emit_groups(const struct scope *s, const struct grouping *how, const struct groups *g, uint32_t metric,
                        struct err *err)
{
    for (size_t i = 0; i < how->count; i++) {
        struct total_cell c = { .experiment = s->experiment,
                                .metric = metric,
                                .day = s->pass->day,
                                .m = g->m[i],
                                .pre = g->pre ? &g->pre[i] : NULL };
        if (how->only_filled && g->m[i].n == 0)
            continue;
        how->name(how, s, i, &c);
        c.sketch = g->sketches ? g->sketches[i] : NULL;
        if (!s->pass->fn(s->pass->arg, &c, err))
            return false;
    }
    return true;
}

static bool metric_cells(const struct scope *s, const struct grouping *how, uint32_t metric, struct err *err)
{
    const struct program_metric *m = &s->program->metrics[metric];
    size_t groups[SEGMENTS_DIMENSIONS_MAX];
    double cap = cap_of(s, metric);
    struct groups g;
    bool ok = true;
    groups_init(&g, m, how->count);
    for (size_t i = 0; ok && i < s->units_count; i++) {
        const struct total *t = unit_at(s, i);
        if (!total_counts(t) || !unit_value_is_known(m, t, s->pass->data_end_us))
            continue;
        size_t n = how->of(how, s, t, groups);
        for (size_t k = 0; ok && k < n; k++)
            ok = add_unit(&g, groups[k], s, m, t, cap, err);
    }
    ok = ok && emit_groups(s, how, &g, metric, err);
    groups_release(&g);
    return ok;
}

static bool all_metrics(const struct scope *s, const struct grouping *how, struct err *err)
{
    for (size_t i = 0; i < rules_of(s)->metrics_count; i++)
        if (!metric_cells(s, how, rules_of(s)->metrics[i], err))
            return false;
    return true;
}

/* Runs fn for every experiment that has units. */
typedef bool (*scope_fn)(struct scope *s, const void *arg, struct err *err);
static bool each_experiment(const struct cell_pass *p, const struct unit_totals *t, scope_fn fn, const void *arg,
                            struct err *err)
{
    struct arena arena;
    bool ok = true;
    arena_init(&arena, 1 << 16);
    for (uint32_t e = 0; ok && e < unit_totals_rules(t)->experiments_count; e++) {
        struct scope s = scope_of(t, e, &arena);
        s.pass = p;
        ok = s.units_count == 0 || fn(&s, arg, err);
        arena_reset(&arena);
    }
    arena_release(&arena);
    return ok;
}

/* The last day on which it counts, of those that were added; nothing behind it is known. */
static void end_at_last_day(struct scope *s, struct cell_pass *p)
{
    *p = *s->pass;
    if (rules_of(s)->last_day < p->day) {
        int64_t end_us = ((int64_t)rules_of(s)->last_day + 1) * US_PER_DAY;
        p->day = rules_of(s)->last_day;
        p->data_end_us = end_us < p->data_end_us ? end_us : p->data_end_us;
    }
    s->pass = p;
}

/* ---- all units ---- */

static size_t of_variant(const struct grouping *how, const struct scope *s, const struct total *t, size_t *out)
{
    (void)how;
    *out = s->places[t->variant];
    return 1;
}

static void name_variant(const struct grouping *how, const struct scope *s, size_t group, struct total_cell *c)
{
    (void)how;
    c->variant = variant_key(s, group);
}

static bool day_of(struct scope *s, const void *arg, struct err *err)
{
    (void)arg;
    const struct grouping how = { .count = s->variants_count, .of = of_variant, .name = name_variant };
    return s->pass->day > rules_of(s)->last_day || all_metrics(s, &how, err);
}

bool unit_cells_day(const struct cell_pass *p, struct err *err)
{
    return each_experiment(p, p->totals, day_of, NULL, err);
}

/* ---- cohorts ---- */

static size_t of_cohort(const struct grouping *how, const struct scope *s, const struct total *t, size_t *out)
{
    *out = (size_t)(t->day - how->first_day) * s->variants_count + s->places[t->variant];
    return 1;
}

static void name_cohort(const struct grouping *how, const struct scope *s, size_t group, struct total_cell *c)
{
    c->variant = variant_key(s, group % s->variants_count);
    c->segment = STR(CELL_COHORT);
    c->day = how->first_day + (int32_t)(group / s->variants_count);
}

/* Units stand in the order of their first days. */
static size_t days_of(const struct scope *s)
{
    return (size_t)(unit_at(s, s->units_count - 1)->day - unit_at(s, 0)->day) + 1;
}

static bool cohorts_of(struct scope *s, const void *arg, struct err *err)
{
    const bool *wanted = arg;
    struct cell_pass pass;
    end_at_last_day(s, &pass);
    const struct grouping how = { .count = days_of(s) * s->variants_count,
                                  .of = of_cohort,
                                  .name = name_cohort,
                                  .only_filled = true,
                                  .first_day = unit_at(s, 0)->day };
    return !wanted[s->experiment] || all_metrics(s, &how, err);
}

bool unit_cells_cohorts(const struct cell_pass *p, const bool *wanted, struct err *err)
{
    return each_experiment(p, p->totals, cohorts_of, wanted, err);
}

/* ---- segments ---- */

static void find_segments(const struct scope *s, struct segments *out)
{
    size_t count = unit_totals_dims_count(s->totals);
    struct str *texts = arena_zalloc(s->arena, (count + 1) * sizeof *texts);
    int64_t *units = arena_zalloc(s->arena, (count + 1) * sizeof *units);
    for (size_t i = 0; i < s->units_count; i++)
        units[unit_at(s, i)->dims] += !unit_at(s, i)->marked;
    for (uint32_t i = 0; i < count; i++)
        if (units[i])
            texts[i] = unit_totals_dims(s->totals, i);
    segments_find(texts, units, count, s->arena, out);
}

static size_t of_segments(const struct grouping *how, const struct scope *s, const struct total *t, size_t *out)
{
    const struct segments *of = how->segments;
    for (size_t d = 0; d < of->dimensions; d++)
        out[d] = of->of[t->dims * of->dimensions + d] * s->variants_count + s->places[t->variant];
    return of->dimensions;
}

static void name_segment(const struct grouping *how, const struct scope *s, size_t group, struct total_cell *c)
{
    c->variant = variant_key(s, group % s->variants_count);
    c->segment = how->segments->names[group / s->variants_count];
}

static bool segments_of(struct scope *s, const void *arg, struct err *err)
{
    (void)arg;
    struct cell_pass pass;
    struct segments segments;
    find_segments(s, &segments);
    end_at_last_day(s, &pass);
    const struct grouping how = { .count = segments.count * s->variants_count,
                                  .of = of_segments,
                                  .name = name_segment,
                                  .only_filled = true,
                                  .segments = &segments };
    return segments.count == 0 || all_metrics(s, &how, err);
}

bool unit_cells_segments(const struct cell_pass *p, struct err *err)
{
    return each_experiment(p, p->totals, segments_of, NULL, err);
}

/* ---- days since the first exposure ---- */

static bool has_since(const struct program *p, const struct program_metric *m)
{
    return p->columns[m->x].kind == COLUMN_SUM && (!program_is_ratio(m) || p->columns[m->y].kind == COLUMN_SUM);
}

static void add_since(const struct scope *s, const struct program_metric *m, const struct total *t, double cap,
                      struct moments2 *groups)
{
    double x[CELL_SINCE_DAYS], y[CELL_SINCE_DAYS] = { 0 };
    unit_total_since(s->totals, t, s->program->columns[m->x].facts[0], x, CELL_SINCE_DAYS);
    if (program_is_ratio(m))
        unit_total_since(s->totals, t, s->program->columns[m->y].facts[0], y, CELL_SINCE_DAYS);
    for (size_t n = 0; n < CELL_SINCE_DAYS && (int64_t)n <= s->pass->day - t->day; n++)
        moments2_add(&groups[s->places[t->variant] * CELL_SINCE_DAYS + n], unit_value_of_sum(m, x[n], cap), y[n]);
}

/* One cell of the variant in this segment. */
static bool emit_named(const struct scope *s, uint32_t metric, size_t variant, const char *segment,
                       const struct moments2 *m, struct err *err)
{
    const struct total_cell c = { .experiment = s->experiment,
                                  .metric = metric,
                                  .variant = variant_key(s, variant),
                                  .segment = str_of(segment),
                                  .day = s->pass->day,
                                  .m = *m };
    return m->n == 0 || s->pass->fn(s->pass->arg, &c, err);
}

static bool metric_since(const struct scope *s, uint32_t metric, struct err *err)
{
    const struct program_metric *m = &s->program->metrics[metric];
    double cap = cap_of(s, metric);
    size_t count = s->variants_count * CELL_SINCE_DAYS;
    struct moments2 *groups = arena_zalloc(s->arena, count * sizeof *groups);
    char name[NAME_MAX_BYTES];
    for (size_t i = 0; i < s->units_count; i++)
        if (total_counts(unit_at(s, i)))
            add_since(s, m, unit_at(s, i), cap, groups);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, CELL_SINCE, (int)(i % CELL_SINCE_DAYS));
        if (!emit_named(s, metric, i / CELL_SINCE_DAYS, name, &groups[i], err))
            return false;
    }
    return true;
}

static bool since_of(struct scope *s, const void *arg, struct err *err)
{
    (void)arg;
    struct cell_pass pass;
    end_at_last_day(s, &pass);
    for (size_t i = 0; i < rules_of(s)->metrics_count; i++) {
        uint32_t metric = rules_of(s)->metrics[i];
        if (has_since(s->program, &s->program->metrics[metric]) && !metric_since(s, metric, err))
            return false;
    }
    return true;
}

bool unit_cells_since(const struct cell_pass *p, struct err *err)
{
    return each_experiment(p, p->totals, since_of, NULL, err);
}

/* ---- steps of funnels ---- */

static bool metric_steps(const struct scope *s, uint32_t metric, struct err *err)
{
    const struct program_metric *m = &s->program->metrics[metric];
    size_t steps = m->def.facts_count, count = s->variants_count * steps;
    struct moments2 *groups = arena_zalloc(s->arena, (count + 1) * sizeof *groups);
    char name[NAME_MAX_BYTES];
    for (size_t i = 0; i < s->units_count; i++) {
        const struct total *t = unit_at(s, i);
        for (size_t k = 0; k < steps && total_counts(t); k++)
            moments2_add(&groups[s->places[t->variant] * steps + k], unit_total_sum(s->totals, t, m->x) > (double)k, 0);
    }
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, CELL_STEP, i % steps + 1);
        if (!emit_named(s, metric, i / steps, name, &groups[i], err))
            return false;
    }
    return true;
}

static bool steps_of(struct scope *s, const void *arg, struct err *err)
{
    (void)arg;
    struct cell_pass pass;
    end_at_last_day(s, &pass);
    for (size_t i = 0; i < rules_of(s)->metrics_count; i++) {
        uint32_t metric = rules_of(s)->metrics[i];
        if (s->program->metrics[metric].def.form == METRIC_FORM_FUNNEL && !metric_steps(s, metric, err))
            return false;
    }
    return true;
}

bool unit_cells_steps(const struct cell_pass *p, struct err *err)
{
    return each_experiment(p, p->totals, steps_of, NULL, err);
}

/* ---- what caps are made of ---- */

static bool metric_values(const struct scope *s, uint32_t metric, struct err *err)
{
    const struct program_metric *m = &s->program->metrics[metric];
    struct total_cell c = { .experiment = s->experiment, .metric = metric, .day = s->pass->day };
    struct sketch *sketch = mem_alloc(sizeof *sketch);
    bool ok = true;
    sketch_init(sketch);
    for (size_t i = 0; ok && i < s->units_count; i++) {
        double value = unit_total_sum(s->totals, unit_at(s, i), m->x);
        ok = !total_counts(unit_at(s, i)) || sketch_add_unit(sketch, &value, 1, err);
    }
    c.sketch = sketch;
    c.m.n = sketch->units;
    ok = ok && s->pass->fn(s->pass->arg, &c, err);
    mem_free(sketch);
    return ok;
}

static bool caps_of(struct scope *s, const void *arg, struct err *err)
{
    (void)arg;
    for (size_t i = 0; i < rules_of(s)->metrics_count && s->pass->day <= rules_of(s)->last_day; i++) {
        uint32_t metric = rules_of(s)->metrics[i];
        if (!isnan(s->program->metrics[metric].def.cap_percentile) && !metric_values(s, metric, err))
            return false;
    }
    return true;
}

bool unit_cells_caps(const struct cell_pass *p, struct err *err)
{
    return each_experiment(p, p->totals, caps_of, NULL, err);
}

/* ---- counts ---- */

void unit_cells_counts(const struct unit_totals *t, uint32_t experiment, struct total_counts *out)
{
    *out = (struct total_counts){ .last_us = unit_totals_last_us(t, experiment) };
    for (size_t i = 0; i < unit_totals_count(t, experiment); i++) {
        const struct total *total = unit_totals_at(t, experiment, i);
        out->units += total_counts(total);
        out->marked += total->marked;
        out->several += total->several && !total->marked;
    }
}

struct exposures_arg {
    total_exposures_fn fn;
    void *arg;
};

/* Of one segment, or of all units when `segment` is that of none: segments.count. */
static bool emit_exposures(const struct scope *s, const struct segments *segments, const int64_t *counts,
                           const struct exposures_arg *a, struct err *err)
{
    for (size_t i = 0; i < days_of(s) * (segments->count + 1) * s->variants_count; i++) {
        size_t segment = i / s->variants_count % (segments->count + 1);
        const struct total_exposures e = {
            .experiment = s->experiment,
            .variant = variant_key(s, i % s->variants_count),
            .segment = segment < segments->count ? segments->names[segment] : STR(""),
            .day = unit_at(s, 0)->day + (int32_t)(i / s->variants_count / (segments->count + 1)),
            .units = counts[2 * i],
            .several = counts[2 * i + 1],
        };
        if (e.units && !a->fn(a->arg, &e, err))
            return false;
    }
    return true;
}

static bool exposures_of(struct scope *s, const void *arg, struct err *err)
{
    struct segments segments;
    find_segments(s, &segments);
    size_t width = (segments.count + 1) * s->variants_count;
    int64_t *counts = mem_zalloc(days_of(s) * width * 2 * sizeof *counts);
    for (size_t i = 0; i < s->units_count; i++) {
        const struct total *t = unit_at(s, i);
        int64_t *day = counts + (size_t)(t->day - unit_at(s, 0)->day) * width * 2;
        for (size_t d = 0; d <= segments.dimensions && !t->marked; d++) {
            size_t segment = d < segments.dimensions ? segments.of[t->dims * segments.dimensions + d] : segments.count;
            int64_t *of = day + (segment * s->variants_count + s->places[t->variant]) * 2;
            of[0]++;
            of[1] += t->several;
        }
    }
    bool ok = emit_exposures(s, &segments, counts, arg, err);
    mem_free(counts);
    return ok;
}

bool unit_cells_exposures(const struct unit_totals *t, total_exposures_fn fn, void *arg, struct err *err)
{
    struct exposures_arg a = { fn, arg };
    return each_experiment(NULL, t, exposures_of, &a, err);
}
