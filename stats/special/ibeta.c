#include "stats/special/ibeta.h"

#include <float.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>

#include "stats/special/stirling.h"

/* A guard, not a limit that is met: near the mean the fractions need about √min(a, b) terms. */
enum { FRACTION_TERMS_MAX = 1 << 20, NEWTON_STEPS_MAX = 200 };
#define TINY 1e-300
/* c d of Lentz's method ends in a rounding noise of a few units in the last place. */
#define CONVERGED (4 * DBL_EPSILON)
/* Where the complement has so little left that 1 - complement would lose three digits, the fraction is taken directly, as long as it
 * converges in hundreds of terms. Closer to x = 1 than that, only shapes below 0.01 lose digits. */
#define NEARLY_ALL (-1e-3)
#define DIRECT_XC_MIN 1e-3
/* Beyond these logits x or 1 - x would underflow. Below, x^a / (a B) is all there is of I_x; above, x is 1. */
#define LOGIT_MAX 650.0

double ibeta_log1mexp(double v)
{
    if (v >= 0)
        return -INFINITY;
    return v > -M_LN2 ? log(-expm1(v)) : log1p(-exp(v));
}

double ibeta_log_front(double a, double b, double x, double xc)
{
    double n = a + b, diff = x < xc ? a - n * x : n * xc - b; /* a - n x, from whichever of x and xc is the small one */
    double deviance = stirling_deviance(a, n * x, diff) + stirling_deviance(b, n * xc, -diff);
    double errors = stirling_error(n) - stirling_error(a) - stirling_error(b);
    double larger = fmax(a, b), smaller = fmin(a, b);
    return errors - deviance + 0.5 * (log(smaller) + log(larger / n)) - STIRLING_LN_SQRT_2PI;
}

static double away_from_zero(double v)
{
    return fabs(v) < TINY ? TINY : v;
}

/* One partial numerator `term` more in Lentz's method for h = 1/(1 + term_1/(1 + term_2/(1 + …))). Returns the factor of h. */
static double lentz(double *c, double *d, double term)
{
    *d = 1 / away_from_zero(1 + term * *d);
    *c = away_from_zero(1 + term / *c);
    return *c * *d;
}

/* Gauss's fraction of 2F1(1 - b, 1; a + 1; -odds), odds = x / xc, which stands in I = x^a xc^(b-1) / (a B) 2F1 (DLMF 8.17.8 with
 * 15.8.1). The usual one in x (8.17.22) subtracts from 1 what nears 1 as x does: measured against 60 digits it has lost ten of them at
 * a = 1e12, b = 5000, where this one has 14. */
static double fraction(double a, double b, double x, double xc)
{
    double odds = x / xc, c = 1 / TINY, d = 1, h = 1;
    for (int i = 0; i < FRACTION_TERMS_MAX; i++) {
        double m = i, next = m + 1;
        h *= lentz(&c, &d, (1 - b + m) * ((a + m) / (a + 2 * m) / (a + 2 * m + 1)) * odds);
        double factor = lentz(&c, &d, next * ((a + b + m) / (a + 2 * m + 1) / (a + 2 * m + 2)) * odds);
        h *= factor;
        if (!(fabs(factor - 1) > CONVERGED))
            break;
    }
    return h / xc;
}

static double log_by_fraction(double a, double b, double x, double xc)
{
    return fmin(0, ibeta_log_front(a, b, x, xc) + log(fraction(a, b, x, xc)) - log(a));
}

double ibeta_log(double a, double b, double x, double xc)
{
    if (x <= 0)
        return -INFINITY;
    if (xc <= 0)
        return 0;
    if (x <= (a + 1) / (a + b + 2))
        return log_by_fraction(a, b, x, xc);
    double other = log_by_fraction(b, a, xc, x);
    if (other > NEARLY_ALL && xc > DIRECT_XC_MIN)
        return log_by_fraction(a, b, x, xc);
    return ibeta_log1mexp(other);
}

/* Newton on ln I in the logit l, within a shrinking bracket: d ln I / dl = x^a xc^b / (B I). ln I is concave in l, so from the left
 * the steps never pass the root, and from the mean (right of it for p <= 1/2) the first step lands on the left. */
double ibeta_logit_quantile(double p, double a, double b)
{
    double target = log(p), log_x = (target + log(a) + gsl_sf_lnbeta(a, b)) / a;
    double lo = -LOGIT_MAX, hi = LOGIT_MAX, l = fmax(lo, fmin(hi, log(a / b)));
    if (log_x < -LOGIT_MAX)
        return log_x;
    for (int i = 0; i < NEWTON_STEPS_MAX; i++) {
        double x = 1 / (1 + exp(-l)), xc = 1 / (1 + exp(l)), log_i = ibeta_log(a, b, x, xc);
        *(log_i < target ? &lo : &hi) = l;
        double next = l + (target - log_i) * exp(log_i - ibeta_log_front(a, b, x, xc)), before = l;
        l = next >= lo && next <= hi ? next : lo + (hi - lo) / 2;
        if (!(fabs(l - before) > 2 * DBL_EPSILON * fmax(1, fabs(l))))
            break;
    }
    return l;
}
