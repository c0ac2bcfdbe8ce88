/* best.h - with what probability each of several independent arms is the best of them, and the second best, and what is lost by
 * choosing it: no random numbers.
 *
 * An arm is what is believed about its value: a normal or a beta distribution. P(arm i is best) = ∫ f_i ∏_{j≠i} F_j, and
 * P(arm i is second) = ∫ f_i Σ_{k≠i} (1 - F_k) ∏_{j≠i,k} F_j. Every factor is log-concave (of a beta distribution on the scale of
 * ln(x / (1 - x))), so each integrand has one peak; Gauss-Legendre panels cover the bulk of every arm and the neighbourhood of every
 * peak, which may lie a thousand standard errors from its arm. Thus an arm of probability 1e-300 keeps all its digits, as a logarithm.
 *
 * E[max_j θ_j - θ_i], what choosing arm i loses, is ∫ F_i (1 - ∏_{j≠i} F_j) dx: nothing is subtracted, so it keeps its digits too.
 *
 * Costs (arms)² × 1000 tails: a millisecond for two arms, seconds for a hundred; beta shapes above 1e8 √shape tails more. Larger is better: negate means, or swap
 * shapes, where it is not. Thread-safe, no state; about 64 KiB of stack. */
#pragma once
#include <stddef.h>

#include "base/err.h"

enum { BEST_ARMS_MAX = 100 };

enum best_family { BEST_NORMAL, BEST_BETA };

struct best_arm {
    double a, b; /* normal: mean and standard deviation; beta: its shapes, BEST_SHAPE_MIN to BEST_SHAPE_MAX */
};
#define BEST_SHAPE_MIN \
    0.001 /* nothing seen, and a prior of almost nothing; 1/2 is Jeffreys' prior, 1 the uniform one */
#define BEST_SHAPE_MAX 1e13
/* Arms² √shape at most: about ten seconds. Arms of such shapes are as good as normal. */
#define BEST_COST_MAX 2e7
/* Normal arms may lie so many of the largest standard deviations apart, and differ so much in theirs: beyond, a double has no room between
 * them for an integral. */
#define BEST_APART_MAX 1e7
#define BEST_UNEQUAL_MAX 1e10

struct best {
    size_t n;
    double p[BEST_ARMS_MAX], log_p[BEST_ARMS_MAX]; /* is the best; natural logarithm, good where p underflows */
    double second[BEST_ARMS_MAX];
};

/* Refuses fewer than 2 arms or more than BEST_ARMS_MAX, numbers that are not finite, standard deviations that are not positive, and what
 * would take longer than BEST_COST_MAX. */
bool best_chances(enum best_family family, const struct best_arm *arms, size_t n, struct best *out,
                  struct err *err) MUSTCHECK;
/* ln of the expected loss of choosing each arm, n of them. Refuses what best_chances does. */
bool best_losses(enum best_family family, const struct best_arm *arms, size_t n, double *out_log_loss,
                 struct err *err) MUSTCHECK;
