#include "stats/special/stirling.h"

#include <math.h>

enum { SERIES_FROM = 15, TERMS_MAX = 1000 };

double stirling_error(double n)
{
    if (n <= SERIES_FROM) {
        int sign;
        return lgamma_r(n + 1, &sign) - (n + 0.5) * log(n) + n - STIRLING_LN_SQRT_2PI;
    }
    /* Bernoulli numbers B_2k / (2k (2k - 1)), the asymptotic series of ln Γ; the next term is below 2e-16 from 15 on */
    double nn = n * n;
    return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - (1.0 / 1188) / nn) / nn) / nn) / nn) / n;
}

double stirling_deviance(double x, double m, double diff)
{
    if (x <= 0)
        return m;
    if (fabs(diff) >= 0.1 * (x + m))
        return x * log(x / m) - diff;
    /* With v = (x - m) / (x + m): ln(x / m) = 2 (v + v³/3 + v⁵/5 + …), hence diff v + 2 x (v³/3 + v⁵/5 + …) */
    double v = diff / (x + m), sum = diff * v, power = 2 * x * v;
    for (int j = 1; j < TERMS_MAX; j++) {
        power *= v * v;
        double next = sum + power / (2 * j + 1);
        if (next == sum)
            break;
        sum = next;
    }
    return sum;
}
