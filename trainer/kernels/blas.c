#include "trainer/kernels/blas.h"

/* The names of Fortran: GSL brings a library of its own with those of C. Matrices lie by columns there. */
void ssyrk_(const char *uplo, const char *trans, const int *n, const int *k, const float *alpha, const float *a,
            const int *lda, const float *beta, float *c, const int *ldc);
void sgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k, const float *alpha,
            const float *a, const int *lda, const float *b, const int *ldb, const float *beta, float *c,
            const int *ldc);
char *openblas_get_corename(void);

void blas_gram(const float *a, size_t rows, size_t stride, float *out)
{
    const int n = (int)stride, k = (int)rows;
    const float one = 1, zero = 0;
    ssyrk_("L", "N", &n, &k, &one, a, &n, &zero, out, &n);
    for (size_t i = 0; i < stride; i++) /* a column's part below the diagonal is a row's behind it */
        for (size_t j = i + 1; j < stride; j++)
            out[j * stride + i] = out[i * stride + j];
}

void blas_products(const float *a, size_t m, const float *b, size_t n, size_t stride, float *out)
{
    const int rows = (int)n, columns = (int)m, k = (int)stride;
    const float one = 1, zero = 0;
    sgemm_("T", "N", &rows, &columns, &k, &one, b, &k, a, &k, &zero, out, &rows);
}

const char *blas_core(void)
{
    return openblas_get_corename();
}
