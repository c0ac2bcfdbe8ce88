#include "stats/special/special.h"

#include <float.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_erf.h>
#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_sf_lambert.h>
#include <math.h>

#include "stats/special/ibeta.h"
#include "stats/special/igamma.h"
#include "stats/special/stirling.h"

enum { NEWTON_STEPS_MAX = 200 };
/* Below it only the first term of the normal distribution's neighbourhood helps. */
#define SERIES_DF 30.0
/* The square of a step in ln t that is rounding. */
#define NEWTON_LAST_STEP 1e-8
/* Beyond this the powers of t / √df in the tail are all that is left of it, and its square would overflow. */
#define FAR_TAIL 1e100
/* From here on Student's t is the normal distribution in every digit of a double. */
#define DF_NORMAL 1e30
/* From here on the tail is density / z, up to z^-2. */
#define FAR_Z 1e10
/* Below this a tail is nearly all there is, and its logarithm is that of the rest. */
#define NEARLY_ALL_Z (-1.0)
/* Kolmogorov's cdf is below 1e-500 here. */
#define NO_DISTANCE 0.03
/* GSL's W_{-1} was measured right below; above it is up to 2e-11 off. */
#define LAMBERT_FAR (-0.1)
/* Beyond this a noncentral t goes by its expansion; below the other, it is positive in no case that a double could hold. */
#define NC_FAR 400.0
#define NC_NEVER 40.0
/* The root of a chi-square over its degrees of freedom is never as large. */
#define S_NEVER 1e4

double special_log_normal_q(double z)
{
    if (z > FAR_Z) /* GSL squares it */
        return -z * z / 2 - log(z) - STIRLING_LN_SQRT_2PI;
    if (z < -FAR_Z)
        return 0;
    if (z < NEARLY_ALL_Z)
        return ibeta_log1mexp(gsl_sf_log_erfc(-z / M_SQRT2) - M_LN2);
    return gsl_sf_log_erfc(z / M_SQRT2) - M_LN2;
}

double special_normal_qinv(double p)
{
    return p == 0.5 ? 0 : gsl_cdf_ugaussian_Qinv(p);
}

/* P(T > t) = I_{df/(df+t²)}(df/2, 1/2) / 2 for t >= 0; for t² far above df, (df/t²)^(df/2) / (df B(df/2, 1/2)). */
double special_log_t_q(double t, double df)
{
    if (df > DF_NORMAL)
        return special_log_normal_q(t);
    double r = fabs(t) / sqrt(df), rr = r * r, log_tail;
    if (r > FAR_TAIL)
        log_tail = -df * log(r) - log(df) - gsl_sf_lnbeta(df / 2, 0.5);
    else
        log_tail = ibeta_log(df / 2, 0.5, 1 / (1 + rr), rr / (1 + rr)) - M_LN2;
    return t >= 0 ? log_tail : ibeta_log1mexp(log_tail);
}

/* ln of t times the density, up to rounding of the norm: it only steers Newton's steps. */
static double log_t_slope(double u, double df)
{
    double t = exp(u), log_norm = -gsl_sf_lnbeta(df / 2, 0.5) - 0.5 * log(df);
    double log_kernel = isinf(t * t) ? 2 * u - log(df) : log1p(t * t / df);
    return u + log_norm - (df + 1) / 2 * log_kernel;
}

/* Student's t by the normal quantile z: z + g1/df + … + g4/df^4 (R. A. Fisher, E. A. Cornish, Technometrics 2, 1960; Abramowitz and Stegun
 * 26.7.5). *out_next: about what the next term is, rather more. */
static double t_by_normal(double z, double df, double *out_next)
{
    double zz = z * z, g[] = {
        z * (zz + 1) / 4,
        z * ((5 * zz + 16) * zz + 3) / 96,
        z * (((3 * zz + 19) * zz + 17) * zz - 15) / 384,
        z * ((((79 * zz + 776) * zz + 1482) * zz - 1920) * zz - 945) / 92160,
    };
    double third = g[2] / (df * df * df), fourth = g[3] / (df * df * df * df), ratio = (zz + 2) / (4 * df);
    *out_next = ratio * fmax(fabs(fourth), fabs(third) * ratio); /* either of them may be 0 */
    return z + (g[0] / df + (g[1] / (df * df) + (third + fourth)));
}

/* Newton on ln P(T > e^u): in these scales the normal and the heavy-tailed end are both nearly straight. It squares its error: behind a
 * step below its root there is rounding only. */
static double t_by_newton(double p, double df, double start)
{
    double target = log(p), u = log(start);
    for (int i = 0; i < NEWTON_STEPS_MAX; i++) {
        double q = special_log_t_q(exp(u), df), step = (q - target) * exp(q - log_t_slope(u, df));
        step = fmax(-2, fmin(2, step));
        u += step;
        if (!(fabs(step) > NEWTON_LAST_STEP))
            break;
    }
    return exp(u);
}

/* The normal distribution's neighbourhood by its series; else Newton from there, or from the heavy tail p = t^-df df^(df/2 - 1) /
 * B(df/2, 1/2). */
double special_t_qinv(double p, double df)
{
    double next = 0;
    if (df > DF_NORMAL)
        return special_normal_qinv(p);
    if (p >= 0.5)
        return p == 0.5 ? 0 : -special_t_qinv(1 - p, df);
    double z = special_normal_qinv(p), near = t_by_normal(z, df, &next);
    if (next < DBL_EPSILON / 4 * near)
        return near;
    if (df < SERIES_DF && z * z > df)
        near = exp((-log(p) + (df / 2 - 1) * log(df) - gsl_sf_lnbeta(df / 2, 0.5)) / df);
    else if (df < SERIES_DF)
        near = z + z * (z * z + 1) / (4 * df);
    return t_by_newton(p, df, near);
}

