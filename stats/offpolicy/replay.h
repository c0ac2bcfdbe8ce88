/* replay.h - what another policy (a ranker, a rewriter of queries) would have earned, from the log of the one that was served.
 *
 * The log has for each decision the reward, the propensity with which what was shown was chosen, and the probability with which the other policy would have
 * chosen the same; their ratio is the row's weight w. IPS is unbiased and noisy, SNIPS (A. Swaminathan, T. Joachims, NeurIPS 2015) divides by the weights that came instead of those that should; clipping
 * takes bias for variance. With a model q of rewards: doubly robust (M. Dudík, D. Erhan, J. Langford, L. Li, Statistical Science 29, 2014), right when model or
 * propensities are; switch-DR (Y. Wang, A. Agarwal, M. Dudík, ICML 2017) and shrunk DR (Y. Su et al., ICML 2020) distrust large weights.
 *
 * Look at the effective sample size first: what few rows with large weights say is what those rows say. IPS and SNIPS of whole traffic need no rows: they are
 * mean and ratio of the moments of (w r, w), merged as any (moments.h, ratio.h). Rows must be independent: with several of a user, sum by user. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct replay_log {
    size_t n;
    const double *reward;
    const double *pscore;       /* propensity of what was shown, above 0 and up to 1 */
    const double *target;       /* probability that the other policy shows it */
    const double *model;        /* q of what was shown; NULL without a model */
    const double *model_target; /* Σ π(a) q(a) over what the other policy may show */
};

/* 0: not asked for. */
struct replay_tuning {
    double clip;      /* largest weight of the clipped estimate */
    double switch_at; /* weights above are left to the model */
    double shrink;    /* w becomes λ w/(w² + λ) */
};

struct replay {
    double mean_weight, max_weight; /* the mean is 1 up to noise when propensities are right */
    double ess;                     /* (Σw)²/Σw² */
    double ips, ips_se;
    double snips, snips_se; /* when some weight is above 0 */
    double clipped;
    double dm, dr, dr_se, sndr; /* with a model */
    double switch_dr, dr_os;
    bool has_se;    /* two rows or more */
    bool has_snips; /* also of sndr */
};

/* Refuses an empty log, numbers that are not finite, probabilities that are none, propensities of 0, tuning below 0. */
bool replay_estimate(const struct replay_log *log, const struct replay_tuning *tuning, struct replay *out,
                     struct err *err) MUSTCHECK;
