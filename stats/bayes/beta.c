#include "stats/bayes/beta.h"

#include <math.h>

#include "stats/special/special.h"

bool beta_posterior(int64_t x, int64_t n, const struct beta_prior *prior, struct best_arm *out, struct err *err)
{
    if (x < 0 || n < 0)
        return err_set(err, ERR_INVALID, "x %lld or n %lld is negative", (long long)x, (long long)n);
    if (x > n)
        return err_set(err, ERR_INVALID, "x %lld is larger than n %lld", (long long)x, (long long)n);
    if (!(isfinite(prior->alpha) && isfinite(prior->beta) && prior->alpha > 0 && prior->beta > 0))
        return err_set(err, ERR_INVALID, "prior_alpha %g and prior_beta %g must be positive numbers", prior->alpha,
                       prior->beta);
    *out = (struct best_arm){ prior->alpha + (double)x, prior->beta + (double)(n - x) };
    return true;
}

double beta_mean(const struct best_arm *arm)
{
    return arm->a / (arm->a + arm->b);
}

void beta_interval(const struct best_arm *arm, double alpha, double *out_lo, double *out_hi)
{
    *out_lo = special_beta_pinv(alpha / 2, arm->a, arm->b);
    *out_hi = special_beta_qinv(alpha / 2, arm->a, arm->b);
}