double special_log_chi2_q(double x, double df)
{
    return igamma_log_q(df / 2, x / 2);
}

double special_log_beta(double a, double b)
{
    return gsl_sf_lnbeta(a, b);
}

double special_beta_pinv(double p, double a, double b)
{
    if (p > 0.5)
        return special_beta_qinv(1 - p, a, b);
    return 1 / (1 + exp(-ibeta_logit_quantile(p, a, b)));
}

double special_beta_qinv(double q, double a, double b)
{
    if (q > 0.5)
        return special_beta_pinv(1 - q, a, b);
    return 1 / (1 + exp(ibeta_logit_quantile(q, b, a)));
}

double special_log_binomial_upper(int64_t k, int64_t n, double p)
{
    if (k <= 0)
        return 0;
    if (k > n)
        return -INFINITY;
    return ibeta_log((double)k, (double)(n - k + 1), p, 1 - p);
}

/* With W = -1 - k: k - ln(1 + k) = -1 - v; Newton's steps from a bound above, down to rounding. */
double special_lambert_wm1_log(double v)
{
    double drop = -1 - v, k = drop + sqrt(2 * drop), step = k;
    for (int i = 0; i < NEWTON_STEPS_MAX && fabs(step) > 2 * DBL_EPSILON * k; i++) {
        step = (k - log1p(k) - drop) * (1 + k) / k;
        k -= step;
    }
    return -1 - k;
}

double special_lambert_wm1(double x)
{
    return x < LAMBERT_FAR ? gsl_sf_lambert_Wm1(x) : special_lambert_wm1_log(log(-x));
}

/* P(T > t), t >= 0, as a Poisson mixture of beta tails (R. V. Lenth, AS 243, 1989, for the complement): with λ = nc²/2,
 * p_j = e^-λ λ^j / j!, q_j = nc e^-λ λ^j / (√2 Γ(j + 3/2)), x = df / (df + t²):
 * 1/2 Σ [p_j I_x(df/2, j + 1/2) + q_j I_x(df/2, j + 1)], summed over the bulk of the weights. The tails are summed up, too (DLMF 8.17.21):
 * I_x(a, b + 1) = I_x(a, b) + x^a xc^b / (b B(a, b)). */
static double noncentral_t_upper(double t, double df, double nc)
{
    double lambda = nc * nc / 2, spread = 40 * sqrt(lambda) + 60, sum = 0;
    double a = df / 2, x = df / (df + t * t), xc = t * t / (df + t * t);
    if (!(x > 0) || !(xc > 0)) /* t is beyond all bounds, or 0 */
        return x > 0 ? exp(special_log_normal_q(-nc)) : 0;
    int from = (int)fmax(0, lambda - spread), to = (int)(lambda + spread), sign;
    double half = exp(ibeta_log(a, from + 0.5, x, xc)), whole = exp(ibeta_log(a, from + 1.0, x, xc));
    for (int j = from; j <= to; j++) {
        double log_power = -lambda + (j > 0 ? j * log(lambda) : 0);
        sum += exp(log_power - lgamma_r(j + 1.0, &sign)) * half;
        sum += nc / M_SQRT2 * exp(log_power - lgamma_r(j + 1.5, &sign)) * whole;
        half += exp(ibeta_log_front(a, j + 0.5, x, xc)) / (j + 0.5);
        whole += exp(ibeta_log_front(a, j + 1.0, x, xc)) / (j + 1.0);
    }
    return sum / 2;
}

/* The same for nc so large that the series would have too many terms: with T = (Z + nc)/S, S² = χ²_df/df, it is E F((nc + Z)/t), F the cdf of
 * S; to second order in Z F(s) + F''(s)/(2 t²), s = nc/t, with an error of (df/t²)². */
static double noncentral_t_far(double t, double df, double nc)
{
    double s = nc / t, x = df * s * s;
    if (s > S_NEVER)
        return 1;
    double log_density = M_LN2 + df / 2 * log(df / 2) - gsl_sf_lngamma(df / 2) + (df - 1) * log(s) - x / 2;
    double bend = exp(log_density) * ((df - 1) / s - df * s) / (2 * t * t);
    return -expm1(special_log_chi2_q(x, df)) + bend;
}

double special_noncentral_t_q(double t, double df, double nc)
{
    if (nc == 0)
        return exp(special_log_t_q(t, df));
    if (t < 0)
        return 1 - special_noncentral_t_q(-t, df, -nc);
    if (nc < -NC_NEVER)
        return 0;
    return nc > NC_FAR && t > 0 ? noncentral_t_far(t, df, nc) : noncentral_t_upper(t, df, fmin(nc, NC_FAR));
}

/* Two series of the same theta function; they meet where both need three terms. */
double special_kolmogorov_q(double x)
{
    enum { TERMS = 20 };
    double sum = 0;
    if (x < NO_DISTANCE)
        return 1;
    if (x < 1) {
        for (int k = 1; k <= TERMS; k++)
            sum += exp(-(2 * k - 1) * (2 * k - 1) * M_PI * M_PI / (8 * x * x));
        return 1 - sqrt(2 * M_PI) / x * sum;
    }
    for (int k = TERMS; k >= 1; k--)
        sum += (k % 2 ? 2 : -2) * exp(-2.0 * k * k * x * x);
    return sum;
}
