/* stirling.h - the two pieces from which densities of any size are built without cancellation.
 *
 * ln Γ(n) is as large as n ln n, so differences of it lose as many digits as n has. Catherine Loader ("Fast and accurate
 * computation of binomial probabilities", 2000) writes every density as a small correction (stirling_error) and a deviance that
 * is 0 at the mean (stirling_deviance); both keep full relative precision for any argument. */
#pragma once

#define STIRLING_LN_SQRT_2PI 0.918938533204672741780329736406

/* ln Γ(n + 1) - [(n + 1/2) ln n - n + ln √(2π)], n > 0; about 1/(12 n). */
double stirling_error(double n);
/* x ln(x / m) + m - x for x >= 0, m > 0. `diff` is x - m, which the caller often knows better than the subtraction. */
double stirling_deviance(double x, double m, double diff);
