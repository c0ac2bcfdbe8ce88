/* models_als UNITS ITEMS CELLS: the rows of ALS alone, one thread, beside sgemm in the same rounds.
 *
 * A matrix of so many units and items, of which some come up much more often; in each round a product of two matrices of 1536 rows by OpenBLAS, half
 * iterations by Cholesky, and half iterations by conjugate gradients, all by CPU time. Operations that count: of Cholesky k(k+1) for a cell (half of a
 * symmetric matrix), k³/3 + 2k² for a row; of conjugate gradients 4k for a cell and each of 1 + steps products, 2k² for each of them and row. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "trainer/kernels/als/als_solve.h"
#include "trainer/kernels/blas.h"

enum { RANK = 64, STEPS = 3, GEMM = 1536, ROUNDS = 5 };

struct cells {
    uint32_t rows, others;
    uint64_t *ends;
    uint32_t *numbers;
    float *weights;
};

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (double)(*state >> 33) / 2147483648.0;
}

static struct cells by(uint32_t rows, uint32_t others, uint64_t count, const uint32_t *row_of, const uint32_t *other_of)
{
    struct cells c = { rows, others, mem_zalloc((rows + 1) * sizeof(uint64_t)), mem_alloc(count * sizeof(uint32_t)),
                       mem_alloc(count * sizeof(float)) };
    for (uint64_t i = 0; i < count; i++)
        c.ends[row_of[i] + 1]++;
    for (uint32_t i = 0; i < rows; i++)
        c.ends[i + 1] += c.ends[i];
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = c.ends[row_of[i]]++;
        c.numbers[at] = other_of[i];
        c.weights[at] = 1;
    }
    return c; /* of each row where it ends; the one before is where it begins */
}

static float *factors_new(uint32_t count, uint64_t seed)
{
    float *f = mem_alloc((size_t)count * RANK * sizeof *f);
    for (size_t i = 0; i < (size_t)count * RANK; i++)
        f[i] = (float)(0.1 * (draw(&seed) - 0.5));
    return f;
}

/* CPU seconds. */
static double half(const struct cells *c, const struct als_rules *rules, const float *other, float *own)
{
    float *scratch = mem_zalloc((size_t)RANK * RANK * sizeof *scratch);
    double *gram = mem_zalloc((size_t)RANK * RANK * sizeof *gram), loss, began = cpu_seconds();
    char *blob = mem_alloc(als_factors_bytes(RANK, c->others));
    struct als_factors f;
    als_gram_add(other, c->others, RANK, scratch, gram);
    als_factors_write(blob, RANK, c->others, gram, other);
    if (!als_factors_read((struct str){ blob, als_factors_bytes(RANK, c->others) }, RANK, &f, NULL))
        abort();
    struct als_solver *s = als_solver_new(rules, als_vector_best(), &f);
    for (uint32_t row = 0; row < c->rows; row++) {
        uint64_t from = row ? c->ends[row - 1] : 0;
        als_solver_add(s, c->numbers + from, c->weights + from, (uint32_t)(c->ends[row] - from));
        if (!als_solver_solve(s, own + (size_t)row * RANK, &loss))
            abort();
    }
    als_solver_free(s);
    began = cpu_seconds() - began;
    mem_free(blob);
    mem_free(gram);
    mem_free(scratch);
    return began;
}

static double gemm(void)
{
    const size_t n = GEMM;
    static float *a, *b, *c;
    if (!a) {
        a = factors_new(GEMM * GEMM / RANK, 1);
        b = factors_new(GEMM * GEMM / RANK, 2);
        c = mem_alloc(n * n * sizeof *c);
    }
    double began = cpu_seconds();
    blas_products(a, n, b, n, n, c);
    return 2.0 * (double)n * (double)n * (double)n / (cpu_seconds() - began) / 1e9;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double median(double *v)
{
    qsort(v, ROUNDS, sizeof *v, by_value);
    return v[ROUNDS / 2];
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 64;
    const uint32_t units = (uint32_t)strtoul(argv[1], NULL, 10), items = (uint32_t)strtoul(argv[2], NULL, 10);
    const uint64_t count = strtoull(argv[3], NULL, 10);
    const double k = RANK, rows = (double)units + items, cells = 2 * (double)count;
    const double exact = cells * k * (k + 1) + rows * (k * k * k / 3 + 2 * k * k);
    const double steps = (1 + STEPS) * (cells * 4 * k + rows * 2 * k * k);
    struct als_rules rules = { .rank = RANK, .cg_steps = STEPS, .alpha = 10, .lambda = 1 };
    uint32_t *u = mem_alloc(count * sizeof *u), *i = mem_alloc(count * sizeof *i);
    double sgemm[ROUNDS], cholesky[ROUNDS], cg[ROUNDS];
    uint64_t state = 1;
    for (uint64_t n = 0; n < count; n++) {
        u[n] = (uint32_t)((double)units * pow(draw(&state), 2));
        i[n] = (uint32_t)((double)items * pow(draw(&state), 3));
    }
    const struct cells of_units = by(units, items, count, u, i), of_items = by(items, units, count, i, u);
    float *x = factors_new(units, 3), *y = factors_new(items, 4);
    for (int r = 0; r < ROUNDS; r++) {
        sgemm[r] = gemm();
        rules.solver = ALS_CHOLESKY;
        cholesky[r] = half(&of_units, &rules, y, x) + half(&of_items, &rules, x, y);
        rules.solver = ALS_CG;
        cg[r] = half(&of_units, &rules, y, x) + half(&of_items, &rules, x, y);
    }
    double peak = median(sgemm), a = median(cholesky), b = median(cg);
    printf("rows alone, one thread, %s (OpenBLAS: %s), medians of %d rounds by CPU time\n", als_vector_best()->name,
           blas_core(), ROUNDS);
    printf("  sgemm of %d rows      %7.1f GFLOP/s\n", GEMM, peak);
    printf("  Cholesky  %8.3f s   %7.1f GFLOP/s   %.2f of sgemm\n", a, exact / a / 1e9, exact / a / 1e9 / peak);
    printf("  CG        %8.3f s   %7.1f GFLOP/s   %.2f of the time of Cholesky\n", b, steps / b / 1e9, b / a);
    return 0;
}
