#include "stats/special/igamma.h"

#include <float.h>
#include <math.h>

#include "stats/special/ibeta.h"
#include "stats/special/stirling.h"

enum { TERMS_MAX = 1 << 22 }; /* a guard; near x = a about √a terms are needed */
#define TINY 1e-300
#define NEARLY_ALL (-1e-3) /* as in ibeta.c */
#define DIRECT_X_MIN 1e-2

/* ln of x^a e^-x / Γ(a) */
static double log_front(double a, double x)
{
    return 0.5 * log(a) - STIRLING_LN_SQRT_2PI - stirling_error(a) - stirling_deviance(a, x, a - x);
}

/* ln P(a, x) by its power series, DLMF 8.11.4 */
static double log_p_series(double a, double x)
{
    double term = 1 / a, sum = term;
    for (int n = 1; n < TERMS_MAX && term > sum * DBL_EPSILON / 8; n++) {
        term *= x / (a + n);
        sum += term;
    }
    return fmin(0, log_front(a, x) + log(sum));
}

/* ln Q(a, x) by the continued fraction of DLMF 8.9.2, Lentz's method */
static double log_q_fraction(double a, double x)
{
    double b = x + 1 - a, c = 1 / TINY, d = 1 / b, h = d;
    for (int i = 1; i < TERMS_MAX; i++) {
        double an = -i * (i - a);
        b += 2;
        d = an * d + b;
        c = b + an / c;
        d = 1 / (fabs(d) < TINY ? TINY : d);
        c = fabs(c) < TINY ? TINY : c;
        h *= d * c;
        if (!(fabs(d * c - 1) > 4 * DBL_EPSILON)) /* their rounding noise */
            break;
    }
    return fmin(0, log_front(a, x) + log(h));
}

double igamma_log_q(double a, double x)
{
    if (x <= 0)
        return 0;
    if (x >= a + 1)
        return log_q_fraction(a, x);
    double log_p = log_p_series(a, x);
    return log_p > NEARLY_ALL && x > DIRECT_X_MIN ? log_q_fraction(a, x) : ibeta_log1mexp(log_p);
}
