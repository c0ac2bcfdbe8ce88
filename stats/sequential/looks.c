#include "stats/sequential/looks.h"

#include <math.h>

#include "stats/sequential/plan.h"
#include "stats/special/special.h"

#define LOG_ALPHA_MAX (-1e-6) /* just below 1 */
enum { P_STEPS = 60 };

static bool haybittle_peto(const struct bounds_plan *p, struct bounds *b, struct err *err)
{
    double interim = special_normal_qinv(p->alpha * PLAN_HAYBITTLE_PETO_SHARE / 2);
    if (p->t[p->looks - 1] >= 1)
        return bounds_haybittle_peto(p, interim, b, err);
    for (size_t i = 0; i < p->looks; i++)
        b->z[i] = interim;
    return true;
}

bool looks_bounds(const struct looks_plan *p, const double *t, size_t n, double alpha, double *out, struct err *err)
{
    struct bounds_plan plan = { .t = t, .looks = n, .alpha = alpha, .sides = 2 };
    struct bounds b;
    if (!exits_check_looks(t, n, err))
        return false;
    if (!(p->haybittle_peto ? haybittle_peto(&plan, &b, err) : bounds_spending(&plan, &p->spending, &b, err)))
        return false;
    for (size_t i = 0; i < n; i++)
        out[i] = b.z[i];
    return true;
}

bool looks_stop(const struct looks_plan *p, const struct looks *l, double alpha, size_t *out, struct err *err)
{
    double z[EXITS_LOOKS_MAX];
    if (!looks_bounds(p, l->t, l->n, alpha, z, err))
        return false;
    *out = 0;
    for (size_t i = 0; i < l->n && *out == 0; i++)
        *out = fabs(l->z[i]) >= z[i] ? i + 1 : 0;
    return true;
}

static bool rejects(const struct looks_plan *p, const struct looks *l, double log_alpha, bool *out, struct err *err)
{
    size_t at;
    if (!looks_stop(p, l, exp(log_alpha), &at, err))
        return false;
    *out = at > 0;
    return true;
}

/* Bisection on ln alpha: whoever rejects at one level rejects at every larger one, for bounds fall as alpha grows. */
bool looks_log_p(const struct looks_plan *p, const struct looks *l, double *out, struct err *err)
{
    double lo = LOOKS_LOG_P_MIN, hi = LOG_ALPHA_MAX;
    bool yes;
    if (!rejects(p, l, lo, &yes, err))
        return false;
    if (yes) {
        *out = lo;
        return true;
    }
    if (!rejects(p, l, hi, &yes, err))
        return false;
    for (int i = 0; yes && i < P_STEPS && hi - lo > 1e-9; i++) {
        double mid = (lo + hi) / 2;
        if (!rejects(p, l, mid, &yes, err))
            return false;
        *(yes ? &hi : &lo) = mid;
        yes = true;
    }
    *out = yes ? hi : 0;
    return true;
}

bool looks_stopped(const struct looks_plan *p, const struct looks *l, size_t at, double alpha, struct stopped *out,
                   struct err *err)
{
    double z[EXITS_LOOKS_MAX];
    if (at < 1 || at > l->n)
        return err_set(err, ERR_INVALID, "look %zu is not one of the %zu taken", at, l->n);
    if (!looks_bounds(p, l->t, at, alpha, z, err))
        return false;
    struct exits_design d = { .t = l->t, .z = z, .looks = at, .sides = 2 };
    return stopped_result(&d, at, l->z[at - 1], alpha, out, err);
}
