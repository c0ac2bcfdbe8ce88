/* Simulations with fixed seeds of policies that were not served: estimates are right on average and their intervals cover in 95 % of the
 * runs, up to the noise of so many runs; after a bandit on traffic that changes, the tests by period keep their level. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "nominal.h"
#include "stats/offpolicy/adaptive.h"
#include "stats/offpolicy/replay.h"
#include "stats/offpolicy/replay_units.h"

enum { RUNS = 4000, ROWS = 1500, ACTIONS = 3 };
/* An asymptotic interval of so many rows is not exact. */
#define SLACK 0.01

static const double served[2][ACTIONS] = { { 0.6, 0.3, 0.1 }, { 0.2, 0.3, 0.5 } };
static const double other[2][ACTIONS] = { { 0.1, 0.3, 0.6 }, { 0.5, 0.4, 0.1 } };
static const double rates[2][ACTIONS] = { { 0.1, 0.2, 0.4 }, { 0.3, 0.1, 0.2 } };
static const double model[ACTIONS] = { 0.2, 0.15, 0.3 }; /* does not see the two kinds of queries: it is wrong */

static double value_of(const double policy[2][ACTIONS])
{
    double v = 0;
    for (int kind = 0; kind < 2; kind++)
        for (int a = 0; a < ACTIONS; a++)
            v += policy[kind][a] * rates[kind][a] / 2;
    return v;
}

static int choose(struct draw *d, const double *p)
{
    double u = draw_uniform(d);
    return u < p[0] ? 0 : u < p[0] + p[1] ? 1 : 2;
}

static struct replay replayed(struct draw *d)
{
    static double reward[ROWS], pscore[ROWS], target[ROWS], q[ROWS], q_target[ROWS];
    const struct replay_log log = { ROWS, reward, pscore, target, q, q_target };
    struct replay r;
    struct err err;
    for (int i = 0; i < ROWS; i++) {
        int kind = draw_uniform(d) < 0.5, a = choose(d, served[kind]);
        reward[i] = draw_uniform(d) < rates[kind][a];
        pscore[i] = served[kind][a];
        target[i] = other[kind][a];
        q[i] = model[a];
        q_target[i] = 0;
        for (int k = 0; k < ACTIONS; k++)
            q_target[i] += other[kind][k] * model[k];
    }
    cr_assert(replay_estimate(&log, &(struct replay_tuning){ .clip = 2 }, &r, &err), "%s", err.text);
    return r;
}

Test(offpolicy_sim, replays_find_the_value_of_the_policy_that_was_not_served)
{
    struct draw d = { 31 };
    double truth = value_of(other), mean[4] = { 0 }, square[4] = { 0 }, dm = 0;
    int covered[3] = { 0 };
    for (int run = 0; run < RUNS; run++) {
        struct replay r = replayed(&d);
        const double values[] = { r.ips, r.snips, r.dr, r.clipped }, ses[] = { r.ips_se, r.snips_se, r.dr_se };
        for (int k = 0; k < 4; k++) {
            mean[k] += (values[k] - truth) / RUNS;
            square[k] += (values[k] - truth) * (values[k] - truth) / RUNS;
        }
        for (int k = 0; k < 3; k++)
            covered[k] += fabs(values[k] - truth) < 1.96 * ses[k];
        dm += r.dm / RUNS;
    }
    nominal(covered[0], RUNS, 0.95, SLACK, "IPS");
    nominal(covered[1], RUNS, 0.95, SLACK, "SNIPS");
    nominal(covered[2], RUNS, 0.95, SLACK, "DR");
    for (int k = 0; k < 3; k++) /* unbiased, SNIPS up to 1/n */
        cr_assert(lt(dbl, fabs(mean[k]), NOMINAL_NOISE * sqrt(square[k] / RUNS) + 1.0 / ROWS));
    cr_assert(lt(dbl, square[1], square[0])); /* and each less noisy than the one before */
    cr_assert(lt(dbl, square[2], square[0]));
    cr_assert(gt(dbl, fabs(dm - truth), 0.02)); /* the model alone is wrong */
    cr_assert(lt(dbl, mean[3], -0.02));         /* clipping is biased, and downwards */
    cr_assert(gt(dbl, fabs(value_of(served) - truth), 0.05));
}

