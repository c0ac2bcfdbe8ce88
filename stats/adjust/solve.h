/* solve.h - S x = b for the second moments of a few variables: symmetric, positive unless one variable follows from the others.
 *
 * Cholesky's factor of S scaled to a diagonal of ones, so that the units of the variables do not matter. A variable that does not vary is
 * left out: its x is 0. One that is a linear combination of those before it (SOLVE_DEPENDENT) is named, for the caller to refuse. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { SOLVE_MAX = 8 };
/* Below this share of its variance, what the variables before it leave of one is rounding. */
#define SOLVE_DEPENDENT 1e-13

struct solve {
    size_t n;
    bool used[SOLVE_MAX];
    double scale[SOLVE_MAX]; /* √S_ii */
    double l[SOLVE_MAX][SOLVE_MAX];
};

/* varies[i]: whether variable i does. False: *out_dependent is the first that follows from those before it. */
bool solve_factor(size_t n, double s[SOLVE_MAX][SOLVE_MAX], const bool *varies, struct solve *out,
                  size_t *out_dependent);
/* x = S^-1 b; x may be b. */
void solve_apply(const struct solve *f, const double *b, double *x);
