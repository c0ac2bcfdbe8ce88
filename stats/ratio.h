/* ratio.h - a ratio of sums over units (clicks per query, revenue per session) with the variance that the randomisation of units
 * asks for: the delta method (A. Deng, U. Knoblich, J. Lu, "Applying the delta method in metric analytics", KDD 2018).
 *
 * Treating each query as independent would understate the variance, because one unit's queries resemble each other. Units whose
 * denominator is 0 stay in. */
#pragma once
#include "stats/moments.h"
#include "stats/welch.h"

/* R = mean_x / mean_y and its variance var(x - R y) / (n mean_y²), n - 1 degrees of freedom. A variance below the rounding noise of
 * its three terms (RATIO_NOISE of them) is 0. Refuses n < 2, a mean denominator of 0, and moments that no data can have. */
bool ratio_estimate(const struct moments2 *m, struct estimate *out, struct err *err) MUSTCHECK;

#define RATIO_NOISE 1e-14
