/* Adjustment by covariates: merging equals adding all, the moments alone give what regression over the units gives, and a covariate
 * that says nothing changes nothing. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

#include "draw.h"
#include "stats/adjust/cuped.h"
#include "stats/adjust/regress.h"

enum { UNITS = 300, VARS = 4 };

/* An outcome that two covariates say half of, a third nothing. */
static void unit_of(struct draw *d, double effect, double *v)
{
    v[1] = draw_normal(d);
    v[2] = 5 + draw_exponential(d);
    v[3] = 100 * draw_uniform(d);
    v[0] = 2 + effect + v[1] - 0.5 * v[2] + draw_normal(d);
}

static struct cross cell(uint64_t seed, int units, double effect)
{
    struct draw d = { seed };
    struct cross c = cross_none(VARS);
    double v[VARS];
    for (int i = 0; i < units; i++) {
        unit_of(&d, effect, v);
        cross_add(&c, v);
    }
    return c;
}

static struct cuped adjusted(const struct cross *c, const struct cross *t)
{
    struct cuped a;
    struct err err;
    cr_assert(cuped_adjust(c, t, CUPED_WITHIN, &a, &err), "%s", err.text);
    return a;
}

static void are_near(const struct cross *a, const struct cross *b, double tolerance)
{
    cr_assert(eq(i64, a->n, b->n));
    for (size_t i = 0; i < a->vars; i++) {
        cr_assert(epsilon_eq(dbl, a->mean[i] + a->rest[i], b->mean[i] + b->rest[i], tolerance));
        for (size_t j = 0; j < a->vars; j++)
            cr_assert(epsilon_eq(dbl, a->m2[i][j], b->m2[i][j], tolerance * sqrt(a->m2[i][i] * a->m2[j][j])));
    }
}

Test(cross, merging_equals_adding_all)
{
    for (int split = 0; split <= UNITS; split += 75) {
        struct draw d = { 21 };
        struct cross all = cross_none(VARS), parts[2] = { cross_none(VARS), cross_none(VARS) };
        double v[VARS];
        for (int i = 0; i < UNITS; i++) {
            unit_of(&d, 0, v);
            cross_add(&all, v);
            cross_add(&parts[i >= split], v);
        }
        cross_merge(&parts[0], &parts[1]);
        are_near(&all, &parts[0], 1e-13);
    }
}

Test(cross, means_near_a_million_differ_by_the_last_digit)
{
    struct cross a = cross_none(1), b = cross_none(1);
    for (int i = 1; i <= 1000; i++) {
        cross_add(&a, &(double){ 1e6 + i });
        cross_add(&b, &(double){ 1e6 + i + (i == 500 ? 0x1p-20 : 0) });
    }
    cr_assert(epsilon_eq(dbl, cross_difference(&a, &b, 0), 0x1p-20 / 1000, 1e-15));
}

Test(cross, refusals_name_the_variable)
{
    struct err err;
    struct cross c = cell(1, 10, 0), bad = c;
    bad.mean[2] = NAN;
    cr_assert(eq(int, cross_check(&bad, &err), 0));
    cr_assert(eq(str, err.text, "the mean or the variance of variable 2 is not a finite number"));
    bad = c;
    bad.m2[1][0] = bad.m2[0][1] = 1.1 * sqrt(bad.m2[0][0] * bad.m2[1][1]);
    cr_assert(eq(int, cross_check(&bad, &err), 0));
    cr_assert(eq(str, err.text, "the covariance of variables 1 and 0 is larger than their variances allow"));
    c.n = 1;
    cr_assert(eq(int, cross_check(&c, &err), 0));
    cr_assert(eq(str, err.text, "the variant has 1 unit, at least 2 are needed"));
}

Test(cuped, one_covariate_takes_rho_squared_of_the_variance)
{
    struct cross c = cell(3, UNITS, 0), both = c;
    c.vars = 2;
    both = c;
    struct cuped a = adjusted(&c, &c);
    double rho2 = both.m2[0][1] * both.m2[0][1] / both.m2[0][0] / both.m2[1][1];
    cr_assert(gt(dbl, rho2, 0.2));
    cr_assert(epsilon_eq(dbl, a.variance_reduction, rho2, 1e-12));
}

