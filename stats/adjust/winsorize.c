#include "stats/adjust/winsorize.h"

#include <math.h>

#include "stats/ranks/sorted.h"

bool winsorize_cuts(const double *pooled_sorted, size_t n, double lower, double upper, struct winsorize_cuts *out,
                    struct err *err)
{
    if (!(lower >= 0 && lower < upper && upper <= 1))
        return err_set(err, ERR_INVALID, "lower %g and upper %g are not ascending levels from 0 to 1", lower, upper);
    if (n == 0)
        return err_set(err, ERR_INVALID, "there are no values to cut");
    *out = (struct winsorize_cuts){ sorted_quantile(pooled_sorted, n, lower),
                                    sorted_quantile(pooled_sorted, n, upper) };
    return true;
}

void winsorize_add(struct winsorized *w, const struct winsorize_cuts *cuts, double x)
{
    double capped = fmax(cuts->lo, fmin(cuts->hi, x));
    w->capped += capped != x;
    moments_add(&w->m, capped);
}

void winsorize_merge(struct winsorized *into, const struct winsorized *other)
{
    into->capped += other->capped;
    moments_merge(&into->m, &other->m);
}

bool winsorize_yuen(const double *sorted, size_t n, double trim, struct estimate *out, struct err *err)
{
    struct winsorized all = { 0 };
    struct moments kept = { 0 };
    if (!(trim >= 0 && trim < 0.5))
        return err_set(err, ERR_INVALID, "trim %g is not from 0 to below 1/2", trim);
    size_t cut = (size_t)floor(trim * (double)n);
    if (n < 2 + 2 * cut)
        return err_set(err, ERR_INVALID, "%zu values are left of %zu, at least 2 are needed", n - 2 * cut, n);
    const struct winsorize_cuts cuts = { sorted[cut], sorted[n - 1 - cut] };
    for (size_t i = 0; i < n; i++) {
        winsorize_add(&all, &cuts, sorted[i]);
        if (i >= cut && i < n - cut)
            moments_add(&kept, sorted[i]);
    }
    double h = (double)kept.n;
    *out = (struct estimate){ kept.mean, all.m.m2 / h / (h - 1), h - 1 };
    return true;
}
