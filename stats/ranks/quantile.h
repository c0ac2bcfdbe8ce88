/* quantile.h - a quantile of events (the 95th percentile of latency) of users who were randomised, each with events of its own.
 *
 * The quantile is the order statistic of rank ⌈n q⌉. Its uncertainty comes from the share R of events at or below it, a ratio of sums over
 * units: Var R by the delta method (ratio.h), s = √Var R. The order statistics of ranks ⌊n (q - z s)⌋ and ⌊n (q + z s)⌋ + 1 are the
 * interval, their distance over 2 z the standard error: no density is estimated (A. Deng, U. Knoblich, J. Lu, KDD 2018). The other way
 * (C. Yao, P. Li, C. Lu 2024, GrowthBook) takes the ranks of independent events, s² = q (1 - q)/n, and multiplies the variance by
 * Var R / s²; GrowthBook's page prints that quotient upside down.
 *
 * Three steps, since values at ranks come from sorted events or from a sketch: quantile_plan, the lookups, quantile_conclude. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stats/moments.h"
#include "stats/welch.h"

struct quantile_range {
    int64_t rank_lo, rank_hi; /* from 1 */
    double lo, hi;
};

struct quantile {
    int64_t events, units, rank;
    double value, share;           /* of events at or below the value */
    double var_iid, var_clustered; /* of the share */
    struct quantile_range outer, iid;
    double se_outer, variance_iid, variance_scaled; /* of the value */
    bool reliable; /* all four ranks lie inside the events, as n > z² q/(1 - q) says for independent ones */
};

/* ⌈n q⌉, exact where n q is a whole number up to rounding. */
int64_t quantile_rank(int64_t n, double q);
bool quantile_check(double q, struct err *err) MUSTCHECK;
/* m: of each unit the number of its events at or below the value (x) and of all its events (y). z: the normal quantile of the interval.
 * Fills all but the values. Refuses q outside 0 to 1, fewer than 2 units, no events. */
bool quantile_plan(const struct moments2 *m, int64_t events, double q, double z, struct quantile *out,
                   struct err *err) MUSTCHECK;
/* Standard errors from the four values. */
void quantile_conclude(double z, struct quantile *q);
/* All steps for sorted events. */
bool quantile_of_sorted(const double *sorted, int64_t events, const struct moments2 *m, double q, double z,
                        struct quantile *out, struct err *err) MUSTCHECK;

/* Of an arm, for welch.h and lift.h: normal, so of infinitely many degrees of freedom. */
struct estimate quantile_estimate(const struct quantile *q);
