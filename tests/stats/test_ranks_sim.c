/* Quantiles, ranks and beliefs, simulated with fixed seeds: tests reject at their level, intervals cover at theirs, posteriors hold as
 * often as they say when the truth is drawn from the prior, losses are what draws lose. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "nominal.h"
#include "stats/bayes/beta.h"
#include "stats/bayes/normal.h"
#include "stats/ranks/quantile.h"
#include "stats/ranks/rank_sum.h"
#include "stats/ranks/sketch.h"
#include "stats/ranks/sorted.h"
#include "stats/special/special.h"

enum { RUNS = 10000 };
#define ALPHA 0.05

/* ---- quantiles of clustered events ---- */

enum { USERS = 250, EACH_MAX = 40 };
#define OF_USER 0.5
#define OF_EVENT 0.4

/* Latencies: lognormal users with lognormal events; heavy users have many. Exact and sketched. */
static void latencies(struct draw *d, double q, double z, struct quantile *exact, struct quantile *sketched)
{
    static struct sketch s;
    static double all[USERS * EACH_MAX], events[USERS][EACH_MAX];
    size_t n[USERS], total = 0;
    struct moments2 m = { 0 };
    sketch_init(&s);
    for (int u = 0; u < USERS; u++) {
        double who = OF_USER * draw_normal(d);
        n[u] = (size_t)fmin(EACH_MAX, 1 + draw_geometric(d, 0.15));
        for (size_t k = 0; k < n[u]; k++)
            all[total++] = events[u][k] = 100 * exp(who + OF_EVENT * draw_normal(d));
    }
    cr_assert(sorted_make(all, total, NULL));
    double value = all[quantile_rank((int64_t)total, q) - 1];
    for (int u = 0; u < USERS; u++) {
        int below = 0;
        for (size_t k = 0; k < n[u]; k++)
            below += events[u][k] <= value;
        moments2_add(&m, below, (double)n[u]);
        cr_assert(sketch_add_unit(&s, events[u], n[u], NULL));
    }
    cr_assert(quantile_of_sorted(all, (int64_t)total, &m, q, z, exact, NULL));
    cr_assert(sketch_quantile(&s, q, z, sketched, NULL));
}

Test(quantile, of_users_events_is_covered_and_equal_arms_rejected_at_their_level)
{
    enum { FEWER = RUNS / 4 };
    struct draw d = { 61 };
    const double q = 0.9, z = special_normal_qinv(ALPHA / 2);
    const double truth = 100 * exp(special_normal_qinv(1 - q) * hypot(OF_USER, OF_EVENT));
    int covered = 0, sketch_covered = 0, rejected = 0, sketch_rejected = 0, scaled = 0, naive = 0;
    struct quantile a[2], b[2];
    for (int run = 0; run < FEWER; run++) {
        latencies(&d, q, z, &a[0], &b[0]);
        latencies(&d, q, z, &a[1], &b[1]);
        covered += a[0].outer.lo <= truth && truth <= a[0].outer.hi;
        sketch_covered += b[0].outer.lo <= truth && truth <= b[0].outer.hi;
        double diff = fabs(a[1].value - a[0].value), of_sketch = fabs(b[1].value - b[0].value);
        rejected += diff > z * hypot(a[0].se_outer, a[1].se_outer);
        sketch_rejected += of_sketch > z * hypot(b[0].se_outer, b[1].se_outer);
        scaled += diff > z * sqrt(a[0].variance_scaled + a[1].variance_scaled);
        naive += diff > z * sqrt(a[0].variance_iid + a[1].variance_iid);
    }
    nominal(covered, FEWER, 1 - ALPHA, 0.01, "the 90th percentile's interval");
    nominal(sketch_covered, FEWER, 1 - ALPHA, 0.01, "the same from sketches");
    nominal(rejected, FEWER, ALPHA, 0.01, "equal percentiles");
    nominal(sketch_rejected, FEWER, ALPHA, 0.01, "the same from sketches");
    nominal(scaled, FEWER, ALPHA, 0.01, "variance of independent events, scaled");
    cr_assert(naive > 3 * ALPHA * FEWER, "events as units should reject far too often, or this tests nothing: %d",
              naive);
}

/* ---- ranks ---- */

enum { FEW = 20, MANY = 40 };

static struct rank_sum ranked(double *c, size_t n_c, double *t, size_t n_t, struct rank_sum_group *groups,
                              size_t *out_n)
{
    struct rank_sum r;
    cr_assert(sorted_make(c, n_c, NULL) && sorted_make(t, n_t, NULL));
    *out_n = rank_sum_groups(c, n_c, t, n_t, groups);
    cr_assert(rank_sum_test(groups, *out_n, &r, NULL));
    return r;
}

/* Purchases: most are none, some are few, one may be huge. */
static double purchases(struct draw *d)
{
    return draw_uniform(d) < 0.4 ? 0 : floor(exp(1.2 * draw_normal(d)) * 3);
}

