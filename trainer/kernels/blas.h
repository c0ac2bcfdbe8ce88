/* blas.h - pure: the few routines of BLAS that kernels use (OpenBLAS, of one thread: workers are as many as there are cores). Matrices lie by rows. The
 * same kind of processor gives the same bits. */
#pragma once
#include <stddef.h>

/* out (stride × stride, both triangles) = aᵀ a of `rows` rows of `stride` numbers. */
void blas_gram(const float *a, size_t rows, size_t stride, float *out);
/* out (m × n) = a bᵀ, with a m × stride and b n × stride. */
void blas_products(const float *a, size_t m, const float *b, size_t n, size_t stride, float *out);
/* What the library calls this processor. */
const char *blas_core(void);
