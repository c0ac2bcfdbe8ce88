#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/proportion.h"
#include "stats/trust/shares.h"

static struct shares of(const int64_t *events, const int64_t *units, size_t n)
{
    struct shares s;
    struct err err;
    cr_assert(shares_test(events, units, n, &s, &err), "%s", err.text);
    return s;
}

/* With two arms it is the square of the pooled z of two proportions. */
Test(shares, of_two_arms_are_the_test_of_two_proportions)
{
    struct shares s = of((const int64_t[]){ 15, 24 }, (const int64_t[]){ 120, 118 }, 2);
    struct proportions p = { 15, 120, 24, 118 };
    double z = proportion_difference(&p) / proportion_se_pooled(&p);
    cr_assert(epsilon_eq(dbl, s.chi2, z * z, 1e-12));
    cr_assert(epsilon_eq(dbl, s.share, 39.0 / 238, 1e-15));
    cr_assert(eq(dbl, s.df, 1));
    cr_assert(epsilon_eq(dbl, s.least_expected, 118 * 39.0 / 238, 1e-12));
}

/* scipy 1.10: chi2_contingency([[20, 35, 10], [480, 465, 340]], correction=False) */
Test(shares, of_three_arms_are_pearsons)
{
    struct shares s = of((const int64_t[]){ 20, 35, 10 }, (const int64_t[]){ 500, 500, 350 }, 3);
    cr_assert(epsilon_eq(dbl, s.chi2, 8.860691837345534, 1e-12));
    cr_assert(epsilon_eq(dbl, exp(s.log_p), 0.01191036894109544, 1e-12));
}

Test(shares, that_are_alike_or_all_or_none_do_not_differ)
{
    cr_assert(eq(dbl, of((const int64_t[]){ 1, 2 }, (const int64_t[]){ 10, 20 }, 2).chi2, 0));
    cr_assert(eq(dbl, of((const int64_t[]){ 0, 0 }, (const int64_t[]){ 10, 20 }, 2).log_p, 0));
    cr_assert(eq(dbl, of((const int64_t[]){ 10, 20 }, (const int64_t[]){ 10, 20 }, 2).log_p, 0));
}

Test(shares, arms_without_units_say_nothing)
{
    struct shares s = of((const int64_t[]){ 15, 0, 24 }, (const int64_t[]){ 120, 0, 118 }, 3);
    cr_assert(eq(dbl, s.df, 1));
}

Test(shares, of_1e12_units_keep_their_digits)
{
    const int64_t n = INT64_C(1000000000000);
    struct shares s = of((const int64_t[]){ n / 2 + 1000000, n / 2 - 1000000 }, (const int64_t[]){ n, n }, 2);
    cr_assert(epsilon_eq(dbl, s.chi2, 8, 1e-10)); /* 2 (1e6)²/(n/2 (1/2)) */
}

Test(shares, refusals_say_why)
{
    struct shares s;
    struct err err;
    cr_assert(not(shares_test((const int64_t[]){ 1, 0 }, (const int64_t[]){ 5, 0 }, 2, &s, &err)));
    cr_assert(eq(str, err.text, "fewer than two arms have units: nothing to compare"));
    cr_assert(not(shares_test((const int64_t[]){ 6, 0 }, (const int64_t[]){ 5, 5 }, 2, &s, &err)));
    cr_assert(eq(str, err.text, "arm 1 has 6 events, more than its 5 units"));
    cr_assert(not(shares_test((const int64_t[]){ 1, -1 }, (const int64_t[]){ 5, 5 }, 2, &s, &err)));
    cr_assert(eq(str, err.text, "a count of arm 2 is negative"));
}
