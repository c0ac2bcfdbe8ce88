/* periods.h - does the effect change? By days since first exposure (novelty wears off, habits give way), or by the day of first exposure
 * (other users, another week).
 *
 * On the scale of the lift: all units are there on the day of their first exposure and few on a later one, and old cohorts had more days than young
 * ones, so a difference would shrink or grow with what there is to differ in. Its standard error is the delta method's, so a period counts only
 * where the control is clearly not 0. Cohorts are units of their own. Days since exposure have units in common, which makes their estimates resemble
 * each other, so that the test of a change between them finds less than there is, never more. Pure. */
#pragma once
#include "experimentd/results/model.h"
#include "stats/trust/trend.h"

enum { PERIODS_MIN = 6, PERIODS_EARLY = 3 };
#define PERIODS_CONTROL_Z 3.0 /* standard errors that the control's value is away from 0 */

/* Of the parts `kind` of a metric, for one treatment. Refuses when fewer than PERIODS_MIN periods count. *out_periods: how many there are, also
 * then. */
bool periods_trend(const struct result_metric *m, enum result_part_kind kind, size_t variant, struct arena *arena,
                   struct trend *out, size_t *out_periods, struct err *err) MUSTCHECK;
