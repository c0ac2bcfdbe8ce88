/* als_vector_loops.h - the loops themselves; included once by each als_vector_KIND.c, which is compiled for its kind of processor.
 *
 * ALS_KIND names the table of loops, ALS_WIDTH says how many numbers a vector has, and ALS_TILE how many vectors of a row fit in registers in
 * four rows of sums. */
#include <math.h>
#include <string.h>

#include "trainer/kernels/als/als_vector.h"

typedef float vec __attribute__((vector_size(4 * ALS_WIDTH), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline))
#define SHUFFLE __builtin_shufflevector

INLINE vec load(const float *p)
{
    return *(const vec *)p;
}

INLINE void store(float *p, vec v)
{
    *(vec *)p = v;
}

/* Vectors → their sums: each half is folded onto the other, two vectors at once, until of each one number is left. */
#if ALS_WIDTH == 16
INLINE vec fold_8(vec x, vec y)
{
    return SHUFFLE(x, y, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
           SHUFFLE(x, y, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
}

INLINE vec fold_4(vec x, vec y)
{
    return SHUFFLE(x, y, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
           SHUFFLE(x, y, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
}

INLINE vec fold_2(vec x, vec y)
{
    return SHUFFLE(x, y, 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29) +
           SHUFFLE(x, y, 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31);
}

INLINE void sums_of(const vec d[ALS_ROWS], float out[ALS_ROWS])
{
    vec a = fold_4(fold_8(d[0], d[1]), fold_8(d[2], d[3])), b = fold_4(fold_8(d[4], d[5]), fold_8(d[6], d[7]));
    vec c = fold_2(a, b);
    c += SHUFFLE(c, c, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
    c = SHUFFLE(c, c, 0, 2, 4, 6, 8, 10, 12, 14, 0, 2, 4, 6, 8, 10, 12, 14);
    memcpy(out, &c, ALS_ROWS * sizeof *out);
}
#elif ALS_WIDTH == 8
INLINE vec fold_4(vec x, vec y)
{
    return SHUFFLE(x, y, 0, 1, 2, 3, 8, 9, 10, 11) + SHUFFLE(x, y, 4, 5, 6, 7, 12, 13, 14, 15);
}

INLINE vec fold_2(vec x, vec y)
{
    return SHUFFLE(x, y, 0, 1, 4, 5, 8, 9, 12, 13) + SHUFFLE(x, y, 2, 3, 6, 7, 10, 11, 14, 15);
}

INLINE void sums_of(const vec d[ALS_ROWS], float out[ALS_ROWS])
{
    vec a = fold_2(fold_4(d[0], d[1]), fold_4(d[2], d[3])), b = fold_2(fold_4(d[4], d[5]), fold_4(d[6], d[7]));
    store(out, SHUFFLE(a, b, 0, 2, 4, 6, 8, 10, 12, 14) + SHUFFLE(a, b, 1, 3, 5, 7, 9, 11, 13, 15));
}
#else
INLINE vec fold_2(vec x, vec y)
{
    return SHUFFLE(x, y, 0, 1, 4, 5) + SHUFFLE(x, y, 2, 3, 6, 7);
}

INLINE void sums_of(const vec d[ALS_ROWS], float out[ALS_ROWS])
{
    for (int i = 0; i < ALS_ROWS; i += 4) {
        vec a = fold_2(d[i], d[i + 1]), b = fold_2(d[i + 2], d[i + 3]);
        store(out + i, SHUFFLE(a, b, 0, 2, 4, 6) + SHUFFLE(a, b, 1, 3, 5, 7));
    }
}
#endif

/* The dot products of eight rows with x. */
INLINE void dots(const float *const y[ALS_ROWS], const vec *x, size_t vectors, float out[ALS_ROWS])
{
    vec d[ALS_ROWS];
#pragma GCC unroll 8
    for (size_t i = 0; i < ALS_ROWS; i++)
        d[i] = load(y[i]) * x[0];
#pragma GCC unroll 8
    for (size_t k = 1; k < vectors; k++)
#pragma GCC unroll 8
        for (size_t i = 0; i < ALS_ROWS; i++)
            d[i] += load(y[i] + k * ALS_WIDTH) * x[k];
    sums_of(d, out);
}

INLINE void find_rows(const float *const factors, size_t stride, const uint32_t *rows, const float *y[ALS_ROWS])
{
#pragma GCC unroll 8
    for (size_t i = 0; i < ALS_ROWS; i++)
        y[i] = factors + rows[i] * stride;
}

/* Rows behind these are on their way from memory meanwhile. */
INLINE void fetch_rows(const float *const factors, size_t stride, const uint32_t *rows)
{
    for (size_t i = 0; i < ALS_ROWS; i++)
        for (size_t k = 0; k < stride; k += ALS_WIDTH)
            __builtin_prefetch(factors + rows[i] * stride + k);
}

INLINE void add_rows(const float *const y[ALS_ROWS], const float *by, vec *sum, size_t vectors)
{
#pragma GCC unroll 8
    for (size_t k = 0; k < vectors; k++)
#pragma GCC unroll 8
        for (size_t i = 0; i < ALS_ROWS; i++)
            sum[k] += by[i] * load(y[i] + k * ALS_WIDTH);
}

INLINE void take(vec *to, const float *from, size_t vectors)
{
    for (size_t k = 0; k < vectors; k++)
        to[k] = load(from + k * ALS_WIDTH);
}

INLINE void give(float *to, const vec *from, size_t vectors)
{
    for (size_t k = 0; k < vectors; k++)
        store(to + k * ALS_WIDTH, from[k]);
}

INLINE double residual_of(const float *factors, size_t vectors, const uint32_t *rows, const float *first,
                          const float *c, size_t count, const float *x, float *out, vec *at, vec *sum)
{
    const size_t stride = vectors * ALS_WIDTH;
    double total[ALS_ROWS] = { 0 }, all = 0;
    take(at, x, vectors);
    take(sum, out, vectors);
    for (size_t n = 0; n < count; n += ALS_ROWS) {
        const float *y[ALS_ROWS];
        float by[ALS_ROWS];
        find_rows(factors, stride, rows + n, y);
        if (n + ALS_ROWS < count)
            fetch_rows(factors, stride, rows + n + ALS_ROWS);
        dots(y, at, vectors, by);
#pragma GCC unroll 8
        for (size_t i = 0; i < ALS_ROWS; i++) {
            total[i] += (double)(first[n + i] * by[i]);
            by[i] = first[n + i] - c[n + i] * by[i];
        }
        add_rows(y, by, sum, vectors);
    }
    give(out, sum, vectors);
    for (size_t i = 0; i < ALS_ROWS; i++)
        all += total[i];
    return all;
}

INLINE void product_of(const float *factors, size_t vectors, const uint32_t *rows, const float *c, size_t count,
                       const float *p, float *out, vec *at, vec *sum)
{
    const size_t stride = vectors * ALS_WIDTH;
    take(at, p, vectors);
    take(sum, out, vectors);
    for (size_t n = 0; n < count; n += ALS_ROWS) {
        const float *y[ALS_ROWS];
        float by[ALS_ROWS];
        find_rows(factors, stride, rows + n, y);
        if (n + ALS_ROWS < count)
            fetch_rows(factors, stride, rows + n + ALS_ROWS);
        dots(y, at, vectors, by);
#pragma GCC unroll 8
        for (size_t i = 0; i < ALS_ROWS; i++)
            by[i] *= c[n + i];
        add_rows(y, by, sum, vectors);
    }
    give(out, sum, vectors);
}

/* Loops over a row's vectors are made for the strides that are used most: then sums stay in registers. */
#define BY_STRIDE(call)           \
    switch (stride) {             \
    case 16:                      \
        call(16 / ALS_WIDTH);     \
    case 32:                      \
        call(32 / ALS_WIDTH);     \
    case 48:                      \
        call(48 / ALS_WIDTH);     \
    case 64:                      \
        call(64 / ALS_WIDTH);     \
    case 96:                      \
        call(96 / ALS_WIDTH);     \
    case 128:                     \
        call(128 / ALS_WIDTH);    \
    default:                      \
        call(stride / ALS_WIDTH); \
    }

enum { STRIDE_VECTORS_MAX = ALS_STRIDE_MAX / ALS_WIDTH };

static double residual(const float *factors, size_t stride, const uint32_t *rows, const float *first, const float *c,
                       size_t count, const float *x, float *out)
{
    vec at[STRIDE_VECTORS_MAX], sum[STRIDE_VECTORS_MAX];
#define CALL(v) return residual_of(factors, v, rows, first, c, count, x, out, at, sum)
    BY_STRIDE(CALL)
#undef CALL
}

static void product(const float *factors, size_t stride, const uint32_t *rows, const float *c, size_t count,
                    const float *p, float *out)
{
    vec at[STRIDE_VECTORS_MAX], sum[STRIDE_VECTORS_MAX];
#define CALL(v)                                                  \
    {                                                            \
        product_of(factors, v, rows, c, count, p, out, at, sum); \
        return;                                                  \
    }
    BY_STRIDE(CALL)
#undef CALL
}

static void dense(const float *a, size_t stride, const float *p, float *out)
{
    vec sum[STRIDE_VECTORS_MAX];
    const size_t vectors = stride / ALS_WIDTH;
    for (size_t k = 0; k < vectors; k++)
        sum[k] = (vec){ 0 };
    for (size_t i = 0; i < stride; i += 4)
        for (size_t k = 0; k < vectors; k++)
#pragma GCC unroll 4
            for (size_t j = i; j < i + 4; j++)
                sum[k] += p[j] * load(a + j * stride + k * ALS_WIDTH);
    give(out, sum, vectors);
}

static double dot(const float *a, const float *b, size_t stride)
{
    double sums[16] = { 0 }, all = 0;
    for (size_t k = 0; k < stride; k += 16)
        for (size_t i = 0; i < 16; i++)
            sums[i] += (double)a[k + i] * (double)b[k + i];
    for (size_t i = 0; i < 16; i++)
        all += sums[i];
    return all;
}

/* ---- Cholesky ---- */

/* Rows by the roots of their weights, behind each other, and the sum of rows by `first`. */
INLINE void gather_of(const float *factors, size_t vectors, const uint32_t *rows, const float *first, const float *c,
                      size_t count, float *z, float *b, vec *sum)
{
    const size_t stride = vectors * ALS_WIDTH;
    take(sum, b, vectors);
    for (size_t n = 0; n < count; n++, z += stride) {
        const float *y = factors + rows[n] * stride, root = sqrtf(c[n]), by = first[n];
        if (n + ALS_ROWS < count)
            for (size_t k = 0; k < stride; k += 16)
                __builtin_prefetch(factors + rows[n + ALS_ROWS] * stride + k);
#pragma GCC unroll 8
        for (size_t k = 0; k < vectors; k++) {
            const vec v = load(y + k * ALS_WIDTH);
            store(z + k * ALS_WIDTH, root * v);
            sum[k] += by * v;
        }
    }
    give(b, sum, vectors);
}

static void gather(const float *factors, size_t stride, const uint32_t *rows, const float *first, const float *c,
                   size_t count, float *z, float *b)
{
    vec sum[STRIDE_VECTORS_MAX];
#define CALL(v)                                                  \
    {                                                            \
        gather_of(factors, v, rows, first, c, count, z, b, sum); \
        return;                                                  \
    }
    BY_STRIDE(CALL)
#undef CALL
}

/* Four rows of A by `width` vectors of columns, in registers while all z pass by; z zᵀ is added, or taken off. */
INLINE void outer_tile(const float *z, size_t stride, size_t count, float *a, size_t row, size_t column, size_t width,
                       bool off)
{
    vec sum[4][ALS_TILE];
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++)
#pragma GCC unroll 4
        for (size_t k = 0; k < width; k++)
            sum[i][k] = load(a + (row + i) * stride + column + k * ALS_WIDTH);
    for (size_t n = 0; n < count; n++, z += stride) {
        vec y[ALS_TILE];
#pragma GCC unroll 4
        for (size_t k = 0; k < width; k++)
            y[k] = load(z + column + k * ALS_WIDTH);
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
#pragma GCC unroll 4
            for (size_t k = 0; k < width; k++)
                sum[i][k] = off ? sum[i][k] - z[row + i] * y[k] : sum[i][k] + z[row + i] * y[k];
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++)
#pragma GCC unroll 4
        for (size_t k = 0; k < width; k++)
            store(a + (row + i) * stride + column + k * ALS_WIDTH, sum[i][k]);
}

/* Of the rows from `row` on; columns from the diagonal's vector on. */
INLINE void outer_rows(const float *z, size_t stride, size_t count, float *a, size_t row, bool off)
{
    for (; row < stride; row += 4)
        for (size_t column = row / ALS_WIDTH * ALS_WIDTH, width; column < stride; column += width * ALS_WIDTH) {
            width = (stride - column) / ALS_WIDTH < ALS_TILE ? (stride - column) / ALS_WIDTH : ALS_TILE;
            switch (width) { /* so that it is known when loops are unrolled */
            case 1:
                outer_tile(z, stride, count, a, row, column, 1, off);
                break;
#if ALS_TILE > 1
            case 2:
                outer_tile(z, stride, count, a, row, column, 2, off);
                break;
#endif
#if ALS_TILE > 2
            case 3:
                outer_tile(z, stride, count, a, row, column, 3, off);
                break;
            case 4:
                outer_tile(z, stride, count, a, row, column, 4, off);
                break;
#endif
            }
        }
}

static void outer(const float *z, size_t stride, size_t count, float *a)
{
    outer_rows(z, stride, count, a, 0, false);
}

/* A = Uᵀ U, rows of the upper triangle, BLOCK of them at a time: first among themselves, then taken off all that lie below at once. A row's vectors
 * begin where its diagonal's does, so some of what lies below the diagonal is written, too, and never read. */
enum { BLOCK = 16 };

INLINE bool factor_block(float *a, size_t stride, size_t from, size_t to, float *one_over)
{
    for (size_t j = from; j < to; j++) {
        float *u = a + j * stride;
        if (!(u[j] > 0))
            return false;
        one_over[j] = 1 / sqrtf(u[j]);
        for (size_t k = j / ALS_WIDTH * ALS_WIDTH; k < stride; k += ALS_WIDTH)
            store(u + k, load(u + k) * one_over[j]);
        for (size_t i = j + 1; i < to; i++) {
            float *v = a + i * stride;
            const float by = u[i];
            for (size_t k = i / ALS_WIDTH * ALS_WIDTH; k < stride; k += ALS_WIDTH)
                store(v + k, load(v + k) - by * load(u + k));
        }
    }
    return true;
}

/* Uᵀ z = b, row by row. A row takes something off in front of its place, too: what is known is kept apart. */
INLINE void solve_down(const float *a, size_t stride, size_t rank, const float *one_over, float *b)
{
    float known[ALS_STRIDE_MAX];
    memset(known + rank, 0, (stride - rank) * sizeof *known);
    for (size_t j = 0; j < rank; j++) {
        const float *u = a + j * stride;
        known[j] = b[j] * one_over[j];
        for (size_t k = j / ALS_WIDTH * ALS_WIDTH; k < stride; k += ALS_WIDTH)
            store(b + k, load(b + k) - known[j] * load(u + k));
    }
    memcpy(b, known, stride * sizeof *b);
}

/* U x = z, from the last block: what is known is taken off by vectors, the triangle that is left by numbers. */
INLINE void solve_up(const float *a, size_t stride, size_t rank, const float *one_over, float *b)
{
    for (size_t to = stride; to > 0; to -= BLOCK) {
        const size_t from = to - BLOCK;
        for (size_t row = from; row < to; row += ALS_ROWS) {
            vec d[ALS_ROWS];
            float sums[ALS_ROWS];
#pragma GCC unroll 8
            for (size_t i = 0; i < ALS_ROWS; i++)
                d[i] = (vec){ 0 };
            for (size_t k = to; k < stride; k += ALS_WIDTH)
#pragma GCC unroll 8
                for (size_t i = 0; i < ALS_ROWS; i++)
                    d[i] += load(a + (row + i) * stride + k) * load(b + k);
            sums_of(d, sums);
            for (size_t i = 0; i < ALS_ROWS && row + i < rank; i++)
                b[row + i] -= sums[i];
        }
        for (size_t i = to < rank ? to : rank; i-- > from;) {
            b[i] *= one_over[i];
            for (size_t j = from; j < i; j++)
                b[j] -= b[i] * a[j * stride + i];
        }
    }
}

static bool cholesky(float *a, size_t stride, size_t rank, float *b)
{
    float one_over[ALS_STRIDE_MAX];
    for (size_t from = 0; from < rank; from += BLOCK) {
        size_t to = from + BLOCK < rank ? from + BLOCK : rank;
        if (!factor_block(a, stride, from, to, one_over))
            return false;
        outer_rows(a + from * stride, stride, to - from, a, from + BLOCK, true);
    }
    solve_down(a, stride, rank, one_over, b);
    solve_up(a, stride, rank, one_over, b);
    return true;
}

const struct als_vector ALS_KIND;
const struct als_vector ALS_KIND = { ALS_KIND_NAME, residual, product, dense, dot, gather, outer, cholesky };
