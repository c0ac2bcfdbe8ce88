#include "model/softmax.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define LN2_HIGH 6.93147180369123816490e-01 /* its last 21 bits are 0: k times it is exact */
#define LN2_LOW 1.90821492927058770002e-10
#define LOWEST (-700.0)
enum { EXP_TERMS = 13, LOG_TERMS = 11, MANTISSA = 52, BIAS = 1023 };

/* e^x = 2^k e^r, |r| <= ln 2 / 2, and Σ r^i / i! up to r^13 / 13! (what is left is below 1e-17) */
double softmax_exp(double x)
{
    if (x < LOWEST)
        return 0;
    assert(x <= -LOWEST);
    const double k = floor(x / (LN2_HIGH + LN2_LOW) + 0.5);
    const double r = (x - k * LN2_HIGH) - k * LN2_LOW;
    double sum = 1;
    for (int i = EXP_TERMS; i > 0; i--)
        sum = 1 + sum * r / i;
    const uint64_t bits = (uint64_t)((int64_t)k + BIAS) << MANTISSA;
    double power;
    memcpy(&power, &bits, sizeof power);
    return sum * power;
}

/* ln x = e ln 2 + 2 artanh t, t = (m - 1)/(m + 1), m between 0.7 and 1.4; artanh t = t Σ t^2i / (2i + 1) */
double softmax_log(double x)
{
    assert(x >= 1e-300 && isfinite(x));
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int e = (int)(bits >> MANTISSA) - BIAS;
    bits = (bits & ((UINT64_C(1) << MANTISSA) - 1)) | (uint64_t)BIAS << MANTISSA;
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.4142135623730951) {
        m /= 2;
        e++;
    }
    const double t = (m - 1) / (m + 1), square = t * t;
    double sum = 0;
    for (int i = LOG_TERMS; i >= 0; i--)
        sum = sum * square + 1.0 / (2 * i + 1);
    return e * LN2_HIGH + (2 * t * sum + e * LN2_LOW);
}

double softmax(double *z, size_t n)
{
    double most = z[0], sum = 0;
    for (size_t k = 1; k < n; k++)
        most = z[k] > most ? z[k] : most;
    for (size_t k = 0; k < n; k++)
        sum += z[k] = softmax_exp(z[k] - most);
    for (size_t k = 0; k < n; k++)
        z[k] /= sum;
    return most + softmax_log(sum);
}
