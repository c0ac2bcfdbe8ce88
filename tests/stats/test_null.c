/* Simulations with fixed seeds: under no difference a test of 5 % rejects in 5 % of the runs, and an interval of 95 % covers the truth
 * in 95 %, both up to the noise that RUNS runs have. Populations are those of search: skewed, with users
 * whose queries resemble each other, and few of whom do the thing. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "nominal.h"
#include "stats/compare.h"

enum { RUNS = 60000 };
#define ALPHA 0.05

static struct comparison compared(const struct arm *c, const struct arm *t)
{
    struct comparison out;
    struct err err;
    cr_assert(stats_compare(c, t, &(struct compare_plan){ 1 - ALPHA, 0 }, &out, &err), "%s", err.text);
    return out;
}

static bool covers(const struct comparison *c, double lift)
{
    if (c->lift_kind == LIFT_EXCLUSIVE)
        return lift <= c->lift_lo || lift >= c->lift_hi;
    return c->lift_kind == LIFT_WHOLE_LINE || (lift >= c->lift_lo && lift <= c->lift_hi);
}

static struct arm normal_arm(struct draw *d, int n, double mean, double sd)
{
    struct arm a = { .kind = METRIC_MEAN };
    for (int i = 0; i < n; i++)
        moments2_add(&a.m, mean + sd * draw_normal(d), 0);
    return a;
}

Test(null, welch_rejects_equal_means_in_five_percent)
{
    struct draw d = { 11 };
    int rejected = 0;
    for (int i = 0; i < RUNS; i++) {
        struct arm c = normal_arm(&d, 30, 1, 1), t = normal_arm(&d, 12, 1, 3); /* the small arm varies more */
        rejected += compared(&c, &t).p < ALPHA;
    }
    nominal(rejected, RUNS, ALPHA, 0.002,
            "Welch, unequal variances and sizes"); /* the approximation itself is off by 0.1 % */
}

/* Users differ: each has its own click rate, which its queries share. */
static struct arm searchers(struct draw *d, int n)
{
    struct arm a = { .kind = METRIC_RATIO };
    for (int i = 0; i < n; i++) {
        double queries = 1 + draw_geometric(d, 0.3), rate = draw_uniform(d) * draw_uniform(d), clicks = 0;
        for (int q = 0; q < queries; q++)
            clicks += draw_uniform(d) < rate;
        moments2_add(&a.m, clicks, queries);
    }
    return a;
}

Test(null, ratio_rejects_equal_users_in_five_percent)
{
    struct draw d = { 12 };
    int rejected = 0, naive = 0;
    for (int i = 0; i < RUNS; i++) {
        struct arm c = searchers(&d, 150), t = searchers(&d, 150);
        rejected += compared(&c, &t).p < ALPHA;
        double q_c = c.m.mean_y * 150, q_t = t.m.mean_y * 150, p_c = c.m.mean_x / c.m.mean_y,
               p_t = t.m.mean_x / t.m.mean_y;
        double p = (p_c * q_c + p_t * q_t) / (q_c + q_t);
        naive += fabs(p_t - p_c) > 1.96 * sqrt(p * (1 - p) * (1 / q_c + 1 / q_t));
    }
    nominal(rejected, RUNS, ALPHA, 0.003, "ratio by the delta method");
    cr_assert(naive > 2 * ALPHA * RUNS,
              "queries as units should reject far too often, or this population tests nothing: %d", naive);
}

Test(null, fieller_covers_the_true_lift_in_95_percent)
{
    struct draw d = { 13 };
    int covered = 0, unbounded = 0;
    for (int i = 0; i < RUNS; i++) {
        struct arm c = normal_arm(&d, 100, 1, 4),
                   t = normal_arm(&d, 100, 1.5, 4); /* the control is 2.5 standard errors from 0 */
        struct comparison r = compared(&c, &t);
        covered += covers(&r, 0.5);
        unbounded += r.lift_kind != LIFT_BOUNDED;
    }
    nominal(covered, RUNS, 1 - ALPHA, 0.002, "Fieller");
    cr_assert(unbounded > RUNS / 10, "a control near 0 should often leave the lift unbounded: %d", unbounded);
}

static struct arm clickers(struct draw *d, int n, double p)
{
    struct arm a = { .kind = METRIC_PROPORTION };
    for (int i = 0; i < n; i++)
        moments2_add(&a.m, draw_uniform(d) < p, 0);
    return a;
}

Test(null, shares_are_rejected_and_covered_at_their_level)
{
    struct draw d = { 14 };
    struct arm_value v;
    int rejected = 0, wilson = 0;
    for (int i = 0; i < RUNS; i++) {
        struct arm c = clickers(&d, 400, 0.15), t = clickers(&d, 400, 0.15);
        rejected += compared(&c, &t).p < ALPHA;
        cr_assert(stats_arm_value(&c, 1 - ALPHA, &v, NULL));
        wilson += v.ci_lo <= 0.15 && 0.15 <= v.ci_hi;
    }
    nominal(rejected, RUNS, ALPHA, 0.003, "Welch on shares");
    nominal(wilson, RUNS, 1 - ALPHA, 0.01, "Wilson"); /* counts are discrete: its coverage swings around 95 % */
}

Test(null, srm_alarms_as_often_as_it_says)
{
    struct draw d = { 15 };
    int rejected = 0, ever = 0;
    for (int i = 0; i < RUNS; i++) {
        int64_t counts[2] = { 0 };
        struct srm s;
        bool alarmed = false;
        for (int day = 0; day < 10; day++) {
            for (int u = 0; u < 60; u++)
                counts[draw_uniform(&d) < 0.5]++;
            alarmed = alarmed || srm_log_bayes_factor(counts, (const double[]){ 1, 1 }, 2, 100) > -log(ALPHA);
        }
        cr_assert(stats_srm(counts, (const double[]){ 1, 1 }, 2, &s, NULL));
        rejected += s.p < ALPHA;
        ever += alarmed;
    }
    nominal(rejected, RUNS, ALPHA, 0.008, "chi-square"); /* discrete */
    cr_assert(ever <= ALPHA * RUNS, "the sequential test must not alarm in more than 5 %% of the runs on any day: %d",
              ever);
}
