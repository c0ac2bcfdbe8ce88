/* power.h - before an experiment: what will it find, how many units does it need, what is the least effect it can see?
 *
 * Two tests of a treatment against a control: of two shares by the normal approximation, and of two means by Student's t with the
 * noncentral t distribution. Power counts both tails (unless told otherwise), so it is alpha when there is no effect; numbers of units
 * and detectable effects are roots of the power itself, not of an approximation of it. */
#pragma once
#include <stdbool.h>

#include "base/err.h"

struct power_design {
    double alpha;  /* of the whole test */
    int sides;     /* 1: only in the direction of the effect; 2 */
    double ratio;  /* units of the treatment for one of the control */
    bool one_tail; /* two-sided, but rejecting in the wrong direction is no success */
};

/* What is found: units of both arms, as the root and rounded up. */
struct power_units {
    double control_real, control, treatment;
};

struct power_rates {
    double p_c, p_t;
    bool pooled; /* the test's standard error is that of the pooled share; else of both shares */
};
bool power_rates(const struct power_design *d, const struct power_rates *r, double n_c, double *out,
                 struct err *err) MUSTCHECK;
/* Refuses p_t = p_c. `power` above alpha and below 1, here and below. */
bool power_rates_units(const struct power_design *d, const struct power_rates *r, double power, struct power_units *out,
                       struct err *err) MUSTCHECK;
/* The effect p_t - p_c (r->p_t is not looked at), above 0 or, with `down`, below. Refuses when even a share of 1 (or 0) is not seen. */
bool power_rates_effect(const struct power_design *d, const struct power_rates *r, double n_c, double power, bool down,
                        double *out, struct err *err) MUSTCHECK;

/* delta: difference of the means, its sign does not matter; sd: of a unit, the same in both arms, above 0; n_c: 2 or more. */
bool power_means(const struct power_design *d, double delta, double sd, double n_c, double *out,
                 struct err *err) MUSTCHECK;
bool power_means_units(const struct power_design *d, double delta, double sd, double power, struct power_units *out,
                       struct err *err) MUSTCHECK;
bool power_means_effect(const struct power_design *d, double sd, double n_c, double power, double *out,
                        struct err *err) MUSTCHECK;
