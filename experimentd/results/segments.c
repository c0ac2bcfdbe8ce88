#include "experimentd/results/segments.h"

#include <math.h>
#include <stdlib.h>

#include "experimentd/results/json_metric.h"
#include "stats/adjust/strata.h"
#include "stats/multiple/family.h"

/* ---- the order of the values ---- */

static bool is_rest(struct str value)
{
    return str_eq(value, STR("(other)")) || str_eq(value, STR("(none)"));
}

struct value_order {
    const struct result_part *part;
    int64_t units;
};

static int most_units_first(const void *a, const void *b)
{
    const struct value_order *x = a, *y = b;
    int rest = is_rest(x->part->value) - is_rest(y->part->value);
    if (rest)
        return rest;
    if (x->units != y->units)
        return x->units < y->units ? 1 : -1;
    return (x->part > y->part) - (x->part < y->part);
}

static void order_values(struct segment_metric *out, size_t variants, struct arena *arena)
{
    const struct result_parts *parts = &out->metric->parts[RESULT_SEGMENT];
    struct value_order *order = arena_zalloc(arena, (parts->n + 1) * sizeof *order);
    for (size_t i = 0; i < parts->n; i++) {
        order[i].part = &parts->p[i];
        for (size_t v = 0; v < variants; v++)
            order[i].units += parts->p[i].arms[v].m.n;
    }
    if (parts->n > 1)
        qsort(order, parts->n, sizeof *order, most_units_first);
    out->values_count = parts->n;
    out->values = arena_zalloc(arena, (parts->n + 1) * sizeof *out->values);
    for (size_t i = 0; i < parts->n; i++)
        out->values[i] = order[i].part;
}

/* ---- one treatment over the values ---- */

static void compare_values(struct segment_metric *out, const struct result *r, size_t variant, struct arena *arena)
{
    size_t variants = r->experiment->variants_count;
    for (size_t i = 0; i < out->values_count; i++) {
        struct segment_cell *cell = &out->cells[i * variants + variant];
        const struct result_arm *arms = out->values[i]->arms;
        struct err err;
        cell->compared = metric_compare(r, out->metric, &arms[0], &arms[variant], &cell->c, &err);
        if (!cell->compared)
            cell->reason = arena_str(arena, str_of(err.text));
        out->effects[variant].compared += cell->compared;
    }
}

/* A ratio's units as its linearised ones have them: the ratio, and the variance that gives its standard error. */
static bool stratum_arm_of(const struct result_metric *m, const struct result_arm *a, struct stratum_arm *out)
{
    struct arm_value v;
    if (!metric_value(m, a, &v, NULL))
        return false;
    *out = (struct stratum_arm){ a->m.n, v.value, v.se * v.se * (double)a->m.n };
    return true;
}

static void agree(struct segment_metric *out, size_t variant, struct arena *arena)
{
    struct stratum *strata = arena_zalloc(arena, (out->values_count + 1) * sizeof *strata);
    struct segment_effect *e = &out->effects[variant];
    struct strata s;
    size_t n = 0, up = 0, down = 0;
    for (size_t i = 0; i < out->values_count; i++) {
        const struct result_arm *arms = out->values[i]->arms;
        struct stratum *k = &strata[n];
        if (!stratum_arm_of(out->metric, &arms[0], &k->control) ||
            !stratum_arm_of(out->metric, &arms[variant], &k->treatment) ||
            !(k->control.variance > 0 || k->treatment.variance > 0))
            continue;
        up += k->treatment.mean > k->control.mean;
        down += k->treatment.mean < k->control.mean;
        n++;
    }
    if (n < 2 || !strata_effect(strata, n, NULL, &s, NULL))
        return;
    e->has_q = s.has_q;
    e->q = s.q;
    e->q_df = (double)n - 1;
    e->log_p_q = s.log_p_q;
    struct stratum all;
    if (!stratum_arm_of(out->metric, result_arm(out->metric, 0), &all.control) ||
        !stratum_arm_of(out->metric, result_arm(out->metric, variant), &all.treatment))
        return;
    double whole = all.treatment.mean - all.control.mean;
    e->simpson = (up == n && whole < 0) || (down == n && whole > 0);
}

