/* confseq.h - an effect that may be looked at after every unit: confidence sequences and the p-values that go with them.
 *
 * An interval of each look that covers the truth at *all* looks together with probability 1 - alpha, however many there are and
 * whatever ends them. Asymptotic confidence sequences (I. Waudby-Smith, D. Arbour, R. Sinha, E. Kennedy, A. Ramdas, Annals of
 * Statistics 52, 2024, arXiv 2103.06476) and the mixture SPRT (R. Johari, P. Koomen, L. Pekelis, D. Walsh, arXiv 1512.04922) are one formula:
 * both test with the mean of the likelihood ratio over effects N(0, τ²). What the two call differently is k = τ²/V = n ρ², how much wider
 * the prior is than the estimate; everything here is a function of effect, standard error and k.
 *
 * The width is least where k is about 8: give ρ by the number of units that is planned (confseq_rho), never one number for all traffic.
 * Normality is asymptotic: start to look after 100 conversions of each arm. Values in, values out, no state, any thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum confseq_side { CONFSEQ_TWO, CONFSEQ_GREATER, CONFSEQ_LESS };

struct confseq {
    double log_e;    /* of the e-value: evidence against no effect, 1/e is p. Of one side: -log_p before it is capped */
    double log_p, p; /* natural logarithm, good where p underflows; at most 1 */
    double half_width; /* of the interval; of one side, the distance of the bound */
    double lo, hi;     /* infinite where one side has no bound */
};

/* ρ that makes the sequence narrowest at `n_star` units, approximately (a closed form that other engines use, 2 % low) and exactly.
 * Refuses n_star that is not above 0, and an alpha of 1/2 or more of one side: there is no such ρ. */
bool confseq_rho(double n_star, double alpha, enum confseq_side side, double *out, struct err *err) MUSTCHECK;
bool confseq_rho_exact(double n_star, double alpha, enum confseq_side side, double *out, struct err *err) MUSTCHECK;
/* Half the interval's width in standard errors, or the distance of the bound of one side, k = n ρ² above 0: what |Z| is compared with. */
double confseq_critical(double k, double alpha, enum confseq_side side);
/* The asymptotic confidence sequence after n units in all. */
bool confseq_asymptotic(double effect, double se, double n, double rho, double alpha, enum confseq_side side,
                        struct confseq *out, struct err *err) MUSTCHECK;
/* The mixture SPRT of effect = theta0 against N(theta0, tau²); the interval is that of the effect. */
bool confseq_msprt(double effect, double se, double tau, double theta0, double alpha, struct confseq *out,
                   struct err *err) MUSTCHECK;

/* What has been learnt over several looks: the smallest p so far, and what all intervals so far have in common. lo > hi when they have
 * nothing in common: a sign that the effect moved, to be shown and not to be hidden. */
struct confseq_run {
    size_t looks;
    double log_p, lo, hi;
};
void confseq_run_add(struct confseq_run *run, const struct confseq *look);
