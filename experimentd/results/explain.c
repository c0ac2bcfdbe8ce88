#include "experimentd/results/explain.h"

#include <assert.h>
#include <math.h>

#include "experimentd/results/explain_step.h"
#include "experimentd/results/json_metric.h"
#include "experimentd/results/verdict.h"
#include "stats/sequential/confseq.h"
#include "stats/special/special.h"
#include "stats/xstat/xstat.h"

static const char *const methods[] = {
    "mean_t",
    "two_proportion",
    "welch_t",
    "ratio_delta",
    "cuped",
    "msprt_and_confidence_sequence",
    "relative_lift",
    "quantile_clustered",
    "post_strat",
    "group_sequential",
    "team_draft_sign_test",
};

static const char *const value_words[] = {
    [METRIC_PROPORTION] = "units with it over all units; Wilson's interval, which stays within 0 and 1",
    [METRIC_MEAN] = "sum over units divided by units; t interval from the variance between units",
    [METRIC_RATIO] = "sum of numerators over sum of denominators; variance between units (delta method), t interval",
    [METRIC_QUANTILE] = "the value that this share of all events lies below; interval from ranks, by units",
};
static const char *const comparison_words[] = {
    [METRIC_PROPORTION] = "difference of the two shares; its standard error from the variances between units",
    [METRIC_MEAN] = "difference of the two means; its standard error from the variances between units",
    [METRIC_RATIO] = "difference of the two ratios; the standard error of each by the delta method over units",
    [METRIC_QUANTILE] = "difference of the two quantiles; the standard error of each from ranks, by units",
};
static_assert(COUNT_OF(value_words) == METRIC_KIND_COUNT && COUNT_OF(comparison_words) == METRIC_KIND_COUNT,
              "words for every kind of metric");
static const char *const adjusted_words[] = {
    [EFFECT_PLAIN] = NULL,
    [EFFECT_CUPED] = "what each unit did before its first exposure (CUPED)",
    [EFFECT_STRATA] = "the shares of the strata (post-stratification)",
    [EFFECT_STRATA_CUPED] = "the shares of the strata, and what each unit did before its first exposure",
    [EFFECT_PERIODS] = "days of first exposure, each with its share of all units, since the weights moved",
};
static_assert(COUNT_OF(adjusted_words) == EFFECT_BY_COUNT, "words for every adjustment");
static const char *const looks_words[] = {
    [ANALYSIS_ANY_TIME] = "any number, at any time",
    [ANALYSIS_GROUP_SEQUENTIAL] = "the planned ones; the numbers are those of the last look",
    [ANALYSIS_FIXED] = "one, at the planned end",
};
static_assert(COUNT_OF(looks_words) == ANALYSIS_METHOD_COUNT, "words for every way of looking");

/* ---- pieces ---- */

/* The mean of a unit and its variance, as a method for means wants them; of a ratio those of its linearised units; of a quantile those
 * that give its standard error. */
struct unit {
    int64_t n;
    double mean, variance;
};

static struct unit unit_of(const struct result_metric *m, const struct result_arm *a)
{
    struct arm_value v = { 0 };
    if (m->kind != METRIC_RATIO && m->kind != METRIC_QUANTILE)
        return (struct unit){ a->m.n, a->m.mean_x, a->m.n > 1 ? a->m.m2_x / (double)(a->m.n - 1) : 0 };
    (void)!metric_value(m, a, &v, NULL);
    return (struct unit){ a->m.n, v.value, v.se * v.se * (double)a->m.n };
}

static void write_units(struct jsonw *w, struct unit c, struct unit t)
{
    jsonw_i64(w, "n_c", c.n);
    jsonw_double(w, "mean_c", c.mean);
    jsonw_double(w, "var_c", c.variance);
    jsonw_i64(w, "n_t", t.n);
    jsonw_double(w, "mean_t", t.mean);
    jsonw_double(w, "var_t", t.variance);
}

static void write_ratio_arm(struct jsonw *w, const struct moments2 *m, const char *const keys[6])
{
    double of = (double)m->n - 1;
    jsonw_i64(w, keys[0], m->n);
    jsonw_double(w, keys[1], m->mean_x);
    jsonw_double(w, keys[2], m->mean_y);
    jsonw_double(w, keys[3], m->m2_x / of);
    jsonw_double(w, keys[4], m->m2_y / of);
    jsonw_double(w, keys[5], m->cxy / of);
}

