/* winsorize.h - a mean that few extreme units cannot decide: values beyond two cuts count as the cuts (capping), and Yuen's trimmed t.
 *
 * The cuts come from both arms together, or from the metric's definition: cuts of each arm's own would take away part of the effect.
 * Capped moments add and merge; show the number of capped units and the uncapped result beside the capped one. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stats/moments.h"
#include "stats/welch.h"

struct winsorize_cuts {
    double lo, hi;
};
struct winsorized {
    struct moments m; /* of the capped values */
    int64_t capped;   /* values that the cuts changed */
};

/* Quantiles (sorted.h) of both arms' values together. Refuses levels outside 0 to 1 or not ascending, and no values. */
bool winsorize_cuts(const double *pooled_sorted, size_t n, double lower, double upper, struct winsorize_cuts *out,
                    struct err *err) MUSTCHECK;
void winsorize_add(struct winsorized *w, const struct winsorize_cuts *cuts, double x);
void winsorize_merge(struct winsorized *into, const struct winsorized *other);

/* The mean without the floor(trim n) smallest and largest values, with the variance of the winsorised ones: for welch_test (K. K. Yuen,
 * Biometrika 61, 1974). With g values cut off at each end, h = n - 2 g: variance SS_w/(h (h - 1)), h - 1 degrees of freedom. Refuses trim
 * outside 0 to below 1/2, and fewer than 2 values left. */
bool winsorize_yuen(const double *sorted, size_t n, double trim, struct estimate *out, struct err *err) MUSTCHECK;
