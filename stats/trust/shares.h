/* shares.h - do the arms agree about a share: of units that saw a second variant, of units that were marked?
 *
 * Pearson's chi-square of an n × 2 table (K. Pearson 1900; A. Agresti, Categorical Data Analysis, chapter 3). Arms without units say nothing
 * and are left out. The chi-square tail is good where `least_expected` is some 5 or more; below it is only a hint. Values in, values out. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct shares {
    int64_t events, units;
    double share; /* events of all units */
    double chi2, df, log_p;
    double least_expected; /* of the smaller side of the table, events or the rest */
};

/* events[i] of units[i]. All or none: chi2 is 0. Refuses negative counts, more events than units, fewer than two arms with units. */
bool shares_test(const int64_t *events, const int64_t *units, size_t n, struct shares *out, struct err *err) MUSTCHECK;
