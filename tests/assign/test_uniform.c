/* The hash splits as a fair coin would: chi-square tests with fixed units, so the outcome never changes from run to run. Critical
 * values are the 99.9 % points of chi-square (R: qchisq(0.999, df)). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "assign/assign.h"

#define CHI2_999_DF3 16.266
#define CHI2_999_DF9 27.877
#define CHI2_999_DF99 148.230
#define CHI2_95_DF1 3.841

enum { UNITS = 100000 };

static struct assign_experiment ready(const char *seed, const double *weights, size_t n)
{
    struct assign_experiment e;
    cr_assert(assign_experiment_init(&e, seed, strlen(seed), 2, 1, weights, n));
    return e;
}

static int variant(const struct assign_experiment *e, const char *prefix, unsigned unit)
{
    char text[48];
    int n = snprintf(text, sizeof text, "%s%u", prefix, unit);
    return assign_variant(e, text, (size_t)n);
}

static double chi2(const unsigned *seen, const double *shares, size_t n, double total)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (seen[i] - total * shares[i]) * (seen[i] - total * shares[i]) / (total * shares[i]);
    return sum;
}

Test(uniform, weights_are_kept)
{
    const double weights[] = { 0.1, 0.2, 0.3, 0.4 };
    struct assign_experiment e = ready("search-ranking", weights, 4);
    unsigned seen[4] = { 0 };
    for (unsigned u = 0; u < UNITS; u++)
        seen[variant(&e, "user-", u)]++;
    cr_expect(chi2(seen, weights, 4, UNITS) < CHI2_999_DF3, "%u %u %u %u", seen[0], seen[1], seen[2], seen[3]);
}

Test(uniform, a_hundred_arms_are_even)
{
    struct assign_experiment e = ready("hundred", NULL, ASSIGN_VARIANTS_MAX);
    unsigned seen[ASSIGN_VARIANTS_MAX] = { 0 };
    double shares[ASSIGN_VARIANTS_MAX];
    assign_equal_weights(ASSIGN_VARIANTS_MAX, shares);
    for (unsigned u = 0; u < UNITS; u++)
        seen[variant(&e, "", u)]++;
    double x = chi2(seen, shares, ASSIGN_VARIANTS_MAX, UNITS);
    cr_expect(x < CHI2_999_DF99, "chi2 %g", x);
}

/* Who gets what in one experiment says nothing about another: seeds that differ in one character are enough. */
Test(uniform, two_experiments_are_independent)
{
    struct assign_experiment a = ready("exp-1", NULL, 4), b = ready("exp-2", NULL, 4);
    unsigned seen[16] = { 0 };
    double shares[16];
    assign_equal_weights(16, shares);
    for (unsigned u = 0; u < UNITS; u++)
        seen[variant(&a, "user-", u) * 4 + variant(&b, "user-", u)]++;
    double x = chi2(seen, shares, 16, UNITS);
    cr_expect(x < CHI2_999_DF9 + CHI2_999_DF3 + CHI2_999_DF3, "chi2 %g", x); /* both margins and the dependence */
}

/* Over many A/A tests, the share that a 5 % test calls uneven is 5 %: within four standard deviations of the binomial. */
Test(uniform, many_seeds_are_uneven_as_often_as_chance_allows)
{
    enum { SEEDS = 400, EACH = 2000 };
    const double half[] = { 0.5, 0.5 };
    unsigned uneven = 0;
    for (unsigned s = 0; s < SEEDS; s++) {
        char seed[32];
        unsigned seen[2] = { 0 };
        (void)snprintf(seed, sizeof seed, "aa-%u", s);
        struct assign_experiment e = ready(seed, NULL, 2);
        for (unsigned u = 0; u < EACH; u++)
            seen[variant(&e, "visitor", u)]++;
        uneven += chi2(seen, half, 2, EACH) > CHI2_95_DF1;
    }
    cr_expect(uneven >= 3 && uneven <= 37, "%u of %d", uneven, SEEDS);
}
