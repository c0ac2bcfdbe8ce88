/* unit_reading.h - what every kernel over ranges of buckets does: the records of all days of a range, in order, into unit_totals.
 *
 * desc of the split: "LO HI DAY DAY …", the buckets and one day for each input. Most units may never be in an experiment: so that only of
 * those that will be anything is remembered for covariates, the inputs are read twice. Marked units are read here and not with the days: their
 * records can be kept, while units are marked, and marks taken back, later. */
#pragma once
#include "trainer/engine/task.h"
#include "trainer/kernels/metrics.h"

struct unit_reading {
    struct task *task;
    const struct metrics_params *params;
    struct unit_totals *totals;
    int32_t day; /* that was read last */
};

/* after_day: once each day's records are in the totals; NULL: nothing is to be done then. */
typedef bool (*unit_reading_fn)(struct unit_reading *r, void *arg, struct err *err);
bool unit_reading_run(struct unit_reading *r, unit_reading_fn after_day, void *arg, struct err *err) MUSTCHECK;
/* Up to when anything is known on the day that was read last. */
int64_t unit_reading_end_us(const struct unit_reading *r);
