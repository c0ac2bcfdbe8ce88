/* serp_log.h - what trainer/jobs/serp_log.c and its kernels say to each other.
 *
 * params of "serps.day@1": log_params.h, without a gap; desc: "DAY LO HI" (day_split.h); its data set: records of serp_day.h, in parts by query.
 * "serps.merge@1": params {"positions": 10, "holdout_share": 0, "held_from_us": 0}; desc "PART SPLITS DAY DAY …", SPLITS inputs for each day; its data set: records of
 * serp_record.h, sorted by text; it collects a struct serp_totals.
 * "serps.collect@1": one input of the merge; params and what it collects: log_collect.h. */
#pragma once
#include "trainer/kernels/serps/serp_day.h"
#include "trainer/kernels/serps/serp_merge.h"
#include "trainer/kernels/signals/log_params.h"

#define SERP_DAY_KERNEL "serps.day@1"
#define SERP_MERGE_KERNEL "serps.merge@1"
#define SERP_COLLECT_KERNEL "serps.collect@1"
extern const struct kernel kernel_serps_day, kernel_serps_merge, kernel_serps_collect;
