/* srm.h - sample ratio mismatch: do the counts of units fit the weights they were assigned with?
 *
 * A test whose counts do not fit is broken (lost exposures, bots, redirects), whatever its metrics say. Pearson's chi-square and the
 * likelihood ratio G look once; the sequential test (M. Lindon, A. Malek, "Anytime-valid inference for multinomial count data",
 * NeurIPS 2022) may be watched every day. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct srm {
    double chi2, df;
    double p, log_p;   /* natural logarithm, good where p underflows */
    double g, log_p_g; /* likelihood ratio */
};

/* Counts against weights of any positive scale. An arm of weight 0 does not count for the degrees of freedom; a unit in it is an
 * impossibility: chi2 is infinite, p is 0. No units at all: p is 1. out_expected (n of them, or NULL) gets the expected counts.
 * Refuses negative counts, weights that are not numbers from 0, and fewer than two arms of positive weight. */
bool srm_test(const int64_t *counts, const double *weights, size_t n, double *out_expected, struct srm *out,
              struct err *err) MUSTCHECK;
/* ln min(1, 2 P(X >= max(a, b))) for two arms of equal weight, exact. */
double srm_log_p_binomial(int64_t a, int64_t b);
/* ln of the Bayes factor of a Dirichlet(concentration × shares) prior against the shares themselves, after counts that passed
 * srm_test. Its inverse, with a running minimum, is a p-value at any time. */
double srm_log_bayes_factor(const int64_t *counts, const double *weights, size_t n, double concentration);
