/* "queries.als@1": half an iteration over the head's queries, or its documents; "queries.items@1": from factors to the documents of queries. The weight of
 * a query and a document is ln(1 + clicks): a hundred clicks are surer than one, not a hundred times as sure. */
#include <math.h>

#include "trainer/engine/task.h"
#include "trainer/kernels/als/als.h"
#include "trainer/kernels/factors/factors_params.h"
#include "trainer/kernels/factors/top_rows.h"
#include "trainer/kernels/queries/queries.h"

enum { TICK_ROWS = 256 };

struct half {
    struct task *task;
    struct als_params params;
    struct als_factors other;
    struct query_head head;
    struct als_solver *solver;
    uint32_t first, count;
    float *made; /* count rows */
    uint32_t *numbers;
    float *weights;
    size_t room;
};

static struct query_head_row row_of(const struct half *h, uint32_t number)
{
    return h->params.items ? query_head_queries(&h->head, number) : query_head_docs(&h->head, number);
}

static void add_row(struct half *h, struct query_head_row row)
{
    if (row.count > h->room) {
        h->room = 2 * row.count;
        h->numbers = mem_realloc(h->numbers, h->room * sizeof *h->numbers);
        h->weights = mem_realloc(h->weights, h->room * sizeof *h->weights);
    }
    for (uint32_t i = 0; i < row.count; i++) {
        h->numbers[i] = row.entries[i].number;
        h->weights[i] = (float)log1p(row.entries[i].count);
    }
    als_solver_add(h->solver, h->numbers, h->weights, row.count);
}

/* What nothing is known of keeps zeros. */
static bool solve_all(struct half *h, struct err *err)
{
    double loss;
    for (uint32_t i = 0; i < h->count; i++) {
        struct query_head_row row = row_of(h, h->first + i);
        if (row.count == 0)
            continue;
        add_row(h, row);
        if (!als_solver_solve(h->solver, h->made + i * h->other.stride, &loss))
            return err_set(err, ERR_INVALID,
                           "the factors do not stay finite: alpha %g is too large, or lambda %g too small",
                           h->params.rules.alpha, h->params.rules.lambda);
        if (i % TICK_ROWS == 0 && !task_tick(h->task, 0, err))
            return false;
    }
    return true;
}

static bool finish(struct half *h, struct err *err)
{
    const size_t stride = h->other.stride;
    float *scratch = arena_zalloc(task_arena(h->task), stride * stride * sizeof *scratch);
    double *gram = arena_zalloc(task_arena(h->task), stride * stride * sizeof *gram);
    als_gram_add(h->made, h->count, stride, scratch, gram);
    return task_collect(h->task, (struct str){ (const char *)gram, stride * stride * sizeof *gram }, err) &&
           task_collect(h->task, (struct str){ (const char *)h->made, h->count * stride * sizeof *h->made }, err) &&
           task_tick(h->task, h->count, err);
}

static bool open_half(struct half *h, struct err *err)
{
    struct task *t = h->task;
    if (!factors_split_read(t, &h->first, &h->count, err) ||
        !als_params_read(task_params(t), &h->params, task_arena(t), err) ||
        !als_factors_read(task_blob(t, 0), h->params.rules.rank, &h->other, err) ||
        !query_head_read(task_blob(t, 1), &h->head, err))
        return false;
    uint64_t mine = h->params.items ? h->head.sizes.docs : h->head.sizes.queries,
             others = h->params.items ? h->head.sizes.queries : h->head.sizes.docs;
    if (h->other.count != others || (uint64_t)h->first + h->count > mine)
        return err_set(err, ERR_SYSTEM, "factors and most searched queries do not belong together");
    h->made = arena_zalloc(task_arena(t), (h->count * h->other.stride + 1) * sizeof *h->made);
    h->solver = als_solver_new(&h->params.rules, als_vector_best(), &h->other);
    return true;
}

static bool run_half(struct task *t, struct err *err)
{
    struct half h = { .task = t };
    bool ok = open_half(&h, err) && solve_all(&h, err) && finish(&h, err);
    als_solver_free(h.solver);
    mem_free(h.numbers);
    mem_free(h.weights);
    return ok;
}

const struct kernel kernel_queries_als = { QUERIES_ALS_KERNEL, run_half };

/* ---- queries.items ---- */

static bool put_best(struct task *t, struct top_rows *r, uint32_t askers, struct err *err)
{
    top_rows_score(r, askers);
    for (uint32_t i = 0; i < askers; i++) {
        uint32_t n = top_rows_best(r, i, NULL, 0);
        if (!task_collect(t, (struct str){ (const char *)&n, sizeof n }, err) ||
            !task_collect(t, (struct str){ (const char *)r->best, n * sizeof *r->best }, err))
            return false;
    }
    return task_tick(t, askers, err);
}

static bool run_items(struct task *t, struct err *err)
{
    struct factors_params params;
    struct als_factors queries, docs;
    struct top_rows r;
    uint32_t first, count;
    if (!factors_params_read(t, &params, err) || !factors_split_read(t, &first, &count, err) ||
        !als_factors_read(task_blob(t, 0), params.rank, &queries, err) ||
        !als_factors_read(task_blob(t, 1), params.rank, &docs, err))
        return false;
    if ((uint64_t)first + count > queries.count)
        return err_set(err, ERR_SYSTEM, "the split has queries that have no factors");
    top_rows_init(&r, docs.rows, docs.count, docs.stride, params.top, task_arena(t));
    for (uint32_t at = 0, n; at < count; at += n) {
        n = count - at < r.block ? count - at : r.block;
        memcpy(r.askers, queries.rows + (first + at) * queries.stride, n * queries.stride * sizeof *r.askers);
        if (!put_best(t, &r, n, err))
            return false;
    }
    return true;
}

const struct kernel kernel_queries_items = { QUERIES_ITEMS_KERNEL, run_items };
