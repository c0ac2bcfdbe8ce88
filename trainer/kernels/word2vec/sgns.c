#include "trainer/kernels/word2vec/sgns.h"

#include <math.h>
#include <string.h>

typedef float float8 __attribute__((vector_size(32), aligned(4), may_alias));
#define INLINE static inline __attribute__((always_inline))

double sgns_exact_loss(double x)
{
    return x > 0 ? log1p(exp(-x)) : log1p(exp(x)) - x;
}

void sgns_tables_init(struct sgns_tables *t)
{
    for (int i = 0; i < SGNS_TABLE; i++) {
        const double x = (double)i / SGNS_STEPS - SGNS_REACH;
        t->sigmoid[i] = (float)(1 / (1 + exp(-x)));
        t->loss[i] = (float)sgns_exact_loss(x);
    }
}

INLINE float between(const float *table, float x)
{
    const float at = (x + SGNS_REACH) * SGNS_STEPS;
    const int i = (int)at;
    return table[i] + (at - (float)i) * (table[i + 1] - table[i]);
}

INLINE float sigmoid_of(const struct sgns_tables *t, float x)
{
    if (!(x > -SGNS_REACH))
        return t->sigmoid[0];
    return x < SGNS_REACH ? between(t->sigmoid, x) : t->sigmoid[SGNS_TABLE - 2];
}

INLINE float loss_of(const struct sgns_tables *t, float x)
{
    if (!(x > -SGNS_REACH))
        return -x;
    return x < SGNS_REACH ? between(t->loss, x) : 0;
}

float sgns_sigmoid(const struct sgns_tables *t, float x)
{
    return sigmoid_of(t, x);
}

float sgns_loss(const struct sgns_tables *t, float x)
{
    return loss_of(t, x);
}

INLINE float product_of(const float *a, const float *b, size_t stride)
{
    float8 sum = { 0 };
    for (size_t k = 0; k < stride; k += SGNS_LANES)
        sum += *(const float8 *)(const void *)(a + k) * *(const float8 *)(const void *)(b + k);
    return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

float sgns_product(const float *a, const float *b, size_t stride)
{
    return product_of(a, b, stride);
}

INLINE float step(const struct sgns_tables *t, size_t stride, float *u, float *const *targets, uint32_t count,
                  float rate, float *scratch)
{
    float loss = 0;
    memset(scratch, 0, stride * sizeof *scratch);
    for (uint32_t j = 0; j < count; j++) {
        float *v = targets[j];
        const float x = product_of(u, v, stride);
        const float by = rate * ((j == 0 ? 1 : 0) - sigmoid_of(t, x));
        loss += loss_of(t, j == 0 ? x : -x);
        for (size_t k = 0; k < stride; k += SGNS_LANES) {
            float8 *to = (float8 *)(void *)(v + k), *sum = (float8 *)(void *)(scratch + k);
            const float8 a = *to, b = *(const float8 *)(const void *)(u + k);
            *sum += by * a;
            *to = a + by * b;
        }
    }
    for (size_t k = 0; k < stride; k += SGNS_LANES)
        *(float8 *)(void *)(u + k) += *(const float8 *)(const void *)(scratch + k);
    return loss;
}

#if defined(__x86_64__)
/* The same sums, eight lanes at once. */
__attribute__((target("avx2"))) static float step_avx2(const struct sgns_tables *t, size_t stride, float *u,
                                                       float *const *targets, uint32_t count, float rate,
                                                       float *scratch)
{
    return step(t, stride, u, targets, count, rate, scratch);
}
#endif

float sgns_step(const struct sgns_tables *t, size_t stride, float *u, float *const *targets, uint32_t count, float rate,
                float *scratch)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        return step_avx2(t, stride, u, targets, count, rate, scratch);
#endif
    return step(t, stride, u, targets, count, rate, scratch);
}
