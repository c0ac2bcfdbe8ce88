/* ALS: the loops of each kind of processor against plain ones, a row against a dense solve in double, the loss against its definition. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "base/mem.h"
#include "trainer/kernels/als/als_solve.h"

enum { UNITS = 40, ITEMS = 30, RANK_MAX = 130, STRIDE_MAX = 144 };

static uint64_t state = 1;
static double draw(void) /* 0 … 1 */
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (double)(state >> 33) / 2147483648.0;
}

/* ---- a small world ---- */

struct world {
    uint32_t rank;
    size_t stride;
    float weights[UNITS][ITEMS]; /* 0: had it not */
    float *x, *y;                /* rows of stride */
};

static float *rows_new(uint32_t count, uint32_t rank)
{
    float *rows = mem_zalloc(count * als_stride(rank) * sizeof *rows);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < rank; k++)
            rows[i * als_stride(rank) + k] = (float)(draw() - 0.5);
    return rows;
}

static struct world world_new(uint32_t rank)
{
    struct world w = { .rank = rank, .stride = als_stride(rank) };
    for (int u = 0; u < UNITS; u++)
        for (int i = 0; i < ITEMS; i++)
            w.weights[u][i] = draw() < 0.2 ? (float)(1 + 4 * draw()) : 0;
    w.x = rows_new(UNITS, rank);
    w.y = rows_new(ITEMS, rank);
    return w;
}

static void world_free(struct world *w)
{
    mem_free(w->x);
    mem_free(w->y);
}

static double product(const float *a, const float *b, uint32_t rank)
{
    double sum = 0;
    for (uint32_t k = 0; k < rank; k++)
        sum += (double)a[k] * (double)b[k];
    return sum;
}

/* As it is defined. */
static double loss_of(const struct world *w, const struct als_rules *r)
{
    double loss = 0;
    for (int u = 0; u < UNITS; u++)
        for (int i = 0; i < ITEMS; i++) {
            double weight = (double)w->weights[u][i], s = product(w->x + u * w->stride, w->y + i * w->stride, w->rank);
            loss += (1 + r->alpha * weight) * pow((weight > 0) - s, 2);
        }
    for (int u = 0; u < UNITS; u++)
        loss += r->lambda * product(w->x + u * w->stride, w->x + u * w->stride, w->rank);
    for (int i = 0; i < ITEMS; i++)
        loss += r->lambda * product(w->y + i * w->stride, w->y + i * w->stride, w->rank);
    return loss;
}

/* ---- half an iteration ---- */

static char *blob_of(const float *rows, uint32_t count, uint32_t rank)
{
    const size_t stride = als_stride(rank), bytes = als_factors_bytes(rank, count);
    float *scratch = mem_zalloc(stride * stride * sizeof *scratch);
    double *gram = mem_zalloc(stride * stride * sizeof *gram);
    char *blob = mem_alloc(bytes);
    als_gram_add(rows, count, stride, scratch, gram);
    als_factors_write(blob, rank, count, gram, rows);
    mem_free(scratch);
    mem_free(gram);
    return blob;
}

static uint32_t had_by(const struct world *w, bool units, uint32_t row, uint32_t *numbers, float *weights)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < (units ? ITEMS : UNITS); i++) {
        weights[n] = units ? w->weights[row][i] : w->weights[i][row];
        numbers[n] = i;
        n += weights[n] > 0;
    }
    return n;
}

/* Returns what the loss must be behind it: the rows' own and the other side's lambda. */
static double half(struct world *w, bool units, const struct als_rules *rules, const struct als_vector *loops)
{
    const float *other = units ? w->y : w->x;
    const uint32_t others = units ? ITEMS : UNITS, count = units ? UNITS : ITEMS;
    char *blob = blob_of(other, others, w->rank);
    struct als_factors f;
    double loss = 0, one;
    cr_assert(als_factors_read((struct str){ blob, als_factors_bytes(w->rank, others) }, w->rank, &f, NULL));
    struct als_solver *s = als_solver_new(rules, loops, &f);
    for (uint32_t row = 0; row < count; row++) {
        uint32_t numbers[UNITS + ITEMS], n;
        float weights[UNITS + ITEMS];
        n = had_by(w, units, row, numbers, weights);
        als_solver_add(s, numbers, weights, n / 2); /* in two pieces */
        als_solver_add(s, numbers + n / 2, weights + n / 2, n - n / 2);
        cr_assert(als_solver_solve(s, (units ? w->x : w->y) + row * w->stride, &one));
        loss += one;
    }
    als_solver_free(s);
    mem_free(blob);
    for (uint32_t i = 0; i < others; i++)
        loss += rules->lambda * product(other + i * w->stride, other + i * w->stride, w->rank);
    return loss;
}

