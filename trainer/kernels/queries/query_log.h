/* query_log.h - what trainer/jobs/query_log.c and its kernels say to each other.
 *
 * params of "query_log.day@1": log_params.h; desc: "DAY LO HI" (day_split.h); its
 * data set: records of query_day.h, in parts by query.
 * "query_log.merge@1": no params; desc "PART SPLITS DAY DAY …", SPLITS inputs for each day; its data set: records of query_record.h, sorted by text;
 * it collects a struct query_totals.
 * "query_log.collect@1": one input of the merge; params and what it collects: log_collect.h. */
#pragma once
#include "trainer/kernels/queries/query_day.h"
#include "trainer/kernels/queries/query_merge.h"
#include "trainer/kernels/signals/log_params.h"

#define QUERY_LOG_DAY_KERNEL "query_log.day@1"
#define QUERY_LOG_MERGE_KERNEL "query_log.merge@1"
#define QUERY_LOG_COLLECT_KERNEL "query_log.collect@1"
extern const struct kernel kernel_query_log_day, kernel_query_log_merge, kernel_query_log_collect;
