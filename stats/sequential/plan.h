/* plan.h - before (and during) a test that is looked at early: units, power, detectable effect, days.
 *
 * What is measured comes as the variance of one unit in each arm: p (1 - p) of a share, s² of a mean, the linearised variance of a ratio (ratio.h), times 1 - ρ² after
 * CUPED. The test of n_c control and r n_c treatment units has information n_c/(v_c + v_t/r); its Z drifts as δ √information. All ways to look are
 * bounds on Z at planned looks (exits.h), so one computation serves: the only look of a fixed horizon; spending; and a confidence sequence, which may be looked at more often than planned, and
 * then finds a little more. Normal tests: from some hundred units on. Their standard error is estimated; of means, where it goes up with the mean (revenue whose
 * treatment spends more), that helps by some tenths of a point: Var(D - z S) is less than Var D by 2 z Cov(D, S) ~ μ3. It is left to the good side, for nobody knows
 * the third moments before. Of quantiles it costs more than a point, and is planned with (`rank_sd`). Values in, values out; about 300 KiB of stack. */
#pragma once
#include "stats/sequential/bounds.h"

enum plan_method { PLAN_FIXED, PLAN_SPENDING, PLAN_ANY_TIME, PLAN_HAYBITTLE_PETO, PLAN_METHOD_COUNT };
/* Haybittle and Peto: the nominal level of every look but the last, as a share of alpha (0.001 of 0.05). */
#define PLAN_HAYBITTLE_PETO_SHARE 0.02
extern const char *const plan_method_names[PLAN_METHOD_COUNT];

struct plan {
    enum plan_method method;
    double alpha;    /* of the whole test */
    int sides;       /* 2, or 1: upwards */
    const double *t; /* looks, as shares of all units, the last one 1; a fixed horizon has just that one */
    size_t looks;
    struct spending spending;   /* of SPENDING */
    double tuned;               /* of ANY_TIME: where it is narrowest, as a share of all units; 0: at the end */
    double var_c, var_t, ratio; /* of a unit; treatment units for one of control */
    double
        rank_sd; /* of a quantile: √n times it is the standard deviation of n units' events at or below it, √(q (1 - q)) of one event a unit; else 0 */
};

struct plan_test {
    double drift;              /* of Z at the end: δ √information */
    double inflation;          /* of the units, beside one look at the end of the same power */
    double control, treatment; /* units, as the root */
    double expected;           /* share of them that is needed on average when the effect is there: it stops early */
};

/* The critical values of |Z| (of one side: Z) of all looks, `looks` of them. */
bool plan_bounds(const struct plan *p, double *out_z, struct err *err) MUSTCHECK;
/* Units for an effect, difference of the means, not 0, that is to be found with probability `power`, above alpha and below 1. */
bool plan_units(const struct plan *p, double effect, double power, struct plan_test *out, struct err *err) MUSTCHECK;
/* The least effect that n_c units of control find so. */
bool plan_effect(const struct plan *p, double n_c, double power, double *out, struct err *err) MUSTCHECK;
/* With what probability n_c units of control find the effect (downwards with one side: almost never). */
bool plan_power(const struct plan *p, double effect, double n_c, double *out, struct err *err) MUSTCHECK;

/* A quantile's standard error is the distance of two order statistics, w = 2 z rank_sd √n ranks apart and, rounded outwards, one more (quantile.h):
 * too large by 1/w in the mean, with the relative variance 1/w of a sum of w spacings. S of the difference, the arms' parts of the variance f: mean 1 + b with
 * b = Σ (3 f - f²)/2w, variance v = Σ f²/w. So P(θ + Z > z S) = Φ((θ - z (1 + b))/√(1 + z² v)) for the drift θ: a test of known variance has that
 * chance at another drift. Critical value z of the last look, n_c units by then; exact at one look only. As it came in without rank_sd. */
double plan_seen_drift(const struct plan *p, double z, double n_c, double drift);
/* The drift that is seen as this one. */
double plan_needed_drift(const struct plan *p, double z, double n_c, double seen);
/* What a variance of units, measured so on n units (n se²), is too large by: a factor, 1 without rank_sd. */
double plan_rank_inflation(double rank_sd, double n);

/* Units come back, so days bring fewer new ones: units by day d go as d^growth, from 1 (all new) to 0 (always the same). */
struct plan_traffic {
    double days,
        units;     /* by that day so many units: 7 and the last week's before a start, or what a running test has */
    double growth; /* above 0, up to 1 */
};
/* The day, counted from the start, on which there are so many units. */
bool plan_days(const struct plan_traffic *t, double units, double *out, struct err *err) MUSTCHECK;
