#include "stats/special/root.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

enum { STEPS_MAX = 200 };
/* A step, relative to the root, that is rounding. */
#define NEAR (2 * DBL_EPSILON)

/* C. Ridders' method (IEEE Trans. Circuits Syst. 26, 1979): bracketed, of second order, no derivative. */
double root_find(root_fn f, const void *arg, double from, double to)
{
    double lo = from, hi = to, f_lo = f(arg, lo), f_hi = f(arg, hi), best = to;
    if (f_lo == 0)
        return lo;
    for (int i = 0; i < STEPS_MAX && f_hi != 0 && fabs(hi - lo) > NEAR * fabs(hi); i++) {
        double mid = lo + (hi - lo) / 2, f_mid = f(arg, mid), norm = sqrt(f_mid * f_mid - f_lo * f_hi), was = best;
        if (f_mid == 0)
            return mid;
        best = norm > 0 ? mid + (mid - lo) * copysign(1, f_lo - f_hi) * f_mid / norm : mid;
        double f_best = f(arg, best);
        if (f_best == 0 || (i && fabs(best - was) <= NEAR * fabs(best)))
            return best;
        /* The narrowest bracket of the four points. */
        if ((f_mid > 0) != (f_best > 0)) {
            lo = mid, f_lo = f_mid, hi = best, f_hi = f_best;
        } else if ((f_best > 0) != (f_lo > 0)) {
            hi = best, f_hi = f_best;
        } else {
            lo = best, f_lo = f_best;
        }
    }
    return hi;
}
