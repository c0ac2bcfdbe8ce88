/* nominal.h - whether something happened in the share of the runs that it should, up to the noise that so many runs have. */
#pragma once
#include <criterion/criterion.h>
#include <math.h>

#define NOMINAL_NOISE 4.0 /* standard errors */

/* slack: what the method itself is known to be off by. */
static inline void nominal(int count, int runs, double share, double slack, const char *what)
{
    double bound = NOMINAL_NOISE * sqrt(share * (1 - share) / runs) + slack, got = (double)count / runs;
    cr_log_info("%s: %.4f of %d runs, %.4f ± %.4f", what, got, runs, share, bound);
    cr_assert(fabs(got - share) <= bound, "%s: %.4f of the runs, not %.4f ± %.4f", what, got, share, bound);
}

/* Of what may happen in less than `share` of the runs, and must not in more. */
static inline void nominal_at_most(int count, int runs, double share, const char *what)
{
    double bound = share + NOMINAL_NOISE * sqrt(share * (1 - share) / runs), got = (double)count / runs;
    cr_log_info("%s: %.4f of %d runs, at most %.4f", what, got, runs, bound);
    cr_assert(got <= bound, "%s: %.4f of the runs, more than %.4f", what, got, bound);
}
