#include "stats/rates/rates.h"

#include <math.h>

#include "stats/special/igamma.h"
#include "stats/special/root.h"
#include "stats/special/special.h"

/* Beyond this many standard deviations above the mean no quantile that is asked for lies. */
#define SPREADS 40.0

double rates_log_p(struct rates_counts c, double share)
{
    return c.target == 0 ? 0 : special_log_binomial_upper(c.target, c.target + c.reference, share);
}

double rates_shape(const struct rates_counts *counts, size_t n, double share)
{
    double k = share / (1 - share), left = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        double expected = k * (double)counts[i].reference, off = (double)counts[i].target - expected;
        left += off * off - expected - k * expected;
        squares += expected * expected;
    }
    return left > 0 && squares > 0 ? fmin(RATES_SHAPE_MAX, fmax(RATES_SHAPE_MIN, squares / left)) : RATES_SHAPE_MAX;
}

struct gamma_point {
    double shape, log_q;
};

static double above(const void *arg, double x)
{
    const struct gamma_point *g = arg;
    return igamma_log_q(g->shape, x) - g->log_q;
}

/* The x with Q(shape, x) = q. */
static double gamma_quantile(double shape, double q)
{
    const struct gamma_point g = { shape, log(q) };
    return root_find(above, &g, 0, shape + SPREADS * sqrt(shape) + SPREADS);
}

struct rates_shrunk rates_shrink(struct rates_counts c, double share, double shape, double level)
{
    double tail = (1 - level) / 2, events = (double)c.target + shape;
    double expected = (double)c.reference * share / (1 - share) + shape;
    return (struct rates_shrunk){ .ratio = events / expected,
                                  .low = gamma_quantile(events, 1 - tail) / expected,
                                  .high = gamma_quantile(events, tail) / expected };
}
