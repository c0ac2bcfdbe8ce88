#include "stats/compare.h"

#include <assert.h>
#include <math.h>

#include "stats/proportion.h"
#include "stats/ratio.h"
#include "stats/sequential/confseq.h"
#include "stats/special/special.h"
#include "stats/welch.h"

static const char *const value_methods[] = {
    [METRIC_PROPORTION] = "Wilson score interval",
    [METRIC_MEAN] = "t interval of the mean",
    [METRIC_RATIO] = "delta method over units, t interval",
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
};
static_assert(sizeof value_methods / sizeof *value_methods == METRIC_RATIO + 1, "a method for every kind of metric");
static_assert(sizeof comparison_methods / sizeof *comparison_methods == METRIC_RATIO + 1,
              "a method for every kind of metric");

/* A share of units is a mean of zeros and ones; rounding of the mean may leave it a little outside. */
#define SHARE_SLACK 1e-9

static bool check_level(double level, struct err *err)
{
    if (!(level > 0 && level < 1))
        return err_set(err, ERR_INVALID, "level %g is not between 0 and 1", level);
    return true;
}

static bool estimate(const struct arm *a, struct estimate *out, struct err *err)
{
    const struct moments2 *m = &a->m;
    if (a->kind == METRIC_RATIO)
        return ratio_estimate(m, out, err);
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
    if (!check_level(level, err) || !estimate(a, &e, err))
        return false;
    double n = (double)a->m.n, se = sqrt(e.variance);
    *out = (struct arm_value){
        .value = e.value, .numerator = a->m.mean_x * n, .se = se, .method = value_methods[a->kind]
    };
    out->denominator = a->kind == METRIC_RATIO ? a->m.mean_y * n : n;
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

static void set_lift(const struct estimate *c, const struct estimate *t, double critical, struct comparison *out)
{
    struct lift_set set = lift_fieller(c, t, 0, critical);
    out->lift_kind = set.kind;
    out->lift_lo = set.lo;
    out->lift_hi = set.hi;
    out->lift = set.kind == LIFT_NONE ? 0 : (t->value - c->value) / fabs(c->value);
}

const char *stats_compare_method(enum metric_kind kind, const struct compare_plan *plan)
{
    return comparison_methods[kind][plan->planned_units > 0];
}

/* Puts what holds at every look in the place of what holds at one. *critical: standard errors from the difference to its bounds. */
static bool any_time(const struct arm *control, const struct arm *treatment, const struct compare_plan *plan,
                     struct comparison *out, double *critical, struct err *err)
{
    struct confseq s;
    double rho, n = (double)(control->m.n + treatment->m.n), alpha = 1 - plan->level;
    if (control->m.n < COMPARE_UNITS_MIN || treatment->m.n < COMPARE_UNITS_MIN)
        return err_set(err, ERR_INVALID, "too early to look: a variant has fewer than %d units", COMPARE_UNITS_MIN);
    if (!confseq_rho_exact(plan->planned_units, alpha, CONFSEQ_TWO, &rho, err) ||
        !confseq_asymptotic(out->difference, out->se, n, rho, alpha, CONFSEQ_TWO, &s, err))
        return false;
    out->df = NAN;
    out->p = s.p;
    out->log_p = s.log_p;
    out->ci_lo = s.lo;
    out->ci_hi = s.hi;
    *critical = s.half_width / out->se;
    return true;
}

bool stats_compare(const struct arm *control, const struct arm *treatment, const struct compare_plan *plan,
                   struct comparison *out, struct err *err)
{
    struct estimate c, t;
    struct welch w;
    assert(control->kind == treatment->kind);
    if (!check_level(plan->level, err))
        return false;
    if (!estimate(control, &c, err))
        return err_prefix(err, "control: ");
    if (!estimate(treatment, &t, err) || !welch_test(&c, &t, 1 - plan->level, &w, err))
        return false;
    struct comparison found = { .difference = w.difference,
                                .se = w.se,
                                .statistic = w.t,
                                .df = w.df,
                                .p = exp(w.log_p),
                                .log_p = w.log_p,
                                .ci_lo = w.ci_lo,
                                .ci_hi = w.ci_hi,
                                .method = stats_compare_method(control->kind, plan) };
    double critical = w.critical;
    if (plan->planned_units > 0 && !any_time(control, treatment, plan, &found, &critical, err))
        return false;
    set_lift(&c, &t, critical, &found);
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
