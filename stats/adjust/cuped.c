#include "stats/adjust/cuped.h"

#include <assert.h>
#include <math.h>

bool cuped_theta(const struct cross *cells, size_t n, struct solve *out_factor, double *theta, struct err *err)
{
    size_t k = cells[0].vars - 1, dependent = 0;
    double s[SOLVE_MAX][SOLVE_MAX] = { 0 }, b[SOLVE_MAX] = { 0 };
    bool varies[SOLVE_MAX] = { 0 };
    for (size_t c = 0; c < n; c++) {
        for (size_t i = 0; i < k; i++) {
            varies[i] = varies[i] || cross_varies(&cells[c], i + 1);
            b[i] += cells[c].m2[i + 1][0];
            for (size_t j = 0; j < k; j++)
                s[i][j] += cells[c].m2[i + 1][j + 1];
        }
    }
    if (!solve_factor(k, s, varies, out_factor, &dependent))
        return err_set(err, ERR_INVALID, "covariate %zu is a linear combination of those before it", dependent + 1);
    solve_apply(out_factor, b, theta);
    return true;
}

double cuped_m2(const struct cross *c, const double *theta)
{
    double m2 = c->m2[0][0];
    for (size_t i = 1; i < c->vars; i++) {
        m2 -= 2 * theta[i - 1] * c->m2[i][0];
        for (size_t j = 1; j < c->vars; j++)
            m2 += theta[i - 1] * theta[j - 1] * c->m2[i][j];
    }
    return m2 > CUPED_NOISE * c->m2[0][0] ? m2 : 0;
}

static struct estimate estimate_of(const struct cross *c, double value, double m2)
{
    double n = (double)c->n;
    return (struct estimate){ value, m2 / (n - 1) / n, n - 1 };
}

/* Cov(ȳ_t - ȳ_c - θ'(x̄_t - x̄_c), ȳ_c) = -Var ȳ_c + θ' Cov(x̄_c, ȳ_c) */
static double covariance_with_baseline(const struct cross *c, const double *theta)
{
    double sum = -c->m2[0][0];
    for (size_t i = 1; i < c->vars; i++)
        sum += theta[i - 1] * c->m2[i][0];
    return sum / (double)(c->n - 1) / (double)c->n;
}

static void fill(const struct cross *c, const struct cross *t, struct cuped *out)
{
    double n_c = (double)c->n, n_t = (double)t->n, shift_c = 0, shift_t = 0, shift = 0;
    for (size_t i = 1; i < c->vars; i++) {
        double d = out->theta[i - 1] * cross_difference(c, t, i);
        shift += d;
        shift_c += d * (n_t / (n_c + n_t));
        shift_t += d * (n_c / (n_c + n_t));
    }
    out->plain_control = estimate_of(c, c->mean[0], c->m2[0][0]);
    out->plain_treatment = estimate_of(t, t->mean[0], t->m2[0][0]);
    out->control = estimate_of(c, c->mean[0] + shift_c, cuped_m2(c, out->theta));
    out->treatment = estimate_of(t, t->mean[0] - shift_t, cuped_m2(t, out->theta));
    out->plain_difference = cross_difference(c, t, 0);
    out->difference = out->plain_difference - shift;
    out->plain_se = welch_se(&out->plain_control, &out->plain_treatment);
    out->se = welch_se(&out->control, &out->treatment);
    double left = out->plain_se > 0 ? out->se / out->plain_se : 1;
    out->variance_reduction = (1 - left) * (1 + left);
    out->cov_baseline = covariance_with_baseline(c, out->theta);
}

bool cuped_adjust(const struct cross *control, const struct cross *treatment, enum cuped_slope slope, struct cuped *out,
                  struct err *err)
{
    struct cuped a = { .covariates = control->vars - 1 };
    struct cross cells[2] = { *control, *treatment };
    struct solve f;
    assert(control->vars == treatment->vars);
    if (!cross_check(control, err))
        return err_prefix(err, "control: ");
    if (!cross_check(treatment, err))
        return err_prefix(err, "treatment: ");
    if (slope == CUPED_GRAND)
        cross_merge(&cells[0], treatment);
    if (!cuped_theta(cells, slope == CUPED_GRAND ? 1 : 2, &f, a.theta, err))
        return false;
    fill(control, treatment, &a);
    *out = a;
    return true;
}

/* The test gets 0 and the difference, which is exact where that of the two means would have lost digits. */
bool cuped_test(const struct cuped *c, double alpha, struct welch *out, struct err *err)
{
    struct estimate control = c->control, treatment = c->treatment;
    control.value = 0;
    treatment.value = c->difference;
    return welch_test(&control, &treatment, alpha, out, err);
}

/* As a ratio of m_c + difference to m_c: Var(m_c + D) = Var m_c + Var D + 2 Cov, Cov(m_c + D, m_c) = Var m_c + Cov. */
struct lift_set cuped_lift(const struct cuped *c, double critical)
{
    struct estimate base = c->plain_control, with = base;
    with.value = base.value + c->difference;
    with.variance = fmax(0, base.variance + c->se * c->se + 2 * c->cov_baseline);
    return lift_fieller(&base, &with, base.variance + c->cov_baseline, critical);
}