static void open_ratio_step(struct jsonw *w, const struct result_arm *control, const struct result_arm *treatment,
                            double alpha)
{
    static const char *const keys[2][6] = {
        { "n_c", "mean_num_c", "mean_den_c", "var_num_c", "var_den_c", "cov_c" },
        { "n_t", "mean_num_t", "mean_den_t", "var_num_t", "var_den_t", "cov_t" },
    };
    step_begin(w, "ratio_delta");
    write_ratio_arm(w, &control->m, keys[0]);
    write_ratio_arm(w, &treatment->m, keys[1]);
    jsonw_double(w, "alpha", alpha);
    step_gives(w);
}

static void write_counts(struct jsonw *w, const char *key, const struct result_metric *m, const struct result_arm *a)
{
    struct arm_value v;
    bool has = metric_value(m, a, &v, NULL);
    jsonw_open(w, key, '{');
    jsonw_i64(w, "units", a->m.n);
    jsonw_double(w, "numerator", has ? v.numerator : NAN);
    jsonw_double(w, "denominator", has ? v.denominator : NAN);
    jsonw_close(w);
}

/* ---- the value of an arm ---- */

static void share_step(struct jsonw *w, const struct arm_value *v, int64_t n, double alpha)
{
    step_begin(w, "two_proportion");
    jsonw_double(w, "x_c", round(v->numerator));
    jsonw_i64(w, "n_c", n);
    jsonw_double(w, "x_t", round(v->numerator));
    jsonw_i64(w, "n_t", n);
    jsonw_double(w, "alpha", alpha);
    step_gives(w);
    jsonw_text(w, "value", "p_t");
    jsonw_text(w, "ci", "wilson_t");
    step_end(w);
}

static void mean_step(struct jsonw *w, struct unit u, double alpha)
{
    step_begin(w, "mean_t");
    jsonw_i64(w, "n", u.n);
    jsonw_double(w, "mean", u.mean);
    jsonw_double(w, "var", u.variance);
    jsonw_double(w, "alpha", alpha);
    step_gives(w);
    jsonw_text(w, "value", "mean");
    step_give_pair(w, "ci", "ci_lo", "ci_hi");
    step_end(w);
}

void explain_write_value(struct jsonw *w, const struct result_metric *m, const struct result_arm *a)
{
    struct arm_value v;
    double alpha = 1 - m->level;
    if (!metric_value(m, a, &v, NULL))
        return;
    jsonw_open(w, "explain", '{');
    jsonw_text(w, "words", value_words[m->kind]);
    jsonw_text(w, "method", v.method);
    jsonw_double(w, "level", m->level);
    jsonw_open(w, "counts", '{');
    write_counts(w, "units", m, a);
    jsonw_close(w);
    jsonw_open(w, "steps", '[');
    if (m->kind == METRIC_PROPORTION) {
        share_step(w, &v, a->m.n, alpha);
    } else if (m->kind == METRIC_QUANTILE) {
        step_quantile_value(w, m, a);
    } else {
        if (m->kind == METRIC_RATIO) {
            open_ratio_step(w, a, a, alpha);
            jsonw_text(w, "value", "ratio_t");
            step_end(w);
        }
        mean_step(w, unit_of(m, a), alpha);
    }
    jsonw_close(w);
    jsonw_close(w);
}

/* ---- a comparison ---- */

static void welch_step(struct jsonw *w, struct unit c, struct unit t, double alpha, bool decides)
{
    step_begin(w, "welch_t");
    write_units(w, c, t);
    jsonw_double(w, "alpha", alpha);
    step_gives(w);
    jsonw_text(w, "difference", "diff");
    jsonw_text(w, "se", "se");
    jsonw_text(w, "statistic", "t");
    if (decides) {
        jsonw_text(w, "df", "df");
        jsonw_text(w, "p", "p_two_sided");
        step_give_pair(w, "difference_ci", "ci_lo", "ci_hi");
    }
    step_end(w);
}

static void sequence_step(struct jsonw *w, const struct compare_plan *plan, double units, const struct comparison *c)
{
    double rho;
    if (!confseq_rho_exact(plan->planned_units, 1 - plan->level, CONFSEQ_TWO, &rho, NULL))
        return;
    step_begin(w, "msprt_and_confidence_sequence");
    jsonw_double(w, "effect", c->difference);
    jsonw_double(w, "se", c->se);
    jsonw_double(w, "n", units);
    jsonw_double(w, "rho", rho);
    jsonw_double(w, "alpha", 1 - plan->level);
    jsonw_text(w, "sides", "two");
    step_gives(w);
    jsonw_text(w, "p", "p");
    step_give_pair(w, "difference_ci", "ci_lo", "ci_hi");
    step_end(w);
}

