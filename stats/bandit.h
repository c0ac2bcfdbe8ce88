/* bandit.h - weights of a bandit's arms: from moments to what is believed of each arm, from that to weights that can be served.
 *
 * moments of each arm, by period → bandit_believe → best_chances → a policy → the floor → steps of 1/10000 that sum to 1 exactly
 * (bandit_decide does all but the first). Exact, so the same moments give the same weights everywhere; no Monte Carlo.
 *
 * Periods. While the weights move, so may the traffic: when buyers come on Sundays and an arm got its units mostly on Sundays, its
 * pooled mean is better than the arm. Given units by period of first exposure, arms are compared within periods and each period counts
 * with its share of all units, the same for every arm: θ_i = Σ_p (N_p / N) θ_ip, variance Σ_p (N_p / N)² s²_ip / n_ip. With one period
 * this is the pooled mean. Values in, values out, no state. */
#pragma once
#include <stdint.h>

#include "stats/best.h"
#include "stats/compare.h"

enum bandit_policy { BANDIT_THOMPSON, BANDIT_TOP_TWO, BANDIT_EPSILON_GREEDY, BANDIT_POLICY_COUNT };
extern const char *const bandit_policy_names[BANDIT_POLICY_COUNT];

struct bandit_rule {
    enum bandit_policy policy;
    double floor;   /* least weight of any arm */
    double epsilon; /* EPSILON_GREEDY: share that explores */
    double beta;    /* TOP_TWO: how often the best of a draw is played rather than its first rival */
};

/* What is believed of the arms. With smaller_is_better the arms are mirrored, so that the best is the largest; values are not. */
struct bandit_beliefs {
    enum best_family family;
    size_t n, periods; /* periods that were compared within */
    struct best_arm arms[BEST_ARMS_MAX];
    int64_t units[BEST_ARMS_MAX];
    double values[BEST_ARMS_MAX], sd[BEST_ARMS_MAX];
};

struct bandit_decision {
    struct best best;
    double weights[BEST_ARMS_MAX]; /* multiples of 1 / BANDIT_STEPS */
};

/* Weights move in steps of the hash's resolution. */
#define BANDIT_STEPS 10000
/* A period in which an arm has fewer units goes together with the next. */
#define BANDIT_PERIOD_UNITS_MIN 20

/* cells[period * n + arm]. A share of units: a beta posterior from the uniform prior; of periods, the one of as many units as the
 * stratified share has the variance of. Means and ratios: normal, by the delta method. An arm whose units are all alike gets the variance
 * that all arms' units have together. Refuses arms of fewer than 2 units, and metrics of which no arm's units differ. */
bool bandit_believe(enum metric_kind kind, const struct moments2 *cells, size_t periods, size_t n,
                    bool smaller_is_better, struct bandit_beliefs *out, struct err *err) MUSTCHECK;
/* The weights of a rule, for beliefs in which larger is better. */
bool bandit_decide(const struct bandit_rule *rule, const struct bandit_beliefs *beliefs, struct bandit_decision *out,
                   struct err *err) MUSTCHECK;

/* ---- the pieces ---- */

/* Calls take with the n arms of each period that is compared within, and returns how many there are: periods go together until each arm has enough units; those
 * left at the end, when too few, go with the last. */
typedef void (*bandit_period_fn)(void *arg, const struct moments2 *row, size_t n);
size_t bandit_each_period(enum metric_kind kind, const struct moments2 *cells, size_t periods, size_t n,
                          bandit_period_fn take, void *arg);

/* Probability of being played of top-two Thompson sampling: w_i (β + (1 - β) Σ_{j≠i} w_j / (1 - w_j)) (D. Russo, COLT 2016). */
void bandit_top_two(const struct best *best, double beta, double *out);
/* 1 - epsilon more for the largest value, the first of equals; epsilon / n for every arm. */
void bandit_epsilon_greedy(const double *values, size_t n, double epsilon, double *out);
/* f + (1 - n f) w, which keeps the order of the weights; equal weights when n f >= 1. In place. */
void bandit_floor(double *weights, size_t n, double floor);
/* Largest remainders: multiples of 1 / BANDIT_STEPS that sum to 1, none below the floor (rounded up to a step). In place. */
void bandit_round(double *weights, size_t n, double floor);
bool bandit_check_rule(const struct bandit_rule *rule, size_t n, struct err *err) MUSTCHECK;
