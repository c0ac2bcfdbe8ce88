/* strata.h - an effect by strata that were known before (country, device, new or returning): post-stratification, and whether the strata
 * agree.
 *
 *     effect = Σ w_k d_k, d_k = m_tk - m_ck,   w_k = n_k/N (the units of both arms), or given weights
 *     Var = Σ w_k² (V_tk + V_ck), V = var/n                                                         (conditional)
 *     Var + Σ w_k (d_k - effect)²/N                              (super-population: the shares themselves are a sample)
 *
 * L. W. Miratrix, J. S. Sekhon, B. Yu, JRSS B 75 (2013); H. Xie, J. Aurisset, KDD 2016. GrowthBook's page prints the second term over n²,
 * its code has it as here. With given weights nothing is sampled, and both are the same.
 *
 * Do the strata agree: Cochran's Q = Σ (d_k - d̄)²/v_k, v_k = V_tk + V_ck, d̄ weighted by 1/v_k, is chi-square of K - 1 (W. G. Cochran,
 * Biometrics 10, 1954); I² = max(0, (Q - K + 1)/Q). A Simpson reversal: every stratum says one thing, the pooled means say the
 * opposite. Values in, values out. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stats/adjust/cross.h"
#include "stats/lift.h"
#include "stats/welch.h"

struct stratum_arm {
    int64_t n;
    double mean, variance; /* of a unit, unbiased */
};
struct stratum {
    struct stratum_arm control, treatment;
};

struct strata {
    size_t n;
    double effect, se;                  /* conditional: weights as they are */
    double se_super;                    /* of the population that the shares were drawn from */
    struct estimate control, treatment; /* weighted means, super-population variances, which are correlated by: */
    double covariance;
    double lift, lift_se; /* effect / |control|, delta method; defined when has_lift */
    bool has_lift;
    double naive; /* difference of the pooled means */
    bool simpson;
    bool has_q; /* two strata or more, each of which varies */
    double fixed, q, log_p_q, i_squared;
};

/* weights: n of any positive sum, or NULL for the shares of units. Refuses no strata, fewer than 2 units in an arm of a stratum (naming it:
 * merge it with another), numbers that are not finite, negative variances and weights. */
bool strata_effect(const struct stratum *strata, size_t n, const double *weights, struct strata *out,
                   struct err *err) MUSTCHECK;
/* Fieller's set of the lift, with the covariance; `critical` is the normal or t quantile. */
struct lift_set strata_lift(const struct strata *s, double critical);

/* Both together: strata whose means are adjusted by covariates, one θ for all, from moments within stratum and arm (2 n cells: control,
 * treatment of each stratum in turn). Refuses as cuped_adjust does. */
bool strata_cuped(const struct cross *cells, size_t n, double *out_theta, struct stratum *out,
                  struct err *err) MUSTCHECK;
