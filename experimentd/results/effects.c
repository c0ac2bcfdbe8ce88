/* The effect of a treatment on a metric, by the adjustment that the experiment declared, as far as its data allow. */
#include <math.h>

#include "experimentd/results/analysis.h"
#include "metric/metric.h"
#include "stats/bandit.h"

/* A stratum in which an arm has fewer units goes together with others. */
enum { STRATUM_UNITS_MIN = 20 };

struct arm result_compared_arm(const struct result_metric *m, const struct result_arm *a)
{
    double quantile = m->metric->def ? m->metric->def->quantile : NAN;
    return (struct arm){ .kind = m->kind, .m = a->m, .sketch = a->sketch, .quantile = quantile };
}

static bool plain(const struct result_metric *m, size_t variant, struct effect *out, struct err *err)
{
    struct arm control = result_compared_arm(m, result_arm(m, 0)),
               treatment = result_compared_arm(m, result_arm(m, variant));
    struct estimate c, t;
    if (!compare_estimate(&control, &c, err))
        return err_prefix(err, "control: ");
    return compare_estimate(&treatment, &t, err) && effect_plain(&c, &t, control.m.n, treatment.m.n, out, err);
}

static bool by_covariates(const struct result_metric *m, size_t variant, struct effect *out, struct err *err)
{
    const struct result_arm *c = result_arm(m, 0), *t = result_arm(m, variant);
    if (!c->pre || !t->pre)
        return err_set(err, ERR_INVALID, "what units did before their first exposure was not kept for this metric");
    return effect_cuped(m->kind == METRIC_RATIO, c->pre, t->pre, out, err);
}

/* ---- strata ---- */

static struct cross cell_of(const struct result_metric *m, const struct result_arm *a, bool covariates)
{
    return covariates ? *a->pre : effect_cell(&a->m, m->kind == METRIC_RATIO);
}

static void add_stratum(struct result_strata *s, const struct cross *c, const struct cross *t)
{
    bool small = c->n < STRATUM_UNITS_MIN || t->n < STRATUM_UNITS_MIN || s->n + 1 >= EFFECT_STRATA_MAX;
    if (small) {
        cross_merge(&s->rest[0], c);
        cross_merge(&s->rest[1], t);
        return;
    }
    s->cells[2 * s->n] = *c;
    s->cells[2 * s->n++ + 1] = *t;
}

/* The rest is a stratum when it is large enough, and goes with the last one otherwise. */
static void add_rest(struct result_strata *s)
{
    bool large = s->rest[0].n >= STRATUM_UNITS_MIN && s->rest[1].n >= STRATUM_UNITS_MIN;
    if (large || s->n == 0) {
        s->cells[2 * s->n] = s->rest[0];
        s->cells[2 * s->n++ + 1] = s->rest[1];
        return;
    }
    cross_merge(&s->cells[2 * s->n - 2], &s->rest[0]);
    cross_merge(&s->cells[2 * s->n - 1], &s->rest[1]);
}

static bool gather_strata(const struct result *r, const struct result_metric *m, size_t variant,
                          struct result_strata *s, struct err *err)
{
    struct str dimension = r->experiment->stratify_by;
    const struct result_parts *parts = &m->parts[RESULT_SEGMENT];
    int64_t n[2] = { 0, 0 };
    s->rest[0] = s->rest[1] = cross_none((m->kind == METRIC_RATIO ? 2U : 1U) * (s->covariates ? 2U : 1U));
    for (size_t i = 0; i < parts->n; i++) {
        const struct result_arm *c = &parts->p[i].arms[0], *t = &parts->p[i].arms[variant];
        if (!str_eq(parts->p[i].dimension, dimension))
            continue;
        if (s->covariates && ((c->m.n && !c->pre) || (t->m.n && !t->pre)))
            return err_set(err, ERR_INVALID, "what units did before was not kept by \"" STR_FMT "\"",
                           STR_ARG(dimension));
        struct cross none = cross_none(s->rest[0].vars);
        struct cross cells[2] = { c->m.n ? cell_of(m, c, s->covariates) : none,
                                  t->m.n ? cell_of(m, t, s->covariates) : none };
        add_stratum(s, &cells[0], &cells[1]);
        n[0] += c->m.n;
        n[1] += t->m.n;
    }
    if (n[0] == 0 && n[1] == 0)
        return err_set(err, ERR_INVALID, "nothing is known by dimension \"" STR_FMT "\"", STR_ARG(dimension));
    if (n[0] != result_arm(m, 0)->m.n || n[1] != result_arm(m, variant)->m.n)
        return err_set(err, ERR_INVALID, "the units by \"" STR_FMT "\" are not all units", STR_ARG(dimension));
    if (s->rest[0].n || s->rest[1].n)
        add_rest(s);
    return true;
}

