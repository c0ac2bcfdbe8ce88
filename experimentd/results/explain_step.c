#include "experimentd/results/explain_step.h"

#include <assert.h>
#include <math.h>

#include "experimentd/results/looks.h"
#include "metric/metric.h"
#include "stats/bandit.h"

void step_begin(struct jsonw *w, const char *method)
{
    jsonw_open(w, NULL, '{');
    jsonw_text(w, "method", method);
    jsonw_open(w, "input", '{');
}

void step_gives(struct jsonw *w)
{
    jsonw_close(w);
    jsonw_open(w, "gives", '{');
}

void step_end(struct jsonw *w)
{
    jsonw_close(w);
    jsonw_close(w);
}

void step_give_pair(struct jsonw *w, const char *ours, const char *lo, const char *hi)
{
    jsonw_open(w, ours, '[');
    jsonw_text(w, NULL, lo);
    jsonw_text(w, NULL, hi);
    jsonw_close(w);
}

/* ---- quantiles ---- */

struct quantile_arm {
    struct quantile q;
    struct moments2 m;
};

static bool quantile_arm_of(const struct result_metric *m, const struct result_arm *a, struct quantile_arm *out)
{
    struct arm arm = result_compared_arm(m, a);
    double value;
    return compare_quantile(&arm, &out->q, NULL) && sketch_moments(a->sketch, arm.quantile, &out->m, &value, NULL);
}

static void write_quantile_arm(struct jsonw *w, const char *key, const struct quantile_arm *a)
{
    double of = (double)a->m.n - 1;
    jsonw_open(w, key, '{');
    jsonw_i64(w, "n_users", a->m.n);
    jsonw_i64(w, "n_events", a->q.events);
    jsonw_double(w, "mean_below", a->m.mean_x);
    jsonw_double(w, "mean_events", a->m.mean_y);
    jsonw_double(w, "var_below", a->m.m2_x / of);
    jsonw_double(w, "var_events", a->m.m2_y / of);
    jsonw_double(w, "cov", a->m.cxy / of);
    jsonw_double(w, "value", a->q.value);
    jsonw_double(w, "lo", a->q.outer.lo);
    jsonw_double(w, "hi", a->q.outer.hi);
    jsonw_close(w);
}

static bool begin_quantiles(struct jsonw *w, const struct result_metric *m, const struct result_arm *control,
                            const struct result_arm *treatment, double alpha)
{
    struct quantile_arm c, t;
    if (!quantile_arm_of(m, control, &c) || !quantile_arm_of(m, treatment, &t))
        return false;
    step_begin(w, "quantile_clustered");
    jsonw_double(w, "q", m->metric->def->quantile);
    write_quantile_arm(w, "moments_c", &c);
    write_quantile_arm(w, "moments_t", &t);
    jsonw_double(w, "alpha", alpha);
    step_gives(w);
    return true;
}

void step_quantile_value(struct jsonw *w, const struct result_metric *m, const struct result_arm *a)
{
    if (!begin_quantiles(w, m, a, a, 1 - m->level))
        return;
    jsonw_text(w, "value", "quantile_t");
    step_give_pair(w, "ci", "ci_lo_t", "ci_hi_t");
    step_end(w);
}

void step_quantiles(struct jsonw *w, const struct result_metric *m, const struct result_arm *control,
                    const struct result_arm *treatment, double alpha, bool decides)
{
    if (!begin_quantiles(w, m, control, treatment, alpha))
        return;
    jsonw_text(w, "difference", "diff");
    jsonw_text(w, "se", "se");
    jsonw_text(w, "statistic", "z");
    if (decides) {
        jsonw_text(w, "p", "p");
        step_give_pair(w, "difference_ci", "ci_lo", "ci_hi");
    }
    step_end(w);
}

/* ---- strata ---- */

static void write_stratum_arm(struct jsonw *w, const struct cross *c, bool covariates, const char *const keys[6])
{
    double of = (double)c->n - 1;
    jsonw_i64(w, keys[0], c->n);
    jsonw_double(w, keys[1], c->mean[0] + c->rest[0]);
    jsonw_double(w, keys[2], c->m2[0][0] / of);
    if (!covariates)
        return;
    jsonw_double(w, keys[3], c->mean[1] + c->rest[1]);
    jsonw_double(w, keys[4], c->m2[1][1] / of);
    jsonw_double(w, keys[5], c->m2[0][1] / of);
}

static void write_strata(struct jsonw *w, const struct cross *cells, size_t n, bool covariates)
{
    static const char *const keys[2][2][6] = {
        { { "n_c", "mean_c", "var_c", NULL, NULL, NULL }, { "n_t", "mean_t", "var_t", NULL, NULL, NULL } },
        { { "n_c", "mean_y_c", "var_y_c", "mean_x_c", "var_x_c", "cov_xy_c" },
          { "n_t", "mean_y_t", "var_y_t", "mean_x_t", "var_x_t", "cov_xy_t" } },
    };
    jsonw_open(w, "strata", '[');
    for (size_t k = 0; k < n; k++) {
        jsonw_open(w, NULL, '{');
        write_stratum_arm(w, &cells[2 * k], covariates, keys[covariates][0]);
        write_stratum_arm(w, &cells[2 * k + 1], covariates, keys[covariates][1]);
        jsonw_close(w);
    }
    jsonw_close(w);
}

