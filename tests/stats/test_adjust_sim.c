/* Adjusted effects, simulated with fixed seeds: covariates take ρ² of the variance, tests reject equal arms at their level under skewed
 * revenue, intervals cover the truth at theirs. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "nominal.h"
#include "stats/adjust/cuped.h"
#include "stats/adjust/regress.h"
#include "stats/adjust/strata.h"
#include "stats/adjust/winsorize.h"
#include "stats/ranks/sorted.h"
#include "stats/special/special.h"

enum { RUNS = 20000, UNITS = 120 };
#define ALPHA 0.05

struct sample {
    double y[UNITS], x[UNITS];
};

/* Revenue now and before, two thirds of which is who the buyer is. */
static struct sample revenue(struct draw *d, double effect)
{
    struct sample s;
    for (int i = 0; i < UNITS; i++) {
        double who = 0.8 * draw_normal(d);
        s.x[i] = exp(who + 0.4 * draw_normal(d));
        s.y[i] = exp(who + 0.4 * draw_normal(d)) * (1 + effect);
    }
    return s;
}

static struct cross moments_of(const struct sample *s)
{
    struct cross c = cross_none(2);
    for (int i = 0; i < UNITS; i++)
        cross_add(&c, (double[]){ s->y[i], s->x[i] });
    return c;
}

static struct cuped adjusted(const struct sample *c, const struct sample *t)
{
    struct cross moments_c = moments_of(c), moments_t = moments_of(t);
    struct cuped a;
    cr_assert(cuped_adjust(&moments_c, &moments_t, CUPED_WITHIN, &a, NULL));
    return a;
}

static bool holds(const struct lift_set *set, double lift)
{
    if (set->kind == LIFT_EXCLUSIVE)
        return lift <= set->lo || lift >= set->hi;
    return set->kind == LIFT_WHOLE_LINE || (set->lo <= lift && lift <= set->hi);
}

Test(cuped, what_is_left_of_the_variance_is_1_minus_rho_squared)
{
    for (int step = 0; step < 4; step++) {
        double rho = 0.3 * step;
        struct draw d = { 41 + (uint64_t)step };
        struct moments plain = { 0 }, after = { 0 };
        for (int run = 0; run < RUNS; run++) {
            struct sample s[2];
            for (int i = 0; i < 2 * UNITS; i++) {
                double x = draw_normal(&d), rest = draw_normal(&d);
                s[i / UNITS].x[i % UNITS] = x;
                s[i / UNITS].y[i % UNITS] = rho * x + sqrt(1 - rho * rho) * rest;
            }
            struct cuped a = adjusted(&s[0], &s[1]);
            moments_add(&plain, a.plain_difference);
            moments_add(&after, a.difference);
        }
        double left = moments_variance(&after) / moments_variance(&plain), truth = 1 - rho * rho;
        /* the ratio of two variances of RUNS values each, of correlation √truth; θ is estimated from 2 UNITS */
        double bound = NOMINAL_NOISE * truth * 2 * sqrt((1 - truth) / RUNS) + truth * 2 / (2 * UNITS - 3);
        cr_assert(fabs(left - truth) <= bound, "rho %g: %.4f of the variance is left, not %.4f ± %.4f", rho, left,
                  truth, bound);
    }
}

Test(cuped, equal_skewed_revenue_is_rejected_and_a_lift_covered_at_their_level)
{
    struct draw d = { 51 };
    int rejected = 0, covered = 0, lifts = 0;
    const double lift = 0.2, truth = lift * exp((0.64 + 0.16) / 2);
    struct welch w;
    for (int run = 0; run < RUNS; run++) {
        struct sample c = revenue(&d, 0), same = revenue(&d, 0), better = revenue(&d, lift);
        struct cuped null = adjusted(&c, &same), a = adjusted(&c, &better);
        cr_assert(cuped_test(&null, ALPHA, &w, NULL));
        rejected += fabs(w.t) > w.critical;
        cr_assert(cuped_test(&a, ALPHA, &w, NULL));
        covered += w.ci_lo <= truth && truth <= w.ci_hi;
        struct lift_set set = cuped_lift(&a, w.critical);
        lifts += holds(&set, lift);
    }
    nominal(rejected, RUNS, ALPHA, 0.005, "CUPED, equal skewed revenue");
    nominal(covered, RUNS, 1 - ALPHA, 0.01, "CUPED's interval of the difference"); /* 120 units of a skewness of 5 */
    nominal(lifts, RUNS, 1 - ALPHA, 0.01, "CUPED's interval of the lift");
}

