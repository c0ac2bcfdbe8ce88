/* special.h - tails of distributions as natural logarithms, and quantiles that match them.
 *
 * A p-value of whole-site traffic may be 1e-1000; as a double it is 0, as a logarithm it is a number. GSL 2.7.1 is used where it was
 * measured right (normal quantile, log erfc, log beta, Lambert W far from 0); its t, beta and binomial tails were measured wrong (5e-7 relative
 * for 30 < df < 101, NaN for a, b >= 1e6) and are replaced by ibeta.h, the chi-square tail by igamma.h. Arguments are checked by the
 * callers: probabilities lie strictly between 0 and 1, degrees of freedom and shapes are positive. Thread-safe, no state. */
#pragma once
#include <stdint.h>

/* ln P(Z > z) of the standard normal; z with P(Z > z) = p. */
double special_log_normal_q(double z);
double special_normal_qinv(double p);
/* ln P(T > t), Student's t with any positive number of degrees of freedom (infinite: normal); t with P(T > t) = p. */
double special_log_t_q(double t, double df);
double special_t_qinv(double p, double df);
/* ln P(X > x), chi-square. */
double special_log_chi2_q(double x, double df);
/* ln B(a, b); x with I_x(a, b) = p; x with I_x(a, b) = 1 - q. */
double special_log_beta(double a, double b);
double special_beta_pinv(double p, double a, double b);
double special_beta_qinv(double q, double a, double b);
/* ln P(X >= k), X binomial of n trials. */
double special_log_binomial_upper(int64_t k, int64_t n, double p);
/* The branch of W e^W = x that is at most -1, -1/e <= x < 0. */
double special_lambert_wm1(double x);
/* The same of x = -e^v, v < -1, for an x that may be too small for a double. */
double special_lambert_wm1_log(double v);
/* P(T > t) of the noncentral t distribution. */
double special_noncentral_t_q(double t, double df, double nc);
/* lim P(√n D > x) of the Kolmogorov statistic. */
double special_kolmogorov_q(double x);
