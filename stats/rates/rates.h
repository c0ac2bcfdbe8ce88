/* rates.h - counts of many things in two windows: which of them come more often now than before, beyond chance.
 *
 * Of a thing there were R events in the reference window and T in the target window. Without a change T + R events fall into the target with the
 * probability that all events together do: share = ΣT / (ΣT + ΣR), which also takes out that there was more of everything.
 *
 *     test      p = P(X >= T), X ~ binomial(T + R, share): two Poisson rates, given their sum (J. Przyborowski, H. Wilenski, Biometrika 31, 1940)
 *     shrunk    T ~ Poisson(E λ), E = R share/(1 - share), λ ~ Gamma(a, a): λ̂ = (T + a)/(E + a), drawn towards 1 as a thing is small
 *               (W. DuMouchel, American Statistician 53, 1999, with one component); an interval of λ are quantiles of Gamma(T + a, E + a)
 *     a         from all things, by moments: 1/a = Σ[(T - E)² - E - k E] / ΣE², k = share/(1 - share): what is left of the squares when T's and
 *               R's own Poisson noise are taken out
 *
 * Values in, values out. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct rates_counts {
    int64_t target, reference;
};

/* ln p that the thing rose (fell: the counts are exchanged and the share is 1 - share). 0 < share < 1. */
double rates_log_p(struct rates_counts c, double share);

#define RATES_SHAPE_MIN 0.1
#define RATES_SHAPE_MAX 1000.0
/* a, between these; the larger one when things differ no more than chance has it. */
double rates_shape(const struct rates_counts *counts, size_t n, double share);

struct rates_shrunk {
    double ratio, low, high; /* of the target's rate to the reference's; an interval at this level */
};
struct rates_shrunk rates_shrink(struct rates_counts c, double share, double shape, double level);
