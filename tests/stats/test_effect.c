/* Effects however they were adjusted, tested by every plan; shares of few; margins. */
#include "stats/effect.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "stats/adjust/cuped.h"
#include "stats/compare.h"

static const struct compare_plan once = { 0.95, 0 }, any_time = { 0.95, 5000 };

/* n units: y = base + shift + 2 z + noise, z known before. Ratios: (y, w, z, w before). */
static struct cross drawn(uint64_t seed, int64_t n, double shift, size_t vars)
{
    struct cross c = cross_none(vars);
    struct draw d = { seed };
    for (int64_t i = 0; i < n; i++) {
        double z = draw_uniform(&d), w = 1 + draw_uniform(&d), w0 = 1 + draw_uniform(&d);
        double y = 3 + shift + 2 * z + draw_uniform(&d);
        double v[4] = { y, vars == 4 ? w : z, z, w0 };
        if (vars == 4)
            v[0] = y * w, v[2] = z * w0;
        cross_add(&c, v);
    }
    return c;
}

static struct moments2 outcome(const struct cross *c)
{
    return (struct moments2){ .n = c->n, .mean_x = c->mean[0], .m2_x = c->m2[0][0] };
}

static struct effect plain_of(const struct cross *c, const struct cross *t)
{
    struct arm a = { .kind = METRIC_MEAN, .m = outcome(c) }, b = { .kind = METRIC_MEAN, .m = outcome(t) };
    struct estimate e, f;
    struct effect out;
    struct err err;
    cr_assert(compare_estimate(&a, &e, &err) && compare_estimate(&b, &f, &err));
    cr_assert(effect_plain(&e, &f, c->n, t->n, &out, &err), "%s", err.text);
    return out;
}

Test(effect, a_covariate_narrows_it_by_its_correlation)
{
    struct cross c = drawn(1, 4000, 0, 2), t = drawn(2, 4000, 0.1, 2);
    struct effect e, plain = plain_of(&c, &t);
    struct err err;
    cr_assert(effect_cuped(false, &c, &t, &e, &err), "%s", err.text);
    /* var y = 4/12 + 1/12: all but a fifth of it is z's */
    cr_assert(epsilon_eq(dbl, e.variance_reduction, 0.8, 0.02));
    cr_assert(epsilon_eq(dbl, e.se * e.se, plain.se * plain.se * (1 - e.variance_reduction), 1e-12));
    cr_assert(epsilon_eq(dbl, e.difference, 0.1, 4 * e.se));
    cr_assert(epsilon_eq(dbl, e.base.value, c.mean[0], 1e-12));
}

Test(effect, a_covariate_that_says_nothing_changes_nothing)
{
    struct cross c = drawn(1, 500, 0, 1), t = drawn(2, 500, 0.1, 1), c2 = c, t2 = t;
    struct effect e, plain = plain_of(&c, &t);
    struct err err;
    c2.vars = t2.vars = 2; /* nobody was there before: 0 of every unit */
    cr_assert(effect_cuped(false, &c2, &t2, &e, &err), "%s", err.text);
    cr_assert(epsilon_eq(dbl, e.difference, plain.difference, 1e-14));
    cr_assert(epsilon_eq(dbl, e.se, plain.se, 1e-14));
    struct comparison a, b;
    cr_assert(compare_effect(&e, &once, 0.05, &a, &err) && compare_effect(&plain, &once, 0.05, &b, &err));
    cr_assert(epsilon_eq(dbl, a.lift_lo, b.lift_lo, 1e-12));
    cr_assert(epsilon_eq(dbl, a.log_p, b.log_p, 1e-10));
}

Test(effect, a_ratio_is_adjusted_by_the_same_ratio_before)
{
    struct cross c = drawn(1, 4000, 0, 4), t = drawn(2, 4000, 0.1, 4);
    struct effect e;
    struct err err;
    cr_assert(effect_cuped(true, &c, &t, &e, &err), "%s", err.text);
    cr_assert(epsilon_eq(dbl, e.base.value, c.mean[0] / c.mean[1], 1e-12));
    cr_assert(epsilon_eq(dbl, e.difference, 0.1, 4 * e.se));
    cr_assert(gt(dbl, e.variance_reduction, 0.3));
    c = t = cross_none(4); /* what was before has no denominator */
    for (int i = 0; i < 10; i++)
        cross_add(i % 2 ? &c : &t, (double[]){ i, 1, 0, 0 });
    cr_assert(not(effect_cuped(true, &c, &t, &e, &err)));
}

