#include "stats/compare.h"

#include <assert.h>
#include <math.h>

#include "stats/exact.h"
#include "stats/ratio.h"
#include "stats/score.h"
#include "stats/sequential/confseq.h"
#include "stats/special/special.h"
#include "stats/welch.h"

static const char *const value_methods[] = {
    [METRIC_PROPORTION] = "Wilson score interval",
    [METRIC_MEAN] = "t interval of the mean",
    [METRIC_RATIO] = "delta method over units, t interval",
    [METRIC_QUANTILE] = "order statistics at the ranks that clustered values of units leave open",
};
/* At one look; at any. */
static const char *const comparison_methods[][2] = {
    [METRIC_PROPORTION] = { "Welch's t on units (0 or 1 each); Wilson interval of a share; Fieller interval of the "
                            "lift",
                            "confidence sequence on units (0 or 1 each), right at every look; Wilson interval of a "
                            "share; "
                            "Fieller interval of the lift" },
    [METRIC_MEAN] = { "Welch's t on units; t interval of a mean; Fieller interval of the lift",
                      "confidence sequence on units, right at every look; t interval of a mean; Fieller interval of "
                      "the "
                      "lift" },
    [METRIC_RATIO] = { "ratio of sums, variance by the delta method over units; Fieller interval of the lift",
                       "ratio of sums, variance by the delta method over units; confidence sequence, right at every "
                       "look; Fieller interval of the lift" },
    [METRIC_QUANTILE] = { "difference of quantiles, standard errors from clustered ranks, normal; Fieller interval of "
                          "the lift",
                          "difference of quantiles, standard errors from clustered ranks; confidence sequence, right "
                          "at every look; Fieller interval of the lift" },
};
static_assert(sizeof value_methods / sizeof *value_methods == METRIC_KIND_COUNT, "a method for every kind of metric");
static_assert(sizeof comparison_methods / sizeof *comparison_methods == METRIC_KIND_COUNT,
              "a method for every kind of metric");

/* A share of units is a mean of zeros and ones; rounding of the mean may leave it a little outside. */
#define SHARE_SLACK 1e-9

static bool check_level(double level, struct err *err)
{
    if (!(level > 0 && level < 1))
        return err_set(err, ERR_INVALID, "level %g is not between 0 and 1", level);
    return true;
}

/* The normal quantile whose ranks give the standard error of a quantile: of the usual interval. */
#define QUANTILE_Z 1.959963984540054

bool compare_quantile(const struct arm *a, struct quantile *out, struct err *err)
{
    if (!a->sketch)
        return err_set(err, ERR_INVALID, "the variant has no values yet");
    if (!sketch_quantile(a->sketch, a->quantile, QUANTILE_Z, out, err))
        return false;
    return out->reliable ||
           err_set(err, ERR_INVALID, "too few values for this quantile: its interval would end outside them");
}

bool compare_estimate(const struct arm *a, struct estimate *out, struct err *err)
{
    const struct moments2 *m = &a->m;
    struct quantile q;
    if (a->kind == METRIC_RATIO)
        return ratio_estimate(m, out, err);
    if (a->kind == METRIC_QUANTILE) {
        if (!compare_quantile(a, &q, err))
            return false;
        *out = quantile_estimate(&q);
        return true;
    }
    double variance = m->n < 2 ? 0 : m->m2_x / (double)(m->n - 1);
    if (!welch_estimate(m->n, m->mean_x, variance, out, err))
        return false;
    if (a->kind == METRIC_PROPORTION && !(m->mean_x >= -SHARE_SLACK && m->mean_x <= 1 + SHARE_SLACK))
        return err_set(err, ERR_INVALID, "the share %g is not between 0 and 1", m->mean_x);
    return true;
}

