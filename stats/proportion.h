/* proportion.h - shares of counts: one with Wilson's interval, two compared in closed form. score.h has the score intervals of a
 * difference and a ratio, exact.h what is exact at small counts. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct interval {
    double lo, hi;
};

/* x successes of n trials in the control and the treatment. */
struct proportions {
    int64_t x_c, n_c, x_t, n_t;
};

/* Counts up to 2^53, so that doubles hold them. */
#define PROPORTION_COUNT_MAX (INT64_C(1) << 53)

/* Refuses empty arms, negative counts, x > n, and more than PROPORTION_COUNT_MAX. The other functions expect what passed. */
bool proportion_check(const struct proportions *c, struct err *err) MUSTCHECK;
/* E. B. Wilson, JASA 22 (1927); z is the two-sided normal quantile. */
struct interval proportion_wilson(double p, double n, double z);
/* p_t - p_c = (x_t n_c - x_c n_t) / (n_c n_t), exact up to one rounding at any count. */
double proportion_difference(const struct proportions *c);
/* Standard error of the difference under p_t = p_c (for the test), and without that (for the interval). */
double proportion_se_pooled(const struct proportions *c);
double proportion_se_unpooled(const struct proportions *c);
/* Intervals of the difference: R. G. Newcombe's hybrid score (Statistics in Medicine 17, 1998, method 10), and Agresti and Caffo's
 * (American Statistician 54, 2000) with one success and one failure added to each arm. */
struct interval proportion_newcombe(const struct proportions *c, double z);
struct interval proportion_agresti_caffo(const struct proportions *c, double z);
/* D. Katz's log-Wald interval of p_t / p_c. False when an arm has no success or there is no variance. */
bool proportion_katz(const struct proportions *c, double z, struct interval *out);
/* Likelihood-ratio chi-square of the 2 × 2 table. */
double proportion_g(const struct proportions *c);
