/* ibeta.h - the regularised incomplete beta function I_x(a, b) as a logarithm, and its inverse.
 *
 * Everything that is an F, t, beta or binomial tail goes through here. GSL 2.7.1 was measured to give NaN for a, b >= 1e6 near the
 * mean (its continued fraction stops after 512 terms) and to be wrong by 1e-9 below; this one goes on until it has converged,
 * about √min(a, b) terms near the mean, a few dozen elsewhere. Thread-safe, no state. */
#pragma once

/* ln I_x(a, b) for a, b > 0. x and xc = 1 - x are given apart, so that neither end loses digits; 0 <= x <= 1. */
double ibeta_log(double a, double b, double x, double xc);
/* ln of x^a xc^b / B(a, b), 0 < x < 1: x (1 - x) times the density. */
double ibeta_log_front(double a, double b, double x, double xc);
/* ln(x / (1 - x)) of the x with I_x(a, b) = p, 0 < p <= 1/2. Use the symmetry I_x(a, b) = 1 - I_{1-x}(b, a) for the upper half. */
double ibeta_logit_quantile(double p, double a, double b);
/* ln(1 - e^v) for v <= 0, without cancellation (M. Mächler, "Accurately computing log(1 - exp(-|a|))", 2012). */
double ibeta_log1mexp(double v);
