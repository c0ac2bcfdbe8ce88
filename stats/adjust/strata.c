#include "stats/adjust/strata.h"

#include <math.h>

#include "stats/adjust/cuped.h"
#include "stats/special/special.h"

/* ---- checks ---- */

static bool check_arm(const struct stratum_arm *a, const char *name, size_t k, struct err *err)
{
    if (a->n < 2)
        return err_set(err, ERR_INVALID, "stratum %zu: the %s has %lld units, at least 2 are needed: merge it", k + 1,
                       name, (long long)a->n);
    if (!isfinite(a->mean) || !isfinite(a->variance))
        return err_set(err, ERR_INVALID, "stratum %zu: mean or variance of the %s is not a finite number", k + 1, name);
    if (a->variance < 0)
        return err_set(err, ERR_INVALID, "stratum %zu: variance %g of the %s is negative", k + 1, a->variance, name);
    return true;
}

static bool check(const struct stratum *strata, size_t n, const double *weights, struct err *err)
{
    double sum = 0;
    if (n == 0)
        return err_set(err, ERR_INVALID, "there are no strata");
    for (size_t k = 0; k < n; k++) {
        if (!check_arm(&strata[k].control, "control", k, err) || !check_arm(&strata[k].treatment, "treatment", k, err))
            return false;
        if (weights && !(weights[k] >= 0 && isfinite(weights[k])))
            return err_set(err, ERR_INVALID, "weight %zu is %g, must be a number from 0", k + 1, weights[k]);
        sum += weights ? weights[k] : 1;
    }
    return sum > 0 || err_set(err, ERR_INVALID, "the weights sum to 0");
}

/* ---- the weighted effect ---- */

/* One stratum as the sums see it; v: of the means. */
struct part {
    double w, d, m_c, m_t, v_c, v_t;
};

static struct part part_of(const struct stratum *s, double weight)
{
    const struct stratum_arm *c = &s->control, *t = &s->treatment;
    struct part p = { .w = weight, .d = t->mean - c->mean, .m_c = c->mean, .m_t = t->mean };
    p.v_c = c->variance / (double)c->n;
    p.v_t = t->variance / (double)t->n;
    return p;
}

static double weight_of(const struct stratum *s, const double *weights, size_t k)
{
    return weights ? weights[k] : (double)s[k].control.n + (double)s[k].treatment.n;
}

static double total_weight(const struct stratum *s, size_t n, const double *weights)
{
    double total = 0;
    for (size_t k = 0; k < n; k++)
        total += weight_of(s, weights, k);
    return total;
}

static void add_means(const struct stratum *s, size_t n, const double *weights, struct strata *out)
{
    double total = total_weight(s, n, weights);
    for (size_t k = 0; k < n; k++) {
        struct part p = part_of(&s[k], weight_of(s, weights, k) / total);
        out->effect += p.w * p.d;
        out->control.value += p.w * p.m_c;
        out->treatment.value += p.w * p.m_t;
    }
}

/* Terms between strata only when the weights are shares of units. Of the lift's variance (delta method, ratio = m_t/m_c) the two arms'
 * deviations meet before they are squared: apart, they would cancel. */
static void add_variances(const struct stratum *s, size_t n, const double *weights, struct strata *out)
{
    double total = total_weight(s, n, weights), of_units = weights ? 0 : 1 / total, within = 0, between = 0, lift = 0;
    double ratio = out->has_lift ? 1 + out->effect / out->control.value : 0;
    for (size_t k = 0; k < n; k++) {
        struct part p = part_of(&s[k], weight_of(s, weights, k) / total);
        double c = p.m_c - out->control.value, t = p.m_t - out->treatment.value, d = p.d - out->effect;
        double share = p.w * of_units, l = d - (ratio - 1) * c;
        within += p.w * p.w * (p.v_c + p.v_t);
        between += share * d * d;
        out->control.variance += p.w * p.w * p.v_c + share * c * c;
        out->treatment.variance += p.w * p.w * p.v_t + share * t * t;
        out->covariance += share * c * t;
        lift += p.w * p.w * (p.v_t + ratio * ratio * p.v_c) + share * l * l;
    }
    out->se = sqrt(within);
    out->se_super = sqrt(within + between);
    if (out->has_lift) {
        out->lift = out->effect / fabs(out->control.value);
        out->lift_se = sqrt(lift) / fabs(out->control.value);
    }
}

