/* special.h - tails of distributions as natural logarithms, and the quantiles that go with them.
 *
 * GSL 2.7.1 is used where it was measured right (normal tail, log erfc, log beta, chi-square until it underflows); its t and beta
 * tails were measured wrong (5e-7 relative for 30 < df < 101, NaN for a, b >= 1e6) and are replaced by one log-incomplete-beta. */
#pragma once

/* ln I_x(a, b), x and 1 - x given apart (xc) so that neither loses digits. 0 < a, b; 0 <= x <= 1. */
double special_log_ibeta(double a, double b, double x, double xc);
/* ln of the regularised upper incomplete gamma function Q(a, x). */
double special_log_gamma_q(double a, double x);
/* ln P(Z > z) of the standard normal; z with P(Z > z) = p. */
double special_log_normal_q(double z);
double special_normal_qinv(double p);
/* ln P(T > t), t of Student's distribution with df degrees of freedom (any positive real); t with P(T > t) = p, 0 < p < 1. */
double special_log_t_q(double t, double df);
double special_t_qinv(double p, double df);
/* ln P(X > x), X chi-square with df degrees of freedom. */
double special_log_chi2_q(double x, double df);
