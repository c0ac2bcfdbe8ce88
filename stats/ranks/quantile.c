#include "stats/ranks/quantile.h"

#include <math.h>

#include "stats/ratio.h"

bool quantile_check(double q, struct err *err)
{
    return (q > 0 && q < 1) || err_set(err, ERR_INVALID, "q %g is not between 0 and 1", q);
}

/* fma gives what the rounding of n q has lost: a product just above a whole number belongs to the next one. */
int64_t quantile_rank(int64_t n, double q)
{
    double at = (double)n * q, lost = fma((double)n, q, -at), up = ceil(at);
    return (int64_t)fmax(1, fmin((double)n, up == at && lost > 0 ? up + 1 : up));
}

/* False when a rank lies outside the events, and the range goes to the end of them instead. */
static bool ranks_around(int64_t n, double q, double half, struct quantile_range *out)
{
    double count = (double)n, lo = floor(count * (q - half)), hi = floor(count * (q + half)) + 1;
    *out = (struct quantile_range){ .rank_lo = (int64_t)fmax(1, fmin(count, lo)),
                                    .rank_hi = (int64_t)fmax(1, fmin(count, hi)) };
    return lo >= 1 && hi <= count;
}

bool quantile_plan(const struct moments2 *m, int64_t events, double q, double z, struct quantile *out, struct err *err)
{
    struct estimate share;
    if (!quantile_check(q, err))
        return false;
    if (events < 1)
        return err_set(err, ERR_INVALID, "there are no events");
    if (!ratio_estimate(m, &share, err))
        return false;
    double n = (double)events;
    struct quantile p = { .events = events, .units = m->n, .rank = quantile_rank(events, q), .share = share.value };
    p.var_iid = q * (1 - q) / n;
    p.var_clustered = share.variance;
    bool outer = ranks_around(events, q, z * sqrt(p.var_clustered), &p.outer);
    p.reliable = ranks_around(events, q, z * sqrt(p.var_iid), &p.iid) && outer;
    *out = p;
    return true;
}

void quantile_conclude(double z, struct quantile *q)
{
    double half = (q->iid.hi - q->iid.lo) / (2 * z);
    q->se_outer = (q->outer.hi - q->outer.lo) / (2 * z);
    q->variance_iid = half * half;
    q->variance_scaled = q->variance_iid * (q->var_clustered / q->var_iid);
}

bool quantile_of_sorted(const double *sorted, int64_t events, const struct moments2 *m, double q, double z,
                        struct quantile *out, struct err *err)
{
    struct quantile p;
    if (!quantile_plan(m, events, q, z, &p, err))
        return false;
    p.value = sorted[p.rank - 1];
    p.outer.lo = sorted[p.outer.rank_lo - 1];
    p.outer.hi = sorted[p.outer.rank_hi - 1];
    p.iid.lo = sorted[p.iid.rank_lo - 1];
    p.iid.hi = sorted[p.iid.rank_hi - 1];
    quantile_conclude(z, &p);
    *out = p;
    return true;
}

struct estimate quantile_estimate(const struct quantile *q)
{
    return (struct estimate){ q->value, q->se_outer * q->se_outer, INFINITY };
}
