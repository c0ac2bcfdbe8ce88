/* What the effects say of themselves: before the first exposure, by days since it, by segment; and A/A tests of the past. */
#include <math.h>
#include <stdlib.h>

#include "experimentd/health/health.h"
#include "experimentd/results/analysis.h"
#include "experimentd/results/periods.h"
#include "stats/adjust/strata.h"
#include "stats/ratio.h"
#include "stats/trust/uniform.h"

enum { STRATA_MAX = 64 };
static const struct compare_plan one_look = { .level = 0.95 };

static struct health_row effect_row(struct str label, double value, double se, double log_p)
{
    return (struct health_row){ .label = label, .value = value, .se = se, .log_p = log_p, .adjusted = NAN };
}

static const struct snapshot_variant *variant_of(const struct health_input *in, size_t i)
{
    return &in->r->experiment->variants[i];
}

/* ---- before the first exposure ---- */

/* The covariates of an arm as an outcome of their own: the mean of z, or the ratio of z to w. */
static bool estimate_before(const struct cross *c, struct estimate *out, struct err *err)
{
    size_t z = c->vars / 2;
    double n = (double)c->n;
    if (!cross_check(c, err))
        return false;
    if (c->vars == 2)
        return welch_estimate(c->n, c->mean[z], c->m2[z][z] / (n - 1), out, err);
    const struct moments2 m = { c->n, c->mean[z], c->m2[z][z], c->mean[z + 1], c->m2[z + 1][z + 1], c->m2[z][z + 1] };
    return ratio_estimate(&m, out, err);
}

/* False where nothing varied before, or an arm has too few units. */
static bool before_row(const struct health_input *in, const struct result_metric *m, size_t variant,
                       struct arena *arena, struct health_row *out)
{
    const struct cross *control = result_arm(m, 0)->pre, *treatment = result_arm(m, variant)->pre;
    struct estimate c, t;
    struct welch w;
    struct err err;
    if (!control || !treatment || control->n < HEALTH_UNITS_MIN || treatment->n < HEALTH_UNITS_MIN ||
        !estimate_before(control, &c, &err) || !estimate_before(treatment, &t, &err) ||
        !welch_test(&c, &t, 1 - one_look.level, &w, &err))
        return false;
    struct str key = variant_of(in, variant)->key;
    *out = effect_row(arena_printf(arena, STR_FMT ", " STR_FMT, STR_ARG(m->metric->key), STR_ARG(key)), w.difference,
                      w.se, w.log_p);
    return true;
}

void health_before(const struct health_input *in, struct arena *arena, struct health_finding *out)
{
    const struct result *r = in->r;
    size_t variants = r->experiment->variants_count, n = 0;
    struct health_row *rows = arena_alloc(arena, (r->metrics_count * variants + 1) * sizeof *rows);
    struct buf b;
    for (size_t k = 0; k < r->metrics_count; k++)
        for (size_t i = 1; i < variants; i++)
            n += before_row(in, &r->metrics[k], i, arena, &rows[n]);
    if (n == 0) {
        health_unknown(out, STR("no metric has covariates of the time before, with enough units that were seen then"));
        return;
    }
    health_judge_rows(out, rows, n, arena);
    buf_init(&b, HEALTH_TEXT_MAX);
    buf_addf(&b, "%zu comparison%s; the largest difference is " STR_FMT ": %+.3g, adjusted ", n, n == 1 ? "" : "s",
             STR_ARG(rows[0].label), rows[0].value);
    health_add_p(&b, out->log_p);
    out->text = health_take(&b, arena);
}

/* ---- by days since exposure, and by segment: the primary metric ---- */

static bool can_compare(const struct result_part *p, size_t variant)
{
    return p->arms[0].m.n >= HEALTH_UNITS_MIN && p->arms[variant].m.n >= HEALTH_UNITS_MIN;
}

static void add_trend(struct buf *b, const struct health_input *in, size_t variant, const struct trend *t)
{
    static const char *const words[] = { [TREND_NONE] = "steady", [TREND_FADES] = "fades", [TREND_GROWS] = "grows" };
    buf_addf(b, "%s\"" STR_FMT "\": %+.1f %% on the first %d days, %+.1f %% later (%s, ", b->n ? "; " : "",
             STR_ARG(variant_of(in, variant)->key), t->early.effect * 100, PERIODS_EARLY, t->late.effect * 100,
             words[trend_kind(t, HEALTH_WARNING_P)]);
    health_add_p(b, t->change_log_p);
    buf_add_c(b, ")");
}

/* A change says nothing against the numbers: it warns. */
void health_novelty(const struct health_input *in, struct arena *arena, struct health_finding *out)
{
    const struct result_metric *primary = result_primary(in->r);
    size_t variants = in->r->experiment->variants_count, n = 0;
    struct health_row *rows = arena_alloc(arena, (variants + 1) * sizeof *rows);
    struct buf b;
    buf_init(&b, HEALTH_TEXT_MAX);
    for (size_t i = 1; primary && i < variants; i++) {
        struct trend t;
        size_t days;
        if (!periods_trend(primary, RESULT_SINCE, i, arena, &t, &days, NULL))
            continue;
        add_trend(&b, in, i, &t);
        rows[n++] = effect_row(variant_of(in, i)->key, t.change, t.change_se, t.change_log_p);
    }
    struct str text = health_take(&b, arena);
    if (n == 0) {
        health_unknown(
            out, arena_printf(arena, "fewer than %d days since exposure have a lift that can be told", PERIODS_MIN));
        return;
    }
    health_judge_rows(out, rows, n, arena);
    out->text = text;
    if (out->state == HEALTH_ALARM)
        out->state = HEALTH_WARNING;
}

