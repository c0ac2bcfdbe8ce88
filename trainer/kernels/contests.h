/* contests.h - what the job "interleave" and its kernel say to each other.
 *
 * params: JSON {"archive": its folder or null, "to_us": signals before it, "experiments": [{"key", "variants": […], "from_us",
 * "to_day"}]}; desc of "contests.range@1": "DAY LO HI" (signals from this day on, buckets LO … HI inclusive); its result: struct contest_cell, one
 * behind the other. */
#pragma once
#include "trainer/kernels/contest.h"

extern const struct kernel kernel_contests_range;

struct contests_params {
    struct str archive; /* archive: {NULL, 0} none is known */
    int64_t to_us;
    struct contest_experiment *experiments;
    size_t experiments_count;
};
bool contests_params_read(struct str json, struct contests_params *out, struct arena *arena, struct err *err) MUSTCHECK;
