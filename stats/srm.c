#include "stats/srm.h"

#include <math.h>

#include "stats/special/ibeta.h"
#include "stats/special/special.h"
#include "stats/special/stirling.h"

struct totals {
    int64_t units;
    double weight;
    size_t arms;     /* of positive weight */
    bool impossible; /* a unit in an arm of weight 0 */
};

static bool add_up(const int64_t *counts, const double *weights, size_t n, struct totals *out, struct err *err)
{
    struct totals t = { 0 };
    for (size_t i = 0; i < n; i++) {
        if (counts[i] < 0)
            return err_set(err, ERR_INVALID, "count %zu is negative", i + 1);
        if (!(weights[i] >= 0) || !isfinite(weights[i]))
            return err_set(err, ERR_INVALID, "weight %zu is not a number from 0", i + 1);
        if (__builtin_add_overflow(t.units, counts[i], &t.units))
            return err_set(err, ERR_INVALID, "the counts sum to more than 64 bits hold");
        t.weight += weights[i];
        t.arms += weights[i] > 0;
        t.impossible = t.impossible || (weights[i] == 0 && counts[i] > 0);
    }
    if (t.arms < 2)
        return err_set(err, ERR_INVALID, "fewer than two variants have a positive weight: no ratio to test");
    if (!isfinite(t.weight))
        return err_set(err, ERR_INVALID, "the sum of the weights is not a finite number");
    *out = t;
    return true;
}

bool srm_test(const int64_t *counts, const double *weights, size_t n, double *out_expected, struct srm *out,
              struct err *err)
{
    struct totals t;
    double chi2 = 0, g = 0;
    if (!add_up(counts, weights, n, &t, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        double expected = (double)t.units * (weights[i] / t.weight), diff = (double)counts[i] - expected;
        if (out_expected)
            out_expected[i] = expected;
        if (expected > 0) {
            chi2 += diff * (diff / expected);
            g += 2 * stirling_deviance((double)counts[i], expected, diff); /* Σ diff = 0, so this is 2 Σ O ln(O/E) */
        }
    }
    if (t.impossible)
        chi2 = g = INFINITY;
    double df = (double)(t.arms - 1);
    *out = (struct srm){ .chi2 = chi2, .df = df, .g = g };
    out->log_p = isinf(chi2) ? -INFINITY : special_log_chi2_q(chi2, df);
    out->log_p_g = isinf(g) ? -INFINITY : special_log_chi2_q(g, df);
    out->p = exp(out->log_p);
    return true;
}

double srm_log_p_binomial(int64_t a, int64_t b)
{
    int64_t larger = a > b ? a : b;
    if (2 * larger - (a + b) <= 1) /* as even as can be: the doubled tail is 1 or more */
        return 0;
    return fmin(0, M_LN2 + special_log_binomial_upper(larger, a + b, 0.5));
}

/* ln [B(α + n) / B(α)] - Σ n_i ln w_i with α_i = A w_i. Written out by Stirling's formula with its errors s(), m_i = α_i + n_i,
 * M = A + N, the large terms join into deviances and nothing cancels:
 * Σ [m_i ln(m_i / (M w_i))] - 1/2 [Σ ln(m_i / α_i) - ln(M / A)] + Σ [s(m_i) - s(α_i)] - [s(M) - s(A)]. */
double srm_log_bayes_factor(const int64_t *counts, const double *weights, size_t n, double concentration)
{
    double weight = 0, units = 0;
    for (size_t i = 0; i < n; i++) {
        weight += weights[i];
        units += weights[i] > 0 ? (double)counts[i] : 0;
    }
    double total = concentration + units;
    double log_bf = 0.5 * log1p(units / concentration) - (stirling_error(total) - stirling_error(concentration));
    for (size_t i = 0; i < n; i++) {
        if (weights[i] == 0 && counts[i] > 0)
            return INFINITY;
        if (weights[i] == 0)
            continue;
        double share = weights[i] / weight, prior = concentration * share, count = (double)counts[i];
        log_bf += stirling_deviance(prior + count, total * share, count - units * share);
        log_bf += stirling_error(prior + count) - stirling_error(prior) - 0.5 * log1p(count / prior);
    }
    return log_bf;
}
