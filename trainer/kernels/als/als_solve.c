#include "trainer/kernels/als/als_solve.h"

#include <math.h>

#include "base/mem.h"
#include "trainer/kernels/blas.h"

enum { CHUNK = 256 /* rows that are gathered at once */, FIRST_ROOM = 1024, GRAM_ROWS = 1024, ALIGNED = 64 };
#define CG_ENOUGH 1e-20

size_t als_stride(uint32_t rank)
{
    return ((size_t)rank + ALS_LANES - 1) / ALS_LANES * ALS_LANES;
}

/* ---- factors ---- */

size_t als_factors_bytes(uint32_t rank, uint32_t count)
{
    size_t stride = als_stride(rank);
    return sizeof(struct als_factors_head) + (stride + count) * stride * sizeof(float);
}

bool als_factors_read(struct str blob, uint32_t rank, struct als_factors *out, struct err *err)
{
    struct als_factors_head h = { .rank = 0 };
    if (blob.n >= sizeof h)
        memcpy(&h, blob.p, sizeof h);
    if (h.rank != rank || h.stride != als_stride(rank) || blob.n != als_factors_bytes(rank, h.count))
        return err_set(err, ERR_INVALID, "the blob of %zu bytes does not hold factors of rank %u", blob.n, rank);
    const float *gram = (const float *)(const void *)(blob.p + sizeof h);
    *out = (struct als_factors){ rank, h.count, h.stride, gram, gram + (size_t)h.stride * h.stride };
    return true;
}

void als_factors_write(char *to, uint32_t rank, uint32_t count, const double *gram, const float *rows)
{
    const size_t stride = als_stride(rank);
    const struct als_factors_head h = { .rank = rank, .count = count, .stride = (uint32_t)stride };
    memcpy(to, &h, sizeof h);
    float *g = (float *)(void *)(to + sizeof h);
    for (size_t i = 0; i < stride * stride; i++)
        g[i] = (float)gram[i];
    if (rows)
        memcpy(g + stride * stride, rows, count * stride * sizeof *rows);
}

void als_gram_add(const float *rows, size_t count, size_t stride, float *scratch, double *gram)
{
    for (size_t from = 0; from < count; from += GRAM_ROWS) {
        size_t n = count - from < GRAM_ROWS ? count - from : GRAM_ROWS;
        blas_gram(rows + from * stride, n, stride, scratch);
        for (size_t i = 0; i < stride; i++)
            for (size_t j = 0; j < stride; j++)
                gram[i * stride + j] += (double)scratch[i * stride + j];
    }
}

/* ---- one row ---- */

struct als_solver {
    const struct als_rules *rules;
    const struct als_vector *loops;
    const struct als_factors *other;
    uint32_t *numbers;
    float *c, *first; /* c - 1, c; both 0 behind the last, up to a multiple of ALS_ROWS */
    size_t count, room;
    double sure;                /* Σ c */
    float *gram, *a, *gathered; /* YᵀY + lambda I; A; rows behind each other */
    float *r, *p, *ap;
    void *memory;
};

static float *cut(char **at, size_t floats)
{
    float *p = (float *)(void *)*at;
    *at += (floats * sizeof *p + ALIGNED - 1) / ALIGNED * ALIGNED;
    return p;
}

struct als_solver *als_solver_new(const struct als_rules *rules, const struct als_vector *loops,
                                  const struct als_factors *other)
{
    struct als_solver *s = mem_zalloc(sizeof *s);
    const size_t stride = other->stride, square = stride * stride;
    *s = (struct als_solver){ .rules = rules, .loops = loops, .other = other };
    s->memory = mem_zalloc((2 * square + (CHUNK + 3) * stride) * sizeof(float) + 8 * ALIGNED);
    char *at = (char *)s->memory + (ALIGNED - (uintptr_t)s->memory % ALIGNED) % ALIGNED;
    s->gram = cut(&at, square);
    s->a = cut(&at, square);
    s->gathered = cut(&at, CHUNK * stride);
    s->r = cut(&at, stride);
    s->p = cut(&at, stride);
    s->ap = cut(&at, stride);
    memcpy(s->gram, other->gram, square * sizeof *s->gram);
    for (uint32_t i = 0; i < rules->rank; i++)
        s->gram[i * stride + i] += (float)rules->lambda;
    return s;
}

