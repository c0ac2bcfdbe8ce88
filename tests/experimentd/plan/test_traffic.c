#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "experimentd/plan/traffic.h"

Test(traffic, growth_follows_from_one_day_and_all_of_them)
{
    const double daily[] = { 1000, 1000, 1000, 1000, 1000, 1000, 1000 };
    cr_assert(epsilon_eq(dbl, traffic_of_days(daily, 7, 7000).growth, 1, 1e-12));
    cr_assert(eq(dbl, traffic_of_days(daily, 7, 1000).growth, 0));
    struct traffic t = traffic_of_days(daily, 7, 1600);
    cr_assert(epsilon_eq(dbl, t.growth, log(1.6) / log(7), 1e-12));
    cr_assert(epsilon_eq(dbl, traffic_units(&t, 7), 1600, 1e-9));
    cr_assert(epsilon_eq(dbl, traffic_units(&t, 1), 1000, 1e-9));
    cr_assert(not(t.assumed));
}

Test(traffic, days_before_the_first_do_not_count_and_one_day_is_assumed)
{
    struct traffic t = traffic_of_days((const double[]){ 500, 0, 0 }, 3, 500);
    cr_assert(t.assumed);
    cr_assert(eq(dbl, t.days, 1));
    cr_assert(eq(dbl, t.growth, TRAFFIC_GROWTH_ASSUMED));
    t = traffic_of_days((const double[]){ 500, 0, 500, 0 }, 4, 800);
    cr_assert(eq(dbl, t.days, 3));
}

/* First exposures of U(t) = 1000 t^0.6. */
Test(traffic, first_exposures_give_the_curve_back)
{
    double first[21];
    for (int i = 0; i < 21; i++)
        first[i] = 1000 * (pow(i + 1, 0.6) - pow(i, 0.6));
    struct traffic t = traffic_of_first_exposures(first, 21);
    cr_assert(epsilon_eq(dbl, t.growth, 0.6, 1e-9));
    cr_assert(epsilon_eq(dbl, traffic_units(&t, 42), 1000 * pow(42, 0.6), 1e-6));
    cr_assert(epsilon_eq(dbl, traffic_of_first_exposures(first, 5).growth, 0.6, 1e-9));
    cr_assert(traffic_of_first_exposures(first, 1).assumed);
}

Test(traffic, the_day_of_so_many_units)
{
    const struct traffic t = { 7, 700, 0.5, false }, same = { 7, 700, 0, false };
    struct err err;
    double day;
    cr_assert(traffic_days(&t, 1400, &day, &err));
    cr_assert(epsilon_eq(dbl, day, 28, 1e-12));
    cr_assert(not(traffic_days(&same, 1400, &day, &err)));
    cr_assert(eq(str, err.text, "the units are always the same: no more will come"));
}
