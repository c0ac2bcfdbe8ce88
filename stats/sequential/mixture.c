#include "stats/sequential/mixture.h"

#include <gsl/gsl_sf_zeta.h>
#include <math.h>

#include "stats/special/ibeta.h"
#include "stats/special/root.h"
#include "stats/special/special.h"
#include "stats/special/stirling.h"

/* The least precision of a beta mixture, in steps: confseq's choice for times too early for any. */
#define R_LEAST 1e-3
/* Steps that are further from 1 leave no room for sums in a double. */
#define STEP_LEAST 1e-12
/* Shares from 1e-300 on: the logit of the least. */
#define LOGIT_FAR 690.0
/* From here on five terms of Mills' ratio are right to 1e-12. */
#define MILLS_FROM 30.0

bool mixture_check(double v, double alpha, double v_opt, double alpha_opt, bool one_sided, struct err *err)
{
    if (!(v > 0) || !isfinite(v))
        return err_set(err, ERR_INVALID, "v is %g, not a number above 0", v);
    if (!(v_opt > 0) || !isfinite(v_opt))
        return err_set(err, ERR_INVALID, "v_opt is %g, not a number above 0", v_opt);
    if (!(alpha > 0 && alpha < 1))
        return err_set(err, ERR_INVALID, "alpha %g is not between 0 and 1", alpha);
    if (!(alpha_opt > 0 && alpha_opt < (one_sided ? 0.5 : 1)))
        return err_set(err, ERR_INVALID, "alpha_opt %g is not between 0 and %s", alpha_opt, one_sided ? "1/2" : "1");
    return true;
}

/* ---- normal ---- */

/* ρ = v_opt / (2 ln(1/a) + ln(1 + 2 ln(1/a))), a = alpha_opt, twice that for one side. */
struct mixture_normal mixture_normal(double v_opt, double alpha_opt, bool one_sided)
{
    double drop = -2 * log(one_sided ? 2 * alpha_opt : alpha_opt);
    return (struct mixture_normal){ v_opt / (drop + log1p(drop)), one_sided };
}

/* z²/2 + ln Φ(z). Far below 0 the two cancel, and what is left is Mills' ratio. */
static double log_scaled_cdf(double z)
{
    if (z > -MILLS_FROM)
        return z * z / 2 + special_log_normal_q(-z);
    double x = 1 / (z * z);
    return log1p(-x * (1 - x * (3 - x * (15 - x * 105)))) - log(-z) - STIRLING_LN_SQRT_2PI;
}

/* With z = s/√(v + ρ): ln √(ρ/(v + ρ)) + z²/2, of one side + ln 2 Φ(z). */
double mixture_normal_log(const struct mixture_normal *m, double s, double v)
{
    double z = s / sqrt(v + m->rho);
    return -0.5 * log1p(v / m->rho) + (m->one_sided ? M_LN2 + log_scaled_cdf(z) : z * z / 2);
}

struct normal_at {
    const struct mixture_normal *m;
    double v, target;
};

static double normal_excess(const void *arg, double s)
{
    const struct normal_at *a = arg;
    return mixture_normal_log(a->m, s, a->v) - a->target;
}

/* Of two sides √((v + ρ) (ln(1 + v/ρ) + 2 ln(1/alpha))); that of one side is below it, and found as a root. */
double mixture_normal_bound(const struct mixture_normal *m, double v, double alpha)
{
    double two = sqrt((v + m->rho) * (log1p(v / m->rho) - 2 * log(alpha)));
    const struct normal_at a = { m, v, -log(alpha) };
    return m->one_sided ? root_find(normal_excess, &a, 0, two) : two;
}

/* ---- beta-binomial ---- */

