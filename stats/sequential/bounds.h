/* bounds.h - the critical values of planned looks, so that all looks together are wrong with probability alpha.
 *
 * Two kinds. *Spending* (K. Lan, D. DeMets, Biometrika 70, 1983) says how much of alpha may have been spent at a share of the information; the bounds follow look by look,
 * so that looks may come when they come. *Shapes* (P. O'Brien, T. Fleming 1979; S. Pocock 1977; S. Wang, A. Tsiatis 1987) say how bounds relate to each
 * other and need all looks beforehand. Haybittle and Peto: one high bound for all looks but the last. Each side has alpha/sides of its own.
 * C. Jennison, B. Turnbull, "Group Sequential Methods", 2000, has all of them. Values in, values out. */
#pragma once
#include "stats/sequential/exits.h"

enum spending_kind {
    SPENDING_OBRIEN_FLEMING, /* 2 (1 - Φ(z_{a/2}/√t)): little early, the last look nearly as if it were the only one */
    SPENDING_POCOCK,         /* a ln(1 + (e - 1) t): evenly */
    SPENDING_POWER,          /* a t^par */
    SPENDING_HSD,            /* a (1 - e^(-par t))/(1 - e^-par) (I. Hwang, W. Shih, J. DeCani 1990); par 0: a t */
    SPENDING_COUNT
};
extern const char *const spending_names[SPENDING_COUNT];

struct spending {
    enum spending_kind kind;
    double par;
};

/* The share of one side's alpha `a` that is spent at t. Information beyond what was planned counts as all of it. */
double spending_at(const struct spending *s, double a, double t);

struct bounds_plan {
    const double *t; /* shares of the information */
    size_t looks;
    double alpha; /* of the whole test, from 1e-30; of each side below 1/2 */
    int sides;
};
struct bounds {
    double z[EXITS_LOOKS_MAX];         /* infinite where nothing may be spent yet */
    double nominal_p[EXITS_LOOKS_MAX]; /* of the look alone */
    double cum_alpha[EXITS_LOOKS_MAX]; /* spent up to and with it */
    double constant;                   /* C of z_k = C shape_k; 0 for spending and Haybittle-Peto */
};

bool bounds_spending(const struct bounds_plan *p, const struct spending *s, struct bounds *out,
                     struct err *err) MUSTCHECK;
/* z_k = C (t_k/t_K)^(delta - 1/2): O'Brien-Fleming 0, Pocock 1/2, Wang-Tsiatis any. */
bool bounds_shape(const struct bounds_plan *p, double delta, struct bounds *out, struct err *err) MUSTCHECK;
/* Refuses a z_interim that spends all of alpha before the last look. */
bool bounds_haybittle_peto(const struct bounds_plan *p, double z_interim, struct bounds *out,
                           struct err *err) MUSTCHECK;
