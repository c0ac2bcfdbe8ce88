/* signed_rank.h - Wilcoxon's signed ranks (F. Wilcoxon, Biometrics Bulletin 1, 1945): are differences of pairs around 0? Pure. */
#pragma once
#include <stddef.h>

struct signed_rank {
    double plus, minus; /* sums of the ranks of |d| by sign, zeros left out, ties their mean rank */
    double log_p;       /* two-sided */
};

/* Sorts the n differences by size, in place. Exact given the ranks up to SIGNED_RANK_EXACT_MAX (paired.h) that are not 0, else normal with the variance
 * Σ r²/4, which ties make smaller; no continuity correction. */
void signed_rank_test(double *differences, size_t n, struct signed_rank *out);