/* Ratios go in as their linearised units. */
void step_strata(struct jsonw *w, const struct result *r, const struct result_metric *m, size_t variant,
                 const struct effect *e, double alpha, bool decides)
{
    bool covariates = e->by == EFFECT_STRATA_CUPED;
    struct result_strata s;
    struct cross units[2 * EFFECT_STRATA_MAX];
    if (!result_strata(r, m, variant, covariates, &s, NULL) ||
        !effect_strata_units(m->kind == METRIC_RATIO, s.cells, s.n, units, NULL))
        return;
    step_begin(w, "post_strat");
    write_strata(w, units, s.n, covariates);
    jsonw_double(w, "alpha", alpha);
    step_gives(w);
    jsonw_text(w, "difference", "effect");
    jsonw_text(w, "se", "se_superpop");
    jsonw_text(w, "statistic", "t");
    if (decides) {
        jsonw_text(w, "df", "df");
        jsonw_text(w, "p", "p");
        step_give_pair(w, "difference_ci", "ci_lo_superpop", "ci_hi_superpop");
    }
    step_end(w);
}

/* ---- days of first exposure ---- */

struct period_writer {
    struct jsonw *w;
    size_t variant;
};

static void write_period_arm(struct jsonw *w, const struct moments2 *m, const char *const keys[3])
{
    jsonw_i64(w, keys[0], m->n);
    jsonw_double(w, keys[1], m->mean_x);
    jsonw_double(w, keys[2], m->n > 1 ? m->m2_x / (double)(m->n - 1) : 0);
}

static void write_period(void *arg, const struct moments2 *row, size_t n)
{
    static const char *const keys[2][3] = { { "n_c", "mean_c", "var_c" }, { "n_t", "mean_t", "var_t" } };
    const struct period_writer *p = arg;
    (void)n;
    jsonw_open(p->w, NULL, '{');
    write_period_arm(p->w, &row[0], keys[0]);
    write_period_arm(p->w, &row[p->variant], keys[1]);
    jsonw_close(p->w);
}

static void write_period_units(void *arg, const struct moments2 *row, size_t n)
{
    const struct period_writer *p = arg;
    int64_t units = 0;
    for (size_t i = 0; i < n; i++)
        units += row[i].n;
    jsonw_i64(p->w, NULL, units);
}

void step_periods(struct jsonw *w, const struct result *r, const struct result_metric *m, size_t variant, double alpha)
{
    size_t variants = r->experiment->variants_count, days = m->parts[RESULT_COHORT].n;
    struct period_writer p = { w, variant };
    if (m->kind == METRIC_RATIO || days == 0)
        return;
    struct moments2 *cells = mem_alloc(days * variants * sizeof *cells);
    result_period_cells(r, m, cells);
    step_begin(w, "post_strat");
    jsonw_open(w, "strata", '[');
    (void)bandit_each_period(m->kind, cells, days, variants, write_period, &p);
    jsonw_close(w);
    jsonw_open(w, "weights", '[');
    (void)bandit_each_period(m->kind, cells, days, variants, write_period_units, &p);
    jsonw_close(w);
    jsonw_double(w, "alpha", alpha);
    step_gives(w);
    jsonw_text(w, "difference", "effect");
    step_end(w);
    mem_free(cells);
}

/* ---- planned looks ---- */

static void write_numbers(struct jsonw *w, const char *key, const double *v, size_t n)
{
    jsonw_open(w, key, '[');
    for (size_t i = 0; i < n; i++)
        jsonw_double(w, NULL, v[i]);
    jsonw_close(w);
}

/* As far from the estimate as nobody goes: nothing of the error has been spent yet. */
static bool is_open(const struct tested_looks *t)
{
    return !isfinite(t->bound);
}

void step_looks(struct jsonw *w, const struct result *r, const struct analysed *cell, double alpha)
{
    const struct tested_looks *t = &cell->looks;
    struct looks_plan plan = result_looks_plan(&r->experiment->analysis);
    step_begin(w, "group_sequential");
    jsonw_text(w, "kind", "looks");
    jsonw_text(w, "function", plan.haybittle_peto ? "haybittle_peto" : spending_names[plan.spending.kind]);
    if (!plan.haybittle_peto && (plan.spending.kind == SPENDING_POWER || plan.spending.kind == SPENDING_HSD))
        jsonw_double(w, "par", plan.spending.par);
    write_numbers(w, "t", t->shares, t->shares_count);
    write_numbers(w, "z", t->z, t->shares_count);
    jsonw_double(w, "alpha", alpha);
    jsonw_double(w, "se", cell->c.se);
    step_gives(w);
    jsonw_text(w, "difference", "effect");
    jsonw_text(w, "p", "p");
    if (!is_open(t))
        step_give_pair(w, "difference_ci", "ci_lo", "ci_hi");
    step_end(w);
}
