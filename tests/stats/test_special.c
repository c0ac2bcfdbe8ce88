#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/special/ibeta.h"
#include "stats/special/igamma.h"
#include "stats/special/special.h"
#include "stats/special/stirling.h"

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

static void close_to(double got, double expected, double relative, const char *what)
{
    cr_assert(fabs(got - expected) <= relative * fabs(expected), "%s: expected %.17g, got %.17g", what, expected, got);
}

Test(special, t_quantile_inverts_the_tail)
{
    const double dfs[] = { 0.5, 1, 1.7, 4, 29, 30, 31, 101, 300, 1000, 3000, 1e4, 1e7, 1e12 },
                 ps[] = { 1e-100, 1e-12, 1e-5, 0.001, 0.025, 0.3, 0.4999 };
    for (size_t i = 0; i < COUNT_OF(dfs); i++) {
        for (size_t j = 0; j < COUNT_OF(ps); j++) {
            double t = special_t_qinv(ps[j], dfs[i]);
            close_to(special_log_t_q(t, dfs[i]), log(ps[j]), 1e-13, "tail of the quantile");
            close_to(special_t_qinv(1 - 0.3, dfs[i]), -special_t_qinv(0.3, dfs[i]), 1e-12, "symmetry");
        }
    }
    cr_assert(eq(dbl, special_t_qinv(0.5, 7), 0));
}

Test(special, t_quantile_meets_the_normal_one_at_many_degrees)
{
    const double ps[] = { 1e-12, 0.025, 0.3, 0.4999, 0.4999999 };
    for (size_t i = 0; i < COUNT_OF(ps); i++) {
        double z = special_normal_qinv(ps[i]);
        close_to(special_t_qinv(ps[i], 1e20), z, 1e-15, "no digit of the degrees is left");
        close_to(special_t_qinv(ps[i], 1e8), z + z * (z * z + 1) / 4e8, 1e-13, "the first term is");
    }
}

Test(special, t_with_one_and_two_degrees_has_closed_forms)
{
    for (double t = 0.01; t < 1e12; t *= 7) {
        close_to(exp(special_log_t_q(t, 1)), atan(1 / t) / M_PI, 1e-13, "Cauchy");
        double s = sqrt(2 + t * t); /* P = (1 - t / s) / 2 = 1 / (s (s + t)) */
        close_to(exp(special_log_t_q(t, 2)), 1 / (s * (s + t)), 1e-13, "two degrees");
    }
}

/* G. W. Hill, CACM 13 (1970): the normal deviate with the same tail; exact to the last digit for so many degrees. */
static double hill(double t, double df)
{
    double a = df - 0.5, w = sqrt(a * log1p(t * t / df));
    return w + (w * w * w + 3 * w) / (48 * a * a);
}

Test(special, t_tail_meets_hills_expansion_at_many_degrees)
{
    for (double df = 1e6; df < 1e14; df *= 10)
        for (double t = 0.5; t < 100; t *= 1.7)
            close_to(special_log_t_q(t, df), special_log_normal_q(hill(t, df)), 1e-12, "t tail");
}

Test(special, both_tails_of_t_sum_to_one)
{
    for (double df = 0.3; df < 1e9; df *= 5)
        for (double t = 0.01; t < 50; t *= 3)
            close_to(exp(special_log_t_q(t, df)) + exp(special_log_t_q(-t, df)), 1, 1e-13, "sum");
}

Test(special, tails_stay_finite_where_they_underflow)
{
    close_to(special_log_normal_q(1e6), -5e11, 1e-9, "normal");
    close_to(special_log_normal_q(1e12), -5e23, 1e-9, "normal beyond GSL");
    close_to(special_log_t_q(1e200, 3), -3 * 200 * M_LN10 + log(2 * sqrt(3) / M_PI), 1e-13, "t");
    close_to(special_log_chi2_q(1e6, 2), -5e5, 1e-14, "chi-square");
    cr_assert(isfinite(special_log_binomial_upper(1000000, 1000000, 0.001)));
    cr_assert(eq(dbl, special_log_normal_q(-1e300), 0));
    cr_assert(eq(dbl, special_log_t_q(-1e300, 1e300), 0));
}

Test(special, incomplete_beta_is_symmetric_and_has_closed_forms)
{
    const double shapes[] = { 0.01, 0.5, 1, 3.5, 40, 1e4, 1e7 };
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        for (double x = 0.03; x < 1; x += 0.09) {
            double a = shapes[i], xc = 1 - x;
            close_to(ibeta_log(a, 1, x, xc), a * log(x), 1e-12, "b = 1: x^a");
            for (size_t j = 0; j < COUNT_OF(shapes); j++) {
                double total = exp(ibeta_log(a, shapes[j], x, xc)) + exp(ibeta_log(shapes[j], a, xc, x));
                close_to(total, 1, 2e-12, "I + complement");
            }
        }
    }
    cr_assert(eq(dbl, ibeta_log(2, 3, 0, 1), -INFINITY));
    cr_assert(eq(dbl, ibeta_log(2, 3, 1, 0), 0));
}