Test(rank_sum, equal_purchases_are_rejected_at_their_level_and_never_more_when_exact)
{
    static double scratch[1 << 18];
    struct draw d = { 62 };
    struct rank_sum_group groups[FEW + MANY];
    int normal = 0, bm = 0, exact = 0;
    size_t n;
    for (int run = 0; run < RUNS / 4; run++) {
        double c[FEW], t[MANY];
        for (int i = 0; i < FEW + MANY; i++)
            *(i < FEW ? &c[i] : &t[i - FEW]) = purchases(&d);
        struct rank_sum r = ranked(c, FEW, t, MANY, groups, &n);
        normal += r.log_p < log(ALPHA);
        bm += r.has_bm && r.bm_log_p < log(ALPHA);
        exact += rank_sum_exact(groups, n, scratch).p <= ALPHA;
    }
    nominal(normal, RUNS / 4, ALPHA, 0.005, "Mann-Whitney with ties");
    nominal(bm, RUNS / 4, ALPHA, 0.01, "Brunner-Munzel with ties"); /* 20 units: a little too often */
    cr_assert(exact <= ALPHA * RUNS / 4 + NOMINAL_NOISE * sqrt(ALPHA * RUNS / 4), "exact p: %d rejected", exact);
}

Test(rank_sum, unequal_spreads_are_brunner_munzels_matter)
{
    struct draw d = { 63 };
    struct rank_sum_group groups[FEW + MANY];
    int u = 0, bm = 0, covered = 0;
    const double shift = 1, truth = 0.5 * erfc(-shift / sqrt(2 * (9 + 1))); /* P(T > C) */
    size_t n;
    for (int run = 0; run < RUNS; run++) {
        double c[FEW], t[MANY], moved[MANY];
        for (int i = 0; i < FEW; i++)
            c[i] = 3 * draw_normal(&d); /* the small arm varies more */
        for (int i = 0; i < MANY; i++) {
            t[i] = draw_normal(&d);
            moved[i] = t[i] + shift;
        }
        struct rank_sum r = ranked(c, FEW, t, MANY, groups, &n);
        u += r.log_p < log(ALPHA);
        bm += r.bm_log_p < log(ALPHA);
        r = ranked(c, FEW, moved, MANY, groups, &n);
        covered += fabs(r.auc - truth) <= special_t_qinv(ALPHA / 2, r.bm_df) * r.auc_se;
    }
    nominal(bm, RUNS, ALPHA, 0.006, "Brunner-Munzel, unequal spreads");
    nominal(covered, RUNS, 1 - ALPHA, 0.008, "the interval of the AUC");
    cr_assert(u > 1.5 * ALPHA * RUNS, "U should reject too often here, or this tests nothing: %d", u);
}

/* ---- beliefs ---- */

Test(normal, posteriors_hold_as_often_as_they_say)
{
    struct draw d = { 64 };
    const struct normal_prior prior = { true, 0.02, 0.05 * 0.05 };
    int covered = 0, won = 0;
    double chances = 0, lost = 0, expected = 0, lo, hi;
    for (int run = 0; run < 10 * RUNS; run++) {
        double truth = prior.mean + 0.05 * draw_normal(&d), se = 0.02 + 0.05 * draw_uniform(&d);
        struct normal_posterior p;
        cr_assert(normal_posterior(truth + se * draw_normal(&d), se, &prior, &p, NULL));
        normal_interval(&p, ALPHA, &lo, &hi);
        covered += lo <= truth && truth <= hi;
        won += truth > 0;
        chances += exp(p.log_win);
        lost += fmax(0, -truth);
        expected += exp(p.log_loss_ship);
    }
    nominal(covered, 10 * RUNS, 1 - ALPHA, 0, "credible intervals of effects");
    nominal(won, 10 * RUNS, chances / (10 * RUNS), 0, "chances to win");
    cr_assert(epsilon_eq(dbl, expected / lost, 1, 0.03));
}

/* The prior is uniform, the draws of it too. */
static double believed_share(struct draw *d, int64_t n, struct best_arm *out)
{
    double truth = draw_uniform(d);
    int64_t x = 0;
    for (int64_t i = 0; i < n; i++)
        x += draw_uniform(d) < truth;
    cr_assert(beta_posterior(x, n, &(struct beta_prior){ 1, 1 }, out, NULL));
    return truth;
}

Test(beta, intervals_hold_as_often_as_they_say)
{
    struct draw d = { 66 };
    struct best_arm arm;
    int covered = 0;
    double lo, hi;
    for (int run = 0; run < 4 * RUNS; run++) {
        double truth = believed_share(&d, 20, &arm);
        beta_interval(&arm, ALPHA, &lo, &hi);
        covered += lo <= truth && truth <= hi;
    }
    nominal(covered, 4 * RUNS, 1 - ALPHA, 0, "credible intervals of shares");
}

Test(beta, chances_and_losses_are_what_draws_win_and_lose)
{
    struct draw d = { 65 };
    int won = 0;
    double chances = 0, lost[2] = { 0 }, expected[2] = { 0 };
    for (int run = 0; run < RUNS / 4; run++) {
        double truth[2], log_loss[2];
        struct best_arm arms[2];
        struct best best;
        for (int a = 0; a < 2; a++)
            truth[a] = believed_share(&d, 20 + 30 * a, &arms[a]);
        cr_assert(best_chances(BEST_BETA, arms, 2, &best, NULL) && best_losses(BEST_BETA, arms, 2, log_loss, NULL));
        won += truth[1] > truth[0];
        chances += best.p[1];
        for (int a = 0; a < 2; a++) {
            lost[a] += fmax(0, truth[1 - a] - truth[a]);
            expected[a] += exp(log_loss[a]);
        }
    }
    nominal(won, RUNS / 4, chances / (RUNS / 4), 0, "chances to win");
    for (int a = 0; a < 2; a++)
        cr_assert(epsilon_eq(dbl, expected[a] / lost[a], 1, 0.03));
}
