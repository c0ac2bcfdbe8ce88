/* The job "als": implicit ALS over units and items → a recommender.
 *
 * Passes of matrix.h; then in each iteration pass "units N" over ranges with the items' factors as a blob, and pass "items N" over parts of the items with
 * the units'. Each split gives its rows and what the next half needs of them; they are put together in the order of splits, which depend on the data
 * alone. Last the lists (factor_lists.h), the gate, a version. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "trainer/jobs/factor_lists.h"
#include "trainer/jobs/factor_side.h"
#include "trainer/kernels/als/als.h"

enum { ARENA_FIRST = 1 << 16 };
#define FIRST_SIZE 0.1 /* of an item's factors, at random, before the first iteration */

struct als {
    struct run_context *run;
    struct arena arena;
    struct matrix m;
    struct als_rules rules;
    uint32_t iterations;
    uint64_t seed;
    struct factor_side units, items;
    double pairs; /* all of them, those that were seen as often as they are sure */
    double loss;  /* of a pair */
};

/* ---- parameters ---- */

static void read_params(struct als *a)
{
    const struct run_context *run = a->run;
    a->rules = (struct als_rules){ .rank = (uint32_t)run_whole(run, "factors"),
                                   .cg_steps = (uint32_t)run_whole(run, "cg_steps"),
                                   .solver = strcmp(run->param(run, "solver"), "cholesky") == 0 ? ALS_CHOLESKY : ALS_CG,
                                   .alpha = run_real(run, "alpha"),
                                   .lambda = run_real(run, "lambda") };
    a->iterations = (uint32_t)run_whole(run, "iterations");
    a->seed = (uint64_t)run_whole(run, "seed");
}

/* ---- the items, at random ---- */

static bool begin_items(struct als *a, struct err *err)
{
    const size_t stride = als_stride(a->rules.rank);
    char *bytes = factor_side_alloc(&a->items);
    float *rows = factor_side_rows(&a->items, bytes), *scratch = mem_zalloc(stride * stride * sizeof *scratch);
    double *gram = mem_zalloc(stride * stride * sizeof *gram);
    for (uint32_t i = 0; i < a->m.items; i++)
        for (uint32_t k = 0; k < a->rules.rank && a->m.item_units[i]; k++)
            rows[i * stride + k] = (float)(FIRST_SIZE *
                                           (factor_random(a->seed, i * (uint64_t)a->rules.rank + k) - 0.5));
    als_gram_add(rows, a->m.items, stride, scratch, gram);
    bool ok = factor_side_set(&a->items, bytes, gram, err);
    mem_free(scratch);
    mem_free(gram);
    return ok;
}

/* ---- half an iteration ---- */

struct gathered {
    double *gram;
    float *rows;
    struct als_result sum;
};

static bool take(const struct als *a, const struct buf *part, size_t *at, uint64_t count, struct gathered *g,
                 struct err *err)
{
    const size_t stride = als_stride(a->rules.rank), square = stride * stride;
    struct als_result r;
    if (part->n < sizeof r + square * sizeof(double) || *at > count)
        return err_set(err, ERR_SYSTEM, "the factors of a split are damaged");
    const size_t rows = part->n - sizeof r - square * sizeof(double);
    if (rows % (stride * sizeof(float)) != 0 || rows / (stride * sizeof(float)) > count - *at)
        return err_set(err, ERR_SYSTEM, "a split has made too many factors");
    memcpy(&r, part->p, sizeof r);
    const char *p = part->p + sizeof r;
    for (size_t i = 0; i < square; i++) {
        double d;
        memcpy(&d, p + i * sizeof d, sizeof d);
        g->gram[i] += d;
    }
    memcpy(g->rows + *at * stride, p + square * sizeof(double), rows);
    *at += rows / (stride * sizeof(float));
    g->sum.loss += r.loss;
    g->sum.sure += r.sure;
    g->sum.cells += r.cells;
    return true;
}

static bool gather(struct als *a, struct factor_side *s, const struct engine_result *result, double *out_loss,
                   struct err *err)
{
    const size_t stride = als_stride(a->rules.rank);
    char *bytes = factor_side_alloc(s);
    struct gathered g = { .gram = mem_zalloc(stride * stride * sizeof *g.gram), .rows = factor_side_rows(s, bytes) };
    size_t at = 0;
    bool ok = true;
    for (uint32_t i = 0; ok && i < result->count; i++)
        ok = take(a, &result->parts[i], &at, s->count, &g, err);
    if (ok && at != s->count)
        ok = err_set(err, ERR_SYSTEM, "%zu rows of factors came, of %" PRIu64, at, s->count);
    if (ok)
        ok = factor_side_set(s, bytes, g.gram, err);
    else
        mem_free(bytes);
    mem_free(g.gram);
    *out_loss = g.sum.loss;
    a->pairs = g.sum.sure + (double)a->m.units * (double)a->m.items - (double)g.sum.cells;
    return ok;
}