Test(cuped, moving_a_covariate_moves_only_theta)
{
    struct cross c = cell(4, UNITS, 0), t = cell(5, UNITS / 2, 0.3);
    struct cuped before = adjusted(&c, &t);
    for (size_t i = 0; i < VARS; i++) {
        for (struct cross *x = &c; x; x = x == &c ? &t : NULL) {
            x->m2[2][i] *= i == 2 ? 1e12 : -1e6;
            x->m2[i][2] = x->m2[2][i];
        }
    }
    c.mean[2] = -1e6 * c.mean[2];
    c.rest[2] = -1e6 * c.rest[2];
    t.mean[2] = -1e6 * t.mean[2];
    t.rest[2] = -1e6 * t.rest[2];
    struct cuped after = adjusted(&c, &t);
    cr_assert(epsilon_eq(dbl, after.difference, before.difference, 1e-12));
    cr_assert(epsilon_eq(dbl, after.se, before.se, 1e-13));
    cr_assert(epsilon_eq(dbl, after.theta[1], -before.theta[1] / 1e6, 1e-18));
}

Test(cuped, covariates_that_do_not_vary_are_left_out)
{
    struct cross c = cell(6, UNITS, 0), t = cell(7, UNITS, 0.3);
    for (size_t i = 0; i < VARS; i++)
        c.m2[1][i] = c.m2[i][1] = c.m2[2][i] = c.m2[i][2] = c.m2[3][i] = c.m2[i][3] = 0;
    memcpy(t.m2, c.m2, sizeof c.m2);
    struct cuped a = adjusted(&c, &t);
    cr_assert(eq(dbl, a.theta[0], 0));
    cr_assert(eq(dbl, a.difference, a.plain_difference));
    cr_assert(eq(dbl, a.se, a.plain_se));
    cr_assert(eq(dbl, a.variance_reduction, 0));
}

/* A third of the units are new. */
static struct cuped with_missing(double constant)
{
    struct draw d = { 17 };
    struct cross arms[2] = { cross_none(3), cross_none(3) };
    for (int i = 0; i < 2 * UNITS; i++) {
        bool missing = draw_uniform(&d) < 1.0 / 3;
        double x = draw_normal(&d), y = x + 0.3 * (i % 2) + draw_normal(&d) - (missing ? 2 : 0);
        cross_add(&arms[i % 2], (double[]){ y, missing ? constant : x, missing });
    }
    return adjusted(&arms[0], &arms[1]);
}

Test(cuped, with_an_indicator_what_stands_for_a_missing_value_does_not_matter)
{
    struct cuped a = with_missing(0), b = with_missing(-40);
    cr_assert(epsilon_eq(dbl, a.difference, b.difference, 1e-12));
    cr_assert(epsilon_eq(dbl, a.se, b.se, 1e-13));
    cr_assert(gt(dbl, a.variance_reduction, 0.4));
}

Test(cuped, a_covariate_that_follows_from_others_is_named)
{
    struct cross c = cross_none(3);
    struct draw d = { 8 };
    struct cuped a;
    struct err err;
    for (int i = 0; i < UNITS; i++) {
        double x = draw_normal(&d);
        cross_add(&c, (double[]){ x + draw_normal(&d), x, 3 * x - 1 });
    }
    cr_assert(eq(int, cuped_adjust(&c, &c, CUPED_WITHIN, &a, &err), 0));
    cr_assert(eq(str, err.text, "covariate 2 is a linear combination of those before it"));
}

Test(cuped, the_lift_excludes_0_exactly_when_the_test_rejects)
{
    int rejected = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        struct cross c = cell(seed, 40, 0), t = cell(seed + 1000, 50, 0.35);
        struct cuped a = adjusted(&c, &t);
        struct welch w;
        cr_assert(cuped_test(&a, 0.05, &w, NULL));
        struct lift_set lift = cuped_lift(&a, w.critical);
        bool inside = lift.kind == LIFT_WHOLE_LINE ||
                      (lift.kind == LIFT_EXCLUSIVE ? lift.lo >= 0 || lift.hi <= 0 : lift.lo <= 0 && 0 <= lift.hi);
        bool rejects = fabs(w.t) > w.critical;
        rejected += rejects;
        cr_assert(eq(int, inside, !rejects));
    }
    cr_assert(rejected > 50 && rejected < 350, "both must happen: %d", rejected);
}

