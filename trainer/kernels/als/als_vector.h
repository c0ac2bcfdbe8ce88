/* als_vector.h - pure: the inner loops of ALS, once for each kind of processor. A row of factors is `stride` floats, a multiple of ALS_LANES, zeros behind
 * the rank. Rows are gathered where they lie.
 *
 * Sums are taken in an order that is fixed for a kind of processor; so the same kind gives the same bits, another one need not. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ALS_LANES = 16,
    ALS_STRIDE_MAX = 1024,
    ALS_ROWS = 8 /* at a time: lists of rows are filled up to a multiple of it, with any row of weight 0 */
};

struct als_vector {
    const char *name;
    /* out += Σ (first[i] - c[i] s) y, with y the i-th row and s = y·x. Returns Σ first[i] s. */
    double (*residual)(const float *factors, size_t stride, const uint32_t *rows, const float *first, const float *c,
                       size_t count, const float *x, float *out);
    /* out += Σ c[i] (y·p) y */
    void (*product)(const float *factors, size_t stride, const uint32_t *rows, const float *c, size_t count,
                    const float *p, float *out);
    /* out = A p, A symmetric of stride × stride */
    void (*dense)(const float *a, size_t stride, const float *p, float *out);
    double (*dot)(const float *a, const float *b, size_t stride);
    /* The i-th row by the root of c[i] to z, behind each other; b += Σ first[i] y */
    void (*gather)(const float *factors, size_t stride, const uint32_t *rows, const float *first, const float *c,
                   size_t count, float *z, float *b);
    /* a += Σ z zᵀ over `count` rows that lie behind each other: the upper triangle, and some below it. */
    void (*outer)(const float *z, size_t stride, size_t count, float *a);
    /* Solves A x = b of the upper triangle of A, which it destroys; b becomes x, zeros behind the rank. False: A is not positive definite. */
    bool (*cholesky)(float *a, size_t stride, size_t rank, float *b);
};

/* The best that this processor can do. */
const struct als_vector *als_vector_best(void);
/* Of the table of kinds; NULL: no more, or this processor cannot. */
const struct als_vector *als_vector_of(size_t kind);