/* The factors of s from those of `other`. *out_loss: of all pairs, without what lambda adds for the other side. */
static bool half(struct als *a, struct factor_side *s, const struct factor_side *other, uint32_t iteration,
                 double *out_loss, struct err *err)
{
    const struct matrix *m = &a->m;
    const int blobs[] = { other->blob, s->blob };
    const bool items = s == &a->items;
    const uint32_t count = items ? m->parts : m->ranges;
    const struct als_params params = { a->rules, items };
    struct engine_split *splits = arena_alloc(&a->arena, count * sizeof *splits);
    struct engine_result result;
    struct engine_pass pass = { .name = arena_printf(&a->arena, "%s %u", items ? "items" : "units", iteration).p,
                                .kernel = ALS_SOLVE_KERNEL,
                                .splits = splits,
                                .splits_count = count,
                                .input_pass = items ? m->by_item_pass : m->pass,
                                .blobs = blobs,
                                .blobs_count = s->blob >= 0 ? 2 : 1 };
    for (uint32_t i = 0; i < count; i++)
        splits[i] = items ? matrix_part(m, i) : matrix_range(m, i);
    if (!als_params_write(&params, &a->arena, &pass.params, err) || !run_pass(a->run, &pass, &result, err))
        return false;
    bool ok = gather(a, s, &result, out_loss, err);
    engine_result_release(&result);
    return ok;
}

/* ---- training ---- */

static bool iterate(struct als *a, uint32_t iteration, struct err *err)
{
    int64_t began_us = clock_mono_us();
    double loss;
    if (!half(a, &a->units, &a->items, iteration, &loss, err) || !half(a, &a->items, &a->units, iteration, &loss, err))
        return false;
    a->loss = (loss + a->rules.lambda * a->units.norm) / a->pairs;
    if (!isfinite(a->loss))
        return err_set(err, ERR_INVALID, "the loss is not finite: parameter \"alpha\" is too large for these weights");
    run_say(a->run, "iteration %u of %u: loss %.6f, %.3f s", iteration, a->iterations, a->loss,
            (double)(clock_mono_us() - began_us) / 1e6);
    return run_tick(a->run, "iterations", iteration, a->iterations, err);
}

static bool train(struct als *a, struct err *err)
{
    factor_side_init(&a->units, a->run, a->rules.rank, a->m.units);
    factor_side_init(&a->items, a->run, a->rules.rank, a->m.items);
    if (!matrix_transpose(&a->m, err) || !begin_items(a, err))
        return false;
    run_say(a->run, "loops for %s, %s", als_vector_best()->name,
            a->rules.solver == ALS_CHOLESKY ? "Cholesky" : "conjugate gradients");
    for (uint32_t i = 1; i <= a->iterations; i++)
        if (!iterate(a, i, err))
            return false;
    return true;
}

/* ---- the version ---- */

static bool publish(struct als *a, struct err *err)
{
    const size_t stride = als_stride(a->rules.rank);
    const struct factor_lists lists = { .m = &a->m,
                                        .rank = a->rules.rank,
                                        .row_rank = a->rules.rank,
                                        .units_blob = a->units.blob,
                                        .items_blob = a->items.blob,
                                        .items = factor_side_rows(&a->items, a->items.bytes),
                                        .stride = stride,
                                        .fold = FOLD_SOLVE,
                                        .alpha = a->rules.alpha,
                                        .lambda = a->rules.lambda };
    return factor_lists_publish(&lists, a->seed, a->loss, err);
}

static bool run_als(struct run_context *run, struct err *err)
{
    struct als a = { .run = run };
    arena_init(&a.arena, ARENA_FIRST);
    read_params(&a);
    bool ok = training_begin(run, "recommender", err) && matrix_open(&a.m, run, &a.arena, err) && train(&a, err) &&
              publish(&a, err);
    factor_side_release(&a.units);
    factor_side_release(&a.items);
    matrix_close(&a.m);
    arena_release(&a.arena);
    return ok;
}

const struct job job_als = { "als", run_als };