bool stats_arm_value(const struct arm *a, double level, struct arm_value *out, struct err *err)
{
    struct estimate e;
    if (!check_level(level, err) || !compare_estimate(a, &e, err))
        return false;
    double n = (double)a->m.n, se = sqrt(e.variance);
    *out = (struct arm_value){
        .value = e.value, .numerator = a->m.mean_x * n, .se = se, .method = value_methods[a->kind]
    };
    out->denominator = a->kind == METRIC_RATIO || a->kind == METRIC_QUANTILE ? a->m.mean_y * n : n;
    if (a->kind == METRIC_PROPORTION) {
        struct interval wilson = proportion_wilson(fmin(1, fmax(0, e.value)), n, special_normal_qinv((1 - level) / 2));
        out->ci_lo = wilson.lo;
        out->ci_hi = wilson.hi;
        return true;
    }
    double half = special_t_qinv((1 - level) / 2, e.df) * se;
    out->ci_lo = e.value - half;
    out->ci_hi = e.value + half;
    return true;
}

const char *stats_compare_method(enum metric_kind kind, const struct compare_plan *plan)
{
    return comparison_methods[kind][plan->planned_units > 0];
}

/* ---- an effect, tested ---- */

static bool sequence_of(const struct effect *e, const struct compare_plan *plan, double alpha, struct confseq *out,
                        struct err *err)
{
    double rho, n = (double)e->n_c + (double)e->n_t;
    if (e->n_c < COMPARE_UNITS_MIN || e->n_t < COMPARE_UNITS_MIN)
        return err_set(err, ERR_INVALID, "too early to look: a variant has fewer than %d units", COMPARE_UNITS_MIN);
    return confseq_rho_exact(plan->planned_units, 1 - plan->level, CONFSEQ_TWO, &rho, err) &&
           confseq_asymptotic(e->difference, e->se, n, rho, alpha, CONFSEQ_TWO, out, err);
}

bool compare_critical(const struct effect *e, const struct compare_plan *plan, double alpha, double *out,
                      struct err *err)
{
    struct confseq s;
    if (!(plan->planned_units > 0)) {
        *out = special_t_qinv(alpha / 2, e->df);
        return true;
    }
    if (!sequence_of(e, plan, alpha, &s, err))
        return false;
    *out = s.half_width / e->se;
    return true;
}

void compare_at(const struct effect *e, double critical, double log_p, struct comparison *out)
{
    struct lift_set set = lift_fieller(&e->base, &e->with, e->covariance, critical);
    *out = (struct comparison){ .difference = e->difference,
                                .se = e->se,
                                .statistic = e->difference / e->se,
                                .df = NAN,
                                .p = exp(log_p),
                                .log_p = log_p,
                                .ci_lo = e->difference - critical * e->se,
                                .ci_hi = e->difference + critical * e->se,
                                .lift_kind = set.kind,
                                .lift_lo = set.lo,
                                .lift_hi = set.hi,
                                .lift = set.kind == LIFT_NONE ? 0 : e->difference / fabs(e->base.value) };
}

bool compare_effect(const struct effect *e, const struct compare_plan *plan, double alpha, struct comparison *out,
                    struct err *err)
{
    struct confseq s;
    if (!check_level(plan->level, err) || !check_level(1 - alpha, err))
        return false;
    if (plan->planned_units > 0) {
        if (!sequence_of(e, plan, alpha, &s, err))
            return false;
        compare_at(e, s.half_width / e->se, s.log_p, out);
        return true;
    }
    double log_p = fmin(0, M_LN2 + special_log_t_q(fabs(e->difference / e->se), e->df));
    compare_at(e, special_t_qinv(alpha / 2, e->df), log_p, out);
    out->df = e->df;
    return true;
}

bool stats_compare(const struct arm *control, const struct arm *treatment, const struct compare_plan *plan,
                   struct comparison *out, struct err *err)
{
    struct estimate c, t;
    struct effect e;
    assert(control->kind == treatment->kind);
    if (!check_level(plan->level, err))
        return false;
    if (!compare_estimate(control, &c, err))
        return err_prefix(err, "control: ");
    if (!compare_estimate(treatment, &t, err) || !effect_plain(&c, &t, control->m.n, treatment->m.n, &e, err) ||
        !compare_effect(&e, plan, 1 - plan->level, out, err))
        return false;
    out->method = stats_compare_method(control->kind, plan);
    return true;
}

/* ---- shares of few ---- */

static bool is_few(int64_t x, int64_t n)
{
    return x < COMPARE_FEW || n - x < COMPARE_FEW;
}

