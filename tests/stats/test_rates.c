/* Counts in two windows, and pairs that go together: against exact fractions, sums that are written out, and what must hold whatever the data. */
#include "stats/rates/rates.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/exact.h"
#include "tests/stats/draw.h"

Test(together, as_exact_fractions_have_it)
{
    /* k, n_a, n_b, n, ln p: sums of binomial coefficients in whole numbers */
    static const struct {
        int64_t k, n_a, n_b, n;
        double log_p;
    } rows[] = {
        { 3, 3, 3, 10, -4.7874917427820458 },
        { 5, 10, 20, 100, -3.6704681304263018 },
        { 40, 50, 60, 1000, -106.38075117675226 },
        { 12, 300, 40, 5000, -13.05676913882791 },
        { 2, 2, 2, 1000000, -26.937872935368102 },
        { 900, 1000, 1000, 100000, -4487.3740408809736 },
        { 10, 10, 10, 11, -2.3978952727983707 },
        { 7, 8, 9, 16, -3.8981338932674787 },
        { 150, 20000, 5000, 1000000, -13.507062962803211 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double got = exact_log_together(rows[i].k, rows[i].n_a, rows[i].n_b, rows[i].n);
        cr_assert(epsilon_eq(dbl, got, rows[i].log_p, 1e-13 * fmax(1, fabs(rows[i].log_p))), "row %zu: %.17g", i, got);
        cr_assert(epsilon_eq(dbl, exact_log_together(rows[i].k, rows[i].n_b, rows[i].n_a, rows[i].n), got,
                             1e-12 * fmax(1, fabs(got))));
    }
}

Test(together, nothing_is_asked_at_or_below_the_mean)
{
    cr_assert(eq(dbl, exact_log_together(2, 10, 20, 100), 0));
    cr_assert(eq(dbl, exact_log_together(0, 10, 20, 100), 0));
    cr_assert(eq(dbl, exact_log_together(5, 5, 100, 100), 0));
}

Test(rates, the_test_is_a_binomial_tail)
{
    const struct rates_counts c = { 3, 1 };
    double share = 0.25, p = 4 * pow(share, 3) * (1 - share) + pow(share, 4);
    cr_assert(epsilon_eq(dbl, rates_log_p(c, share), log(p), 1e-14));
    cr_assert(eq(dbl, rates_log_p((struct rates_counts){ 0, 9 }, share), 0));
}

/* Q(n, x) of a whole n: the Poisson sum of n terms. */
static double poisson_below(int n, double x)
{
    double term = exp(-x), sum = 0;
    for (int i = 0; i < n; i++) {
        sum += term;
        term *= x / (i + 1);
    }
    return sum;
}

Test(rates, shrunk_ratios_are_means_and_quantiles_of_a_gamma)
{
    const struct rates_counts c = { 5, 12 };
    struct rates_shrunk s = rates_shrink(c, 0.25, 2, 0.9);
    double expected = 12 / 3.0 + 2;
    cr_assert(epsilon_eq(dbl, s.ratio, 7 / expected, 1e-15));
    cr_assert(epsilon_eq(dbl, poisson_below(7, s.low * expected), 0.95, 1e-12));
    cr_assert(epsilon_eq(dbl, poisson_below(7, s.high * expected), 0.05, 1e-12));
}

Test(rates, few_events_are_drawn_towards_no_change)
{
    struct rates_shrunk few = rates_shrink((struct rates_counts){ 3, 0 }, 0.25, 2, 0.9);
    struct rates_shrunk many = rates_shrink((struct rates_counts){ 3000, 3000 }, 0.25, 2, 0.9);
    cr_assert(epsilon_eq(dbl, few.ratio, 2.5, 1e-15));
    cr_assert(gt(dbl, many.low, few.low));
    cr_assert(epsilon_eq(dbl, many.ratio, 3, 0.01));
}

enum { THINGS = 20000 };

static double draw_gamma(struct draw *d, int shape)
{
    double sum = 0;
    for (int i = 0; i < shape; i++)
        sum += draw_exponential(d);
    return sum;
}

static int64_t draw_poisson(struct draw *d, double mean)
{
    int64_t n = -1;
    for (double at = 0; at <= mean; n++)
        at += draw_exponential(d);
    return n;
}

/* Rates that differ by a gamma of shape a, counts by Poisson's chance: a comes back; without a difference the largest one does. */
static double shape_of(int a, double mean)
{
    static struct rates_counts counts[THINGS];
    const double share = 0.25;
    struct draw d = { 7 };
    for (int i = 0; i < THINGS; i++) {
        double rate = a > 0 ? draw_gamma(&d, a) / a : 1;
        counts[i].reference = draw_poisson(&d, mean * (1 - share) / share);
        counts[i].target = draw_poisson(&d, mean * rate);
    }
    return rates_shape(counts, THINGS, share);
}

Test(rates, the_shape_is_found_from_all)
{
    cr_assert(epsilon_eq(dbl, shape_of(2, 20), 2, 0.2));
    cr_assert(epsilon_eq(dbl, shape_of(8, 50), 8, 0.8));
    cr_assert(gt(dbl, shape_of(0, 20), 100));
}
