/* preference.h - what many interleaved queries say about two rankings A and B. (O. Chapelle, T. Joachims, F. Radlinski, Y. Yue, TOIS 30, 2012)
 *
 * A query is a win of A, of B, or a tie, by its clicks (interleave.h). The sign test takes queries for independent; where some users ask far
 * more than others, the user is the unit, and preference_users is the test to trust. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stats/moments.h"
#include "stats/proportion.h"

struct preference_counts {
    int64_t wins_a, wins_b, ties;
};

/* N = wins_a + wins_b + ties, D = wins_a + wins_b.
 *     delta = (wins_a + ties/2) / N - 1/2             0: no preference
 *     se²   = (wins_a wins_b + ties D/4) / (N² (N - 1))   of the mean of scores 1, 0, 1/2; N > 1
 *     log_p: ln of the two-sided exact binomial p of wins_a among D fair coins, ties dropped
 *     z     = (wins_a - wins_b) / √D, and its normal two-sided log p; D > 0
 *     share = wins_a / D with Clopper and Pearson's interval; D > 0 */
struct preference {
    double log_p;
    bool has_z, has_delta, has_se; /* D > 0, N > 0, N > 1 */
    double z, log_p_normal, share;
    struct interval share_ci;
    double delta, delta_se;
    struct interval delta_ci;
};
bool preference_check(const struct preference_counts *c, struct err *err) MUSTCHECK;
bool preference_test(const struct preference_counts *c, double alpha, struct preference *out,
                     struct err *err) MUSTCHECK;

/* Scores of queries (1: A wins, -1: B wins, 0: tie; or any mean of such) grouped by user; the users' scores lie one behind the other.
 *     mean, se: of the users' mean scores; t = mean/se with users - 1 degrees of freedom
 *     query_mean: of all queries; its standard error is clustered by user, √(n/(n-1) Σ_u (Σ_q (score - mean))²) / queries */
struct preference_users {
    double mean, se, t, log_p; /* t and log_p: NAN when se is 0 */
    double query_mean, query_se;
};
/* Refuses fewer than two users, a user without a query, scores outside -1 … 1. */
bool preference_users(const double *scores, const size_t *queries, size_t users, struct preference_users *out,
                      struct err *err) MUSTCHECK;
/* The same from sufficient statistics: moments over users of their mean scores, and of their sums of scores (x) and counts of queries (y). Refuses fewer
 * than two users, counts that differ, means outside -1 … 1, and moments that no data can have. */
bool preference_moments(const struct moments *means, const struct moments2 *sums, struct preference_users *out,
                        struct err *err) MUSTCHECK;
