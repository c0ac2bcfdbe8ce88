/* metrics_passes.h - the two passes that jobs over units are made of: records of days, then a kernel over the records of all days of each range
 * of buckets (trainer/kernels/unit_reading.h). */
#pragma once
#include "trainer/jobs/metrics_keep.h"

/* kept: data sets that need not be made; NULL: none is. */
bool metrics_pass_days(struct run_context *run, struct metrics_plan *p, const struct kept_days *kept,
                       struct err *err) MUSTCHECK;
/* After it, as often as need be; `out` has a part for each range. */
bool metrics_pass_units(struct run_context *run, struct metrics_plan *p, const char *kernel, const char *name,
                        struct str params, struct engine_result *out, struct err *err) MUSTCHECK;
