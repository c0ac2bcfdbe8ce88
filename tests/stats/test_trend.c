#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/trust/trend.h"

enum { N = 6 };
static const double ses[N] = { 0.1, 0.2, 0.15, 0.1, 0.3, 0.12 };

static struct trend of(const double *effects, const double *days)
{
    struct trend t;
    struct err err;
    cr_assert(trend_test(effects, ses, days, N, 2, &t, &err), "%s", err.text);
    return t;
}

Test(trend, a_straight_line_is_found_whatever_the_precision)
{
    double effects[N], days[] = { 1, 2, 4, 7, 9, 14 };
    for (int i = 0; i < N; i++)
        effects[i] = 3 - 0.2 * days[i];
    cr_assert(epsilon_eq(dbl, of(effects, days).slope, -0.2, 1e-14));
}

Test(trend, moving_and_scaling_effects_and_days)
{
    const double effects[] = { 0.5, 0.1, 0.3, -0.2, 0.4, 0 };
    double moved[N], scaled[N], days[N];
    struct trend a = of(effects, NULL), b, c;
    for (int i = 0; i < N; i++) {
        moved[i] = effects[i] + 7;
        scaled[i] = -effects[i];
        days[i] = 10 * i - 3;
    }
    b = of(moved, NULL);
    c = of(scaled, days);
    cr_assert(epsilon_eq(dbl, a.slope, b.slope, 1e-14));
    cr_assert(epsilon_eq(dbl, a.q, b.q, 1e-12));
    cr_assert(epsilon_eq(dbl, a.change, b.change, 1e-13));
    cr_assert(epsilon_eq(dbl, a.slope_z, -c.slope_z, 1e-13));
    cr_assert(epsilon_eq(dbl, a.slope, -10 * c.slope, 1e-14));
}

/* With one period of overwhelming precision the pooled effect is that period's. */
Test(trend, precision_decides)
{
    const double effects[] = { 0.1, 0.05, 0.0501, 0.2 }, unequal[] = { 0.05, 1e-20, 0.05, 0.05 };
    struct trend t;
    struct err err;
    cr_assert(trend_test(effects, unequal, NULL, 4, 2, &t, &err), "%s", err.text);
    cr_assert(eq(dbl, t.all.effect, 0.05));
    cr_assert(epsilon_eq(dbl, t.all.se, 1e-20, 1e-32));
}

Test(trend, novelty_fades_and_primacy_grows)
{
    const double fades[] = { 3, 2, 1, 0.5, 0.4, 0.3 }, grows[] = { -0.1, 0.1, 0.5, 1, 2, 2.5 },
                 flat[] = { 1, 1.1, 0.9, 1, 1.2, 1 };
    struct trend t = of(fades, NULL);
    cr_assert(eq(int, trend_kind(&t, 0.05), TREND_FADES));
    t = of(grows, NULL);
    cr_assert(eq(int, trend_kind(&t, 0.05), TREND_GROWS));
    t = of(flat, NULL);
    cr_assert(eq(int, trend_kind(&t, 0.05), TREND_NONE));
}

Test(trend, refusals_say_why)
{
    const double effects[] = { 1, 2, 3 }, good[] = { 1, 1, 1 }, same[] = { 5, 5, 5 };
    struct trend t;
    struct err err;
    cr_assert(not(trend_test(effects, good, NULL, 2, 1, &t, &err)));
    cr_assert(eq(str, err.text, "there are 2 periods, a trend needs at least 3"));
    cr_assert(not(trend_test(effects, good, NULL, 3, 3, &t, &err)));
    cr_assert(eq(str, err.text, "early is 3, must leave a period of 3 on either side"));
    cr_assert(not(trend_test(effects, (const double[]){ 1, 0, 1 }, NULL, 3, 1, &t, &err)));
    cr_assert(eq(str, err.text, "standard error 2 is 0, not a number above 0"));
    cr_assert(not(trend_test((const double[]){ 1, 2, NAN }, good, NULL, 3, 1, &t, &err)));
    cr_assert(eq(str, err.text, "effect 3 is not a finite number"));
    cr_assert(not(trend_test(effects, good, same, 3, 1, &t, &err)));
    cr_assert(eq(str, err.text, "all days are the same: there is no trend to see"));
    cr_assert(not(trend_test((const double[]){ 1e300, 2, 3 }, (const double[]){ 1e-300, 1, 1 }, NULL, 3, 1, &t, &err)));
}
