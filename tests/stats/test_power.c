#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/power.h"
#include "stats/special/special.h"

static const struct power_design usual = { .alpha = 0.05, .sides = 2, .ratio = 1 };

static double means(double delta, double sd, double n)
{
    double power;
    struct err err;
    cr_assert(power_means(&usual, delta, sd, n, &power, &err), "%s", err.text);
    return power;
}

static double rates(double p_c, double p_t, double n)
{
    double power;
    struct err err;
    struct power_rates r = { .p_c = p_c, .p_t = p_t };
    cr_assert(power_rates(&usual, &r, n, &power, &err), "%s", err.text);
    return power;
}

Test(power, of_no_effect_is_alpha)
{
    cr_assert(epsilon_eq(dbl, means(0, 3, 50), 0.05, 1e-12));
    cr_assert(epsilon_eq(dbl, rates(0.3, 0.3, 500), 0.05, 1e-12));
}

Test(power, does_not_know_the_direction_nor_the_scale)
{
    cr_assert(eq(dbl, means(0.4, 1, 80), means(-0.4, 1, 80)));
    cr_assert(epsilon_eq(dbl, means(0.4, 1, 80), means(40, 100, 80), 1e-12));
    cr_assert(epsilon_eq(dbl, rates(0.2, 0.25, 700), rates(0.8, 0.75, 700), 1e-12));
}

Test(power, grows_with_units_and_with_the_effect)
{
    double units = 10, before = 0, was = 0;
    for (int i = 0; i < 22; i++, units *= 1.7) {
        double now = means(0.05, 1, units);
        cr_assert(ge(dbl, now, before - 1e-12));
        before = now;
    }
    for (int i = 0; i < 40; i++) {
        double now = means(i / 20.0, 1, 30);
        cr_assert(ge(dbl, now, was - 1e-12));
        was = now;
    }
}

Test(power, units_and_effects_are_its_inverses)
{
    static const double powers[] = { 0.06, 0.5, 0.8, 0.95, 0.999 };
    struct power_units units;
    struct err err;
    double effect;
    for (size_t i = 0; i < 5; i++) {
        cr_assert(power_means_units(&usual, 0.1, 1, powers[i], &units, &err), "%s", err.text);
        cr_assert(epsilon_eq(dbl, means(0.1, 1, units.control_real), powers[i], 1e-9));
        cr_assert(power_means_effect(&usual, 2, 300, powers[i], &effect, &err), "%s", err.text);
        cr_assert(epsilon_eq(dbl, means(effect, 2, 300), powers[i], 1e-9));
        struct power_rates r = { .p_c = 0.2, .p_t = 0.23 };
        cr_assert(power_rates_units(&usual, &r, powers[i], &units, &err), "%s", err.text);
        cr_assert(epsilon_eq(dbl, rates(0.2, 0.23, units.control_real), powers[i], 1e-9));
        cr_assert(power_rates_effect(&usual, &r, 4000, powers[i], false, &effect, &err), "%s", err.text);
        cr_assert(epsilon_eq(dbl, rates(0.2, 0.2 + effect, 4000), powers[i], 1e-9));
    }
}

Test(power, of_means_and_of_shares_agree_on_much_traffic)
{
    double p = 0.3, sd = sqrt((p * (1 - p) + 0.303 * 0.697) / 2);
    cr_assert(epsilon_eq(dbl, means(0.003, sd, 2e5), rates(p, 0.303, 2e5), 1e-5));
}

Test(power, an_effect_that_no_share_can_have_is_refused)
{
    struct power_rates r = { .p_c = 0.97 };
    struct err err;
    double effect = -7;
    cr_assert(not(power_rates_effect(&usual, &r, 3, 0.99, false, &effect, &err)));
    cr_assert(eq(str, err.text, "a power of 0.99 is out of reach"));
    cr_assert(eq(dbl, effect, -7));
}

/* Where the series gives way to the expansion, both still hold. */
Test(power, the_far_noncentral_t_joins_the_series)
{
    static const double freedoms[] = { 1, 3, 9, 27, 81 }, ts[] = { 20, 100, 500, 2500, 12500 };
    for (size_t i = 0; i < 5; i++) {
        for (size_t k = 0; k < 5; k++) {
            double near = special_noncentral_t_q(ts[k], freedoms[i], 400);
            double far = special_noncentral_t_q(ts[k], freedoms[i], 400.0000001);
            cr_assert(epsilon_eq(dbl, near, far, 2e-8), "df %g t %g: %.15g %.15g", freedoms[i], ts[k], near, far);
        }
    }
}
