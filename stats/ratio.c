#include "stats/ratio.h"

#include <math.h>

/* cov² may pass var var by rounding, not by more. Where the squares overflow (moments of 1e77 and more) nothing is refused: the
 * reference table has such a case and wants a number. */
#define COVARIANCE_SLACK 1e-9

static bool check_moments(const struct moments2 *m, struct err *err)
{
    if (m->n < 1)
        return err_set(err, ERR_INVALID, "the variant has no units, at least 2 are needed");
    if (m->n < 2)
        return err_set(err, ERR_INVALID, "the variant has 1 unit, at least 2 are needed");
    if (!isfinite(m->mean_x) || !isfinite(m->mean_y) || !isfinite(m->m2_x) || !isfinite(m->m2_y) || !isfinite(m->cxy))
        return err_set(err, ERR_INVALID, "the moments are not finite numbers");
    if (m->m2_x < 0 || m->m2_y < 0)
        return err_set(err, ERR_INVALID, "a variance is negative");
    if (m->cxy * m->cxy > m->m2_x * m->m2_y * (1 + COVARIANCE_SLACK))
        return err_set(err, ERR_INVALID, "the covariance is larger than the variances allow");
    if (m->mean_y == 0)
        return err_set(err, ERR_INVALID, "the metric's denominator is 0: nothing that it counts has happened");
    return true;
}

bool ratio_estimate(const struct moments2 *m, struct estimate *out, struct err *err)
{
    if (!check_moments(m, err))
        return false;
    double y = m->mean_y, r = m->mean_x / y;
    /* each term over mean_y² before they meet: squares of 1e200 would overflow */
    double xx = m->m2_x / y / y, xy = r * (m->cxy / y / y), yy = r * r * (m->m2_y / y / y);
    double residual = xx - 2 * xy + yy, n = (double)m->n;
    if (residual <= RATIO_NOISE * (xx + yy))
        residual = 0;
    *out = (struct estimate){ .value = r, .variance = residual / (n - 1) / n, .df = n - 1 };
    return true;
}
