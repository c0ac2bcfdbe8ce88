#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/sequential/exits.h"

static void by_look(const double *t, const double *z, size_t n, int sides, double drift, double *up, double *down)
{
    const struct exits_design d = { t, z, n, sides };
    struct err err;
    cr_assert(exits_check(&d, &err), "%s", err.text);
    cr_assert(exits_by_look(&d, drift, up, down, &err), "%s", err.text);
}

Test(exits, one_look_is_the_normal_tail)
{
    double up, down;
    by_look((const double[]){ 0.7 }, (const double[]){ 2 }, 1, 2, 1.5, &up, &down);
    cr_assert(epsilon_eq(dbl, up, 0.5 * erfc((2 - 1.5 * sqrt(0.7)) / M_SQRT2), 1e-15));
    cr_assert(epsilon_eq(dbl, down, 0.5 * erfc((2 + 1.5 * sqrt(0.7)) / M_SQRT2), 1e-15));
}

/* Looks at which nobody stops change nothing, and everybody is somewhere at the end. */
Test(exits, a_look_without_a_bound_is_no_look)
{
    const double t[] = { 0.1, 0.3, 0.31, 0.8, 1 }, z[] = { INFINITY, 2.5, INFINITY, INFINITY, 0.001 };
    double up[5], down[5], fewer_up[2], fewer_down[2];
    by_look(t, z, 5, 2, 2, up, down);
    by_look((const double[]){ 0.3, 1 }, (const double[]){ 2.5, 0.001 }, 2, 2, 2, fewer_up, fewer_down);
    cr_assert(epsilon_eq(dbl, up[0] + up[2] + up[3] + down[0] + down[2] + down[3], 0, 1e-16));
    cr_assert(epsilon_eq(dbl, up[1], fewer_up[0], 1e-13));
    cr_assert(epsilon_eq(dbl, up[4], fewer_up[1], 1e-13));
    cr_assert(epsilon_eq(dbl, down[4], fewer_down[1], 1e-13));
    cr_assert(epsilon_eq(dbl, up[1] + down[1] + up[4] + down[4], 1, 1e-3)); /* all but |Z| < 0.001 */
}

/* Two looks are a double integral of the bivariate normal distribution, here by the rule of Simpson. */
Test(exits, two_looks_are_the_bivariate_normal)
{
    const double t[] = { 0.4, 1 }, z[] = { 1.8, 2.1 };
    double up[2], down[2], sum = 0, drift = 1, rest = sqrt(0.6), steps = 4000, lo = -6, hi = 1.8 * sqrt(0.4);
    by_look(t, z, 2, 1, drift, up, down);
    for (int i = 0; i <= steps; i++) {
        double s = lo + (hi - lo) * i / steps, w = i == 0 || i == steps ? 1 : i % 2 ? 4 : 2, x = (s - 0.4) / sqrt(0.4);
        double beyond = 0.5 * erfc((2.1 - s - drift * 0.6) / rest / M_SQRT2);
        sum += w * exp(-x * x / 2) / sqrt(2 * M_PI * 0.4) * beyond * (hi - lo) / steps / 3;
    }
    cr_assert(epsilon_eq(dbl, up[1], sum, 1e-11));
    cr_assert(eq(dbl, down[1], 0));
}

Test(exits, up_with_a_drift_is_down_against_it)
{
    const double t[] = { 0.2, 0.5, 1 }, z[] = { 3, 2.4, 2 };
    double up[3], down[3], mirrored_up[3], mirrored_down[3];
    by_look(t, z, 3, 2, 1.7, up, down);
    by_look(t, z, 3, 2, -1.7, mirrored_up, mirrored_down);
    for (int k = 0; k < 3; k++) {
        cr_assert(epsilon_eq(dbl, up[k], mirrored_down[k], 1e-13));
        cr_assert(epsilon_eq(dbl, down[k], mirrored_up[k], 1e-13));
    }
}

Test(exits, refusals_say_why)
{
    struct err err;
    double up[3], down[3];
    cr_assert(not(exits_check_looks((const double[]){ 0.5, 0.4 }, 2, &err)));
    cr_assert(eq(str, err.text, "t of look 2 is 0.4, not above that of the look before"));
    cr_assert(not(exits_check_looks((const double[]){ 0.5, NAN }, 2, &err)));
    cr_assert(eq(str, err.text, "t of look 2 is nan, not a share of the information above 0 and up to 1"));
    cr_assert(not(exits_check_looks(NULL, 0, &err)));
    cr_assert(not(exits_check(&(struct exits_design){ (const double[]){ 1 }, (const double[]){ -1 }, 1, 2 }, &err)));
    cr_assert(eq(str, err.text, "z of look 1 is -1, no bound"));
    const struct exits_design close = { (const double[]){ 0.5, 0.5000001, 1 }, (const double[]){ 3, 3, 2 }, 3, 2 };
    cr_assert(not(exits_by_look(&close, 0, up, down, &err)));
    cr_assert(eq(str, err.text, "looks at 0, 0.5 and 0.5000001 of the information are too close to each other"));
}