/* ---- two passes over units ---- */

static struct regress_sums pass(const struct regress_plan *p, size_t arm, uint64_t seed, int from, int to,
                                double effect)
{
    struct draw d = { seed };
    struct regress_sums sums = { 0 };
    double v[VARS];
    for (int i = 0; i < to; i++) {
        unit_of(&d, effect, v);
        if (i >= from)
            regress_add(p, arm, v[0], v + 1, &sums);
    }
    return sums;
}

Test(regress, ancova_agrees_with_cuped_about_the_effect)
{
    struct cross c = cell(9, UNITS, 0), t = cell(10, UNITS / 3, 0.3);
    struct regress_plan p;
    cr_assert(regress_plan(&c, &t, REGRESS_ANCOVA, &p, NULL));
    cr_assert(epsilon_eq(dbl, p.effect, adjusted(&c, &t).difference, 1e-13));
}

Test(regress, the_second_pass_merges_by_adding)
{
    struct cross c = cell(11, UNITS, 0), t = cell(12, UNITS, 0.3);
    struct regress_plan p;
    for (enum regress_model m = REGRESS_ANCOVA; m <= REGRESS_LIN; m++) {
        cr_assert(regress_plan(&c, &t, m, &p, NULL));
        struct regress_sums all = pass(&p, REGRESS_CONTROL, 11, 0, UNITS, 0),
                            first = pass(&p, REGRESS_CONTROL, 11, 0, 100, 0),
                            rest = pass(&p, REGRESS_CONTROL, 11, 100, UNITS, 0);
        cr_assert(epsilon_eq(dbl, all.hc2, first.hc2 + rest.hc2, 1e-13 * all.hc2));
        cr_assert(gt(dbl, all.hc2, all.hc0));
        cr_assert(eq(i64, all.alone, 0));
    }
}

Test(regress, without_covariates_hc2_is_the_variance_of_the_means)
{
    struct cross c = cell(13, UNITS, 0), t = cell(14, UNITS / 2, 0.3);
    struct regress_plan p;
    c.vars = t.vars = 1;
    for (enum regress_model m = REGRESS_ANCOVA; m <= REGRESS_LIN; m++) {
        cr_assert(regress_plan(&c, &t, m, &p, NULL));
        double hc2 = pass(&p, REGRESS_CONTROL, 13, 0, UNITS, 0).hc2 +
                     pass(&p, REGRESS_TREATMENT, 14, 0, UNITS / 2, 0.3).hc2;
        cr_assert(epsilon_eq(dbl, sqrt(hc2), adjusted(&c, &t).plain_se, 1e-13));
    }
}

Test(cross, a_linearised_ratio_has_the_delta_methods_variance)
{
    struct draw d = { 15 };
    struct cross units = cross_none(4), ratio;
    double v[4];
    for (int i = 0; i < UNITS; i++) {
        double rate = draw_uniform(&d);
        v[1] = 1 + draw_geometric(&d, 0.3);
        v[0] = v[1] * rate;
        v[3] = 1 + draw_geometric(&d, 0.5);
        v[2] = v[3] * (rate + draw_uniform(&d));
        cross_add(&units, v);
    }
    cr_assert(cross_ratio(&units, &ratio, NULL));
    double r = units.mean[0] / units.mean[1], y = units.mean[1];
    double m2 = (units.m2[0][0] - 2 * r * units.m2[0][1] + r * r * units.m2[1][1]) / (y * y);
    cr_assert(eq(sz, ratio.vars, 2));
    cr_assert(epsilon_eq(dbl, ratio.mean[0], r, 1e-15));
    cr_assert(epsilon_eq(dbl, ratio.m2[0][0], m2, 1e-12 * m2));
    cr_assert(gt(dbl, adjusted(&ratio, &ratio).variance_reduction, 0.1));
}