bool result_strata(const struct result *r, const struct result_metric *m, size_t variant, bool covariates,
                   struct result_strata *out, struct err *err)
{
    *out = (struct result_strata){ .covariates = covariates };
    return gather_strata(r, m, variant, out, err);
}

static bool by_strata(const struct result *r, const struct result_metric *m, size_t variant, bool covariates,
                      struct arena *arena, struct effect *out, struct err *err)
{
    struct result_strata *s = arena_alloc(arena, sizeof *s);
    return result_strata(r, m, variant, covariates, s, err) &&
           effect_strata(m->kind == METRIC_RATIO, covariates, s->cells, s->n, out, err);
}

/* ---- a bandit ---- */

void result_period_cells(const struct result *r, const struct result_metric *m, struct moments2 *out)
{
    const struct result_parts *days = &m->parts[RESULT_COHORT];
    size_t variants = r->experiment->variants_count;
    for (size_t d = 0; d < days->n; d++)
        for (size_t v = 0; v < variants; v++)
            out[d * variants + v] = days->p[d].arms[v].m;
}

/* Its weights moved, so a pooled mean compares different days: arms are compared within days of first exposure, each with its share of all units. */
static bool by_periods(const struct result *r, const struct result_metric *m, size_t variant, struct arena *arena,
                       struct effect *out, struct err *err)
{
    const struct result_parts *days = &m->parts[RESULT_COHORT];
    size_t variants = r->experiment->variants_count;
    struct bandit_beliefs *b = arena_zalloc(arena, sizeof *b);
    struct moments2 *cells = arena_zalloc(arena, (days->n ? days->n : 1) * variants * sizeof *cells);
    if (days->n == 0)
        return err_set(err, ERR_INVALID, "units by day of first exposure are not there");
    result_period_cells(r, m, cells);
    if (!bandit_believe(m->kind, cells, days->n, variants, false, b, err))
        return false;
    struct estimate c = { b->values[0], b->sd[0] * b->sd[0], INFINITY },
                    t = { b->values[variant], b->sd[variant] * b->sd[variant], INFINITY };
    if (!effect_plain(&c, &t, b->units[0], b->units[variant], out, err))
        return false;
    out->by = EFFECT_PERIODS;
    return true;
}

/* ---- which ---- */

static bool adjusted(const struct result *r, const struct result_metric *m, size_t variant, struct arena *arena,
                     struct effect *out, struct err *err)
{
    enum adjustment a = r->experiment->adjustment;
    if (m->kind == METRIC_QUANTILE)
        return err_set(err, ERR_INVALID, "quantiles are not adjusted");
    if (r->experiment->live_weights)
        return by_periods(r, m, variant, arena, out, err);
    if (a == ADJUSTMENT_CUPED)
        return by_covariates(m, variant, out, err);
    return by_strata(r, m, variant, a == ADJUSTMENT_BOTH, arena, out, err);
}

bool result_effect(const struct result *r, const struct result_metric *m, size_t variant, struct arena *arena,
                   struct effect *out, struct effect *out_plain, struct str *out_why_not, struct err *err)
{
    struct err why;
    *out_why_not = (struct str){ NULL, 0 };
    if (!plain(m, variant, out_plain, err))
        return false;
    *out = *out_plain;
    if (r->experiment->adjustment == ADJUSTMENT_NONE && !r->experiment->live_weights)
        return true;
    if (!adjusted(r, m, variant, arena, out, &why)) {
        *out = *out_plain;
        *out_why_not = arena_str(arena, str_of(why.text));
    }
    return true;
}
