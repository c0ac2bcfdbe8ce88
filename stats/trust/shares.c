#include "stats/trust/shares.h"

#include <math.h>

#include "stats/special/special.h"

static bool add_up(const int64_t *events, const int64_t *units, size_t n, struct shares *out, size_t *out_arms,
                   struct err *err)
{
    size_t arms = 0;
    for (size_t i = 0; i < n; i++) {
        if (events[i] < 0 || units[i] < 0)
            return err_set(err, ERR_INVALID, "a count of arm %zu is negative", i + 1);
        if (events[i] > units[i])
            return err_set(err, ERR_INVALID, "arm %zu has %lld events, more than its %lld units", i + 1,
                           (long long)events[i], (long long)units[i]);
        if (__builtin_add_overflow(out->units, units[i], &out->units))
            return err_set(err, ERR_INVALID, "the counts sum to more than 64 bits hold");
        out->events += events[i];
        arms += units[i] > 0;
    }
    *out_arms = arms;
    return arms >= 2 || err_set(err, ERR_INVALID, "fewer than two arms have units: nothing to compare");
}

/* Σ (O - E)²/E over events and the rest is Σ (O - E)²/(E (1 - s)) over the events, E = n s. */
bool shares_test(const int64_t *events, const int64_t *units, size_t n, struct shares *out, struct err *err)
{
    struct shares s = { 0 };
    size_t arms;
    if (!add_up(events, units, n, &s, &arms, err))
        return false;
    s.share = (double)s.events / (double)s.units;
    s.df = (double)(arms - 1);
    s.least_expected = INFINITY;
    double rest = (double)(s.units - s.events) / (double)s.units;
    for (size_t i = 0; i < n; i++) {
        double expected = (double)units[i] * s.share, diff = (double)events[i] - expected;
        if (units[i] == 0)
            continue;
        s.least_expected = fmin(s.least_expected, fmin(expected, (double)units[i] * rest));
        if (expected > 0 && rest > 0)
            s.chi2 += diff * (diff / expected) / rest;
    }
    s.log_p = special_log_chi2_q(s.chi2, s.df);
    *out = s;
    return true;
}
