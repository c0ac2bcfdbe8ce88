#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/sequential/bounds.h"

static const double fifths[] = { 0.2, 0.4, 0.6, 0.8, 1 };

static struct bounds spent(enum spending_kind kind, double par, const double *t, size_t n)
{
    const struct bounds_plan p = { t, n, 0.05, 2 };
    struct bounds b;
    struct err err;
    cr_assert(bounds_spending(&p, &(struct spending){ kind, par }, &b, &err), "%s", err.text);
    return b;
}

static struct bounds shaped(double delta, const double *t, size_t n)
{
    const struct bounds_plan p = { t, n, 0.05, 2 };
    struct bounds b;
    struct err err;
    cr_assert(bounds_shape(&p, delta, &b, &err), "%s", err.text);
    return b;
}

/* C. Jennison, B. Turnbull 2000, tables 2.1 and 2.3; Haybittle-Peto with 3; Lan and DeMets' first table. */
Test(bounds, are_those_of_the_books)
{
    const double lan_demets[] = { 4.877, 3.357, 2.680, 2.290, 2.031 };
    struct bounds b = spent(SPENDING_OBRIEN_FLEMING, 0, fifths, 5), hp;
    struct err err;
    cr_assert(epsilon_eq(dbl, shaped(0, fifths, 5).constant, 2.040, 5e-4));
    cr_assert(epsilon_eq(dbl, shaped(0.5, fifths, 5).constant, 2.413, 5e-4));
    for (int k = 0; k < 5; k++)
        cr_assert(epsilon_eq(dbl, b.z[k], lan_demets[k], 5e-4));
    cr_assert(bounds_haybittle_peto(&(struct bounds_plan){ fifths, 5, 0.05, 2 }, 3, &hp, &err));
    cr_assert(epsilon_eq(dbl, hp.z[4], 1.990, 5e-4));
}

Test(bounds, spend_alpha_and_no_more)
{
    for (int kind = 0; kind < SPENDING_COUNT; kind++) {
        struct bounds b = spent((enum spending_kind)kind, 2, fifths, 5);
        cr_assert(epsilon_eq(dbl, b.cum_alpha[4], 0.05, 1e-11));
        cr_assert(epsilon_eq(dbl, b.cum_alpha[1],
                             2 * spending_at(&(struct spending){ (enum spending_kind)kind, 2 }, 0.025, 0.4), 1e-11));
    }
    for (double delta = -0.25; delta < 1; delta += 0.25) {
        struct bounds b = shaped(delta, fifths, 5);
        double up[5], down[5], all = 0;
        struct err err;
        cr_assert(exits_by_look(&(struct exits_design){ fifths, b.z, 5, 2 }, 0, up, down, &err));
        for (int k = 0; k < 5; k++)
            all += up[k] + down[k];
        cr_assert(epsilon_eq(dbl, all, 0.05, 1e-11));
    }
}

/* What comes later does not change a bound: looks need no plan. */
Test(bounds, of_spending_depend_on_looks_so_far_alone)
{
    struct bounds a = spent(SPENDING_POCOCK, 0, (const double[]){ 0.1, 0.45, 0.9 }, 3),
                  b = spent(SPENDING_POCOCK, 0, (const double[]){ 0.1, 0.45, 0.5, 1 }, 4);
    cr_assert(epsilon_eq(dbl, a.z[0], b.z[0], 1e-14));
    cr_assert(epsilon_eq(dbl, a.z[1], b.z[1], 1e-10));
}

Test(bounds, one_look_is_the_test_of_one_look)
{
    const double all = 1, half = 0.5;
    cr_assert(epsilon_eq(dbl, spent(SPENDING_OBRIEN_FLEMING, 0, &all, 1).z[0], 1.959963984540054, 1e-12));
    cr_assert(epsilon_eq(dbl, shaped(0, &half, 1).z[0], 1.959963984540054, 1e-12));
}

Test(bounds, a_look_too_early_for_any_evidence_has_none)
{
    struct bounds b = spent(SPENDING_OBRIEN_FLEMING, 0, (const double[]){ 0.001, 0.01, 1 }, 3);
    cr_assert(eq(dbl, b.z[0], INFINITY));
    cr_assert(eq(dbl, b.nominal_p[0], 0));
    cr_assert(gt(dbl, b.z[1], 20));
    cr_assert(epsilon_eq(dbl, b.z[2], 1.959963984540054, 1e-9));
}

Test(bounds, information_beyond_the_plan_spends_no_more)
{
    for (int kind = 0; kind < SPENDING_COUNT; kind++) {
        const struct spending s = { (enum spending_kind)kind, 1 };
        cr_assert(epsilon_eq(dbl, spending_at(&s, 0.025, 1.3), 0.025, 1e-15));
    }
}

Test(bounds, refusals_say_why)
{
    struct bounds b;
    struct err err;
    cr_assert(not(bounds_spending(&(struct bounds_plan){ fifths, 5, 0, 2 }, &(struct spending){ 0 }, &b, &err)));
    cr_assert(eq(str, err.text, "alpha is 0, not from 1e-30 and below 1/2 of each side"));
    cr_assert(not(bounds_spending(&(struct bounds_plan){ fifths, 5, 0.05, 3 }, &(struct spending){ 0 }, &b, &err)));
    cr_assert(eq(str, err.text, "a test has 1 or 2 sides, not 3"));
    cr_assert(not(bounds_spending(&(struct bounds_plan){ fifths, 5, 0.05, 2 }, &(struct spending){ SPENDING_POWER, 0 },
                                  &b, &err)));
    cr_assert(eq(str, err.text, "par is 0, no power above 0"));
    cr_assert(not(bounds_shape(&(struct bounds_plan){ fifths, 5, 0.05, 2 }, NAN, &b, &err)));
    cr_assert(not(bounds_haybittle_peto(&(struct bounds_plan){ fifths, 5, 0.05, 2 }, 1.5, &b, &err)));
    cr_assert(eq(str, err.text, "z_interim 1.5 spends all of alpha 0.05 before the last look"));
}
