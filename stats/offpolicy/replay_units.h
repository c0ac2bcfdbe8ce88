/* replay_units.h - intervals of what replay.h estimates, when a unit (a user) has several rows: they belong together, units are independent.
 *
 * Every estimate is a ratio of sums over units, or two of them added up, so its deviation is that of its linear part (Taylor): with a unit's sums a_i and
 * b_i, e_i = (a_i - θ b_i)/Σ b and se² = U/(U - 1) Σ e_i². With one row a unit, IPS and DR have the se of replay.h. The difference to what the served
 * policy earned, Σ r/n, is taken unit by unit: both come from the same rows. Sums of units that are drawn anew (bootstrap) go through replay_units_value. */
#pragma once
#include <stdint.h>

#include "stats/offpolicy/replay.h"

enum replay_kind {
    REPLAY_IPS,
    REPLAY_SNIPS,
    REPLAY_CLIPPED,
    REPLAY_DM,
    REPLAY_DR,
    REPLAY_SNDR,
    REPLAY_SWITCH_DR,
    REPLAY_DR_OS,
    REPLAY_KIND_COUNT
};
extern const char *const replay_kind_names[REPLAY_KIND_COUNT]; /* "ips", … */

/* Sums over the rows of one unit; add them to have those of many. */
struct replay_sums {
    double rows, reward, weight, weighted, clipped; /* n, Σ r, Σ w, Σ w r, Σ min(w, clip) r */
    double direct, rest, switched, shrunk;          /* Σ m, Σ w (r - q), those of switch-DR and DR-os */
};
/* Row i of a log that replay_estimate has taken, added to *to. */
void replay_sums_add(struct replay_sums *to, const struct replay_log *log, size_t i, const struct replay_tuning *t);
void replay_sums_merge(struct replay_sums *to, const struct replay_sums *other, double times);

/* The estimate from the sums of all units; less: minus the mean reward. NAN without weight where that divides. */
double replay_units_value(enum replay_kind kind, const struct replay_sums *all, bool less);
/* Its standard error; 0 for fewer than two units. */
double replay_units_se(enum replay_kind kind, const struct replay_sums *units, size_t count,
                       const struct replay_sums *all, bool less);
/* Of the mean weight, and of the mean reward. */
double replay_units_weight_se(const struct replay_sums *units, size_t count, const struct replay_sums *all);
double replay_units_reward_se(const struct replay_sums *units, size_t count, const struct replay_sums *all);
