#include "stats/bayes/normal.h"

#include <math.h>

#include "stats/special/ibeta.h"
#include "stats/special/special.h"
#include "stats/special/stirling.h"

/* From here on the difference loses too much, and 100 terms of the fraction are more than enough. */
#define FRACTION_FROM 2.5
enum { FRACTION_TERMS = 100 };

static double log_density(double z)
{
    return -z * z / 2 - STIRLING_LN_SQRT_2PI;
}

/* (φ - z Q)/Q = 1/(z + 2/(z + 3/(z + …))) */
double normal_log_excess(double z)
{
    double fraction = z;
    if (z < FRACTION_FROM)
        return log(exp(log_density(z)) - z * exp(special_log_normal_q(z)));
    for (int k = FRACTION_TERMS; k >= 2; k--)
        fraction = z + k / fraction;
    return special_log_normal_q(z) - log(fraction);
}

static bool check(double effect, double se, const struct normal_prior *prior, struct err *err)
{
    if (!isfinite(effect) || !isfinite(se))
        return err_set(err, ERR_INVALID, "effect %g or se %g is not a finite number", effect, se);
    if (!(se > 0))
        return err_set(err, ERR_INVALID, "se %g is not positive: there is no uncertainty to speak of", se);
    if (!prior->proper)
        return true;
    if (!isfinite(prior->mean) || !isfinite(prior->variance))
        return err_set(err, ERR_INVALID, "prior_mean %g or prior_var %g is not a finite number", prior->mean,
                       prior->variance);
    return prior->variance > 0 || err_set(err, ERR_INVALID, "prior_var %g is not positive", prior->variance);
}

/* E max(δ, 0) = m + E max(-δ, 0): the larger loss from the smaller, so that a sure effect loses what it is. */
static void add_losses(double z, struct normal_posterior *p)
{
    double log_smaller = log(p->sd) + normal_log_excess(fabs(z));
    double log_larger = z == 0 ? log_smaller : log(fabs(p->mean) + exp(log_smaller));
    p->log_loss_ship = z >= 0 ? log_smaller : log_larger;
    p->log_loss_keep = z >= 0 ? log_larger : log_smaller;
}

/* The shares of the estimate and of the prior in the mean come from the ratio of their standard deviations: no square overflows. The Bayes
 * factor is N(effect; prior, se² + v)/N(effect; 0, se²), which is prior(0)/posterior(0) without its cancellation. */
static void combine(double effect, double se, const struct normal_prior *prior, struct normal_posterior *out)
{
    double sd = sqrt(prior->variance), size = hypot(se, sd), of_estimate = sd / size, of_prior = se / size;
    out->mean = effect * of_estimate * of_estimate + prior->mean * of_prior * of_prior;
    out->sd = se * of_estimate;
    double from_prior = (effect - prior->mean) / size, from_zero = effect / se;
    out->log_bf10 = log(of_prior) - from_prior * from_prior / 2 + from_zero * from_zero / 2;
}

bool normal_posterior(double effect, double se, const struct normal_prior *prior, struct normal_posterior *out,
                      struct err *err)
{
    struct normal_posterior p = { .mean = effect, .sd = se };
    if (!check(effect, se, prior, err))
        return false;
    if (prior->proper)
        combine(effect, se, prior, &p);
    double z = p.mean / p.sd;
    p.log_win = special_log_normal_q(-z);
    p.log_lose = special_log_normal_q(z);
    add_losses(z, &p);
    *out = p;
    return true;
}

void normal_interval(const struct normal_posterior *p, double alpha, double *out_lo, double *out_hi)
{
    double half = special_normal_qinv(alpha / 2) * p->sd;
    *out_lo = p->mean - half;
    *out_hi = p->mean + half;
}

/* The mass within is a difference of two tails on the side where they are small. */
bool normal_rope(const struct normal_posterior *p, double half_width, struct normal_rope *out, struct err *err)
{
    if (!(half_width > 0 && isfinite(half_width)))
        return err_set(err, ERR_INVALID, "rope %g is not a positive number", half_width);
    double near = (half_width - fabs(p->mean)) / p->sd, far = (half_width + fabs(p->mean)) / p->sd;
    double log_beyond_near = special_log_normal_q(near), log_beyond_far = special_log_normal_q(far);
    double log_up_to_near = special_log_normal_q(-near);
    out->log_above = p->mean >= 0 ? log_beyond_near : log_beyond_far;
    out->log_below = p->mean >= 0 ? log_beyond_far : log_beyond_near;
    out->p_in = near > 0 ? 1 - exp(log_beyond_near) - exp(log_beyond_far)
                         : exp(log_up_to_near + ibeta_log1mexp(fmin(0, log_beyond_far - log_up_to_near)));
    return true;
}