/* I_x(a, b) - I_x(a + 1, b) = x^a xc^b / (a B(a, b)), at sizes where GSL gives NaN. */
Test(special, incomplete_beta_keeps_its_recurrence_at_any_size)
{
    for (double a = 0.7; a < 1e10; a *= 31) {
        for (double b = 0.7; b < 1e10; b *= 31) {
            double x = a / (a + b), xc = b / (a + b);
            double left = exp(ibeta_log(a, b, x, xc)) - exp(ibeta_log(a + 1, b, x, xc));
            double right = exp(ibeta_log_front(a, b, x, xc)) / a;
            cr_assert(epsilon_eq(dbl, left, right, 1e-11 * right + 1e-12), "a %g b %g", a, b);
        }
    }
}

Test(special, beta_quantiles_invert_the_tail_from_both_ends)
{
    const double shapes[] = { 0.01, 0.5, 1, 30, 1e6, 1e9 }, ps[] = { 1e-30, 0.025, 0.5 };
    for (size_t i = 0; i < COUNT_OF(shapes) * COUNT_OF(shapes); i++) {
        double a = shapes[i % COUNT_OF(shapes)], b = shapes[i / COUNT_OF(shapes)];
        for (size_t j = 0; j < COUNT_OF(ps); j++) {
            double l = ibeta_logit_quantile(ps[j], a, b), x = 1 / (1 + exp(-l)), xc = 1 / (1 + exp(l));
            if (l > -600 && l < 600)
                close_to(ibeta_log(a, b, x, xc), log(ps[j]), 1e-9, "tail of the quantile");
            cr_assert(epsilon_eq(dbl, special_beta_qinv(ps[j], a, b), 1 - special_beta_pinv(ps[j], b, a), 1e-12),
                      "mirror");
        }
    }
}

Test(special, chi_square_with_even_degrees_is_a_poisson_sum)
{
    for (double x = 0.01; x < 1000; x *= 3) {
        double sum = 0, term = 1;
        for (int j = 0; j < 5; j++) {
            sum += term;
            term *= x / 2 / (j + 1);
        }
        double expected = log(sum) - x / 2;
        cr_assert(epsilon_eq(dbl, special_log_chi2_q(x, 10), expected, 1e-13 * fabs(expected) + 1e-15), "x %g", x);
    }
    cr_assert(eq(dbl, special_log_chi2_q(0, 3), 0));
}

Test(special, binomial_tail_is_the_sum_of_its_terms)
{
    double sum = 0;
    for (int k = 20; k >= 0; k--) {
        sum += exp(lgamma(21) - lgamma(k + 1) - lgamma(21 - k) + k * log(0.3) + (20 - k) * log(0.7));
        close_to(exp(special_log_binomial_upper(k, 20, 0.3)), sum, 1e-12, "upper tail");
    }
    cr_assert(eq(dbl, special_log_binomial_upper(0, 20, 0.3), 0));
    cr_assert(eq(dbl, special_log_binomial_upper(21, 20, 0.3), -INFINITY));
}

Test(special, stirling_pieces_meet_their_definitions)
{
    for (double n = 0.001; n < 100; n *= 1.9) {
        double direct = lgamma(n + 1) - (n + 0.5) * log(n) + n - STIRLING_LN_SQRT_2PI;
        cr_assert(epsilon_eq(dbl, stirling_error(n), direct, 1e-13));
    }
    for (double x = 1; x < 1000; x *= 1.3)
        close_to(stirling_deviance(x, 50, x - 50), x * log(x / 50) + 50 - x, 1e-10, "deviance");
    cr_assert(eq(dbl, stirling_deviance(0, 3, -3), 3));
    close_to(stirling_deviance(1e15, 1e15 - 1, 1), 0.5e-15, 1e-12, "deviance at the mean");
}

Test(special, noncentral_t_without_noncentrality_is_t)
{
    close_to(special_noncentral_t_q(1.3, 8, 0), exp(special_log_t_q(1.3, 8)), 1e-14, "nc 0");
    close_to(special_noncentral_t_q(1.3, 8, 1e-9), exp(special_log_t_q(1.3, 8)), 1e-8, "nc near 0");
    close_to(special_noncentral_t_q(-1.3, 8, 0.7) + special_noncentral_t_q(1.3, 8, -0.7), 1, 1e-12, "mirror");
}

Test(special, kolmogorovs_two_series_meet)
{
    close_to(special_kolmogorov_q(1 - 1e-12), special_kolmogorov_q(1 + 1e-12), 1e-10, "at 1");
    cr_assert(eq(dbl, special_kolmogorov_q(0), 1));
    cr_assert(eq(dbl, special_kolmogorov_q(5e-324), 1));
}

Test(special, a_normal_tail_of_nearly_1_keeps_the_digits_of_its_rest)
{
    for (double z = 0.5; z < 37; z += 0.25) {
        double rest = exp(special_log_normal_q(z)), all = special_log_normal_q(-z);
        cr_assert(epsilon_eq(dbl, all, log1p(-rest), 1e-14 * fabs(all)));
    }
}

/* W e^W = x, in logarithms: W + ln(-W) = ln(-x), on either side of where GSL's is taken and below all doubles. */
Test(special, lambert_solves_its_equation)
{
    for (double v = -1.001; v > -800; v *= 1.3) {
        double w = special_lambert_wm1_log(v);
        cr_assert(epsilon_eq(dbl, w + log(-w), v, 4e-15 * fabs(v)));
        if (v > -700)
            cr_assert(epsilon_eq(dbl, special_lambert_wm1(-exp(v)), w, v > -1.1 ? 1e-11 : 1e-13 * fabs(w)));
    }
}
