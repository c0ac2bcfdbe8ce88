/* off_policy_report.h - rows of decisions → estimates with intervals, what to think of them, and the run's result. */
#pragma once
#include "stats/offpolicy/replay_units.h"
#include "trainer/jobs/job.h"
#include "trainer/kernels/offpolicy/offpolicy.h"

struct off_policy_rows {
    struct policy_row *rows; /* sorted by unit, rows of one in a fixed order */
    size_t count;
    struct policy_counts counts;
    size_t days;
    struct str model; /* name and version of the other policy; n = 0: it is no model */
};
/* Estimates, says them, and makes the run's result. */
bool off_policy_report(struct run_context *run, const struct off_policy_rows *r, struct err *err) MUSTCHECK;
