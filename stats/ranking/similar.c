#include "stats/ranking/similar.h"

#include <math.h>

static bool has(const uint32_t *list, size_t n, uint32_t item)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == item)
            return true;
    return false;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What depth d adds to |A_d ∩ B_d|, d from 1. */
static size_t step(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b, size_t d)
{
    size_t more = 0;
    if (d <= n_a)
        more += has(b, smaller(d, n_b), a[d - 1]);
    if (d <= n_b)
        more += has(a, smaller(d - 1, n_a), b[d - 1]);
    return more;
}

bool similar_lists(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b, double p, struct similar *out,
                   struct err *err)
{
    if (!(p > 0 && p < 1))
        return err_set(err, ERR_INVALID, "p is %g, not between 0 and 1", p);
    size_t s = smaller(n_a, n_b), l = n_a > n_b ? n_a : n_b, x = 0, x_s = 0;
    double agreement = 0, extrapolated = 0, weight = 1;
    for (size_t d = 1; d <= l; d++, weight *= p) {
        x += step(a, n_a, b, n_b, d);
        if (d == s)
            x_s = x;
        agreement += weight * (double)x / (double)d;
        extrapolated += weight * (double)x / (double)d;
        if (d > s && s)
            extrapolated += weight * (double)x_s * (double)(d - s) / ((double)s * (double)d);
    }
    *out = (struct similar){ .common = x };
    if (l == 0)
        return true;
    out->rbo_truncated = (1 - p) / -expm1((double)l * log(p)) * agreement;
    double beyond = (double)(x - x_s) / (double)l + (s ? (double)x_s / (double)s : 0);
    out->rbo = (1 - p) * extrapolated + beyond * weight;
    out->jaccard = (double)x / (double)(n_a + n_b - x);
    out->overlap = (double)x / (double)l;
    return true;
}

static double sum(const uint64_t *counts, size_t items)
{
    double total = 0;
    for (size_t i = 0; i < items; i++)
        total += (double)counts[i];
    return total;
}

double similar_frequency(const uint64_t *counts_a, const uint64_t *counts_b, size_t items)
{
    double n_a = sum(counts_a, items), n_b = sum(counts_b, items), both = 0, all = 0;
    if (!(n_a > 0 && n_b > 0))
        return 0;
    for (size_t i = 0; i < items; i++) {
        double weight = ((double)counts_a[i] / n_a + (double)counts_b[i] / n_b) / 2;
        all += weight;
        if (counts_a[i] && counts_b[i])
            both += weight;
    }
    return both / all;
}