/* Clicks per query now and before: a user's rate is its own, and so is the number of its queries. */
static struct cross rates(struct draw *d, double lift)
{
    struct cross units = cross_none(4), linear;
    for (int i = 0; i < UNITS; i++) {
        double u = draw_uniform(d), rate = 0.8 * u * u, v[4];
        for (int k = 0; k < 4; k += 2) {
            v[k + 1] = 1 + draw_geometric(d, 0.1);
            v[k] = 0;
            for (int q = 0; q < v[k + 1]; q++)
                v[k] += draw_uniform(d) < rate * (k == 0 ? 1 + lift : 1);
        }
        cross_add(&units, v);
    }
    cr_assert(cross_ratio(&units, &linear, NULL));
    return linear;
}

Test(cuped, ratios_of_sums_are_rejected_and_covered_at_their_level)
{
    struct draw d = { 56 };
    int rejected = 0, covered = 0;
    double reduction = 0;
    struct welch w;
    struct cuped a;
    for (int run = 0; run < RUNS; run++) {
        struct cross c = rates(&d, 0), same = rates(&d, 0), better = rates(&d, 0.2);
        cr_assert(cuped_adjust(&c, &same, CUPED_WITHIN, &a, NULL) && cuped_test(&a, ALPHA, &w, NULL));
        rejected += fabs(w.t) > w.critical;
        reduction += a.variance_reduction / RUNS;
        cr_assert(cuped_adjust(&c, &better, CUPED_WITHIN, &a, NULL) && cuped_test(&a, ALPHA, &w, NULL));
        struct lift_set set = cuped_lift(&a, w.critical);
        covered += holds(&set, 0.2);
    }
    /* 120 users, a few of them with 50 queries: the delta method is 0.6 % too sure */
    nominal(rejected, RUNS, ALPHA, 0.006, "CUPED of a ratio, equal arms");
    nominal(covered, RUNS, 1 - ALPHA, 0.006, "CUPED of a ratio, the interval of the lift");
    cr_assert(reduction > 0.1, "the time before should say something here: %g", reduction);
}

/* One arm's slope is twice the other's, and it has the fewer units: what Lin's model is for. */
Test(regress, unequal_slopes_and_sizes_are_covered_at_their_level)
{
    struct draw d = { 52 };
    int covered[2] = { 0 };
    double z = special_normal_qinv(ALPHA / 2);
    enum { FEW = 60 };
    for (int run = 0; run < RUNS; run++) {
        struct cross arms[2] = { cross_none(2), cross_none(2) };
        double y[2][UNITS], x[2][UNITS];
        const int n[2] = { UNITS, FEW };
        for (int a = 0; a < 2; a++) {
            for (int i = 0; i < n[a]; i++) {
                x[a][i] = draw_normal(&d);
                y[a][i] = (1 + a) * x[a][i] + (1 + a) * draw_normal(&d) + 0.5 * a;
                cross_add(&arms[a], (double[]){ y[a][i], x[a][i] });
            }
        }
        for (enum regress_model model = REGRESS_ANCOVA; model <= REGRESS_LIN; model++) {
            struct regress_plan p;
            struct regress_sums sums = { 0 };
            cr_assert(regress_plan(&arms[0], &arms[1], model, &p, NULL));
            for (size_t a = 0; a < 2; a++)
                for (int i = 0; i < n[a]; i++)
                    regress_add(&p, a, y[a][i], &x[a][i], &sums);
            covered[model] += fabs(p.effect - 0.5) <= z * sqrt(sums.hc2);
        }
    }
    /* normal quantiles on 60 units miss 0.9 %; that Lin's x̄ itself is a sample adds 2 % of the variance here */
    nominal(covered[REGRESS_ANCOVA], RUNS, 1 - ALPHA, 0.012, "ANCOVA's interval with HC2");
    nominal(covered[REGRESS_LIN], RUNS, 1 - ALPHA, 0.015, "Lin's interval with HC2");
}

