#include "trainer/kernels/decay.h"

#include <math.h>
#include <stddef.h>

/* 2^x for x in [-1/2, 1/2], as the series of e^(x ln 2): its term of power 15 is below 2^-60. */
static double exp2_small(double x)
{
    static const double terms[] = {
        1, /* 1 / n! */
        1,           1 / 2.0,      1 / 6.0,       1 / 24.0,       1 / 120.0,       1 / 720.0,        1 / 5040.0,
        1 / 40320.0, 1 / 362880.0, 1 / 3628800.0, 1 / 39916800.0, 1 / 479001600.0, 1 / 6227020800.0, 1 / 87178291200.0
    };
    const double z = x * 0.69314718055994530942;
    double sum = 0;
    for (size_t n = sizeof terms / sizeof *terms; n-- > 0;)
        sum = sum * z + terms[n];
    return sum;
}

double decay_factor(int64_t age_us, int64_t half_life_us)
{
    if (half_life_us == 0)
        return 1;
    double halves = (double)age_us / (double)half_life_us, whole = nearbyint(halves);
    if (whole > 1000)
        return 0;
    if (whole < -1000)
        whole = -1000;
    return ldexp(exp2_small(whole - halves), -(int)whole);
}

decay_sum decay_share(int64_t age_us, int64_t half_life_us)
{
    return (decay_sum)(uint64_t)ldexp(decay_factor(age_us, half_life_us), DECAY_BITS);
}

double decay_of(decay_sum sum)
{
    return ldexp((double)sum, -DECAY_BITS);
}