/* Strata with other values and other shares in the arms, no effect in any: a plain difference sees the mix, an adjusted one does not. */
Test(effect, strata_take_away_what_their_mix_does)
{
    struct cross cells[4];
    struct effect e, plain;
    struct err err;
    cells[0] = drawn(1, 3000, 0, 1);
    cells[1] = drawn(2, 2000, 0, 1);
    cells[2] = drawn(3, 2000, 5, 1);
    cells[3] = drawn(4, 3000, 5, 1);
    struct cross c = cells[0], t = cells[1];
    cross_merge(&c, &cells[2]);
    cross_merge(&t, &cells[3]);
    plain = plain_of(&c, &t);
    cr_assert(gt(dbl, plain.difference, 0.9));
    cr_assert(effect_strata(false, false, cells, 2, &e, &err), "%s", err.text);
    cr_assert(epsilon_eq(dbl, e.difference, 0, 4 * e.se));
    cr_assert(gt(dbl, e.variance_reduction, 0.5));
}

Test(effect, strata_and_covariates_together_are_narrower_than_either)
{
    struct cross cells[4], c, t;
    struct effect both, strata, cuped;
    struct err err;
    for (size_t i = 0; i < 4; i++)
        cells[i] = drawn(i + 1, 2500, (i / 2) * 2 + (i % 2) * 0.1, 2);
    c = cells[0];
    t = cells[1];
    cross_merge(&c, &cells[2]);
    cross_merge(&t, &cells[3]);
    cr_assert(effect_strata(false, true, cells, 2, &both, &err), "%s", err.text);
    cr_assert(effect_strata(false, false, cells, 2, &strata, &err), "%s", err.text);
    cr_assert(effect_cuped(false, &c, &t, &cuped, &err), "%s", err.text);
    cr_assert(lt(dbl, both.se, strata.se));
    cr_assert(lt(dbl, both.se, cuped.se));
    cr_assert(epsilon_eq(dbl, both.difference, 0.1, 4 * both.se));
}

/* One stratum is no strata: the ratio's delta method comes out. */
Test(effect, one_stratum_of_a_ratio_is_the_delta_method)
{
    struct cross cells[2] = { drawn(1, 3000, 0, 4), drawn(2, 3000, 0.1, 4) };
    struct arm arms[2];
    struct effect e;
    struct comparison plain;
    struct err err;
    for (size_t i = 0; i < 2; i++) {
        const struct cross *c = &cells[i];
        arms[i] = (struct arm){ .kind = METRIC_RATIO,
                                .m = { c->n, c->mean[0], c->m2[0][0], c->mean[1], c->m2[1][1], c->m2[0][1] } };
        cells[i] = effect_cell(&arms[i].m, true);
    }
    cr_assert(effect_strata(true, false, cells, 1, &e, &err), "%s", err.text);
    cr_assert(stats_compare(&arms[0], &arms[1], &once, &plain, &err), "%s", err.text);
    cr_assert(epsilon_eq(dbl, e.difference, plain.difference, 1e-12));
    cr_assert(epsilon_eq(dbl, e.se, plain.se, 1e-12));
}

Test(effect, test_and_lift_agree_whatever_the_adjustment_and_the_plan)
{
    const struct compare_plan *const plans[] = { &once, &any_time };
    struct err err;
    for (uint64_t seed = 1; seed < 60; seed++) {
        struct cross c = drawn(seed, 400, 0, 2), t = drawn(seed + 100, 400, 0.04, 2);
        struct effect e;
        cr_assert(effect_cuped(false, &c, &t, &e, &err), "%s", err.text);
        for (size_t i = 0; i < 2; i++) {
            struct comparison x;
            cr_assert(compare_effect(&e, plans[i], 0.05, &x, &err), "%s", err.text);
            bool rejects = x.p < 0.05;
            cr_assert(eq(int, rejects, x.ci_lo > 0 || x.ci_hi < 0));
            cr_assert(eq(int, rejects, x.lift_lo > 0 || x.lift_hi < 0));
        }
    }
}

/* ---- shares of few ---- */

static struct comparison counted(int64_t x_c, int64_t n_c, int64_t x_t, int64_t n_t, double *exact)
{
    struct comparison out;
    struct err err;
    cr_assert(compare_counts(&(struct proportions){ x_c, n_c, x_t, n_t }, 0.05, &out, exact, &err), "%s", err.text);
    return out;
}

