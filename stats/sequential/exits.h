/* exits.h - a test with planned looks as a random walk: with what probability it leaves its bounds at which look.
 *
 * The score S(t) = Z √t of a test at information t (a share of all that is planned) is Brownian motion with a drift: E Z = drift √t. Between looks its density
 * among the runs that have not stopped is that of the look before, folded with a normal step (P. Armitage, C. McPherson, B. Rowe, JRSS A 132, 1969):
 * g_k(s) = ∫ g_{k-1}(u) φ((s - u - drift Δ)/√Δ)/√Δ du over the region that went on, Δ = t_k - t_{k-1}. It is kept at the nodes of
 * Gauss-Legendre panels no wider than a step's standard deviation, of this look or of the next. Good to 1e-12.
 *
 * A struct exits is a value of 128 KiB for the stack; going on takes as much again. No state elsewhere, any thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { EXITS_LOOKS_MAX = 200, EXITS_NODES_MAX = 8192 };

struct exits {
    double t, drift;
    bool even; /* so far as probable up as down */
    size_t n;
    double width;                                     /* of a panel; with n 1 there is none */
    double s[EXITS_NODES_MAX], mass[EXITS_NODES_MAX]; /* ascending scores, probability that stands for each */
};

/* Before the first look: everybody at 0. */
void exits_begin(struct exits *e, double drift);
/* P(no exit so far, S(t) >= score) and <=, t after the last look; score may be infinite. */
double exits_above(const struct exits *e, double t, double score);
double exits_below(const struct exits *e, double t, double score);
/* The look at t: who is between lo and hi goes on; the next look is at t_next. Refuses looks so close to each other that there are too many panels. */
bool exits_go_on(struct exits *e, double t, double lo, double hi, double t_next, struct err *err) MUSTCHECK;

/* A design: look k stops where Z_k >= z[k], and with two sides also where Z_k <= -z[k]; z may be infinite. */
struct exits_design {
    const double *t, *z;
    size_t looks;
    int sides;
};
/* 1 to EXITS_LOOKS_MAX increasing shares of information in (0, 1]. */
bool exits_check_looks(const double *t, size_t looks, struct err *err) MUSTCHECK;
/* That, and one or two sides, and bounds (of two sides above 0). */
bool exits_check(const struct exits_design *d, struct err *err) MUSTCHECK;
/* The probabilities of each look, `looks` each. */
bool exits_by_look(const struct exits_design *d, double drift, double *out_up, double *out_down,
                   struct err *err) MUSTCHECK;
