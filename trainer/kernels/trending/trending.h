/* trending.h - what the job "trending" and its kernel say to each other.
 *
 * "trending.counts@1": records of days of a range (kernels/units/) → counts of each document, or query: params are those of "unit_items.day@1", as_of_us the end
 * of the reference window; days behind it are the target's. Marked units are left out. Collects u64 units; for each thing its text and a struct trend_counts. */
#pragma once
#include "trainer/engine/task.h"

#define TRENDING_COUNTS_KERNEL "trending.counts@1"
extern const struct kernel kernel_trending_counts;
