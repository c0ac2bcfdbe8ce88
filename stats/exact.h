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
/* ln P(X >= k): of n things, n_a are drawn and n_b are marked; X of the drawn are marked. Fisher's exact test of one side: do a and b go together? With k above
 * its mean n_a n_b / n the terms fall from the first one on, which is built without cancellation (stats/special/stirling.h); at or below, there
 * is nothing to ask, and the answer is 0, ln 1. 0 <= k <= n_a, n_b <= n. */
double exact_log_together(int64_t k, int64_t n_a, int64_t n_b, int64_t n);
