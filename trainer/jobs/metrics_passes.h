/* metrics_passes.h - the two passes that jobs over units are made of: records of days, then a kernel over the records of all days of each range
 * of buckets (trainer/kernels/unit_reading.h). */
#pragma once
#include "trainer/jobs/metrics_merge.h"
#include "trainer/jobs/metrics_plan.h"

bool metrics_pass_days(struct metrics_plan *p, struct err *err) MUSTCHECK;
/* After it, as often as need be; `out` has a part for each range. */
bool metrics_pass_units(struct run_context *run, struct metrics_plan *p, const char *kernel, const char *name,
                        struct str params, struct engine_result *out, struct err *err) MUSTCHECK;
/* metrics_pass_units of "metrics.units", merged. The caller releases *out. */
bool metrics_pass_merged(struct run_context *run, struct metrics_plan *p, const char *name, struct str params,
                         struct merged *out, struct err *err) MUSTCHECK;
/* What metrics are capped at that are capped at a percentile; no pass when none is. In the plan's arena. */
bool metrics_pass_caps(struct run_context *run, struct metrics_plan *p, struct metrics_cap **out, size_t *out_count,
                       struct err *err) MUSTCHECK;