/* Weights go to the arm that was ahead, traffic gets better by the day, arms are equal. */
Test(offpolicy_sim, after_a_bandit_the_tests_by_period_keep_their_level)
{
    enum { PERIODS = 6, UNITS = 400 };
    struct draw d = { 32 };
    int by_period = 0, naive = 0;
    for (int run = 0; run < RUNS; run++) {
        struct adaptive_cell cells[PERIODS * 2] = { 0 };
        struct adaptive_value v[2];
        struct moments all[2] = { 0 };
        struct err err;
        int64_t totals[PERIODS];
        for (int p = 0; p < PERIODS; p++) {
            double prob = p == 0 ? 0.5 : all[0].mean > all[1].mean ? 0.8 : 0.2;
            cells[2 * p].prob = prob;
            cells[2 * p + 1].prob = 1 - prob;
            totals[p] = UNITS;
            for (int u = 0; u < UNITS; u++) {
                int arm = draw_uniform(&d) >= prob;
                double x = draw_uniform(&d) < 0.1 + 0.1 * p;
                moments_add(&cells[2 * p + arm].m, x);
                moments_add(&all[arm], x);
            }
        }
        cr_assert(adaptive_values(cells, totals, PERIODS, 2, v, &err), "%s", err.text);
        by_period += fabs(v[1].stratified - v[0].stratified) > 1.96 * hypot(v[0].stratified_se, v[1].stratified_se);
        double se = sqrt(moments_variance(&all[0]) / all[0].n + moments_variance(&all[1]) / all[1].n);
        naive += fabs(v[1].naive - v[0].naive) > 1.96 * se;
    }
    nominal(RUNS - by_period, RUNS, 0.95, SLACK, "by period");
    cr_log_info("naive: wrong in %.4f\n", (double)naive / RUNS);
    cr_assert(gt(dbl, (double)naive / RUNS, 0.15));
}

/* Users who come one to nine times, and who click more or less than others: their rows are not independent. */
enum { UNITS = 300, VISITS_MAX = 9 };

static size_t simulate_units(struct draw *d, struct replay_sums *units, struct replay_sums *all)
{
    const struct replay_tuning none = { 0, 0, 0 };
    double reward, pscore, target, q, q_target;
    const struct replay_log log = { 1, &reward, &pscore, &target, &q, &q_target };
    *all = (struct replay_sums){ 0 };
    for (int u = 0; u < UNITS; u++) {
        const int kind = draw_uniform(d) < 0.5, visits = 1 + (int)(draw_uniform(d) * VISITS_MAX);
        const double eager = draw_uniform(d) < 0.5 ? 0.4 : 1.6;
        units[u] = (struct replay_sums){ 0 };
        for (int v = 0; v < visits; v++) {
            const int a = choose(d, served[kind]);
            reward = draw_uniform(d) < eager * rates[kind][a];
            pscore = served[kind][a];
            target = other[kind][a];
            q = model[a];
            q_target = 0;
            for (int k = 0; k < ACTIONS; k++)
                q_target += other[kind][k] * model[k];
            replay_sums_add(&units[u], &log, 0, &none);
        }
        replay_sums_merge(all, &units[u], 1);
    }
    return UNITS;
}

Test(offpolicy_sim, intervals_of_users_with_several_rows_cover)
{
    static const enum replay_kind kinds[] = { REPLAY_IPS, REPLAY_SNIPS, REPLAY_DR, REPLAY_SNDR };
    struct draw d = { 77 };
    const double truth = value_of(other), less = truth - value_of(served);
    int covered[4] = { 0 }, difference[4] = { 0 };
    for (int run = 0; run < RUNS; run++) {
        static struct replay_sums units[UNITS], all;
        const size_t n = simulate_units(&d, units, &all);
        for (int k = 0; k < 4; k++) {
            covered[k] += fabs(replay_units_value(kinds[k], &all, false) - truth) <
                          1.96 * replay_units_se(kinds[k], units, n, &all, false);
            difference[k] += fabs(replay_units_value(kinds[k], &all, true) - less) <
                             1.96 * replay_units_se(kinds[k], units, n, &all, true);
        }
    }
    for (int k = 0; k < 4; k++) {
        nominal(covered[k], RUNS, 0.95, SLACK, replay_kind_names[kinds[k]]);
        nominal(difference[k], RUNS, 0.95, SLACK, replay_kind_names[kinds[k]]);
    }
}
