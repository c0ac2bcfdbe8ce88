#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/welch.h"

static struct estimate mean(int64_t n, double m, double var)
{
    struct estimate e;
    struct err err;
    cr_assert(welch_estimate(n, m, var, &e, &err), "%s", err.text);
    return e;
}

static struct welch test_of(struct estimate c, struct estimate t, double alpha)
{
    struct welch w;
    struct err err;
    cr_assert(welch_test(&c, &t, alpha, &w, &err), "%s", err.text);
    return w;
}

Test(welch, gives_what_r_prints_for_the_sleep_data)
{
    struct welch w = test_of(mean(10, 0.75, 3.200555555555556), mean(10, 2.33, 4.009), 0.05);
    cr_assert(epsilon_eq(dbl, w.t, 1.8608, 5e-5));
    cr_assert(epsilon_eq(dbl, w.df, 17.776, 5e-4));
    cr_assert(epsilon_eq(dbl, exp(w.log_p), 0.07939, 5e-6));
    cr_assert(epsilon_eq(dbl, w.ci_lo, -0.2054832, 5e-8));
    cr_assert(epsilon_eq(dbl, w.ci_hi, 3.3654832, 5e-8));
}

Test(welch, swapping_the_arms_mirrors_everything)
{
    struct estimate a = mean(20, 1, 3), b = mean(50, 2, 9);
    struct welch w = test_of(a, b, 0.1), v = test_of(b, a, 0.1);
    cr_assert(eq(dbl, w.t, -v.t));
    cr_assert(eq(dbl, w.log_p, v.log_p));
    cr_assert(eq(dbl, w.log_p_greater, v.log_p_less));
    cr_assert(eq(dbl, w.ci_lo, -v.ci_hi));
}

Test(welch, a_scale_changes_neither_t_nor_p)
{
    struct welch w = test_of(mean(20, 1, 3), mean(50, 2, 9), 0.05);
    for (int e = -498; e <= 498; e += 83) { /* variances from 1e-300 to 1e300 */
        double s = ldexp(1, e);
        struct welch v = test_of(mean(20, s, 3 * s * s), mean(50, 2 * s, 9 * s * s), 0.05);
        cr_assert(epsilon_eq(dbl, v.t, w.t, 1e-14 * w.t));
        cr_assert(epsilon_eq(dbl, v.df, w.df, 1e-13 * w.df));
        cr_assert(epsilon_eq(dbl, v.ci_hi, w.ci_hi * s, 1e-13 * fabs(w.ci_hi * s)));
    }
}

Test(welch, the_interval_excludes_zero_exactly_when_the_test_rejects)
{
    for (double shift = -3; shift <= 3; shift += 0.01) {
        struct welch w = test_of(mean(9, 0, 4), mean(14, shift, 2), 0.05);
        cr_assert(eq(int, w.log_p<log(0.05), w.ci_lo> 0 || w.ci_hi < 0));
    }
}

Test(welch, one_constant_arm_leaves_the_degrees_of_the_other)
{
    struct welch w = test_of(mean(50, 5, 0), mean(60, 5.5, 1.5), 0.05);
    cr_assert(epsilon_eq(dbl, w.df, 59, 1e-12));
}

Test(welch, degrees_lie_between_the_smaller_arm_and_the_sum)
{
    for (double var = 1e-6; var < 1e6; var *= 10) {
        struct estimate a = mean(12, 0, 1), b = mean(30, 0, var);
        double df = welch_df(&a, &b);
        cr_assert(df >= 11 * (1 - 1e-12) && df <= 40 * (1 + 1e-12));
    }
}

Test(welch, refusals_say_why)
{
    struct estimate e, a = mean(5, 1, 0), b = mean(5, 2, 0), c = mean(5, 2, 1);
    struct welch w;
    struct err err;
    cr_assert(not(welch_estimate(1, 1, 1, &e, &err)));
    cr_assert(eq(str, err.text, "the variant has 1 unit, at least 2 are needed"));
    cr_assert(not(welch_estimate(0, 1, 1, &e, &err)));
    cr_assert(eq(str, err.text, "the variant has no units, at least 2 are needed"));
    cr_assert(not(welch_estimate(5, NAN, 1, &e, &err)));
    cr_assert(not(welch_estimate(5, 1, INFINITY, &e, &err)));
    cr_assert(not(welch_estimate(5, 1, -1, &e, &err)));
    cr_assert(not(welch_test(&a, &b, 0.05, &w, &err)));
    cr_assert(
        eq(str, err.text, "all units of both variants have the same value: there is no variance to compare with"));
    cr_assert(not(welch_test(&a, &c, 0, &w, &err)));
    cr_assert(not(welch_test(&a, &c, NAN, &w, &err)));
}
