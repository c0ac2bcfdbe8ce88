#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/sequential/bounds.h"
#include "stats/sequential/stopped.h"

static const double t[] = { 0.25, 0.5, 0.75, 1 };

static struct bounds pocock(void)
{
    struct bounds b;
    struct err err;
    cr_assert(bounds_shape(&(struct bounds_plan){ t, 4, 0.05, 2 }, 0.5, &b, &err), "%s", err.text);
    return b;
}

static struct stopped at(const struct bounds *b, size_t look, double z)
{
    struct stopped s;
    struct err err;
    cr_assert(stopped_result(&(struct exits_design){ t, b->z, 4, 2 }, look, z, 0.05, &s, &err), "%s", err.text);
    return s;
}

Test(stopped, at_the_first_look_it_is_the_test_of_one_look)
{
    struct bounds b = pocock();
    struct stopped s = at(&b, 1, 2.6);
    cr_assert(epsilon_eq(dbl, s.p_upper, 0.004661188023718747, 1e-12));
    cr_assert(epsilon_eq(dbl, s.estimate, 5.2, 1e-9));
    cr_assert(epsilon_eq(dbl, s.lo, (2.6 - 1.959963984540054) * 2, 1e-9));
    cr_assert(epsilon_eq(dbl, s.hi, (2.6 + 1.959963984540054) * 2, 1e-9));
}

/* A result just at the bound of a look has for p what has been spent so far: p, interval and decision are one. */
Test(stopped, p_at_a_bound_is_what_was_spent)
{
    struct bounds b = pocock();
    for (size_t look = 1; look <= 4; look++) {
        struct stopped s = at(&b, look, b.z[look - 1]);
        cr_assert(epsilon_eq(dbl, s.p_upper, b.cum_alpha[look - 1] / 2, 1e-11));
        cr_assert(ge(dbl, s.lo, -1e-8));
    }
    cr_assert(lt(dbl, at(&b, 4, b.z[3] - 0.01).lo, 0));
}

Test(stopped, earlier_is_more_extreme)
{
    struct bounds b = pocock();
    cr_assert(lt(dbl, at(&b, 1, 2.5).p_upper, at(&b, 2, 5).p_upper));
    cr_assert(lt(dbl, at(&b, 2, 3).p_upper, at(&b, 2, 2.5).p_upper));
}

Test(stopped, an_early_stop_is_corrected_downwards)
{
    struct bounds b = pocock();
    struct stopped s = at(&b, 3, 2.5);
    cr_assert(lt(dbl, s.estimate, s.naive));
    cr_assert(gt(dbl, s.estimate, 0));
}

Test(stopped, a_stop_below_mirrors_one_above)
{
    struct bounds b = pocock();
    struct stopped up = at(&b, 3, 2.5), down = at(&b, 3, -2.5);
    cr_assert(epsilon_eq(dbl, up.log_p_upper, down.log_p_lower, 1e-12));
    cr_assert(epsilon_eq(dbl, up.estimate, -down.estimate, 1e-9));
    cr_assert(epsilon_eq(dbl, up.lo, -down.hi, 1e-9));
}

Test(stopped, tails_of_a_first_look_are_logarithms)
{
    struct bounds b = pocock();
    cr_assert(epsilon_eq(dbl, at(&b, 1, 30).log_p_upper, -454.321243956343, 1e-11));
}

Test(stopped, the_planned_drift_has_the_planned_power)
{
    struct bounds b = pocock();
    const struct exits_design d = { t, b.z, 4, 2 };
    struct stopped_chances c;
    struct err err;
    double drift, up[4], down[4];
    cr_assert(stopped_drift(&d, 0.8, &drift, &err), "%s", err.text);
    cr_assert(stopped_chances(&d, drift, up, down, &c, &err));
    cr_assert(epsilon_eq(dbl, c.power, 0.8, 1e-12));
    cr_assert(
        epsilon_eq(dbl, pow(drift / (1.959963984540054 + 0.8416212335729143), 2), 1.202, 5e-4)); /* the book's R_P(4) */
    cr_assert(lt(dbl, c.expected_t, 0.7));
}

Test(stopped, refusals_say_why)
{
    struct bounds b = pocock();
    const struct exits_design d = { t, b.z, 4, 2 };
    struct stopped s;
    struct err err;
    double drift;
    cr_assert(not(stopped_result(&d, 5, 2, 0.05, &s, &err)));
    cr_assert(eq(str, err.text, "look 5 is none of the 4"));
    cr_assert(not(stopped_result(&d, 2, NAN, 0.05, &s, &err)));
    cr_assert(not(stopped_result(&d, 2, 2, 1, &s, &err)));
    cr_assert(eq(str, err.text, "alpha 1 is not between 0 and 1"));
    cr_assert(not(stopped_drift(&d, 0.04, &drift, &err)));
    cr_assert(not(stopped_drift(&d, 1, &drift, &err)));
}
