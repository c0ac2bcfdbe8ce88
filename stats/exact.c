#include "stats/exact.h"

#include <math.h>

#include "stats/special/special.h"
#include "stats/special/stirling.h"

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

/* ln of the binomial probability of k of n, without what cancels between the three of a hypergeometric one: n!, (n - k)! and k! as stirling.h has
 * them (C. Loader, 2000; so does R's dhyper). */
static double log_binomial(double k, double n, double p)
{
    if (k <= 0 || k >= n)
        return n * (k <= 0 ? log1p(-p) : log(p));
    double q = 1 - p;
    return stirling_error(n) - stirling_error(k) - stirling_error(n - k) - stirling_deviance(k, n * p, k - n * p) -
           stirling_deviance(n - k, n * q, n * p - k) - STIRLING_LN_SQRT_2PI - 0.5 * log(k / n * (n - k));
}

double exact_log_together(int64_t k, int64_t n_a, int64_t n_b, int64_t n)
{
    if ((double)k * (double)n <= (double)n_a * (double)n_b)
        return 0;
    if (n_b == n)
        return 0; /* k cannot be another */
    double p = (double)n_b / (double)n, term = 1, sum = 1;
    double first = log_binomial((double)k, (double)n_a, p) + log_binomial((double)(n_b - k), (double)(n - n_a), p) -
                   log_binomial((double)n_b, (double)n, p);
    int64_t last = n_a < n_b ? n_a : n_b;
    for (int64_t i = k; i < last && term > sum * 1e-17; i++) {
        term *= (double)(n_a - i) * (double)(n_b - i) / ((double)(i + 1) * (double)(n - n_a - n_b + i + 1));
        sum += term;
    }
    return fmin(0, first + log(sum));
}