static void shrink(struct segment_metric *out, size_t variants, size_t variant, struct arena *arena)
{
    struct segment_effect *e = &out->effects[variant];
    double *effects = arena_zalloc(arena, (out->values_count + 1) * sizeof *effects);
    double *ses = arena_zalloc(arena, (out->values_count + 1) * sizeof *ses);
    struct shrunk *shrunk = arena_zalloc(arena, (out->values_count + 1) * sizeof *shrunk);
    struct err err;
    size_t n = 0;
    for (size_t i = 0; i < out->values_count; i++) {
        const struct segment_cell *cell = &out->cells[i * variants + variant];
        if (!cell->compared)
            continue;
        effects[n] = cell->c.difference;
        ses[n++] = cell->c.se;
    }
    e->has_shrink = shrink_effects(effects, ses, n, &e->shrink, shrunk, &err);
    if (!e->has_shrink)
        e->why_not = arena_str(arena, str_of(err.text));
    for (size_t i = 0, k = 0; i < out->values_count; i++) {
        struct segment_cell *cell = &out->cells[i * variants + variant];
        if (!cell->compared)
            continue;
        cell->has_shrunk = e->has_shrink;
        cell->shrunk = shrunk[k++];
    }
}

static void make_metric(struct segment_metric *out, const struct result *r, const struct result_metric *m,
                        struct arena *arena)
{
    size_t variants = r->experiment->variants_count;
    *out = (struct segment_metric){ .metric = m };
    order_values(out, variants, arena);
    out->cells = arena_zalloc(arena, (out->values_count * variants + 1) * sizeof *out->cells);
    out->effects = arena_zalloc(arena, variants * sizeof *out->effects);
    for (size_t v = 1; v < variants; v++) {
        compare_values(out, r, v, arena);
        agree(out, v, arena);
        shrink(out, variants, v, arena);
    }
}

/* ---- all comparisons of the view as one family ---- */

static struct segment_cell **compared_cells(const struct segments *s, size_t variants, struct arena *arena)
{
    struct segment_cell **cells = arena_zalloc(arena, (s->looks + 1) * sizeof *cells);
    size_t n = 0;
    for (size_t i = 0; i < s->metrics_count; i++)
        for (size_t k = 0; k < s->metrics[i].values_count * variants; k++)
            if (s->metrics[i].cells[k].compared)
                cells[n++] = &s->metrics[i].cells[k];
    return cells;
}

static void adjust(struct segments *s, size_t variants, struct arena *arena)
{
    struct segment_cell **cells = compared_cells(s, variants, arena);
    double *log_p = arena_zalloc(arena, (s->looks + 1) * sizeof *log_p);
    struct family_rank *ranks = arena_zalloc(arena, (s->looks + 1) * sizeof *ranks);
    for (size_t i = 0; i < s->looks; i++)
        log_p[i] = cells[i]->c.log_p;
    family_rank(log_p, s->looks, ranks);
    family_p(FAMILY_BH, ranks, s->looks, log_p);
    for (size_t i = 0; i < s->looks; i++)
        cells[i]->log_p_adjusted = log_p[i];
}

void segments_make(struct segments *out, const struct result *r, struct arena *arena)
{
    size_t variants = r->experiment->variants_count;
    *out = (struct segments){ .metrics_count = r->metrics_count };
    out->metrics = arena_zalloc(arena, (r->metrics_count + 1) * sizeof *out->metrics);
    for (size_t i = 0; i < r->metrics_count; i++) {
        make_metric(&out->metrics[i], r, &r->metrics[i], arena);
        for (size_t v = 1; v < variants; v++)
            out->looks += out->metrics[i].effects[v].compared;
    }
    adjust(out, variants, arena);
}
