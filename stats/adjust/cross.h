/* cross.h - count, means and all second moments of an outcome and its covariates, of the same units: what regression needs of them.
 *
 * Added and merged as moments.h does with two variables (Welford; Chan, Golub and LeVeque). Variable 0 is the outcome, 1 … are the
 * covariates. A mean has a second double for what the first one's rounding left, so that the difference of two means near 1e6 has
 * all its digits. 808 bytes a cell, whatever the number of units. Values in, values out, no state. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stats/adjust/solve.h"

enum { CROSS_MAX = SOLVE_MAX + 1 };
/* Spread below this share of a mean is the rounding of that mean: the variable does not vary. */
#define CROSS_NOISE 1e-14

struct cross {
    int64_t n;
    size_t vars; /* 1 to CROSS_MAX */
    double mean[CROSS_MAX], rest[CROSS_MAX];
    double m2[CROSS_MAX][CROSS_MAX]; /* Σ (x_i - mean_i)(x_j - mean_j), both triangles */
};

/* No units of `vars` variables. */
struct cross cross_none(size_t vars);
void cross_add(struct cross *c, const double *values);
/* Both of the same variables. */
void cross_merge(struct cross *into, const struct cross *other);
/* mean of b - mean of a */
double cross_difference(const struct cross *a, const struct cross *b, size_t var);
/* Refuses fewer than 2 units, numbers that are not finite, and second moments that no data can have; names the variable. */
bool cross_check(const struct cross *c, struct err *err) MUSTCHECK;
bool cross_varies(const struct cross *c, size_t var);
/* A ratio of sums Σx/Σy as an outcome, and the same ratio of the time before as its covariate: from the moments of (x, y, x before,
 * y before) to those of the linearised unit values R + (x - R y)/ȳ, whose mean is R and whose variance is the delta method's
 * (A. Deng, U. Knoblich, J. Lu, KDD 2018). Refuses a mean denominator of 0. */
bool cross_ratio(const struct cross *in, struct cross *out, struct err *err) MUSTCHECK;
