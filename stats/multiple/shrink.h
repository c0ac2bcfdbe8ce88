/* shrink.h - effects of many segments, drawn towards their common mean as far as chance explains that they differ: empirical Bayes.
 *
 * The best of many segments is best by luck, mostly: its effect is too large, the worst one's too small. Model: y_k ~ N(θ_k, V_k),
 * θ_k ~ N(μ, A). With W_k = 1/(V_k + A), K segments:
 *
 *     μ = ΣWy/ΣW; A solves ΣW(y - μ)² = K - 1, 0 when there is no such A
 *     B_k = (K - 3)/(K - 1) V_k W_k; θ̂_k = (1 - B_k) y_k + B_k μ
 *     s_k² = V_k (1 - (1 - W_k/ΣW) B_k) + 2/(K - 3) B_k² W_k (V̄ + A)(y_k - μ)²,   V̄ = ΣWV/ΣW
 *
 * C. N. Morris, Parametric empirical Bayes inference, JASA 78 (1983): the factor (K - 3)/(K - 1) and the last term of s_k² are what not
 * knowing μ and A costs. With equal V it is James and Stein's estimate around the mean (B. Efron, C. Morris, JASA 70, 1975), which is
 * better than the y_k from four segments on; fewer are refused. Intervals θ̂_k -/+ z s_k cover on average over the segments. The equation
 * of A is R. C. Paule and J. Mandel's (J. Res. NBS 87, 1982). Values in, values out. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { SHRINK_MIN = 4 };

struct shrink {
    double mean, variance; /* μ and A: of the effects themselves */
};
struct shrunk {
    double effect, se;
    double factor; /* B: 0 as measured, 1 the mean */
};

/* Refuses fewer than SHRINK_MIN, and what is no effect with a standard error above 0. */
bool shrink_effects(const double *effects, const double *ses, size_t n, struct shrink *out, struct shrunk *out_each,
                    struct err *err) MUSTCHECK;