bool mixture_beta(double v_opt, double alpha_opt, double g, double h, bool one_sided, struct mixture_beta *out,
                  struct err *err)
{
    if (!(g >= STEP_LEAST && g <= 1 / STEP_LEAST) || !(h >= STEP_LEAST && h <= 1 / STEP_LEAST))
        return err_set(err, ERR_INVALID, "the steps g and h are %g and %g, not from %g to %g", g, h, STEP_LEAST,
                       1 / STEP_LEAST);
    double rho = mixture_normal(v_opt, alpha_opt, one_sided).rho;
    *out = (struct mixture_beta){ g, h, fmax(rho - g * h, R_LEAST * g * h), one_sided };
    return true;
}

/* Two cells of counts, of shares, and a beta prior of `prior` units on the first share: ln [B(α + n)/B(α)] - Σ n_i ln w_i, by Stirling's
 * formula with its errors, so that nothing cancels (srm_log_bayes_factor has the derivation; here counts may have fractions). */
static double log_two_cells(const double counts[2], const double shares[2], double prior)
{
    double units = counts[0] + counts[1], total = prior + units;
    double sum = 0.5 * log1p(units / prior) - (stirling_error(total) - stirling_error(prior));
    for (int i = 0; i < 2; i++) {
        double before = prior * shares[i], after = before + counts[i];
        sum += stirling_deviance(after, total * shares[i], counts[i] - units * shares[i]);
        sum += stirling_error(after) - stirling_error(before) - 0.5 * log1p(counts[i] / before);
    }
    return sum;
}

/* Steps up by h and down by g, of which a fair game has g/(g + h) up: the sum s at time v = n g h is made of (v/h + s)/(g + h) steps up
 * and (v/g - s)/(g + h) down. One side: the prior is cut to shares above the fair one. */
double mixture_beta_log(const struct mixture_beta *m, double s, double v)
{
    double g = m->g, h = m->h, all = g + h;
    double up = fmax(0, (v / h + s) / all), down = fmax(0, (v / g - s) / all), prior = m->r / (g * h);
    double log_two = log_two_cells((const double[]){ up, down }, (const double[]){ g / all, h / all }, prior);
    if (!m->one_sided)
        return log_two;
    double a = prior * h / all, b = prior * g / all, x = h / all, xc = g / all;
    return log_two + ibeta_log(a + down, b + up, x, xc) - ibeta_log(a, b, x, xc);
}

struct beta_at {
    const struct mixture_beta *m;
    double v, target;
};

static double beta_excess(const void *arg, double s)
{
    const struct beta_at *a = arg;
    return mixture_beta_log(a->m, s, a->v) - a->target;
}

double mixture_beta_bound(const struct mixture_beta *m, double v, double alpha)
{
    const struct beta_at a = { m, v, -log(alpha) };
    double most = v / m->g;
    return beta_excess(&a, most) > 0 ? root_find(beta_excess, &a, 0, most) : most;
}

/* ---- stitching ---- */

/* k1 = (η^¼ + η^-¼)/√2, k2 = (√η + 1)/2, l = s ln ln(η v/v_min) + ln(ζ(s)/(alpha (ln η)^s)). */
bool mixture_stitched(const struct mixture_stitch *m, double v, double alpha, double *out, struct err *err)
{
    if (!mixture_check(v, alpha, m->v_min, alpha, false, err))
        return false;
    if (!(m->s > 1) || !isfinite(m->s) || !(m->eta > 1) || !isfinite(m->eta) || !(m->c >= 0) || !isfinite(m->c))
        return err_set(err, ERR_INVALID, "stitching takes s and eta above 1 and c from 0, not %g, %g and %g", m->s,
                       m->eta, m->c);
    double k1 = (pow(m->eta, 0.25) + pow(m->eta, -0.25)) / M_SQRT2, k2 = (sqrt(m->eta) + 1) / 2, at = fmax(v, m->v_min);
    gsl_sf_result zeta;
    if (gsl_sf_zeta_e(m->s, &zeta) != 0)
        return err_set(err, ERR_INVALID, "s is %g, for which there is no zeta function", m->s);
    double l = m->s * log(log(m->eta * at / m->v_min)) + log(zeta.val / alpha) - m->s * log(log(m->eta));
    double line = k2 * m->c * l;
    *out = sqrt(k1 * k1 * at * l + line * line) + line;
    return true;
}

