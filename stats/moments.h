/* moments.h - mergeable sufficient statistics: counts, means and sums of squared deviations, never sums of squares.
 *
 * Sums of squares lose everything: for a million values near 1e8 they gave a variance of 4098 instead of 1. Adding is Welford's
 * update (Technometrics 4, 1962), merging Chan, Golub and LeVeque's (1979). Merging is done by a tree of fixed shape over the
 * order of the parts (moments2_tree), so that who computed which part first cannot change a bit. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* One variable: n values, their mean, m2 = Σ (x - mean)². */
struct moments {
    int64_t n;
    double mean, m2;
};

/* Two variables of the same units; cxy = Σ (x - mean_x)(y - mean_y). */
struct moments2 {
    int64_t n;
    double mean_x, m2_x, mean_y, m2_y, cxy;
};

void moments_add(struct moments *m, double x);
void moments_merge(struct moments *into, const struct moments *other);
/* Unbiased variance m2 / (n - 1); 0 for n < 2 (callers refuse before). */
double moments_variance(const struct moments *m);

void moments2_add(struct moments2 *m, double x, double y);
void moments2_merge(struct moments2 *into, const struct moments2 *other);
/* Merges parts[0 … count-1] pairwise: ((0 1) (2 3)) …; parts is scratch afterwards. The result is parts[0]; nothing for 0. */
struct moments2 moments2_tree(struct moments2 *parts, size_t count);