Test(counts, nobody_against_some_has_an_answer)
{
    double exact;
    struct comparison c = counted(0, 500, 9, 500, &exact);
    cr_assert(lt(dbl, c.p, 0.05));
    cr_assert(gt(dbl, c.ci_lo, 0));
    cr_assert(eq(int, c.lift_kind, LIFT_NONE));
    cr_assert(epsilon_eq(dbl, exp(exact), 0.0037669617595309, 1e-12)); /* 2 C(500, 9)/C(1000, 9) */
    c = counted(0, 500, 0, 500, &exact);
    cr_assert(eq(dbl, c.p, 1));
    cr_assert(lt(dbl, c.ci_lo, 0));
    cr_assert(gt(dbl, c.ci_hi, 0));
}

Test(counts, test_difference_and_lift_agree)
{
    double exact;
    for (int64_t x_c = 1; x_c < 12; x_c++) {
        for (int64_t x_t = 0; x_t < 30; x_t++) {
            struct comparison c = counted(x_c, 200, x_t, 180, &exact);
            bool rejects = c.p < 0.05;
            cr_assert(eq(int, rejects, c.ci_lo > 0 || c.ci_hi < 0), "%d of 200, %d of 180", (int)x_c, (int)x_t);
            cr_assert(eq(int, rejects, c.lift_lo > 0 || c.lift_hi < 0), "%d of 200, %d of 180", (int)x_c, (int)x_t);
        }
    }
}

static struct arm share_of(int64_t x, int64_t n)
{
    double p = (double)x / (double)n;
    return (struct arm){ .kind = METRIC_PROPORTION, .m = { .n = n, .mean_x = p, .m2_x = (double)n * p * (1 - p) } };
}

Test(counts, few_are_fewer_than_twenty_on_either_side)
{
    struct proportions p;
    struct arm few = share_of(19, 1000), many = share_of(20, 1000), nearly_all = share_of(985, 1000);
    cr_assert(compare_few(&few, &many, &p));
    cr_assert(eq(int, (int)p.x_c, 19));
    cr_assert(not(compare_few(&many, &many, &p)));
    cr_assert(compare_few(&many, &nearly_all, &p));
    few.kind = many.kind = METRIC_MEAN;
    cr_assert(not(compare_few(&few, &many, &p)));
}

/* ---- margins ---- */

static struct compare_inferiority inferior(const struct effect *e, struct compare_margin m,
                                           const struct compare_plan *plan)
{
    double critical;
    struct compare_inferiority out;
    struct err err;
    cr_assert(compare_critical(e, plan, 0.05, &critical, &err), "%s", err.text);
    cr_assert(compare_inferior(e, &m, plan, critical, &out, &err), "%s", err.text);
    return out;
}

/* Shown not to be worse exactly when the lift's interval lies on the good side of the margin. */
Test(margin, it_is_where_the_lifts_interval_ends)
{
    struct err err;
    const struct compare_plan *const plans[] = { &once, &any_time };
    for (uint64_t seed = 1; seed < 40; seed++) {
        struct cross c = drawn(seed, 300, 0, 1), t = drawn(seed + 100, 300, 0, 1);
        struct effect e = plain_of(&c, &t);
        struct comparison x;
        for (size_t i = 0; i < 2; i++) {
            cr_assert(compare_effect(&e, plans[i], 0.05, &x, &err));
            for (double m = 0.005; m < 0.05; m += 0.005) {
                struct compare_inferiority up = inferior(&e, (struct compare_margin){ .relative = m, .increase = true },
                                                         plans[i]),
                                           down = inferior(&e, (struct compare_margin){ .relative = m }, plans[i]);
                cr_assert(eq(int, up.not_worse, x.lift_lo > -m));
                cr_assert(eq(int, up.worse, x.lift_hi < -m));
                cr_assert(eq(int, down.not_worse, x.lift_hi < m));
                cr_assert(eq(int, down.worse, x.lift_lo > m));
            }
        }
    }
}

Test(margin, an_absolute_one_is_where_the_differences_interval_ends)
{
    struct cross c = drawn(5, 300, 0, 1), t = drawn(6, 300, -0.1, 1);
    struct effect e = plain_of(&c, &t);
    struct comparison x;
    struct err err;
    cr_assert(compare_effect(&e, &once, 0.05, &x, &err));
    for (double m = 0.01; m < 0.4; m += 0.01) {
        struct compare_inferiority up = inferior(&e, (struct compare_margin){ .absolute = m, .increase = true }, &once);
        cr_assert(eq(int, up.not_worse, x.ci_lo > -m));
        cr_assert(eq(int, up.log_p < log(0.025), up.not_worse));
    }
}