/* ---- a share ---- */

struct share_at {
    double counts[2], prior, target;
};

/* Rises away from the observed share on either side. */
static double share_excess(const void *arg, double logit)
{
    const struct share_at *a = arg;
    const double shares[2] = { 1 / (1 + exp(-logit)), 1 / (1 + exp(logit)) };
    return log_two_cells(a->counts, shares, a->prior) - a->target;
}

/* All shares p that the mixture with prior Beta(p k, (1 - p) k) does not reject: the boundary of beta-binomial sums with g = p, h = 1 - p,
 * v = n p (1 - p), in which the precision r = k p (1 - p) is tuned for v_opt = t_opt p (1 - p), so that k is the same for all p. */
bool mixture_bernoulli(int64_t x, int64_t n, double alpha, double t_opt, double alpha_opt, struct interval *out,
                       struct err *err)
{
    if (n < 1 || n > PROPORTION_COUNT_MAX || x < 0 || x > n)
        return err_set(err, ERR_INVALID, "%lld successes of %lld trials are no counts", (long long)x, (long long)n);
    if (!mixture_check(t_opt, alpha, t_opt, alpha_opt, false, err))
        return false;
    double prior = fmax(mixture_normal(t_opt, alpha_opt, false).rho - 1, R_LEAST);
    const struct share_at a = { { (double)x, (double)(n - x) }, prior, -log(alpha) };
    double middle = fmax(-LOGIT_FAR, fmin(LOGIT_FAR, log((double)x / (double)(n - x))));
    bool low = x > 0 && share_excess(&a, -LOGIT_FAR) > 0, high = x < n && share_excess(&a, LOGIT_FAR) > 0;
    out->lo = low ? 1 / (1 + exp(-root_find(share_excess, &a, middle, -LOGIT_FAR))) : 0;
    out->hi = high ? 1 / (1 + exp(-root_find(share_excess, &a, middle, LOGIT_FAR))) : 1;
    return true;
}

/* ---- t ---- */

/* M. Lindon, D. Ham, M. Tingley, I. Bojinov, "Anytime-valid linear models" (arXiv 2210.08589): with r = g/(g + n),
 * ln e = ln(r)/2 + (df + 1)/2 [ln(1 + t²/df) - ln(1 + r t²/df)]. It reaches ln(1/alpha) where (1 + u)/(1 + r u) = q, u = t²/df,
 * ln q = (2 ln(1/alpha) - ln r)/(df + 1): u = (q - 1)/(1 - r q), never when r q >= 1. */
bool mixture_t(double t, double df, double n, double g, double alpha, struct mixture_t *out, struct err *err)
{
    if (!isfinite(t))
        return err_set(err, ERR_INVALID, "t is not a finite number");
    if (!(df > 0) || !isfinite(df))
        return err_set(err, ERR_INVALID, "the degrees of freedom are %g, not a number above 0", df);
    if (!(n > 0) || !(g > 0) || !isfinite(n) || !isfinite(g))
        return err_set(err, ERR_INVALID, "n and g are %g and %g, not numbers above 0", n, g);
    if (!(alpha > 0 && alpha < 1))
        return err_set(err, ERR_INVALID, "alpha %g is not between 0 and 1", alpha);
    double r = g / (g + n), u = t / df * t, log_q = (-2 * log(alpha) - log(r)) / (df + 1), rest = 1 - r * exp(log_q);
    double gain = isfinite(u) ? log1p(u) - log1p(r * u) : -log(r);
    out->log_e = 0.5 * log(r) + (df + 1) / 2 * gain;
    out->log_p = fmin(0, -out->log_e);
    out->radius = rest > 0 ? sqrt(df * expm1(log_q) / rest) : INFINITY;
    return true;
}