/* ---- a dense solve in double ---- */

static void plain_solve(const struct world *w, const struct als_rules *r, uint32_t unit, double *out)
{
    const uint32_t n = w->rank;
    double a[RANK_MAX][RANK_MAX + 1];
    memset(a, 0, sizeof a);
    for (uint32_t i = 0; i < ITEMS; i++) {
        const float *y = w->y + i * w->stride;
        double weight = (double)w->weights[unit][i], c = 1 + r->alpha * weight;
        for (uint32_t j = 0; j < n; j++) {
            for (uint32_t k = 0; k < n; k++)
                a[j][k] += c * (double)y[j] * (double)y[k];
            a[j][n] += (weight > 0) * c * (double)y[j];
        }
    }
    for (uint32_t j = 0; j < n; j++)
        a[j][j] += r->lambda;
    for (uint32_t j = 0; j < n; j++)
        for (uint32_t i = j + 1; i < n; i++) {
            double by = a[i][j] / a[j][j];
            for (uint32_t k = j; k <= n; k++)
                a[i][k] -= by * a[j][k];
        }
    for (uint32_t j = n; j-- > 0;) {
        out[j] = a[j][n];
        for (uint32_t k = j + 1; k < n; k++)
            out[j] -= a[j][k] * out[k];
        out[j] /= a[j][j];
    }
}

static struct als_rules rules_of(uint32_t rank, enum als_solver_kind solver, uint32_t steps)
{
    return (struct als_rules){ .rank = rank, .cg_steps = steps, .solver = solver, .alpha = 3, .lambda = 0.5 };
}

static void check_units(struct world *w, const struct als_rules *rules, double tolerance)
{
    double x[RANK_MAX];
    for (uint32_t u = 0; u < UNITS; u++) {
        plain_solve(w, rules, u, x);
        for (uint32_t k = 0; k < w->rank; k++)
            cr_assert(epsilon_eq(dbl, (double)w->x[u * w->stride + k], x[k], tolerance), "unit %u, factor %u", u, k);
        for (size_t k = w->rank; k < w->stride; k++)
            cr_assert(eq(flt, w->x[u * w->stride + k], 0), "unit %u, behind its rank", u);
    }
}

static const uint32_t ranks[] = { 1, 7, 16, 33, 48, 64, 90, 128, 130 };

static void check_kind(const struct als_vector *loops)
{
    for (size_t i = 0; i < COUNT_OF(ranks); i++) {
        struct world w = world_new(ranks[i]);
        const struct als_rules exact = rules_of(ranks[i], ALS_CHOLESKY, 1), many = rules_of(ranks[i], ALS_CG, 60);
        half(&w, true, &exact, loops);
        check_units(&w, &exact, 2e-4);
        memset(w.x, 0, UNITS * w.stride * sizeof *w.x);
        half(&w, true, &many, loops);
        check_units(&w, &many, 2e-3);
        world_free(&w);
    }
}

Test(als, solves_as_a_dense_solve_does)
{
    size_t kinds = 0;
    for (size_t kind = 0; kind < 3; kind++)
        if (als_vector_of(kind)) {
            check_kind(als_vector_of(kind));
            kinds++;
        }
    cr_assert(ge(sz, kinds, 1));
}

/* Numbers below the diagonal are none of its business. */
static void check_triangle(const struct als_vector *loops, uint32_t rank)
{
    const size_t stride = als_stride(rank);
    float *z = rows_new(rank + 20, rank), *a = mem_zalloc(stride * stride * sizeof *a),
          *full = mem_alloc(stride * stride * sizeof *full);
    float b[STRIDE_MAX] = { 0 }, x[STRIDE_MAX] = { 0 };
    loops->outer(z, stride, rank + 20, a);
    for (uint32_t i = 0; i < rank; i++) {
        b[i] = x[i] = (float)(draw() - 0.5);
        a[i * stride + i] += 1;
    }
    for (uint32_t i = 0; i < rank; i++)
        for (uint32_t j = 0; j < rank; j++)
            full[i * stride + j] = i <= j ? a[i * stride + j] : a[j * stride + i];
    for (uint32_t i = 0; i < rank; i++)
        for (uint32_t j = 0; j < i; j++)
            a[i * stride + j] = NAN;
    cr_assert(loops->cholesky(a, stride, rank, x));
    for (uint32_t i = 0; i < rank; i++)
        cr_assert(epsilon_eq(dbl, product(full + i * stride, x, rank), (double)b[i], 1e-4), "rank %u, row %u", rank, i);
    mem_free(z);
    mem_free(a);
    mem_free(full);
}

