/* normal.h - what is believed of an effect: the normal posterior of an estimate with its standard error under a normal prior.
 *
 *     1/s² = 1/se² + 1/v,   m = s² (effect/se² + prior/v)                                                (a flat prior: v infinite)
 *     loss of shipping = E max(-δ, 0) = s (φ(z) - z Q(z)),   z = m/s,   of keeping the control = the same at -z
 *
 * φ(z) - z Q(z) loses all digits at z = 8; here it is Q(z) times a continued fraction of terms of one sign, as a logarithm right for any z.
 * Shipping when the loss is small does not make looking early safe for error rates. A. Gelman et al., Bayesian Data Analysis, 2.5;
 * W. Gautschi, SIAM J. Numer. Anal. 4 (1967), repeated integrals of the error function. Values in, values out. */
#pragma once
#include <stdbool.h>

#include "base/err.h"

struct normal_prior {
    bool proper; /* else flat */
    double mean, variance;
};

struct normal_posterior {
    double mean, sd;
    double log_win, log_lose;            /* ln P(δ > 0), ln P(δ < 0) */
    double log_loss_ship, log_loss_keep; /* ln E max(-δ, 0), ln E max(δ, 0) */
    double log_bf10; /* ln of the Bayes factor against δ = 0 (Savage and Dickey); with a proper prior */
};

/* Refuses numbers that are not finite, a standard error or a prior variance that is not positive. */
bool normal_posterior(double effect, double se, const struct normal_prior *prior, struct normal_posterior *out,
                      struct err *err) MUSTCHECK;
/* Equal tails of alpha/2. */
void normal_interval(const struct normal_posterior *p, double alpha, double *out_lo, double *out_hi);

/* The mass around 0 that would make no difference: within, above and below ± half_width. */
struct normal_rope {
    double p_in, log_above, log_below;
};
bool normal_rope(const struct normal_posterior *p, double half_width, struct normal_rope *out,
                 struct err *err) MUSTCHECK;

/* ln(φ(z) - z Q(z)), the expected excess of a standard normal above z. */
double normal_log_excess(double z);
