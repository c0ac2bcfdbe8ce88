/* periods.h - does the effect change? By days since first exposure (novelty wears off, habits give way), or by the day of first exposure
 * (other users, another week).
 *
 * Cohorts are units of their own. Days since exposure have units in common, which makes their estimates resemble each other, so that the test of a change
 * between them finds less than there is, never more. Pure. */
#pragma once
#include "experimentd/results/model.h"
#include "stats/trust/trend.h"

enum { PERIODS_MIN = 6, PERIODS_EARLY = 3 };

/* Of the parts `kind` of a metric, for one treatment. Periods that cannot be compared are left out; refuses when fewer than PERIODS_MIN are
 * left. *out_periods: how many there are, also then. */
bool periods_trend(const struct result_metric *m, enum result_part_kind kind, size_t variant, struct arena *arena,
                   struct trend *out, size_t *out_periods, struct err *err) MUSTCHECK;