/* ---- do the strata agree ---- */

static void add_simpson(const struct stratum *s, size_t n, struct strata *out)
{
    double n_c = 0, n_t = 0, naive = 0;
    size_t up = 0, down = 0;
    for (size_t k = 0; k < n; k++) {
        n_c += (double)s[k].control.n;
        n_t += (double)s[k].treatment.n;
        up += s[k].treatment.mean > s[k].control.mean;
        down += s[k].treatment.mean < s[k].control.mean;
    }
    for (size_t k = 0; k < n; k++) {
        double f_c = (double)s[k].control.n / n_c, f_t = (double)s[k].treatment.n / n_t;
        naive += f_t * (s[k].treatment.mean - s[k].control.mean) + (f_t - f_c) * s[k].control.mean;
    }
    out->naive = naive;
    out->simpson = (up == n && naive < 0) || (down == n && naive > 0);
}

static bool all_vary(const struct stratum *s, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (!(s[k].control.variance > 0 || s[k].treatment.variance > 0))
            return false;
    return true;
}

static void add_q(const struct stratum *s, size_t n, struct strata *out)
{
    double weights = 0, sum = 0, df = (double)n - 1;
    out->has_q = n > 1 && all_vary(s, n);
    if (!out->has_q)
        return;
    for (size_t k = 0; k < n; k++) {
        struct part p = part_of(&s[k], 1);
        weights += 1 / (p.v_c + p.v_t);
        sum += p.d / (p.v_c + p.v_t);
    }
    out->fixed = sum / weights;
    for (size_t k = 0; k < n; k++) {
        struct part p = part_of(&s[k], 1);
        out->q += (p.d - out->fixed) * (p.d - out->fixed) / (p.v_c + p.v_t);
    }
    out->log_p_q = special_log_chi2_q(out->q, df);
    out->i_squared = fmax(0, 1 - df / out->q); /* Q may be infinite */
}

bool strata_effect(const struct stratum *strata, size_t n, const double *weights, struct strata *out, struct err *err)
{
    struct strata s = { .n = n };
    if (!check(strata, n, weights, err))
        return false;
    add_means(strata, n, weights, &s);
    s.has_lift = s.control.value != 0;
    add_variances(strata, n, weights, &s);
    add_simpson(strata, n, &s);
    add_q(strata, n, &s);
    *out = s;
    return true;
}

struct lift_set strata_lift(const struct strata *s, double critical)
{
    return lift_fieller(&s->control, &s->treatment, s->covariance, critical);
}

/* ---- with covariates ---- */

static struct stratum_arm adjusted_arm(const struct cross *c, const double *theta, double shift)
{
    return (struct stratum_arm){ c->n, c->mean[0] + shift, cuped_m2(c, theta) / (double)(c->n - 1) };
}

/* Both arms of a stratum move to their common mean of the covariates. */
bool strata_cuped(const struct cross *cells, size_t n, double *out_theta, struct stratum *out, struct err *err)
{
    struct solve f;
    for (size_t i = 0; i < 2 * n; i++)
        if (!cross_check(&cells[i], err))
            return err_prefix(err, "stratum %zu, %s: ", i / 2 + 1, i % 2 == 0 ? "control" : "treatment");
    if (n == 0)
        return err_set(err, ERR_INVALID, "there are no strata");
    if (!cuped_theta(cells, 2 * n, &f, out_theta, err))
        return false;
    for (size_t k = 0; k < n; k++) {
        const struct cross *c = &cells[2 * k], *t = c + 1;
        double share_t = (double)t->n / ((double)c->n + (double)t->n), shift = 0;
        for (size_t i = 1; i < c->vars; i++)
            shift += out_theta[i - 1] * cross_difference(c, t, i);
        out[k].control = adjusted_arm(c, out_theta, shift * share_t);
        out[k].treatment = adjusted_arm(t, out_theta, -shift * (1 - share_t));
    }
    return true;
}
