#include "stats/compare.h"

#include <math.h>

#include "stats/special/special.h"

#define LN_2 0.693147180559945309417232121458

static const char *const mean_method = "t interval of the mean";
static const char *const share_method = "Wilson score interval";
static const char *const ratio_method = "delta method over units";

/* Value and variance of the value, from the moments of one arm. */
struct estimate {
    double value, variance, df;
};

static bool check_level(double level, struct err *err)
{
    if (!(level > 0 && level < 1))
        return err_set(err, ERR_INVALID, "level %g is not between 0 and 1", level);
    return true;
}

/* var(R) = var(x - R y) / (n mean_y²); from the moments: m2_x - 2 R cxy + R² m2_y. Deng, Knoblich, Lu 2018. */
static bool estimate_ratio(const struct moments2 *m, struct estimate *out, struct err *err)
{
    if (!(fabs(m->mean_y) > 0))
        return err_set(err, ERR_INVALID, "the metric's denominator is 0: nothing that it counts has happened");
    double r = m->mean_x / m->mean_y;
    double residual = m->m2_x - 2 * r * m->cxy + r * r * m->m2_y;
    double n = (double)m->n;
    out->value = r;
    out->variance = (residual > 0 ? residual : 0) / (n - 1) / n / (m->mean_y * m->mean_y);
    out->df = n - 1;
    return true;
}

static bool estimate(const struct arm *a, struct estimate *out, struct err *err)
{
    const struct moments2 *m = &a->m;
    if (m->n == 0)
        return err_set(err, ERR_INVALID, "no unit has been exposed to this variant");
    if (m->n < 2)
        return err_set(err, ERR_INVALID, "the variant has 1 unit, at least 2 are needed");
    if (!isfinite(m->mean_x) || !isfinite(m->m2_x) || m->m2_x < 0)
        return err_set(err, ERR_INVALID, "the moments are not finite numbers");
    if (a->kind == METRIC_RATIO)
        return estimate_ratio(m, out, err);
    out->value = m->mean_x;
    out->variance = m->m2_x / (double)(m->n - 1) / (double)m->n;
    out->df = (double)(m->n - 1);
    return true;
}

/* Wilson 1927: (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n). */
static void wilson(double p, double n, double level, struct arm_value *out)
{
    double z = special_normal_qinv((1 - level) / 2), zz = z * z / n;
    double middle = (p + zz / 2) / (1 + zz), half = z * sqrt(p * (1 - p) / n + zz / (4 * n)) / (1 + zz);
    out->ci_lo = fmax(0, middle - half);
    out->ci_hi = fmin(1, middle + half);
    out->method = share_method;
}

bool stats_arm_value(const struct arm *a, double level, struct arm_value *out, struct err *err)
{
    struct estimate e;
    if (!check_level(level, err) || !estimate(a, &e, err))
        return false;
    double n = (double)a->m.n;
    *out = (struct arm_value){ .value = e.value, .numerator = a->m.mean_x * n, .denominator = n, .se = sqrt(e.variance) };
    if (a->kind == METRIC_PROPORTION) {
        wilson(e.value, n, level, out);
        return true;
    }
    double half = special_t_qinv((1 - level) / 2, e.df) * out->se;
    out->ci_lo = e.value - half;
    out->ci_hi = e.value + half;
    out->method = a->kind == METRIC_RATIO ? ratio_method : mean_method;
    if (a->kind == METRIC_RATIO)
        out->denominator = a->m.mean_y * n;
    return true;
}

/* Welch–Satterthwaite by shares of the variance: no overflow at any scale. */
static double welch_df(const struct estimate *c, const struct estimate *t)
{
    double total = c->variance + t->variance, a = c->variance / total, b = t->variance / total;
    return 1 / (a * a / c->df + b * b / t->df);
}

/* Fieller's set of ratios θ = t/c: a θ² - 2 b θ + d <= 0 with a = c² - q²V_c, b = t c, d = t² - q²V_t; q the critical value. */
static void fieller(const struct estimate *c, const struct estimate *t, double q, struct comparison *out)
{
    double a = c->value * c->value - q * q * c->variance, b = t->value * c->value;
    double d = t->value * t->value - q * q * t->variance, disc = b * b - a * d;
    double sign = c->value < 0 ? -1 : 1; /* lift is relative to |control| */
    if (c->value == 0) {
        out->lift_kind = LIFT_NONE;
        return;
    }
    out->lift = (t->value - c->value) / fabs(c->value);
    if (a == 0 || disc <= 0) {
        out->lift_kind = LIFT_WHOLE_LINE;
        out->lift_lo = -INFINITY;
        out->lift_hi = INFINITY;
        return;
    }
    double s = b + (b < 0 ? -1 : 1) * sqrt(disc), r1 = s / a, r2 = d / s;
    double l1 = (r1 - 1) * sign, l2 = (r2 - 1) * sign;
    out->lift_kind = a > 0 ? LIFT_BOUNDED : LIFT_EXCLUSIVE;
    out->lift_lo = fmin(l1, l2);
    out->lift_hi = fmax(l1, l2);
}

bool stats_compare(const struct arm *control, const struct arm *treatment, double level, struct comparison *out,
                   struct err *err)
{
    struct estimate c, t;
    if (!check_level(level, err))
        return false;
    if (!estimate(control, &c, err))
        return err_prefix(err, "control: ");
    if (!estimate(treatment, &t, err))
        return false;
    double variance = c.variance + t.variance;
    if (!(variance > 0))
        return err_set(err, ERR_INVALID, "all units of both variants have the same value: there is no variance to compare with");
    *out = (struct comparison){ .difference = t.value - c.value, .se = sqrt(variance) };
    out->statistic = out->difference / out->se;
    out->df = welch_df(&c, &t);
    out->log_p = fmin(0, LN_2 + special_log_t_q(fabs(out->statistic), out->df));
    out->p = exp(out->log_p);
    double q = special_t_qinv((1 - level) / 2, out->df);
    out->ci_lo = out->difference - q * out->se;
    out->ci_hi = out->difference + q * out->se;
    fieller(&c, &t, q, out);
    out->method = control->kind == METRIC_RATIO ? "Welch t with delta-method variances" : "Welch t";
    return true;
}

bool stats_srm(const int64_t *counts, const double *weights, size_t n, struct srm *out, struct err *err)
{
    double total = 0, weight = 0, chi2 = 0;
    size_t positive = 0;
    bool impossible = false;
    for (size_t i = 0; i < n; i++) {
        if (counts[i] < 0)
            return err_set(err, ERR_INVALID, "count %zu is negative", i);
        if (!(weights[i] >= 0) || !isfinite(weights[i]))
            return err_set(err, ERR_INVALID, "weight %zu is not a number from 0", i);
        total += (double)counts[i];
        weight += weights[i];
        positive += weights[i] > 0;
        impossible = impossible || (weights[i] == 0 && counts[i] > 0);
    }
    if (positive < 2)
        return err_set(err, ERR_INVALID, "fewer than two variants have a positive weight: no ratio to test");
    if (total <= 0)
        return err_set(err, ERR_INVALID, "no unit has been exposed yet");
    for (size_t i = 0; i < n; i++) {
        double expected = total * (weights[i] / weight), d = (double)counts[i] - expected;
        chi2 += weights[i] > 0 ? d * (d / expected) : 0;
    }
    *out = (struct srm){ .chi2 = chi2, .df = (double)(positive - 1) };
    out->log_p = impossible ? -INFINITY : special_log_chi2_q(chi2, out->df);
    out->p = exp(out->log_p);
    return true;
}