bool compare_few(const struct arm *control, const struct arm *treatment, struct proportions *out)
{
    const struct moments2 *c = &control->m, *t = &treatment->m;
    if (control->kind != METRIC_PROPORTION || c->n < 1 || t->n < 1)
        return false;
    *out = (struct proportions){ llround(c->mean_x * (double)c->n), c->n, llround(t->mean_x * (double)t->n), t->n };
    return is_few(out->x_c, out->n_c) || is_few(out->x_t, out->n_t);
}

/* The factor N/(N - 1) that Miettinen and Nurminen's variance has and Koopman's has not. */
static void lift_of_counts(const struct proportions *c, double critical, double factor, struct comparison *out)
{
    struct interval ratio;
    out->lift_kind = LIFT_NONE;
    if (c->x_c == 0 || !score_koopman(c, critical * sqrt(factor), &ratio))
        return;
    out->lift_kind = LIFT_BOUNDED;
    out->lift = out->difference / ((double)c->x_c / (double)c->n_c);
    out->lift_lo = ratio.lo - 1;
    out->lift_hi = ratio.hi - 1;
}

bool compare_counts(const struct proportions *c, double alpha, struct comparison *out, double *out_log_p_exact,
                    struct err *err)
{
    double n = (double)c->n_c + (double)c->n_t, factor = n / (n - 1), exact;
    if (!proportion_check(c, err) || !check_level(1 - alpha, err))
        return false;
    double critical = special_normal_qinv(alpha / 2), se = proportion_se_pooled(c) * sqrt(factor);
    struct interval difference = score_miettinen_nurminen(c, critical);
    struct comparison found = { .difference = proportion_difference(c),
                                .se = se,
                                .df = NAN,
                                .ci_lo = difference.lo,
                                .ci_hi = difference.hi,
                                .method = "score test of two shares, as there are few; the difference by Miettinen and "
                                          "Nurminen, the lift by Koopman; Wilson interval of a share" };
    found.statistic = se > 0 ? found.difference / se : 0; /* 0 of n against 0 of m, or all of both */
    found.log_p = welch_log_p_normal(found.statistic);
    found.p = exp(found.log_p);
    lift_of_counts(c, critical, factor, &found);
    *out_log_p_exact = exact_fisher_p(c, &exact) && exact > 0 ? log(exact) : NAN;
    *out = found;
    return true;
}

/* ---- margins ---- */

bool compare_inferior(const struct effect *e, const struct compare_margin *m, const struct compare_plan *plan,
                      double critical, struct compare_inferiority *out, struct err *err)
{
    double sign = m->increase ? 1 : -1;
    double k = m->absolute > 0 ? 1 : 1 - sign * copysign(m->relative, e->base.value);
    double beyond = sign * (e->with.value - k * e->base.value) + (m->absolute > 0 ? m->absolute : 0);
    double variance = e->with.variance + k * k * e->base.variance - 2 * k * e->covariance;
    if (!(variance > 0))
        return err_set(err, ERR_INVALID, "the distance to the margin does not vary");
    struct compare_inferiority found = { .z = beyond / sqrt(variance) };
    struct effect shifted = *e;
    shifted.difference = beyond;
    shifted.se = sqrt(variance);
    struct confseq s;
    if (plan->planned_units > 0) {
        if (!sequence_of(&shifted, plan, 1 - plan->level, &s, err))
            return false;
        found.log_p = beyond > 0 ? s.log_p : 0;
    } else {
        found.log_p = special_log_t_q(found.z, e->df);
    }
    found.not_worse = found.z > critical;
    found.worse = found.z < -critical;
    *out = found;
    return true;
}

bool stats_srm(const int64_t *counts, const double *weights, size_t n, struct srm *out, struct err *err)
{
    struct srm srm;
    int64_t units = 0;
    if (!srm_test(counts, weights, n, NULL, &srm, err))
        return false;
    for (size_t i = 0; i < n; i++)
        units += counts[i];
    if (units == 0)
        return err_set(err, ERR_INVALID, "no unit has been exposed yet");
    *out = srm;
    return true;
}