/* Fieller's set with the critical value of the test: the alpha that gives a normal quantile of just that size. */
static void lift_step(struct jsonw *w, struct unit base, struct unit with, double covariance,
                      const struct comparison *found)
{
    double critical = (found->ci_hi - found->difference) / found->se;
    if (found->lift_kind != LIFT_BOUNDED)
        return;
    step_begin(w, "relative_lift");
    write_units(w, base, with);
    if (covariance != 0)
        jsonw_double(w, "cov_means", covariance);
    jsonw_double(w, "alpha", exp(M_LN2 + special_log_normal_q(critical)));
    step_gives(w);
    jsonw_text(w, "lift", "lift");
    if (isfinite(found->lift_lo) && isfinite(found->lift_hi))
        step_give_pair(w, "lift_ci", "fieller_lift_lo", "fieller_lift_hi");
    step_end(w);
}

/* The difference as it was measured; with its test when it is looked at once. */
static void plain_steps(struct jsonw *w, const struct result_metric *m, const struct result_arm *control,
                        const struct result_arm *treatment, const struct compare_plan *plan)
{
    double alpha = 1 - plan->level;
    bool decides = !(plan->planned_units > 0);
    if (m->kind == METRIC_QUANTILE) {
        step_quantiles(w, m, control, treatment, alpha, decides);
        return;
    }
    if (m->kind == METRIC_RATIO) {
        open_ratio_step(w, control, treatment, alpha);
        jsonw_text(w, "difference", "diff");
        jsonw_text(w, "se", "se");
        step_end(w);
    }
    welch_step(w, unit_of(m, control), unit_of(m, treatment), alpha, decides);
}

static void write_cuped_arm(struct jsonw *w, const struct cross *c, const char *const keys[6])
{
    double of = (double)c->n - 1;
    jsonw_i64(w, keys[0], c->n);
    jsonw_double(w, keys[1], c->mean[0] + c->rest[0]);
    jsonw_double(w, keys[2], c->mean[1] + c->rest[1]);
    jsonw_double(w, keys[3], c->m2[0][0] / of);
    jsonw_double(w, keys[4], c->m2[1][1] / of);
    jsonw_double(w, keys[5], c->m2[0][1] / of);
}

/* Ratios go in as their linearised units. */
static void cuped_step(struct jsonw *w, const struct result_metric *m, const struct cross *control,
                       const struct cross *treatment, const struct compare_plan *plan)
{
    static const char *const keys[2][6] = {
        { "n_c", "mean_y_c", "mean_x_c", "var_y_c", "var_x_c", "cov_xy_c" },
        { "n_t", "mean_y_t", "mean_x_t", "var_y_t", "var_x_t", "cov_xy_t" },
    };
    struct cross c = *control, t = *treatment;
    if (m->kind == METRIC_RATIO && (!cross_ratio(control, &c, NULL) || !cross_ratio(treatment, &t, NULL)))
        return;
    step_begin(w, "cuped");
    write_cuped_arm(w, &c, keys[0]);
    write_cuped_arm(w, &t, keys[1]);
    jsonw_double(w, "alpha", 1 - plan->level);
    step_gives(w);
    jsonw_text(w, "difference", "diff");
    jsonw_text(w, "se", "se");
    if (!(plan->planned_units > 0)) {
        jsonw_text(w, "df", "df");
        jsonw_text(w, "p", "p");
        step_give_pair(w, "difference_ci", "ci_lo", "ci_hi");
    }
    step_end(w);
}

static void counts_step(struct jsonw *w, const struct result_arm *control, const struct result_arm *treatment,
                        double alpha, bool has_exact)
{
    step_begin(w, "two_proportion");
    jsonw_double(w, "x_c", round(control->m.mean_x * (double)control->m.n));
    jsonw_i64(w, "n_c", control->m.n);
    jsonw_double(w, "x_t", round(treatment->m.mean_x * (double)treatment->m.n));
    jsonw_i64(w, "n_t", treatment->m.n);
    jsonw_double(w, "alpha", alpha);
    step_gives(w);
    jsonw_text(w, "difference", "diff");
    step_give_pair(w, "difference_ci", "mn_lo", "mn_hi");
    if (has_exact)
        jsonw_text(w, "p_exact", "fisher_p");
    step_end(w);
}

/* What is said of every comparison, up to its steps, which are open then. */
static void begin_comparison(struct jsonw *w, const struct result *r, const struct result_metric *m,
                             const struct result_arm *control, const struct result_arm *treatment, const char *method,
                             const char *adjusted_by)
{
    jsonw_open(w, "explain", '{');
    jsonw_text(w, "words", comparison_words[m->kind]);
    jsonw_text(w, "method", method);
    jsonw_double(w, "level", result_level(r));
    jsonw_text(w, "looks", looks_words[r->experiment->analysis.method]);
    jsonw_text(w, "adjusted_by", adjusted_by);
    jsonw_open(w, "counts", '{');
    write_counts(w, "control", m, control);
    write_counts(w, "treatment", m, treatment);
    jsonw_close(w);
}

