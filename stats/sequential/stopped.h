/* stopped.h - what a test with planned looks says about its effect, before and after it has stopped.
 *
 * A test that stops when it looks good reports too good an effect. The stage-wise ordering (A. Tsiatis, G. Rosner, C. Mehta, Biometrics 40, 1984) calls a result more extreme
 * the earlier it crossed its bound, and at one look the larger its Z is; p, estimate and interval follow, and need only the looks up to the stop. Effects are drifts:
 * E Z_k = drift √t_k; multiply by se √t_k of the last look to have them on the scale of the effect. */
#pragma once
#include "stats/sequential/exits.h"

struct stopped_chances {
    double power;      /* that the test rejects, on any side */
    double expected_t; /* the information at the end */
};
/* With the probabilities of each look (exits_by_look). */
bool stopped_chances(const struct exits_design *d, double drift, double *out_up, double *out_down,
                     struct stopped_chances *out, struct err *err) MUSTCHECK;
/* The drift, above 0, that is found with probability `power`. Refuses a power that is not above that of no drift and below 1. */
bool stopped_drift(const struct exits_design *d, double power, double *out, struct err *err) MUSTCHECK;

struct stopped {
    double log_p_upper, log_p_lower; /* one-sided, natural logarithms */
    double p_upper;
    double estimate; /* median unbiased: too high as often as too low */
    double lo, hi;
    double naive; /* Z/√t, what a test of one look would say */
};
/* Stopped at look `look` (from 1) with Z = z. The interval is two-sided of level 1 - alpha. */
bool stopped_result(const struct exits_design *d, size_t look, double z, double alpha, struct stopped *out,
                    struct err *err) MUSTCHECK;
