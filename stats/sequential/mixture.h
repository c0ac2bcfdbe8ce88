/* mixture.h - boundaries that a running sum crosses with probability alpha at any time, on the scale of intrinsic time.
 *
 * S is a sum of deviations, v its accumulated variance (S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, "Time-uniform, nonparametric,
 * nonasymptotic confidence sequences", Annals of Statistics 49, 2021; names as in their library confseq). A mixture is ln of the mean of
 * the likelihood ratio; the boundary is the sum at which it reaches ln(1/alpha). Normal: sums that are close to normal. Beta-binomial: sums of values
 * within bounds, exact for any number of units; so the interval of a share is right from the first unit on. Tuning: v_opt is where the boundary is to be tight.
 * Arguments are checked by mixture_check and by the functions that return bool; values in, values out. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "stats/proportion.h"

/* The normal mixture, of one side (N(0, 1/ρ) folded) or of two. */
struct mixture_normal {
    double rho;
    bool one_sided;
};
/* The mixture of beta distributions over the mean of steps that go up by h or down by g, r its precision. */
struct mixture_beta {
    double g, h, r;
    bool one_sided;
};

/* Probabilities between 0 and 1 (below 1/2 for one side), times above 0. */
bool mixture_check(double v, double alpha, double v_opt, double alpha_opt, bool one_sided, struct err *err) MUSTCHECK;

struct mixture_normal mixture_normal(double v_opt, double alpha_opt, bool one_sided);
double mixture_normal_log(const struct mixture_normal *m, double s, double v);
double mixture_normal_bound(const struct mixture_normal *m, double v, double alpha);

/* Refuses steps that are not from 1e-12 to 1e12. */
bool mixture_beta(double v_opt, double alpha_opt, double g, double h, bool one_sided, struct mixture_beta *out,
                  struct err *err) MUSTCHECK;
/* -v/h <= s <= v/g, as any such sum. */
double mixture_beta_log(const struct mixture_beta *m, double s, double v);
/* v/g when no sum is large enough. */
double mixture_beta_bound(const struct mixture_beta *m, double v, double alpha);

/* Polynomial stitching: √(k1² v l + k2² c² l²) + k2 c l for sub-gamma sums of scale c, tuned for times from v_min. Refuses s <= 1, eta <= 1. */
struct mixture_stitch {
    double v_min, c, s, eta;
};
bool mixture_stitched(const struct mixture_stitch *m, double v, double alpha, double *out, struct err *err) MUSTCHECK;

/* The share behind x of n, an interval for all n at once, not asymptotic; tightest near t_opt trials. */
bool mixture_bernoulli(int64_t x, int64_t n, double alpha, double t_opt, double alpha_opt, struct interval *out,
                       struct err *err) MUSTCHECK;

/* The t of a regression (or of two means), valid at any time: evidence against no effect, and the |t| that alpha takes, infinite when there is none. */
struct mixture_t {
    double log_e, log_p, radius;
};
/* g: units that the prior is worth. Refuses df, n, g that are not above 0. */
bool mixture_t(double t, double df, double n, double g, double alpha, struct mixture_t *out, struct err *err) MUSTCHECK;
