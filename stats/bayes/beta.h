/* beta.h - what is believed of a share: the beta posterior of x successes of n trials under a beta prior. best.h compares several, and
 * says what choosing each would lose. */
#pragma once
#include <stdint.h>

#include "base/err.h"
#include "stats/best.h"

struct beta_prior {
    double alpha, beta; /* 1, 1: uniform; 1/2, 1/2: Jeffreys' */
};

/* Beta(α + x, β + n - x). Refuses negative counts, x > n, prior shapes that are not positive numbers. */
bool beta_posterior(int64_t x, int64_t n, const struct beta_prior *prior, struct best_arm *out,
                    struct err *err) MUSTCHECK;
double beta_mean(const struct best_arm *arm);
/* Equal tails of alpha/2. */
void beta_interval(const struct best_arm *arm, double alpha, double *out_lo, double *out_hi);
