/* cuped.h - an effect adjusted by what was known of the units before: CUPED (A. Deng, Y. Xu, R. Kohavi, T. Walker, WSDM 2013).
 *
 *     difference = (ȳ_t - ȳ_c) - θ'(x̄_t - x̄_c),   variance of an arm (S_yy - 2 θ'S_xy + θ'S_xx θ)/(n - 1)/n
 *
 * θ = (Σ_arms S_xx)^-1 Σ_arms S_xy, moments around each arm's own means: the slope of the analysis of covariance. Moments around the
 * mean of all units (GRAND, as GrowthBook has it) mix a little of the effect into θ. Any number of covariates up to SOLVE_MAX; those that
 * do not vary have θ = 0, and when none does the answer is the unadjusted one. With one covariate of correlation ρ the variance
 * shrinks by ρ². A covariate must have been fixed before the unit's first exposure: nothing here can check that.
 *
 * Works from cross.h's moments alone, which merge. Values in, values out. */
#pragma once
#include "stats/adjust/cross.h"
#include "stats/lift.h"
#include "stats/welch.h"

enum cuped_slope { CUPED_WITHIN, CUPED_GRAND };
/* An adjusted variance below this share of the unadjusted one is rounding: the covariates say everything, the variance is 0. */
#define CUPED_NOISE 1e-12

struct cuped {
    size_t covariates;
    double theta[SOLVE_MAX];
    /* The adjusted means, at the covariates' mean over both arms. Their difference is exact in `difference`; their covariance is left
     * out of their variances, which are those of y - θ'x. */
    struct estimate control, treatment;
    double difference, se;
    struct estimate plain_control, plain_treatment; /* not adjusted */
    double plain_difference, plain_se;
    double variance_reduction; /* 1 - se²/plain_se²; 0 when nothing varies */
    double cov_baseline;       /* covariance of `difference` and the unadjusted mean of the control */
};

/* Both arms of the same variables. Refuses what cross_check does, and a covariate that follows from those before it. */
bool cuped_adjust(const struct cross *control, const struct cross *treatment, enum cuped_slope slope, struct cuped *out,
                  struct err *err) MUSTCHECK;
/* Welch's t of the adjusted difference; refuses when the adjusted variances are 0. */
bool cuped_test(const struct cuped *c, double alpha, struct welch *out, struct err *err) MUSTCHECK;
/* Fieller's set of difference / |unadjusted mean of the control|, with their covariance. Excludes 0 exactly when the test with the same
 * critical value rejects. */
struct lift_set cuped_lift(const struct cuped *c, double critical);
/* θ from Σ S_xx and Σ S_xy of any number of cells, moments around the means of each; and the factor of Σ S_xx. */
bool cuped_theta(const struct cross *cells, size_t n, struct solve *out_factor, double *theta,
                 struct err *err) MUSTCHECK;
/* Variance of y - θ'x over units times n - 1. */
double cuped_m2(const struct cross *c, const double *theta);