Test(als, reads_the_upper_triangle_alone)
{
    for (size_t kind = 0; als_vector_of(kind) || kind < 3; kind++)
        for (size_t i = 0; als_vector_of(kind) && i < COUNT_OF(ranks); i++)
            check_triangle(als_vector_of(kind), ranks[i]);
}

static void check_loss(enum als_solver_kind solver, uint32_t steps)
{
    struct world w = world_new(20);
    const struct als_rules rules = rules_of(20, solver, steps);
    double before = loss_of(&w, &rules);
    for (int i = 0; i < 6; i++) {
        double said = half(&w, i % 2 == 0, &rules, als_vector_best()), is = loss_of(&w, &rules);
        cr_assert(epsilon_eq(dbl, said, is, 1e-4 * is), "half %d", i);
        cr_assert(lt(dbl, is, before), "half %d", i);
        before = is;
    }
    world_free(&w);
}

Test(als, says_the_loss_which_falls)
{
    check_loss(ALS_CHOLESKY, 1);
    check_loss(ALS_CG, 3);
    check_loss(ALS_CG, 1);
}

Test(als, comes_by_steps_to_nearly_the_same_loss)
{
    struct world exact = world_new(12), steps = exact;
    steps.x = mem_zalloc(UNITS * exact.stride * sizeof *steps.x);
    steps.y = mem_zalloc(ITEMS * exact.stride * sizeof *steps.y);
    memcpy(steps.x, exact.x, UNITS * exact.stride * sizeof *steps.x);
    memcpy(steps.y, exact.y, ITEMS * exact.stride * sizeof *steps.y);
    const struct als_rules cholesky = rules_of(12, ALS_CHOLESKY, 1), cg = rules_of(12, ALS_CG, 3);
    for (int i = 0; i < 30; i++) {
        half(&exact, i % 2 == 0, &cholesky, als_vector_best());
        half(&steps, i % 2 == 0, &cg, als_vector_best());
    }
    double a = loss_of(&exact, &cholesky), b = loss_of(&steps, &cg);
    cr_assert(epsilon_eq(dbl, a, b, 0.01 * a));
    world_free(&exact);
    world_free(&steps);
}

Test(als, that_cannot_be_solved_says_so)
{
    struct world w = world_new(8);
    struct als_rules rules = rules_of(8, ALS_CHOLESKY, 1);
    struct als_factors f;
    struct err err;
    double loss;
    char *blob = blob_of(w.y, ITEMS, 8);
    const uint32_t number = 3;
    const float huge = 3e38F;
    cr_assert(als_factors_read((struct str){ blob, als_factors_bytes(8, ITEMS) }, 8, &f, &err));
    cr_assert(not(als_factors_read((struct str){ blob, als_factors_bytes(8, ITEMS) - 4 }, 8, &f, &err)));
    cr_assert(not(als_factors_read((struct str){ blob, als_factors_bytes(8, ITEMS) }, 9, &f, &err)));
    cr_assert(not(als_factors_read((struct str){ blob, 3 }, 8, &f, &err)));
    cr_assert(als_factors_read((struct str){ blob, als_factors_bytes(8, ITEMS) }, 8, &f, &err));
    for (int i = 0; i < 2; i++) {
        struct als_solver *s = als_solver_new(&rules, als_vector_best(), &f);
        als_solver_add(s, &number, &huge, 1);
        cr_assert(not(als_solver_solve(s, w.x, &loss)));
        als_solver_free(s);
        rules.solver = ALS_CG;
        rules.cg_steps = 3;
    }
    mem_free(blob);
    world_free(&w);
}

Test(als, of_who_had_nothing_is_nothing)
{
    struct world w = world_new(8);
    const struct als_rules rules = rules_of(8, ALS_CG, 3);
    float x[ALS_LANES] = { 0 };
    struct als_factors f;
    double loss = 1;
    char *blob = blob_of(w.y, ITEMS, 8);
    cr_assert(als_factors_read((struct str){ blob, als_factors_bytes(8, ITEMS) }, 8, &f, NULL));
    struct als_solver *s = als_solver_new(&rules, als_vector_best(), &f);
    cr_assert(als_solver_solve(s, x, &loss));
    cr_assert(eq(dbl, loss, 0));
    for (int k = 0; k < 8; k++)
        cr_assert(eq(flt, x[k], 0));
    als_solver_free(s);
    mem_free(blob);
    world_free(&w);
}
