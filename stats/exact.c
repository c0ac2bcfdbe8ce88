#include "stats/exact.h"

#include <math.h>

#include "stats/special/special.h"

#define TIE 1e-7

struct interval exact_clopper_pearson(int64_t x, int64_t n, double alpha)
{
    double successes = (double)x, failures = (double)(n - x);
    return (struct interval){
        .lo = x == 0 ? 0 : special_beta_pinv(alpha / 2, successes, failures + 1),
        .hi = x == n ? 1 : special_beta_qinv(alpha / 2, successes + 1, failures),
    };
}

/* P(X_t = k + 1) / P(X_t = k) with the margins kept. */
static double next_over_this(const struct proportions *c, int64_t k)
{
    int64_t x = c->x_c + c->x_t;
    return (double)(x - k) * (double)(c->n_t - k) / ((double)(k + 1) * (double)(c->n_c - x + k + 1));
}

struct sums {
    double all, extreme, limit;
};

static void add(struct sums *s, double weight)
{
    s->all += weight;
    if (weight <= s->limit)
        s->extreme += weight;
}

/* Weights relative to the most likely table, walked outwards until they vanish. */
bool exact_fisher_p(const struct proportions *c, double *out_p)
{
    int64_t x = c->x_c + c->x_t, first = x > c->n_c ? x - c->n_c : 0, last = x < c->n_t ? x : c->n_t;
    if (last - first >= EXACT_TABLES_MAX)
        return false;
    int64_t mode = (int64_t)(((__int128)x + 1) * (c->n_t + 1) / (c->n_c + c->n_t + 2));
    mode = mode < first ? first : mode > last ? last : mode;
    double observed = 1;
    for (int64_t k = mode; k < c->x_t && observed > 0; k++)
        observed *= next_over_this(c, k);
    for (int64_t k = mode - 1; k >= c->x_t && observed > 0; k--)
        observed /= next_over_this(c, k);
    struct sums s = { .limit = observed * (1 + TIE) };
    add(&s, 1);
    double weight = 1;
    for (int64_t k = mode; k < last && weight > 0; k++)
        add(&s, weight *= next_over_this(c, k));
    weight = 1;
    for (int64_t k = mode - 1; k >= first && weight > 0; k--)
        add(&s, weight /= next_over_this(c, k));
    *out_p = fmin(1, s.extreme / s.all);
    return true;
}
