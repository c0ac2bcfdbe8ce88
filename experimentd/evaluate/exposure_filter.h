/* exposure_filter.h - what need not be recorded again: the same unit in the same variant, seen within this hour.
 *
 * Only a unit's first exposure and a second variant matter to any metric; a front end asks on every search. A table of 64-bit
 * fingerprints (65536, in sets of eight, half a MiB a worker) forgets by being overwritten, and everything at each full hour. A fingerprint that two
 * different exposures share (odds 2^-64 a pair) would leave one of them out. One per worker, no lock. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct exposure_filter;

struct exposure_filter *exposure_filter_new(void);
void exposure_filter_free(struct exposure_filter *f);
/* True when it must be recorded (always, when it is older than the newest so far: a replay); it counts as recorded from then on. `experiment` is a number that names experiment and variant. */
bool exposure_filter_pass(struct exposure_filter *f, uint64_t experiment, struct str unit, int64_t at_us);
/* Recording failed: forget it. */
void exposure_filter_forget(struct exposure_filter *f, uint64_t experiment, struct str unit, int64_t at_us);
