#include "stats/special.h"

#include <float.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_sf_erf.h>
#include <math.h>

enum { CONTINUED_FRACTION_MAX = 200000 };
#define TINY 1e-300
#define LN_SQRT_2PI 0.918938533204672741780329736406

/* Stirling's error: lgamma(n + 1) - [(n + 1/2) ln n - n + ln √(2π)]; C. Loader, "Fast and accurate computation of binomial
 * probabilities" (2000), with the series of the digamma asymptotics; small n by lgamma itself. */
static double stirling_error(double n)
{
    if (n <= 15)
        return lgamma(n + 1) - (n + 0.5) * log(n) + n - LN_SQRT_2PI;
    double nn = n * n;
    return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - (1.0 / 1188) / nn) / nn) / nn) / nn) / n;
}

/* Loader's deviance x ln(x/np) + np - x, without cancellation near x = np. */
static double deviance(double x, double np)
{
    if (fabs(x - np) < 0.1 * (x + np)) {
        double v = (x - np) / (x + np), s = (x - np) * v, ej = 2 * x * v;
        for (int j = 1; j < 1000; j++) {
            ej *= v * v;
            double next = s + ej / (2 * j + 1);
            if (next == s)
                return next;
            s = next;
        }
    }
    return x * log(x / np) + np - x;
}

/* ln of x^a (1-x)^b / B(a, b): the binomial density form keeps full precision at a, b of any size. */
static double log_prefactor(double a, double b, double x, double xc)
{
    double n = a + b;
    if (a < 1 || b < 1) /* no binomial of that size: the plain form loses nothing while a or b is small */
        return a * log(x) + b * log(xc) - (lgamma(a) + lgamma(b) - lgamma(n));
    double d = deviance(a, n * x) + deviance(b, n * xc);
    return stirling_error(n) - stirling_error(a) - stirling_error(b) - d + 0.5 * (log(a) + log(b) - log(n)) - LN_SQRT_2PI;
}

/* Continued fraction of the incomplete beta (DLMF 8.17.22) by Lentz's method, without a cap that matters. */
static double beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 - (a + b) * x / (a + 1), h;
    d = 1 / (fabs(d) < TINY ? TINY : d);
    h = d;
    for (int m = 1; m < CONTINUED_FRACTION_MAX; m++) {
        double num = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 + num * d;
        c = 1 + num / c;
        d = 1 / (fabs(d) < TINY ? TINY : d);
        c = fabs(c) < TINY ? TINY : c;
        h *= d * c;
        num = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + num * d;
        c = 1 + num / c;
        d = 1 / (fabs(d) < TINY ? TINY : d);
        c = fabs(c) < TINY ? TINY : c;
        h *= d * c;
        if (fabs(d * c - 1) < DBL_EPSILON)
            break;
    }
    return h;
}

double special_log_ibeta(double a, double b, double x, double xc)
{
    if (x <= 0)
        return -INFINITY;
    if (xc <= 0)
        return 0;
    if (x <= (a + 1) / (a + b + 2))
        return log_prefactor(a, b, x, xc) + log(beta_fraction(a, b, x)) - log(a);
    double log_other = log_prefactor(b, a, xc, x) + log(beta_fraction(b, a, xc)) - log(b);
    return log_other > -1e-17 ? -INFINITY : log1p(-exp(log_other));
}

/* Series of P (x < a + 1) and continued fraction of Q (DLMF 8.7.1, 8.9.2), prefactor x^a e^-x / Γ(a). */
double special_log_gamma_q(double a, double x)
{
    if (x <= 0)
        return 0;
    double log_front = a < 1 ? a * log(x) - x - lgamma(a)
                             : -stirling_error(a) - deviance(a, x) + 0.5 * log(a) - LN_SQRT_2PI;
    if (x < a + 1) {
        double term = 1 / a, sum = term;
        for (int n = 1; n < CONTINUED_FRACTION_MAX && term > sum * DBL_EPSILON / 4; n++) {
            term *= x / (a + n);
            sum += term;
        }
        return log1p(-exp(log_front + log(sum)));
    }
    double b = x + 1 - a, c = 1 / TINY, d = 1 / b, h = d;
    for (int i = 1; i < CONTINUED_FRACTION_MAX; i++) {
        double an = -i * (i - a);
        b += 2;
        d = an * d + b;
        c = b + an / c;
        d = 1 / (fabs(d) < TINY ? TINY : d);
        c = fabs(c) < TINY ? TINY : c;
        h *= d * c;
        if (fabs(d * c - 1) < DBL_EPSILON)
            break;
    }
    return log_front + log(h);
}

double special_log_normal_q(double z)
{
    return gsl_sf_log_erfc(z / M_SQRT2) - M_LN2;
}

double special_normal_qinv(double p)
{
    return gsl_cdf_ugaussian_Qinv(p);
}

/* P(T > t) = I_{df/(df+t²)}(df/2, 1/2) / 2 for t > 0. */
double special_log_t_q(double t, double df)
{
    if (isinf(df) || (df > 1e10 && fabs(t) < 1e3))
        return special_log_normal_q(t);
    double r = fabs(t) / sqrt(df), rr = r * r; /* t² alone may overflow */
    double x = isinf(rr) ? exp(-2 * log(r)) : 1 / (1 + rr), xc = isinf(rr) ? 1 : rr / (1 + rr);
    double log_tail = special_log_ibeta(df / 2, 0.5, x, xc) - M_LN2;
    return t >= 0 ? log_tail : log1p(-exp(log_tail));
}

/* ln of the density of t. */
static double log_t_density(double t, double df)
{
    double log_norm = lgamma((df + 1) / 2) - lgamma(df / 2) - 0.5 * log(df * M_PI);
    if (df > 1e5) /* the difference of the two lgammas, by Stirling */
        log_norm = -LN_SQRT_2PI - 1 / (4 * df);
    return log_norm - (df + 1) / 2 * log1p(t * t / df);
}

/* Newton on the logarithm of the tail, from the normal quantile by Cornish and Fisher's first terms. */
double special_t_qinv(double p, double df)
{
    if (p == 0.5)
        return 0;
    if (p > 0.5)
        return -special_t_qinv(1 - p, df);
    double z = special_normal_qinv(p), t = z + (z * z * z + z) / (4 * df), target = log(p);
    if (isinf(df))
        return z;
    if (df < 5) /* heavy tails: p ≈ C t^-df decides where to start */
        t = fmax(t, exp(-(target + M_LN2) / df));
    for (int i = 0; i < 200; i++) {
        double q = special_log_t_q(t, df);
        double step = (q - target) * exp(q - log_t_density(t, df));
        double next = t + step;
        if (next <= 0)
            next = t / 2;
        if (fabs(next - t) <= 4 * DBL_EPSILON * fabs(next))
            return next;
        t = next;
    }
    return t;
}

double special_log_chi2_q(double x, double df)
{
    return special_log_gamma_q(df / 2, x / 2);
}
