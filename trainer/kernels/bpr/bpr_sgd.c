#include "trainer/kernels/bpr/bpr_sgd.h"

#include <math.h>

float bpr_step(const struct bpr_rules *r, float *u, float *i, float *j)
{
    const uint32_t n = r->rank;
    const float rate = r->learning_rate, shrink = 1 - rate * r->regularization;
    float sums[4] = { 0 }, x; /* four, so that they need not wait for each other */
    for (uint32_t k = 0; k < n; k++)
        sums[k % 4] += u[k] * (i[k] - j[k]);
    x = i[n] - j[n] + ((sums[0] + sums[1]) + (sums[2] + sums[3]));
    const float by = rate / (1 + expf(x));
    for (uint32_t k = 0; k < n; k++) {
        const float a = u[k], b = i[k], c = j[k];
        u[k] = shrink * a + by * (b - c);
        i[k] = shrink * b + by * a;
        j[k] = shrink * c - by * a;
    }
    i[n] = shrink * i[n] + by;
    j[n] = shrink * j[n] - by;
    return x;
}

double bpr_loss(float x)
{
    return x > 0 ? log1p(exp(-(double)x)) : log1p(exp((double)x)) - (double)x;
}
