#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/trust/uniform.h"

static struct uniform of(double *p, size_t n)
{
    struct uniform u;
    struct err err;
    cr_assert(uniform_test(p, n, &u, &err), "%s", err.text);
    return u;
}

/* One number is at distance max(u, 1 - u); two have P(D < d) = 2 (2 d - 1/2)² up to d = 1/2 and 1 - 2 (1 - d)² from there. */
Test(uniform, one_and_two_numbers_by_hand)
{
    for (double d = 0.51; d < 1; d += 0.07) {
        cr_assert(epsilon_eq(dbl, exp(uniform_log_p(1, d)), 2 * (1 - d), 1e-14));
        cr_assert(epsilon_eq(dbl, exp(uniform_log_p(2, d)), 2 * (1 - d) * (1 - d), 1e-14));
    }
    for (double d = 0.26; d < 0.5; d += 0.07)
        cr_assert(epsilon_eq(dbl, exp(uniform_log_p(2, d)), 1 - 2 * (2 * d - 0.5) * (2 * d - 0.5), 1e-14));
    cr_assert(eq(dbl, uniform_log_p(2, 0.2), 0)); /* no two numbers are as close as that */
    cr_assert(eq(dbl, uniform_log_p(3, 1), -INFINITY));
}

/* Where one way to compute ends and the next begins nothing jumps. */
Test(uniform, its_ways_meet)
{
    const size_t sizes[] = { 12, 100, 1500 };
    for (int i = 0; i < 3; i++) {
        double n = (double)sizes[i], d = sqrt(5 / n), step = 1e-9;
        cr_assert(
            epsilon_eq(dbl, uniform_log_p(sizes[i], d - step), uniform_log_p(sizes[i], d + step), 20 * n * d * step));
    }
    cr_assert(epsilon_eq(dbl, uniform_log_p(7, 0.5 - 1e-12), uniform_log_p(7, 0.5), 1e-9));
    for (double z = 0.4; z < 2; z += 0.2) /* exact for the one, an expansion for the other */
        cr_assert(
            epsilon_eq(dbl, exp(uniform_log_p(2000, z / sqrt(2000))), exp(uniform_log_p(2001, z / sqrt(2001))), 4e-6));
}

Test(uniform, a_distance_beyond_doubles_is_a_logarithm)
{
    cr_assert(epsilon_eq(dbl, uniform_log_p(1000, 0.9), -2301.5052808018113, 1e-9)); /* 2 (0.1)^1000 (1 + …) */
    cr_assert(lt(dbl, uniform_log_p(1000000, 0.9), -2e6));
}

Test(uniform, distances_and_shares)
{
    double p[] = { 0.6, 0.01, 0.04, 0.9 };
    struct uniform u = of(p, 4);
    cr_assert(epsilon_eq(dbl, u.d_plus, 0.46, 1e-15)); /* after 0.04: 2/4 - 0.04 */
    cr_assert(epsilon_eq(dbl, u.d_minus, 0.15, 1e-15));
    cr_assert(eq(dbl, u.below[0], 0)); /* 0.01 is not below 0.01 */
    cr_assert(eq(dbl, u.below[1], 0.5));
    cr_assert(epsilon_eq(dbl, exp(u.log_p_rejections), 0.01401875, 1e-12)); /* 6 0.05² 0.95² + 4 0.05³ 0.95 + 0.05⁴ */
    cr_assert(u.has_anderson_darling);
}

Test(uniform, a_p_of_zero_has_no_anderson_darling)
{
    double p[] = { 0.5, 0, 1 };
    struct uniform u = of(p, 3);
    cr_assert(not(u.has_anderson_darling));
    cr_assert(eq(dbl, u.anderson_darling, 0));
    cr_assert(eq(dbl, p[0], 0)); /* in order */
}

Test(uniform, refusals_say_why)
{
    struct uniform u;
    struct err err;
    cr_assert(not(uniform_test(NULL, 0, &u, &err)));
    cr_assert(eq(str, err.text, "there are no p to test"));
    cr_assert(not(uniform_test((double[]){ 0.1, 1.5 }, 2, &u, &err)));
    cr_assert(eq(str, err.text, "p 2 is 1.5, no probability"));
    cr_assert(not(uniform_test((double[]){ NAN }, 1, &u, &err)));
}
