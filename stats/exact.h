/* exact.h - exact inference on counts, where the normal approximation has nothing to stand on. */
#pragma once
#include "stats/proportion.h"

/* Tables that Fisher's test sums; larger ones are refused, the score test is as good there. */
#define EXACT_TABLES_MAX 10000000

/* C. Clopper, E. Pearson, Biometrika 26 (1934): quantiles of the beta distribution. x of n, 0 < alpha < 1. */
struct interval exact_clopper_pearson(int64_t x, int64_t n, double alpha);
/* Two-sided p of Fisher's exact test: all tables that are at most as likely as the observed one (up to 1e-7, as R does, since equal
 * tables differ by rounding). False when there are more than EXACT_TABLES_MAX tables. */
bool exact_fisher_p(const struct proportions *c, double *out_p);