/* ---- extreme values ---- */

static void arms_of(const struct sample *c, const struct sample *t, double trim, struct estimate *capped,
                    struct estimate *trimmed)
{
    double pooled[2 * UNITS], own[UNITS];
    struct winsorize_cuts cuts;
    for (int i = 0; i < 2 * UNITS; i++)
        pooled[i] = i < UNITS ? c->y[i] : t->y[i - UNITS];
    cr_assert(sorted_make(pooled, 2 * UNITS, NULL));
    cr_assert(winsorize_cuts(pooled, 2 * UNITS, 0, 0.95, &cuts, NULL));
    for (int a = 0; a < 2; a++) {
        struct winsorized w = { 0 };
        for (int i = 0; i < UNITS; i++) {
            own[i] = a == 0 ? c->y[i] : t->y[i];
            winsorize_add(&w, &cuts, own[i]);
        }
        cr_assert(welch_estimate(w.m.n, w.m.mean, moments_variance(&w.m), &capped[a], NULL));
        cr_assert(sorted_make(own, UNITS, NULL));
        cr_assert(winsorize_yuen(own, UNITS, trim, &trimmed[a], NULL));
    }
}

Test(winsorize, equal_skewed_revenue_is_rejected_at_its_level_and_effects_found_more_often)
{
    struct draw d = { 53 };
    int capped_null = 0, trimmed_null = 0, plain_found = 0, capped_found = 0;
    struct estimate capped[2], trimmed[2];
    struct welch w;
    for (int run = 0; run < RUNS; run++) {
        struct sample c = revenue(&d, 0), same = revenue(&d, 0), better = revenue(&d, 0.3);
        arms_of(&c, &same, 0.1, capped, trimmed);
        cr_assert(welch_test(&capped[0], &capped[1], ALPHA, &w, NULL));
        capped_null += fabs(w.t) > w.critical;
        cr_assert(welch_test(&trimmed[0], &trimmed[1], ALPHA, &w, NULL));
        trimmed_null += fabs(w.t) > w.critical;
        arms_of(&c, &better, 0.1, capped, trimmed);
        cr_assert(welch_test(&capped[0], &capped[1], ALPHA, &w, NULL));
        capped_found += fabs(w.t) > w.critical;
        struct cuped plain = adjusted(&c, &better);
        plain_found += fabs(plain.plain_difference) > 1.98 * plain.plain_se;
    }
    nominal(capped_null, RUNS, ALPHA, 0.004, "means capped at the pooled 95 %");
    nominal(trimmed_null, RUNS, ALPHA, 0.004, "Yuen's trimmed t");
    cr_assert(capped_found > plain_found + RUNS / 50, "capping should find more: %d and %d", capped_found, plain_found);
}

/* ---- strata ---- */

enum { STRATA = 3 };

/* Shares, levels and effects differ by stratum; the effect of the population is 0.26. */
static void population(struct draw *d, struct stratum *out)
{
    static const double level[STRATA] = { 1, 4, 10 }, effect[STRATA] = { 1, 0, -0.4 };
    struct moments arms[STRATA][2] = { { { 0 } } };
    for (int i = 0; i < 6 * UNITS; i++) {
        double u = draw_uniform(d);
        int k = u < 0.4 ? 0 : u < 0.65 ? 1 : 2, arm = draw_uniform(d) < 0.5;
        moments_add(&arms[k][arm], level[k] + (arm ? effect[k] : 0) + draw_normal(d));
    }
    for (int k = 0; k < STRATA; k++) {
        const struct moments *c = &arms[k][0], *t = &arms[k][1];
        out[k] = (struct stratum){ { c->n, c->mean, moments_variance(c) }, { t->n, t->mean, moments_variance(t) } };
    }
}