void explain_write_comparison(struct jsonw *w, const struct result *r, const struct result_metric *m,
                              const struct result_arm *control, const struct result_arm *treatment,
                              const struct comparison *c)
{
    struct compare_plan plan = result_plan(r);
    begin_comparison(w, r, m, control, treatment, c->method, NULL);
    jsonw_open(w, "steps", '[');
    plain_steps(w, m, control, treatment, &plan);
    if (plan.planned_units > 0)
        sequence_step(w, &plan, (double)(control->m.n + treatment->m.n), c);
    lift_step(w, unit_of(m, control), unit_of(m, treatment), 0, c);
    jsonw_close(w);
    jsonw_close(w);
}

static struct unit unit_of_estimate(const struct estimate *e, int64_t n)
{
    return (struct unit){ n, e->value, e->variance * (double)n };
}

/* From what is known of the arms: a difference of two values that vary by themselves, normal as their variance is taken as known. */
static void values_step(struct jsonw *w, const struct effect *e, double alpha, bool decides)
{
    step_begin(w, "welch_t");
    write_units(w, unit_of_estimate(&e->base, e->n_c), unit_of_estimate(&e->with, e->n_t));
    jsonw_double(w, "alpha", alpha);
    jsonw_bool(w, "normal", true);
    step_gives(w);
    jsonw_text(w, "difference", "diff");
    jsonw_text(w, "se", "se");
    jsonw_text(w, "statistic", "t");
    if (decides) {
        jsonw_text(w, "p", "p_two_sided");
        step_give_pair(w, "difference_ci", "ci_lo", "ci_hi");
    }
    step_end(w);
}

static void effect_steps(struct jsonw *w, const struct result *r, const struct result_metric *m, size_t variant,
                         const struct compare_plan *plan, const struct analysed *cell)
{
    const struct result_arm *control = result_arm(m, 0), *treatment = result_arm(m, variant);
    const struct effect *e = &cell->effect;
    double alpha = 1 - plan->level;
    bool decides = !(plan->planned_units > 0);
    if (e->by == EFFECT_PLAIN)
        plain_steps(w, m, control, treatment, plan);
    else if (e->by == EFFECT_CUPED)
        cuped_step(w, m, control->pre, treatment->pre, plan);
    else if (e->by == EFFECT_PERIODS)
        step_periods(w, r, m, variant, alpha);
    else
        step_strata(w, r, m, variant, e, alpha, decides);
    if (e->by == EFFECT_PERIODS)
        values_step(w, e, alpha, decides);
    if (plan->planned_units > 0)
        sequence_step(w, plan, (double)(e->n_c + e->n_t), &cell->c);
}

/* The numbers are those of the look: of the units of then only their effect was kept. */
static void look_steps(struct jsonw *w, const struct result *r, const struct analysed *cell)
{
    double alpha = 1 - result_level(r);
    if (cell->effect.by == EFFECT_PLAIN || cell->effect.by == EFFECT_PERIODS)
        values_step(w, &cell->effect, alpha, false);
    step_looks(w, r, cell, alpha);
}

void explain_write_analysed(struct jsonw *w, const struct result *r, const struct result_metric *m, size_t variant,
                            const struct analysed *cell)
{
    const struct result_arm *control = result_arm(m, 0), *treatment = result_arm(m, variant);
    const struct effect *e = &cell->effect;
    struct compare_plan plan = result_plan(r);
    begin_comparison(w, r, m, control, treatment, cell->method, cell->has_effect ? adjusted_words[e->by] : NULL);
    jsonw_text(w, "family", test_family_names[cell->family]);
    jsonw_i64(w, "family_comparisons", (int64_t)cell->family_size);
    jsonw_open(w, "steps", '[');
    if (!cell->has_effect)
        counts_step(w, control, treatment, 1 - plan.level, isfinite(cell->log_p_exact));
    else if (cell->has_looks)
        look_steps(w, r, cell);
    else
        effect_steps(w, r, m, variant, &plan, cell);
    if (cell->has_effect)
        lift_step(w, unit_of_estimate(&e->base, e->n_c), unit_of_estimate(&e->with, e->n_t), e->covariance, &cell->c);
    jsonw_close(w);
    jsonw_close(w);
}

void explain_write_methods(struct jsonw *w)
{
    jsonw_open(w, "methods", '{');
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        const struct xstat_method *m = xstat_find(methods[i]);
        assert(m);
        jsonw_open(w, methods[i], '{');
        jsonw_text(w, "summary", m->summary);
        jsonw_text(w, "formula", m->formula);
        jsonw_text(w, "source", m->source);
        jsonw_close(w);
    }
    jsonw_close(w);
}
