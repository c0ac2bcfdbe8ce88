/* Capped means and effects by strata: merging equals adding all, and each agrees with the plain comparison where it must. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "stats/adjust/cuped.h"
#include "stats/adjust/strata.h"
#include "stats/adjust/winsorize.h"
#include "stats/ranks/sorted.h"
#include "stats/special/special.h"

enum { UNITS = 200, STRATA = 4 };

static void skewed(uint64_t seed, double *out, size_t n)
{
    struct draw d = { seed };
    for (size_t i = 0; i < n; i++)
        out[i] = exp(1.5 * draw_normal(&d));
}

/* ---- winsorize ---- */

Test(winsorize, merging_equals_adding_all)
{
    double x[UNITS];
    const struct winsorize_cuts cuts = { 0.2, 5 };
    struct winsorized all = { 0 }, parts[2] = { { { 0 }, 0 }, { { 0 }, 0 } };
    skewed(1, x, UNITS);
    for (size_t i = 0; i < UNITS; i++) {
        winsorize_add(&all, &cuts, x[i]);
        winsorize_add(&parts[i % 3 == 0], &cuts, x[i]);
    }
    winsorize_merge(&parts[0], &parts[1]);
    cr_assert(eq(i64, parts[0].capped, all.capped));
    cr_assert(gt(i64, all.capped, 0));
    cr_assert(eq(i64, parts[0].m.n, UNITS));
    cr_assert(epsilon_eq(dbl, parts[0].m.m2, all.m.m2, 1e-12 * all.m.m2));
}

Test(winsorize, wide_cuts_change_nothing_and_narrow_ones_leave_no_spread)
{
    double x[UNITS];
    struct winsorized wide = { 0 }, narrow = { 0 };
    struct moments plain = { 0 };
    skewed(2, x, UNITS);
    for (size_t i = 0; i < UNITS; i++) {
        winsorize_add(&wide, &(struct winsorize_cuts){ -1, 1e9 }, x[i]);
        winsorize_add(&narrow, &(struct winsorize_cuts){ 1, 1 }, x[i]);
        moments_add(&plain, x[i]);
    }
    cr_assert(eq(i64, wide.capped, 0));
    cr_assert(eq(dbl, wide.m.m2, plain.m2));
    cr_assert(eq(i64, narrow.capped, UNITS));
    cr_assert(eq(dbl, narrow.m.m2, 0));
}

Test(winsorize, yuen_without_a_trim_is_welch_and_with_one_does_not_see_an_outlier)
{
    double x[UNITS];
    struct moments plain = { 0 };
    struct estimate untrimmed, before, after;
    skewed(3, x, UNITS);
    for (size_t i = 0; i < UNITS; i++)
        moments_add(&plain, x[i]);
    cr_assert(sorted_make(x, UNITS, NULL));
    cr_assert(winsorize_yuen(x, UNITS, 0, &untrimmed, NULL));
    cr_assert(epsilon_eq(dbl, untrimmed.value, plain.mean, 1e-13 * plain.mean));
    cr_assert(epsilon_eq(dbl, untrimmed.variance, moments_variance(&plain) / UNITS, 1e-13 * untrimmed.variance));
    cr_assert(winsorize_yuen(x, UNITS, 0.1, &before, NULL));
    x[UNITS - 1] = 1e12;
    cr_assert(winsorize_yuen(x, UNITS, 0.1, &after, NULL));
    cr_assert(eq(dbl, after.value, before.value));
    cr_assert(eq(dbl, after.variance, before.variance));
}

Test(winsorize, refusals_name_the_field)
{
    double x[] = { 1, 2, 3 };
    struct winsorize_cuts cuts;
    struct estimate e;
    struct err err;
    cr_assert(eq(int, winsorize_cuts(x, 3, 0.9, 0.1, &cuts, &err), 0));
    cr_assert(eq(str, err.text, "lower 0.9 and upper 0.1 are not ascending levels from 0 to 1"));
    cr_assert(eq(int, winsorize_yuen(x, 3, 0.5, &e, &err), 0));
    cr_assert(eq(str, err.text, "trim 0.5 is not from 0 to below 1/2"));
    cr_assert(eq(int, winsorize_yuen(x, 3, 0.4, &e, &err), 0));
    cr_assert(eq(str, err.text, "1 values are left of 3, at least 2 are needed"));
    x[1] = NAN;
    cr_assert(eq(int, sorted_make(x, 3, &err), 0));
    cr_assert(eq(str, err.text, "value 2 is not a finite number"));
}

/* ---- strata ---- */

static struct strata effect_of(const struct stratum *s, size_t n, const double *weights)
{
    struct strata out;
    struct err err;
    cr_assert(strata_effect(s, n, weights, &out, &err), "%s", err.text);
    return out;
}

static void some_strata(uint64_t seed, struct stratum *out)
{
    struct draw d = { seed };
    for (size_t k = 0; k < STRATA; k++) {
        double base = 10 * draw_uniform(&d);
        out[k].control = (struct stratum_arm){ 50 + (int64_t)(200 * draw_uniform(&d)), base, 1 + draw_exponential(&d) };
        out[k].treatment = (struct stratum_arm){ 50 + (int64_t)(200 * draw_uniform(&d)), base + draw_normal(&d) / 5,
                                                 1 + draw_exponential(&d) };
    }
}

Test(strata, one_stratum_is_the_plain_difference)
{
    struct stratum s = { { 100, 5, 4 }, { 80, 5.5, 3 } };
    struct strata e = effect_of(&s, 1, NULL);
    cr_assert(eq(dbl, e.effect, 0.5));
    cr_assert(eq(dbl, e.naive, 0.5));
    cr_assert(epsilon_eq(dbl, e.se, sqrt(4.0 / 100 + 3.0 / 80), 1e-15));
    cr_assert(eq(dbl, e.se_super, e.se));
    cr_assert(not(e.has_q));
}

