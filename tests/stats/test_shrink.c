#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/multiple/shrink.h"

enum { N = 6 };
static const double ses[N] = { 0.1, 0.2, 0.15, 0.1, 0.3, 0.12 };

static struct shrink of(const double *effects, const double *errors, struct shrunk *each)
{
    struct shrink s;
    struct err err;
    cr_assert(shrink_effects(effects, errors, N, &s, each, &err), "%s", err.text);
    return s;
}

Test(shrink, equal_errors_give_james_and_stein)
{
    const double effects[N] = { 0.4, 0.1, -0.2, 0.7, 0.3, -0.1 }, same[N] = { 0.2, 0.2, 0.2, 0.2, 0.2, 0.2 };
    struct shrunk each[N];
    struct shrink s = of(effects, same, each);
    double mean = 1.2 / N, sum = 0;
    for (int k = 0; k < N; k++)
        sum += (effects[k] - mean) * (effects[k] - mean);
    cr_assert(epsilon_eq(dbl, s.mean, mean, 1e-14));
    for (int k = 0; k < N; k++) /* the textbook's factor: (K - 3) V/Σ(y - ȳ)² */
        cr_assert(epsilon_eq(dbl, each[k].effect, mean + (1 - 3 * 0.04 / sum) * (effects[k] - mean), 1e-12));
}

Test(shrink, without_spread_beyond_chance_all_are_drawn_as_far_as_it_goes)
{
    const double effects[N] = { 0.1, 0.11, 0.1, 0.09, 0.12, 0.1 };
    struct shrunk each[N];
    cr_assert(eq(dbl, of(effects, ses, each).variance, 0));
    for (int k = 0; k < N; k++)
        cr_assert(epsilon_eq(dbl, each[k].factor, 3.0 / 5, 1e-14));
}

Test(shrink, moving_scaling_and_turning_the_effects)
{
    const double effects[N] = { 0.5, 0.1, 0.9, -0.2, 0.4, 0 };
    double moved[N], scaled[N], errors[N];
    struct shrunk a[N], b[N], c[N];
    for (int k = 0; k < N; k++) {
        moved[k] = effects[k] + 7;
        scaled[k] = -1e-5 * effects[k];
        errors[k] = 1e-5 * ses[k];
    }
    struct shrink s = of(effects, ses, a);
    cr_assert(gt(dbl, s.variance, 0));
    cr_assert(epsilon_eq(dbl, of(moved, ses, b).variance, s.variance, 1e-12));
    cr_assert(epsilon_eq(dbl, of(scaled, errors, c).mean, -1e-5 * s.mean, 1e-18));
    for (int k = 0; k < N; k++) {
        cr_assert(epsilon_eq(dbl, b[k].effect, a[k].effect + 7, 1e-12));
        cr_assert(epsilon_eq(dbl, c[k].effect, -1e-5 * a[k].effect, 1e-17));
        cr_assert(epsilon_eq(dbl, b[k].se, a[k].se, 1e-12));
    }
}

Test(shrink, what_is_precise_stays_where_it_was_measured)
{
    const double effects[N] = { 2, 0.1, -3, 0.7, 1.3, -0.1 }, mixed[N] = { 1e-6, 0.2, 3, 0.2, 0.2, 0.2 };
    struct shrunk each[N];
    of(effects, mixed, each);
    cr_assert(epsilon_eq(dbl, each[0].effect, 2, 1e-9));
    cr_assert(gt(dbl, each[2].factor, 0.5));
    cr_assert(gt(dbl, each[2].effect, -1));
}

Test(shrink, refuses_and_says_why)
{
    const double effects[] = { 1, 2, 3, NAN }, good[] = { 1, 2, 3, 4 }, bad[] = { 1, 1, 0, 1 };
    struct shrunk each[4];
    struct shrink s;
    struct err err;
    cr_assert(not(shrink_effects(good, ses, 3, &s, each, &err)));
    cr_assert(strstr(err.text, "at least 4") != NULL, "%s", err.text);
    cr_assert(not(shrink_effects(effects, ses, 4, &s, each, &err)));
    cr_assert(strstr(err.text, "effect 4") != NULL, "%s", err.text);
    cr_assert(not(shrink_effects(good, bad, 4, &s, each, &err)));
    cr_assert(strstr(err.text, "standard error 3") != NULL, "%s", err.text);
}
