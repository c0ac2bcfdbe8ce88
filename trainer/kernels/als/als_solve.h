/* als_solve.h - pure: implicit ALS, one row at a time (Hu, Koren, Volinsky 2008, "Collaborative filtering for implicit feedback datasets").
 *
 * A unit prefers what it had (p = 1) and not the rest (p = 0); c = 1 + alpha · weight says how sure that is, 1 for the rest. Looked for are factors with
 * the least
 *   Σ over all pairs: c (p - x·y)² + lambda (Σ |x|² + Σ |y|²)
 * With all y fixed, each x is the solution of A x = b, A = YᵀY + lambda I + Σ (c - 1) y yᵀ, b = Σ c y, the sums over what the unit had. Solved by Cholesky, or
 * nearly by some steps of conjugate gradients from the x of before (Takács, Pilászy, Tikk 2011). The same with units and items exchanged.
 *
 * Factors are float32, rows of `stride` numbers, zeros behind the rank. */
#pragma once
#include <stdbool.h>

#include "base/str.h"
#include "trainer/kernels/als/als_vector.h"

enum als_solver_kind { ALS_CG, ALS_CHOLESKY };
struct als_rules {
    uint32_t rank;
    uint32_t cg_steps; /* at least 1 */
    enum als_solver_kind solver;
    double alpha, lambda; /* above 0 */
};
enum { ALS_RANK_MAX = ALS_STRIDE_MAX };
size_t als_stride(uint32_t rank);

/* The factors of one side, for the other: a blob of a head of 64 bytes, YᵀY of stride × stride, the rows. */
struct als_factors {
    uint32_t rank, count;
    size_t stride;
    const float *gram, *rows;
};
/* Borrows the blob. ERR_INVALID: it is none of this rank. */
bool als_factors_read(struct str blob, uint32_t rank, struct als_factors *out, struct err *err) MUSTCHECK;
struct als_factors_head {
    uint32_t rank, count, stride, zeros[13];
};
size_t als_factors_bytes(uint32_t rank, uint32_t count);
/* Into so many bytes. gram: stride × stride, of double. rows NULL: they are there already. */
void als_factors_write(char *to, uint32_t rank, uint32_t count, const double *gram, const float *rows);

/* gram += rowsᵀ rows, both triangles. scratch: stride × stride floats. */
void als_gram_add(const float *rows, size_t count, size_t stride, float *scratch, double *gram);

struct als_solver;
/* Both are borrowed. */
struct als_solver *als_solver_new(const struct als_rules *rules, const struct als_vector *loops,
                                  const struct als_factors *other);
void als_solver_free(struct als_solver *s);
/* What the row had: numbers of the other side, below its count, with weights; as often as it takes. */
void als_solver_add(struct als_solver *s, const uint32_t *numbers, const float *weights, uint32_t count);
/* From x, the row's factors of before or zeros, to those of now. *out_loss: Σ over the row's pairs of c (p - x·y)², and lambda |x|². False: the matrix is
 * not positive definite (numbers so large that float32 cannot hold them). */
bool als_solver_solve(struct als_solver *s, float *x, double *out_loss);
