/* traffic.h - how many units come in so many days, when they come back: units by day t grow as t^growth, from 1 (each day all new) to 0 (always
 * the same ones), as the number of distinct words of a text does (H. S. Heaps, "Information Retrieval", 1978). Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { TRAFFIC_DAYS_MAX = 366 };
#define TRAFFIC_GROWTH_ASSUMED 0.5 /* of a single day: between all the same and all new */

struct traffic {
    double days, units; /* by so many days so many */
    double growth;
    bool assumed; /* growth is TRAFFIC_GROWTH_ASSUMED */
};

/* From the units of each single day ([0]: the last one) and those of all together. Days before the first with units do not count. Units 0: none. */
struct traffic traffic_of_days(const double *daily, size_t days, double units);
/* From first exposures by day, in order: least squares of ln units by ln days over their cumulative sums, from the day on which all the first weekday has
 * come again. */
struct traffic traffic_of_first_exposures(const double *first, size_t days);
/* Units by the end of day `days`. */
double traffic_units(const struct traffic *t, double days);
/* The day on which there are so many; refuses what will never be. */
bool traffic_days(const struct traffic *t, double units, double *out, struct err *err) MUSTCHECK;