Test(strata, order_and_scale_of_weights_do_not_matter)
{
    struct stratum s[STRATA], reversed[STRATA];
    double w[STRATA] = { 1, 2, 3, 4 }, w_reversed[STRATA];
    some_strata(4, s);
    for (size_t k = 0; k < STRATA; k++) {
        reversed[k] = s[STRATA - 1 - k];
        w_reversed[k] = 7 * w[STRATA - 1 - k];
    }
    struct strata a = effect_of(s, STRATA, w), b = effect_of(reversed, STRATA, w_reversed);
    cr_assert(epsilon_eq(dbl, a.effect, b.effect, 1e-14));
    cr_assert(epsilon_eq(dbl, a.se, b.se, 1e-14));
    cr_assert(epsilon_eq(dbl, a.q, b.q, 1e-12));
    cr_assert(eq(dbl, a.se_super, a.se)); /* given weights are no sample */
}

Test(strata, the_lift_agrees_with_the_test_of_the_super_population)
{
    int rejected = 0;
    double z = special_normal_qinv(0.025);
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct stratum s[STRATA];
        some_strata(seed, s);
        struct strata e = effect_of(s, STRATA, NULL);
        struct lift_set lift = strata_lift(&e, z);
        bool rejects = fabs(e.effect) > z * e.se_super;
        rejected += rejects;
        cr_assert(eq(int, lift.kind, LIFT_BOUNDED));
        cr_assert(eq(int, lift.lo > 0 || lift.hi < 0, rejects));
    }
    cr_assert(rejected > 10 && rejected < 290, "both must happen: %d", rejected);
}

Test(strata, simpson_needs_all_strata_on_one_side)
{
    struct stratum s[2] = { { { 87, 0.93, 0.0651 }, { 270, 0.87, 0.1131 } },
                            { { 263, 0.73, 0.1971 }, { 80, 0.69, 0.2139 } } };
    struct strata e = effect_of(s, 2, NULL);
    cr_assert(e.simpson);
    cr_assert(lt(dbl, e.effect, 0));
    cr_assert(gt(dbl, e.naive, 0));
    s[1].treatment.mean = 0.74;
    cr_assert(not(effect_of(s, 2, NULL).simpson));
}

Test(strata, refusals_name_the_stratum)
{
    struct stratum s[2] = { { { 100, 1, 1 }, { 100, 1, 1 } }, { { 100, 1, 1 }, { 1, 1, 0 } } };
    struct strata e;
    struct err err;
    cr_assert(eq(int, strata_effect(s, 2, NULL, &e, &err), 0));
    cr_assert(eq(str, err.text, "stratum 2: the treatment has 1 units, at least 2 are needed: merge it"));
    s[1].treatment = (struct stratum_arm){ 10, INFINITY, 1 };
    cr_assert(eq(int, strata_effect(s, 2, NULL, &e, &err), 0));
    cr_assert(eq(str, err.text, "stratum 2: mean or variance of the treatment is not a finite number"));
    cr_assert(eq(int, strata_effect(s, 1, (double[]){ -1 }, &e, &err), 0));
    cr_assert(eq(str, err.text, "weight 1 is -1, must be a number from 0"));
}

/* Cells of two variables: strata differ in level, the covariate says most of the rest. */
static void cells_of(uint64_t seed, size_t strata, double slope, struct cross *out)
{
    struct draw d = { seed };
    for (size_t i = 0; i < 2 * strata; i++) {
        out[i] = cross_none(2);
        for (int u = 0; u < UNITS; u++) {
            double x = draw_normal(&d);
            cross_add(&out[i], (double[]){ (double)(i / 2) + slope * x + draw_normal(&d), x });
        }
    }
}

Test(strata, with_a_covariate_one_stratum_is_cuped)
{
    struct cross cells[2];
    struct stratum s[1];
    struct cuped a;
    double theta[SOLVE_MAX];
    cells_of(5, 1, 2, cells);
    cr_assert(strata_cuped(cells, 1, theta, s, NULL));
    cr_assert(cuped_adjust(&cells[0], &cells[1], CUPED_WITHIN, &a, NULL));
    struct strata e = effect_of(s, 1, NULL);
    cr_assert(epsilon_eq(dbl, theta[0], a.theta[0], 1e-15));
    cr_assert(epsilon_eq(dbl, e.effect, a.difference, 1e-14));
    cr_assert(epsilon_eq(dbl, e.se, a.se, 1e-14));
}

Test(strata, strata_and_covariate_together_take_more_variance_than_either)
{
    struct cross cells[2 * STRATA], arms[2] = { cross_none(2), cross_none(2) };
    struct stratum plain[STRATA], both[STRATA];
    struct cuped a;
    double theta[SOLVE_MAX];
    cells_of(6, STRATA, 2, cells);
    for (size_t i = 0; i < 2 * STRATA; i++) {
        struct stratum_arm arm = { cells[i].n, cells[i].mean[0], cells[i].m2[0][0] / (double)(cells[i].n - 1) };
        *(i % 2 == 0 ? &plain[i / 2].control : &plain[i / 2].treatment) = arm;
        cross_merge(&arms[i % 2], &cells[i]);
    }
    cr_assert(strata_cuped(cells, STRATA, theta, both, NULL));
    cr_assert(cuped_adjust(&arms[0], &arms[1], CUPED_WITHIN, &a, NULL));
    cr_assert(lt(dbl, effect_of(both, STRATA, NULL).se_super, a.se));
    cr_assert(lt(dbl, effect_of(both, STRATA, NULL).se_super, effect_of(plain, STRATA, NULL).se_super));
}
