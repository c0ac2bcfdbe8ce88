#include "stats/multiple/shrink.h"

#include <math.h>

#include "stats/special/root.h"

/* Effects and standard errors in units of the least standard error, so that no square leaves the doubles where the input has not. */
struct given {
    const double *effects, *ses;
    size_t n;
    double unit;
};

static double effect_of(const struct given *g, size_t k)
{
    return (g->effects[k] - g->effects[0]) / g->unit;
}

static double variance_of(const struct given *g, size_t k)
{
    double se = g->ses[k] / g->unit;
    return se * se;
}

/* Running, so that weights of any size are added to a mean of theirs. */
static double mean_at(const struct given *g, double a)
{
    double sum = 0, mean = 0;
    for (size_t k = 0; k < g->n; k++) {
        double w = 1 / (variance_of(g, k) + a);
        sum += w;
        mean += w / sum * (effect_of(g, k) - mean);
    }
    return mean;
}

/* ΣW(y - μ)² - (K - 1): falls with A. */
static double excess(const void *arg, double a)
{
    const struct given *g = arg;
    double mean = mean_at(g, a), q = 0;
    for (size_t k = 0; k < g->n; k++) {
        double d = effect_of(g, k) - mean;
        q += d / (variance_of(g, k) + a) * d;
    }
    return q - (double)(g->n - 1);
}

/* Beyond Σ(y - μ)² the sum is below 1. */
static double between(const struct given *g)
{
    double mean = mean_at(g, 0), sum = 0;
    if (excess(g, 0) <= 0)
        return 0;
    for (size_t k = 0; k < g->n; k++)
        sum += (effect_of(g, k) - mean) * (effect_of(g, k) - mean);
    return root_find(excess, g, 0, sum);
}

static bool check(const double *effects, const double *ses, size_t n, struct err *err)
{
    if (n < SHRINK_MIN)
        return err_set(err, ERR_INVALID, "there are %zu effects, shrinkage needs at least %d", n, SHRINK_MIN);
    for (size_t k = 0; k < n; k++) {
        if (!isfinite(effects[k]))
            return err_set(err, ERR_INVALID, "effect %zu is not a finite number", k + 1);
        if (!(ses[k] > 0) || !isfinite(ses[k]))
            return err_set(err, ERR_INVALID, "standard error %zu is %g, not a number above 0", k + 1, ses[k]);
    }
    return true;
}

static struct given given_of(const double *effects, const double *ses, size_t n)
{
    struct given g = { effects, ses, n, ses[0] };
    for (size_t k = 1; k < n; k++)
        g.unit = fmin(g.unit, ses[k]);
    return g;
}

static struct shrunk shrunk_of(const struct given *g, size_t k, double mean, double a, double weights, double v_mean)
{
    double v = variance_of(g, k), w = 1 / (v + a), d = effect_of(g, k) - mean, free = (double)g->n - 3;
    double b = free / ((double)g->n - 1) * v * w;
    double s2 = v * (1 - (1 - w / weights) * b) + 2 / free * b * b * w * (v_mean + a) * d * d;
    return (struct shrunk){ g->effects[k] - b * d * g->unit, sqrt(s2) * g->unit, b };
}

bool shrink_effects(const double *effects, const double *ses, size_t n, struct shrink *out, struct shrunk *out_each,
                    struct err *err)
{
    if (!check(effects, ses, n, err))
        return false;
    struct given g = given_of(effects, ses, n);
    double a = between(&g), mean = mean_at(&g, a), weights = 0;
    for (size_t k = 0; k < n; k++)
        weights += 1 / (variance_of(&g, k) + a);
    double v_mean = (double)n / weights - a; /* ΣWV = K - AΣW */
    for (size_t k = 0; k < n; k++)
        out_each[k] = shrunk_of(&g, k, mean, a, weights, v_mean);
    *out = (struct shrink){ effects[0] + mean * g.unit, a * g.unit * g.unit };
    double finite = out->mean + out->variance;
    for (size_t k = 0; k < n; k++)
        finite += out_each[k].effect + out_each[k].se;
    return isfinite(finite) || err_set(err, ERR_INVALID, "the effects are too large beside their standard errors");
}
