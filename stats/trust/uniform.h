/* uniform.h - are the p-values of A/A tests uniform, as those of a valid test are?
 *
 * Run on the history of tests without a difference, one p each. Kolmogorov and Smirnov's distance sees any shape, Anderson and Darling's more of
 * the ends; the count of p < 0.05 is what matters to whoever acts on them. p of small counts take few values and are larger than uniform ones: then the distance is
 * large although the test is valid, and the count decides. Values in, values out; about 32 KiB of stack. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Up to so many p the distribution of the distance is exact; beyond, its expansion is right to 1e-6. */
enum { UNIFORM_EXACT_MAX = 2000, UNIFORM_LEVELS = 3 };
extern const double uniform_levels[UNIFORM_LEVELS]; /* 0.01, 0.05, 0.1 */

struct uniform {
    double d_plus, d_minus, d; /* the largest distance of shares from levels above, below, and of both */
    double log_p, p;           /* P(D_n >= d) */
    double p_limit;            /* the limit of n → ∞ */
    bool has_anderson_darling; /* not when a p is 0 or 1 */
    double anderson_darling;   /* A² */
    double below[UNIFORM_LEVELS];
    double log_p_rejections; /* ln P(Binomial(n, 0.05) >= number of p < 0.05) */
};

/* p is in ascending order afterwards. Refuses none, and what is no probability. */
bool uniform_test(double *p, size_t n, struct uniform *out, struct err *err) MUSTCHECK;
/* ln P(D_n >= d) of n uniform numbers. */
double uniform_log_p(size_t n, double d);
