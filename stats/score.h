/* score.h - score intervals of two proportions: the values that a score test does not reject, the nuisance share at its most likely
 * value under each. They keep working with zero cells and rates near 0 and 1, where Wald intervals shrink to a point.
 *
 * Difference: O. Miettinen, M. Nurminen, Statistics in Medicine 4 (1985), with the factor N/(N-1), and R. W. Mee (1984) without it.
 * Ratio: P. A. R. Koopman, Biometrics 40 (1984); J. J. Gart, J. Nam (1988). The restricted estimate of the difference is found from
 * its score equation and not from the closed form of the cubic, which loses its digits at large counts. */
#pragma once
#include "stats/proportion.h"

/* z: the two-sided normal quantile. */
struct interval score_miettinen_nurminen(const struct proportions *c, double z);
struct interval score_mee(const struct proportions *c, double z);
/* Interval of p_t / p_c; its upper end is infinite when the control has no success. False when neither arm has one. */
bool score_koopman(const struct proportions *c, double z, struct interval *out);