/* ---- Simpson ---- */

static bool stratum_arm(const struct result_metric *m, const struct result_arm *a, struct stratum_arm *out)
{
    const struct arm arm = result_compared_arm(m, a);
    struct arm_value v;
    struct err err;
    if (!stats_arm_value(&arm, one_look.level, &v, &err))
        return false;
    *out = (struct stratum_arm){ a->m.n, v.value, v.se * v.se * (double)a->m.n };
    return true;
}

/* All values of one dimension, from part `from` on; *out_next: behind them. */
static size_t find_strata(const struct result_metric *m, size_t from, size_t variant, struct stratum *out,
                          size_t *out_next)
{
    const struct result_parts *parts = &m->parts[RESULT_SEGMENT];
    size_t n = 0, k = from;
    for (; k < parts->n && str_eq(parts->p[k].dimension, parts->p[from].dimension); k++) {
        const struct result_part *p = &parts->p[k];
        n += n < STRATA_MAX && can_compare(p, variant) && stratum_arm(m, &p->arms[0], &out[n].control) &&
             stratum_arm(m, &p->arms[variant], &out[n].treatment);
    }
    *out_next = k;
    return n;
}

/* Reversals of effects that are nothing are nothing: one side of it has to be seen. */
static bool is_reversal(const struct strata *s)
{
    return s->simpson && s->se > 0 && (fabs(s->effect) > 2 * s->se || fabs(s->naive) > 2 * s->se);
}

static size_t count_reversals(const struct health_input *in, const struct result_metric *m, size_t variant,
                              struct buf *b, size_t *out_dimensions)
{
    const struct result_parts *parts = &m->parts[RESULT_SEGMENT];
    size_t found = 0;
    for (size_t k = 0, next; k < parts->n; k = next) {
        struct stratum strata[STRATA_MAX];
        struct strata s;
        struct err err;
        size_t n = find_strata(m, k, variant, strata, &next);
        if (n < 2 || !strata_effect(strata, n, NULL, &s, &err))
            continue;
        ++*out_dimensions;
        if (!is_reversal(&s))
            continue;
        found++;
        buf_addf(b, "%s\"" STR_FMT "\" by " STR_FMT ": %+.3g in the sum, %+.3g within its %zu values", b->n ? "; " : "",
                 STR_ARG(variant_of(in, variant)->key), STR_ARG(parts->p[k].dimension), s.naive, s.effect, n);
    }
    return found;
}

void health_simpson(const struct health_input *in, struct arena *arena, struct health_finding *out)
{
    const struct result_metric *primary = result_primary(in->r);
    size_t found = 0, dimensions = 0;
    struct buf b;
    buf_init(&b, HEALTH_TEXT_MAX);
    for (size_t i = 1; primary && i < in->r->experiment->variants_count; i++)
        found += count_reversals(in, primary, i, &b, &dimensions);
    struct str text = health_take(&b, arena);
    if (dimensions == 0) {
        health_unknown(out, STR("no dimension has two values with enough units"));
        return;
    }
    *out = (struct health_finding){ .state = found ? HEALTH_WARNING : HEALTH_OK, .log_p = NAN, .text = text };
    if (!found)
        out->text = arena_printf(arena, "%zu comparison%s by dimension, none reversed", dimensions,
                                 dimensions == 1 ? "" : "s");
}

/* ---- A/A tests of the past ---- */

static size_t take_history(const struct health_input *in, struct str metric, double *out)
{
    size_t n = 0;
    for (size_t k = 0; k < in->history_count; k++)
        if (str_eq(in->history[k].metric, metric))
            out[n++] = in->history[k].p;
    return n;
}

/* The count of p < 0.05 decides (uniform.h says why), and the distance tells. */
static struct health_row history_row(struct str metric, double *p, size_t n, struct buf *b)
{
    struct uniform u = { 0 };
    struct err err;
    if (!uniform_test(p, n, &u, &err))
        u = (struct uniform){ .p = 1 };
    buf_addf(b, "%s" STR_FMT ": %zu tests, %.3g %% below 0.05, Kolmogorov-Smirnov p = %.2g", b->n ? "; " : "",
             STR_ARG(metric), n, 100 * u.below[1], u.p);
    return effect_row(metric, u.below[1], NAN, u.log_p_rejections);
}

void health_history(const struct health_input *in, struct arena *arena, struct health_finding *out)
{
    const struct snapshot_experiment *e = in->r->experiment;
    struct health_row *rows = arena_alloc(arena, (e->metrics_count + 1) * sizeof *rows);
    double *p = arena_alloc(arena, (in->history_count + 1) * sizeof *p);
    size_t n = 0;
    struct buf b;
    buf_init(&b, HEALTH_TEXT_MAX);
    for (size_t i = 0; i < e->metrics_count; i++) {
        size_t tests = take_history(in, e->metrics[i].metric, p);
        if (tests >= HEALTH_HISTORY_MIN)
            rows[n++] = history_row(e->metrics[i].metric, p, tests, &b);
    }
    struct str text = health_take(&b, arena);
    if (n == 0) {
        health_unknown(out, arena_printf(arena, "fewer than %d A/A tests of its metrics are over", HEALTH_HISTORY_MIN));
        return;
    }
    health_judge_rows(out, rows, n, arena);
    out->text = text;
}
