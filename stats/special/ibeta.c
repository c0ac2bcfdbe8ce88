#include "stats/special/ibeta.h"

#include <float.h>
#include <math.h>

#include "stats/special/stirling.h"

/* Far beyond what converges: near the mean the fraction needs about √(a + b) terms. A guard, not a limit that is met. */
enum { FRACTION_TERMS_MAX = 1 << 26, NEWTON_STEPS_MAX = 200 };
#define TINY 1e-300
/* Where the complement has so little left that 1 - complement would lose three digits, the fraction is taken directly. */
#define NEARLY_ALL (-1e-3)

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

/* The continued fraction of DLMF 8.17.22 by Lentz's method. */
static double fraction(double a, double b, double x)
{
    double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), h = d;
    for (int i = 1; i < FRACTION_TERMS_MAX; i++) {
        double m = i, even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / away_from_zero(1 + even * d);
        c = away_from_zero(1 + even / c);
        h *= d * c;
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / away_from_zero(1 + odd * d);
        c = away_from_zero(1 + odd / c);
        h *= d * c;
        if (!(fabs(d * c - 1) > DBL_EPSILON))
            break;
    }
    return h;
}

static double log_by_fraction(double a, double b, double x, double xc)
{
    return fmin(0, ibeta_log_front(a, b, x, xc) + log(fraction(a, b, x)) - log(a));
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
    return other > NEARLY_ALL ? log_by_fraction(a, b, x, xc) : ibeta_log1mexp(other);
}

/* Newton on ln I in the logit l: d ln I / dl = x^a xc^b / (B I). ln I is concave in l, so from the left the steps never pass the
 * root, and from the mean (right of it for p <= 1/2) the first step lands on the left. */
double ibeta_logit_quantile(double p, double a, double b)
{
    double target = log(p), l = log(a / b);
    for (int i = 0; i < NEWTON_STEPS_MAX; i++) {
        double x = 1 / (1 + exp(-l)), xc = 1 / (1 + exp(l));
        double log_i = ibeta_log(a, b, x, xc);
        double step = (target - log_i) * exp(log_i - ibeta_log_front(a, b, x, xc));
        l += step;
        if (!(fabs(step) > 2 * DBL_EPSILON * fmax(1, fabs(l))))
            break;
    }
    return l;
}