Test(strata, the_populations_effect_is_covered_when_shares_are_a_sample)
{
    struct draw d = { 54 };
    int super = 0, conditional = 0, lifts = 0;
    const double truth = 0.4 * 1 - 0.35 * 0.4, base = 0.4 * 1 + 0.25 * 4 + 0.35 * 10;
    double z = special_normal_qinv(ALPHA / 2);
    for (int run = 0; run < RUNS; run++) {
        struct stratum s[STRATA];
        struct strata e;
        population(&d, s);
        cr_assert(strata_effect(s, STRATA, NULL, &e, NULL));
        super += fabs(e.effect - truth) <= z * e.se_super;
        conditional += fabs(e.effect - truth) <= z * e.se;
        struct lift_set lift = strata_lift(&e, z);
        lifts += holds(&lift, truth / base);
    }
    nominal(super, RUNS, 1 - ALPHA, 0.003, "the super-population interval");
    nominal(lifts, RUNS, 1 - ALPHA, 0.003, "the interval of the lift");
    cr_assert(conditional < (int)(0.945 * RUNS), "the conditional interval should cover too rarely here: %d",
              conditional);
}

Test(strata, cochrans_q_rejects_equal_effects_at_its_level)
{
    struct draw d = { 55 };
    int rejected = 0;
    for (int run = 0; run < RUNS; run++) {
        struct stratum s[STRATA];
        struct strata e;
        for (int k = 0; k < STRATA; k++) {
            struct moments arms[2] = { { 0 }, { 0 } };
            for (int i = 0; i < 2 * UNITS; i++)
                moments_add(&arms[i % 2], k + draw_normal(&d));
            s[k] = (struct stratum){ { UNITS, arms[0].mean, moments_variance(&arms[0]) },
                                     { UNITS, arms[1].mean, moments_variance(&arms[1]) } };
        }
        cr_assert(strata_effect(s, STRATA, NULL, &e, NULL));
        rejected += e.log_p_q < log(ALPHA);
    }
    nominal(rejected, RUNS, ALPHA, 0.004, "Cochran's Q");
}

/* Strata differ in level, units within them by who they were before. */
Test(strata, with_covariates_reject_equal_arms_at_their_level_and_find_more)
{
    struct draw d = { 57 };
    int rejected = 0, found = 0, plain_found = 0;
    double z = special_normal_qinv(ALPHA / 2);
    for (int run = 0; run < 2 * RUNS; run++) {
        double effect = run % 2 ? 0.15 : 0, theta[SOLVE_MAX];
        struct cross cells[2 * STRATA];
        struct stratum adjusted_strata[STRATA], plain[STRATA];
        struct strata a, p;
        for (int i = 0; i < 2 * STRATA; i++)
            cells[i] = cross_none(2);
        for (int i = 0; i < 4 * UNITS; i++) {
            int k = (int)(STRATA * draw_uniform(&d)), arm = draw_uniform(&d) < 0.5;
            double x = draw_normal(&d);
            cross_add(&cells[2 * k + arm], (double[]){ 3 * k + x + 0.7 * draw_normal(&d) + arm * effect, x });
        }
        for (int k = 0; k < STRATA; k++) {
            const struct cross *c = &cells[2 * k], *t = c + 1;
            plain[k] = (struct stratum){ { c->n, c->mean[0], c->m2[0][0] / (double)(c->n - 1) },
                                         { t->n, t->mean[0], t->m2[0][0] / (double)(t->n - 1) } };
        }
        cr_assert(strata_cuped(cells, STRATA, theta, adjusted_strata, NULL));
        cr_assert(strata_effect(adjusted_strata, STRATA, NULL, &a, NULL) &&
                  strata_effect(plain, STRATA, NULL, &p, NULL));
        bool rejects = fabs(a.effect) > z * a.se_super;
        rejected += run % 2 == 0 && rejects;
        found += run % 2 == 1 && rejects;
        plain_found += run % 2 == 1 && fabs(p.effect) > z * p.se_super;
    }
    nominal(rejected, RUNS, ALPHA, 0.005, "strata with a covariate, equal arms");
    cr_assert(found > plain_found + RUNS / 5, "the covariate should find more: %d and %d", found, plain_found);
}