void als_solver_free(struct als_solver *s)
{
    if (!s)
        return;
    mem_free(s->numbers);
    mem_free(s->c);
    mem_free(s->first);
    mem_free(s->memory);
    mem_free(s);
}

static void make_room(struct als_solver *s, size_t count)
{
    if (count <= s->room)
        return;
    while (s->room < count)
        s->room = s->room ? 2 * s->room : FIRST_ROOM;
    s->numbers = mem_realloc(s->numbers, s->room * sizeof *s->numbers);
    s->c = mem_realloc(s->c, s->room * sizeof *s->c);
    s->first = mem_realloc(s->first, s->room * sizeof *s->first);
}

void als_solver_add(struct als_solver *s, const uint32_t *numbers, const float *weights, uint32_t count)
{
    make_room(s, s->count + count + ALS_ROWS);
    const float alpha = (float)s->rules->alpha;
    for (uint32_t i = 0; i < count; i++) {
        size_t at = s->count + i;
        s->numbers[at] = numbers[i];
        s->c[at] = alpha * weights[i];
        s->first[at] = 1 + s->c[at];
        s->sure += (double)s->first[at];
    }
    s->count += count;
}

/* Up to a multiple of ALS_ROWS. */
static size_t fill(struct als_solver *s)
{
    size_t n = (s->count + ALS_ROWS - 1) / ALS_ROWS * ALS_ROWS;
    make_room(s, n);
    for (size_t i = s->count; i < n; i++) {
        s->numbers[i] = 0;
        s->c[i] = s->first[i] = 0;
    }
    return n;
}

/* A p */
static void apply(struct als_solver *s, size_t count, const float *p, float *out)
{
    const size_t stride = s->other->stride;
    s->loops->dense(s->gram, stride, p, out);
    s->loops->product(s->other->rows, stride, s->numbers, s->c, count, p, out);
}

/* The loss is that of x = 0, Σ c, and what f(x) = xᵀA x - 2 bᵀx takes off it; a step takes off alpha |r|². With r = b - A x, f(x) = -bᵀx - rᵀx. */
static double solve_cg(struct als_solver *s, size_t count, float *x)
{
    const size_t stride = s->other->stride;
    const struct als_vector *v = s->loops;
    v->dense(s->gram, stride, x, s->r);
    for (size_t k = 0; k < stride; k++)
        s->r[k] = -s->r[k];
    double f = -v->residual(s->other->rows, stride, s->numbers, s->first, s->c, count, x, s->r);
    f -= v->dot(s->r, x, stride);
    memcpy(s->p, s->r, stride * sizeof *s->p);
    double rr = v->dot(s->r, s->r, stride);
    for (uint32_t step = 0; step < s->rules->cg_steps && rr > CG_ENOUGH; step++) {
        apply(s, count, s->p, s->ap);
        double along = rr / v->dot(s->p, s->ap, stride), was = rr;
        for (size_t k = 0; k < stride; k++) {
            x[k] += (float)along * s->p[k];
            s->r[k] -= (float)along * s->ap[k];
        }
        f -= along * rr;
        rr = v->dot(s->r, s->r, stride);
        for (size_t k = 0; k < stride; k++)
            s->p[k] = s->r[k] + (float)(rr / was) * s->p[k];
    }
    return f;
}

static bool solve_cholesky(struct als_solver *s, float *x, double *out_f)
{
    const size_t stride = s->other->stride;
    memcpy(s->a, s->gram, stride * stride * sizeof *s->a);
    memset(s->r, 0, stride * sizeof *s->r);
    for (size_t at = 0; at < s->count; at += CHUNK) {
        size_t n = s->count - at < CHUNK ? s->count - at : CHUNK;
        s->loops->gather(s->other->rows, stride, s->numbers + at, s->first + at, s->c + at, n, s->gathered, s->r);
        s->loops->outer(s->gathered, stride, n, s->a);
    }
    memcpy(x, s->r, stride * sizeof *x);
    bool ok = s->loops->cholesky(s->a, stride, s->rules->rank, x);
    *out_f = -s->loops->dot(s->r, x, stride);
    return ok;
}

bool als_solver_solve(struct als_solver *s, float *x, double *out_loss)
{
    double f = 0;
    bool ok = true;
    if (s->rules->solver == ALS_CHOLESKY)
        ok = solve_cholesky(s, x, &f);
    else
        f = solve_cg(s, fill(s), x);
    *out_loss = s->sure + f;
    s->count = 0;
    s->sure = 0;
    return ok && isfinite(f);
}
