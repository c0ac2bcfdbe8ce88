#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/srm.h"

static struct srm of(const int64_t *counts, const double *weights, size_t n)
{
    struct srm s;
    struct err err;
    cr_assert(srm_test(counts, weights, n, NULL, &s, &err), "%s", err.text);
    return s;
}

Test(srm, finds_the_mismatch_of_the_wikimedia_log)
{
    const int64_t counts[] = { 7949, 6170 };
    double expected[2];
    struct srm s;
    struct err err;
    cr_assert(srm_test(counts, (const double[]){ 0.5, 0.5 }, 2, expected, &s, &err));
    cr_assert(epsilon_eq(dbl, s.chi2, 224.15, 0.01));
    cr_assert(epsilon_eq(dbl, s.log_p / M_LN10, -49.95, 0.01));
    cr_assert(eq(dbl, expected[0], 7059.5));
}

Test(srm, weights_have_any_scale)
{
    const int64_t counts[] = { 40, 60, 25 };
    struct srm a = of(counts, (const double[]){ 2, 2, 1 }, 3), b = of(counts, (const double[]){ 0.4, 0.4, 0.2 }, 3);
    cr_assert(epsilon_eq(dbl, a.chi2, b.chi2, 1e-13));
    cr_assert(epsilon_eq(dbl, a.g, b.g, 1e-13));
}

Test(srm, an_arm_of_weight_zero_does_not_count)
{
    struct srm a = of((const int64_t[]){ 500, 430, 0 }, (const double[]){ 1, 1, 0 }, 3);
    struct srm b = of((const int64_t[]){ 500, 430 }, (const double[]){ 1, 1 }, 2);
    cr_assert(eq(dbl, a.df, 1));
    cr_assert(eq(dbl, a.p, b.p));
    cr_assert(epsilon_eq(dbl, a.p, 0.0217, 5e-5)); /* counting the arm would give 0.072 */
}

Test(srm, a_unit_in_an_arm_of_weight_zero_is_impossible)
{
    struct srm s = of((const int64_t[]){ 500, 480, 1 }, (const double[]){ 1, 1, 0 }, 3);
    cr_assert(eq(dbl, s.p, 0));
    cr_assert(eq(dbl, s.log_p, -INFINITY));
    cr_assert(
        eq(dbl, srm_log_bayes_factor((const int64_t[]){ 5, 4, 1 }, (const double[]){ 1, 1, 0 }, 3, 100), INFINITY));
}

Test(srm, p_of_whole_site_traffic_is_a_logarithm)
{
    struct srm s = of((const int64_t[]){ 520000, 500000, 480000 }, (const double[]){ 1, 1, 1 }, 3);
    cr_assert(epsilon_eq(dbl, s.log_p, -800, 1e-9));
    cr_assert(eq(dbl, s.p, 0));
}

Test(srm, the_bayes_factor_is_that_of_dirichlet_and_multinomial)
{
    const int64_t counts[] = { 30, 12, 8 };
    const double weights[] = { 0.5, 0.25, 0.25 };
    double concentration = 20, direct = lgamma(20) - lgamma(70);
    for (int i = 0; i < 3; i++) {
        double a = concentration * weights[i];
        direct += lgamma(a + (double)counts[i]) - lgamma(a) - (double)counts[i] * log(weights[i]);
    }
    cr_assert(epsilon_eq(dbl, srm_log_bayes_factor(counts, weights, 3, concentration), direct, 1e-11));
}

Test(srm, the_bayes_factor_of_nothing_is_one)
{
    cr_assert(
        epsilon_eq(dbl, srm_log_bayes_factor((const int64_t[]){ 0, 0 }, (const double[]){ 1, 3 }, 2, 1e4), 0, 1e-15));
}

/* Under the null the factor averages to 1 over all outcomes: what makes 1 over it a p-value at any time. */
Test(srm, the_bayes_factor_averages_to_one)
{
    enum { N = 60 };
    const double weights[] = { 0.3, 0.7 };
    double mean = 0;
    for (int64_t k = 0; k <= N; k++) {
        double log_p = lgamma(N + 1) - lgamma((double)k + 1) - lgamma((double)(N - k) + 1) + (double)k * log(0.3) +
                       (double)(N - k) * log(0.7);
        mean += exp(log_p + srm_log_bayes_factor((const int64_t[]){ k, N - k }, weights, 2, 50));
    }
    cr_assert(epsilon_eq(dbl, mean, 1, 1e-11));
}

Test(srm, the_exact_test_of_two_arms_sums_both_tails)
{
    cr_assert(eq(dbl, srm_log_p_binomial(5, 5), 0));
    cr_assert(eq(dbl, srm_log_p_binomial(5, 4), 0));
    cr_assert(epsilon_eq(dbl, srm_log_p_binomial(4, 0), log(2.0 / 16), 1e-14));
    cr_assert(epsilon_eq(dbl, srm_log_p_binomial(1, 4), log(12.0 / 32), 1e-14));
}

Test(srm, refusals_say_why)
{
    struct srm s;
    struct err err;
    cr_assert(not(srm_test((const int64_t[]){ 5, -1 }, (const double[]){ 1, 1 }, 2, NULL, &s, &err)));
    cr_assert(eq(str, err.text, "count 2 is negative"));
    cr_assert(not(srm_test((const int64_t[]){ 5, 1 }, (const double[]){ 1, NAN }, 2, NULL, &s, &err)));
    cr_assert(eq(str, err.text, "weight 2 is not a number from 0"));
    cr_assert(not(srm_test((const int64_t[]){ 5, 1 }, (const double[]){ 1, 0 }, 2, NULL, &s, &err)));
    cr_assert(eq(str, err.text, "fewer than two variants have a positive weight: no ratio to test"));
    cr_assert(not(srm_test((const int64_t[]){ INT64_MAX, 1 }, (const double[]){ 1, 1 }, 2, NULL, &s, &err)));
}
