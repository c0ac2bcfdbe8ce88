/* clicks_plan.h - what jobs over clicks by query ("clicks", "boosts") are told, and the pass over days that they share.
 *
 * Parameters of the run: weights, half_life_days, position_power, min_signals, top, filters. Days are kept by types and filters alone, so both jobs find
 * each other's. */
#pragma once
#include "trainer/jobs/day_plan.h"
#include "trainer/kernels/clicks/clicks.h"

enum { CLICKS_PARTS = 16, CLICKS_JSON_MAX = 16384 };

struct clicks_plan {
    struct click_rules rules;
    struct str filters;         /* {NULL, 0}: searches are not told apart by them */
    struct str params, program; /* of the pass over days: with the archive's folder, and without */
    struct str merging;         /* of the pass over parts */
    struct day_rules day_rules;
};
/* Weights as of the end of this day. In the arena. */
bool clicks_plan_read(struct clicks_plan *p, const struct run_context *run, struct arena *arena, int32_t as_of,
                      struct err *err) MUSTCHECK;
