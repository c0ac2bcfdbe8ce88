#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "stats/lift.h"

#define Z 1.959963984540054

/* Fieller's definition: θ is in the set when (t - θ c)² <= q² (V_t - 2 θ C + θ² V_c). */
static bool accepted(const struct estimate *c, const struct estimate *t, double cov, double theta)
{
    double d = t->value - theta * c->value;
    return d * d <= Z * Z * (t->variance - 2 * theta * cov + theta * theta * c->variance);
}

static bool contains(const struct lift_set *s, double v)
{
    switch (s->kind) {
    case LIFT_BOUNDED:
        return v >= s->lo && v <= s->hi;
    case LIFT_EXCLUSIVE:
        return v <= s->lo || v >= s->hi;
    case LIFT_WHOLE_LINE:
        return true;
    case LIFT_NONE:
    case LIFT_KIND_COUNT:
    default:
        return false;
    }
}

Test(lift, the_set_is_what_the_definition_accepts)
{
    struct draw d = { 6 };
    int kinds[LIFT_KIND_COUNT] = { 0 };
    for (int i = 0; i < 20000; i++) {
        struct estimate c = { 4 * draw_normal(&d), draw_exponential(&d), 9 },
                        t = { 4 * draw_normal(&d), draw_exponential(&d), 9 };
        double cov = (2 * draw_uniform(&d) - 1) * sqrt(c.variance * t.variance), theta = 3 * draw_normal(&d);
        struct lift_set ratio = lift_fieller_ratio(&c, &t, cov, Z), lift = lift_fieller(&c, &t, cov, Z);
        double sign = c.value < 0 ? -1 : 1;
        cr_assert(eq(int, contains(&ratio, theta), accepted(&c, &t, cov, theta)), "case %d: θ %g", i, theta);
        cr_assert(eq(int, contains(&lift, sign * (theta - 1)), accepted(&c, &t, cov, theta)), "case %d: lift of θ %g",
                  i, theta);
        cr_assert(eq(int, (int)lift.kind, (int)ratio.kind));
        kinds[ratio.kind]++;
    }
    for (int k = LIFT_BOUNDED; k < LIFT_KIND_COUNT; k++)
        cr_assert(kinds[k] > 1000, "kind %d came %d times", k, kinds[k]);
}

Test(lift, zero_is_outside_exactly_when_the_difference_is_significant)
{
    for (double t_value = 5; t_value < 15; t_value += 0.01) {
        struct estimate c = { 10, 0.8, 9 }, t = { t_value, 1.1, 9 };
        struct lift_set s = lift_fieller(&c, &t, 0, Z);
        cr_assert(eq(int, (int)s.kind, LIFT_BOUNDED));
        cr_assert(eq(int, !contains(&s, 0), fabs(t.value - c.value) > Z * welch_se(&c, &t)));
    }
}

Test(lift, a_treatment_without_events_has_a_bounded_lift_of_minus_one)
{
    struct estimate c = { 0.2, 1e-4, 99 }, t = { 0, 0, 99 };
    struct lift_set s = lift_fieller(&c, &t, 0, Z);
    cr_assert(eq(int, (int)s.kind, LIFT_BOUNDED));
    cr_assert(epsilon_eq(dbl, s.lo, -1, 1e-12));
    cr_assert(epsilon_eq(dbl, s.hi, -1, 1e-12));
}

Test(lift, a_lift_of_1e_9_keeps_its_digits)
{
    struct estimate c = { 1, 1e-20, 9 }, t = { 1 + 0x1p-30, 1e-20, 9 }; /* a lift of 2^-30, standard error 1.4e-10 */
    struct lift_set s = lift_fieller(&c, &t, 0, Z);
    double half = Z * sqrt(2e-20);
    cr_assert(epsilon_eq(dbl, s.lo, 0x1p-30 - half, 1e-8 * half));
    cr_assert(epsilon_eq(dbl, s.hi, 0x1p-30 + half, 1e-8 * half));
}

Test(lift, a_scale_changes_nothing)
{
    struct estimate c = { 3, 0.5, 9 }, t = { 4, 0.25, 9 };
    struct lift_set at_one = lift_fieller(&c, &t, 0.1, Z);
    for (int e = -500; e <= 500; e += 100) {
        struct estimate a = { ldexp(3, e), ldexp(0.5, 2 * e), 9 }, b = { ldexp(4, e), ldexp(0.25, 2 * e), 9 };
        struct lift_set s = lift_fieller(&a, &b, ldexp(0.1, 2 * e), Z);
        cr_assert(epsilon_eq(dbl, s.lo, at_one.lo, 1e-13));
        cr_assert(epsilon_eq(dbl, s.hi, at_one.hi, 1e-13));
        cr_assert(epsilon_eq(dbl, lift_delta_se(&a, &b, ldexp(0.1, 2 * e)), lift_delta_se(&c, &t, 0.1), 1e-13));
        cr_assert(epsilon_eq(dbl, lift_log_se(&a, &b, ldexp(0.1, 2 * e)), lift_log_se(&c, &t, 0.1), 1e-13));
    }
}

Test(lift, a_negative_control_keeps_the_direction_of_the_difference)
{
    struct estimate c = { -10, 0.01, 9 }, t = { -9, 0.01, 9 };
    struct lift_set s = lift_fieller(&c, &t, 0, Z);
    cr_assert(s.lo > 0 && s.lo < 0.1 && s.hi > 0.1);
}

Test(lift, a_control_of_zero_has_no_lift_but_a_set_of_ratios)
{
    struct estimate c = { 0, 0.04, 9 }, t = { 1, 0.04, 9 };
    cr_assert(eq(int, (int)lift_fieller(&c, &t, 0, Z).kind, LIFT_NONE));
    cr_assert(eq(int, (int)lift_fieller_ratio(&c, &t, 0, Z).kind, LIFT_EXCLUSIVE));
}

Test(lift, with_a_certain_control_fieller_is_the_delta_interval)
{
    struct estimate c = { 100, 0, 9 }, t = { 101, 0.08, 9 };
    struct lift_set s = lift_fieller(&c, &t, 0, Z);
    double half = Z * lift_delta_se(&c, &t, 0);
    cr_assert(epsilon_eq(dbl, s.lo, 0.01 - half, 1e-14));
    cr_assert(epsilon_eq(dbl, s.hi, 0.01 + half, 1e-14));
}
