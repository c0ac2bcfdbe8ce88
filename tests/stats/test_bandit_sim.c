/* Simulations with fixed seeds: Thompson's exact weights against draws from the posteriors (what others serve), within NOISE standard errors
 * of a share of DRAWS; and whole bandits, which must find the best arm, and under a drifting baseline only by period. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "stats/bandit.h"

enum { DRAWS = 400000, ARMS = 4, BANDITS = 300, PERIODS = 14, TRAFFIC = 400 };
#define NOISE 4.5

/* Marsaglia and Tsang's gamma, shape >= 1. */
static double draw_gamma(struct draw *d, double shape)
{
    double k = shape - 1.0 / 3, c = 1 / sqrt(9 * k);
    for (;;) {
        double z = draw_normal(d), v = 1 + c * z;
        v = v * v * v;
        if (v > 0 && log(draw_uniform(d)) < z * z / 2 + k - k * v + k * log(v))
            return k * v;
    }
}

static double draw_arm(struct draw *d, enum best_family family, const struct best_arm *arm)
{
    if (family == BEST_NORMAL)
        return arm->a + arm->b * draw_normal(d);
    double x = draw_gamma(d, arm->a);
    return x / (x + draw_gamma(d, arm->b));
}

static void agrees(enum best_family family, const struct best_arm *arms, size_t n, struct draw *d)
{
    int first[ARMS] = { 0 }, second[ARMS] = { 0 };
    struct best best;
    struct err err;
    for (int i = 0; i < DRAWS; i++) {
        double x[ARMS];
        size_t top = 0, next = 1;
        for (size_t k = 0; k < n; k++)
            x[k] = draw_arm(d, family, &arms[k]);
        for (size_t k = 1; k < n; k++)
            top = x[k] > x[top] ? k : top;
        next = top == 0 ? 1 : 0;
        for (size_t k = 0; k < n; k++)
            next = k != top && x[k] > x[next] ? k : next;
        first[top]++;
        second[next]++;
    }
    cr_assert(best_chances(family, arms, n, &best, &err), "%s", err.text);
    for (size_t k = 0; k < n; k++) {
        double p = best.p[k], q = best.second[k], got = first[k] / (double)DRAWS,
               got_second = second[k] / (double)DRAWS;
        cr_assert(fabs(got - p) <= NOISE * sqrt(p * (1 - p) / DRAWS) + 2.0 / DRAWS, "arm %zu: %g drawn, %g", k, got, p);
        cr_assert(fabs(got_second - q) <= NOISE * sqrt(q * (1 - q) / DRAWS) + 2.0 / DRAWS, "second %zu: %g drawn, %g",
                  k, got_second, q);
    }
}

Test(bandit_sim, exact_weights_are_those_of_monte_carlo)
{
    struct draw d = { 21 };
    for (int round = 0; round < 12; round++) {
        struct best_arm normal[ARMS], beta[ARMS];
        size_t n = 2 + (size_t)(round % 3);
        for (size_t k = 0; k < n; k++) {
            double units = 1 + floor(300 * draw_uniform(&d)), yes = floor(units * draw_uniform(&d) / 5);
            normal[k] = (struct best_arm){ draw_normal(&d), exp(draw_normal(&d)) };
            beta[k] = (struct best_arm){ 1 + yes, 1 + units - yes };
        }
        agrees(BEST_NORMAL, normal, n, &d);
        agrees(BEST_BETA, beta, n, &d);
    }
}

/* One bandit from its first period to its last: units are drawn by the weights, weights are set from all periods so far, either pooled or by
 * period. Returns the last weight of arm `of`. */
static double run_bandit(struct draw *d, const double rates[2], const double *baseline, bool by_period, size_t of)
{
    struct moments2 cells[PERIODS * 2] = { 0 };
    struct bandit_rule rule = { BANDIT_THOMPSON, 0.05, 0.1, 0.5 };
    struct bandit_beliefs beliefs;
    struct bandit_decision decision = { .weights = { 0.5, 0.5 } };
    struct err err;
    for (size_t p = 0; p < PERIODS; p++) {
        struct moments2 *row = &cells[by_period ? p * 2 : 0];
        for (int u = 0; u < TRAFFIC; u++) {
            size_t arm = draw_uniform(d) < decision.weights[0] ? 0 : 1;
            moments2_add(&row[arm], draw_uniform(d) < rates[arm] * baseline[p], 0);
        }
        cr_assert(bandit_believe(METRIC_PROPORTION, cells, by_period ? p + 1 : 1, 2, false, &beliefs, &err), "%s",
                  err.text);
        cr_assert(bandit_decide(&rule, &beliefs, &decision, &err), "%s", err.text);
    }
    return decision.weights[of];
}

Test(bandit_sim, a_better_arm_gets_the_traffic)
{
    const double flat[PERIODS] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    struct draw d = { 22 };
    int found = 0;
    for (int i = 0; i < BANDITS; i++)
        found += run_bandit(&d, (const double[]){ 0.1, 0.14 }, flat, i % 2, 1) > 0.8;
    cr_assert(
        gt(int, found, BANDITS * 9 / 10)); /* 5600 units: a difference of 5 standard errors if they were split evenly */
}

/* The traffic's own rate grows while the arms are equal: whoever is ahead by chance gets the later, better units, and stays ahead. By period
 * both arms must end ahead equally often, and not further ahead than chance takes them. */
Test(bandit_sim, a_rising_baseline_rewards_the_leader_unless_periods_are_compared)
{
    double rising[PERIODS];
    struct draw d = { 23 };
    double extreme[2] = { 0, 0 };
    for (size_t p = 0; p < PERIODS; p++)
        rising[p] = 0.3 + 0.2 * (double)p;
    for (int by_period = 0; by_period < 2; by_period++)
        for (int i = 0; i < BANDITS; i++)
            extreme[by_period] += fabs(run_bandit(&d, (const double[]){ 0.1, 0.1 }, rising, by_period, 0) - 0.5) > 0.4;
    cr_log_info("weights beyond 0.1 and 0.9: %g pooled, %g by period, of %d\n", extreme[0], extreme[1], BANDITS);
    cr_assert(extreme[0] > 1.5 * extreme[1], "weights beyond 0.1 and 0.9: %g pooled, %g by period, of %d", extreme[0],
              extreme[1], BANDITS);
}
