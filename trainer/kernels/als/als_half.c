/* "als.solve@1": half an iteration over a range of units, or a part of the items. Memory: the factors that it makes, and what one row had. */
#include "trainer/engine/task.h"
#include "trainer/kernels/als/als.h"
#include "trainer/kernels/matrix/columns.h"
#include "trainer/kernels/matrix/rows.h"

enum { TICK_ROWS = 1024 };

struct half {
    struct task *task;
    struct als_params params;
    struct als_factors other, before;
    struct als_solver *solver;
    uint32_t first, count; /* of this side */
    float *made;           /* count rows */
    struct als_result result;
};

static bool solve(struct half *h, uint32_t number, struct err *err)
{
    const size_t stride = h->other.stride;
    float *x = h->made + (number - h->first) * stride;
    double loss;
    if (number < h->before.count)
        memcpy(x, h->before.rows + number * stride, stride * sizeof *x);
    if (!als_solver_solve(h->solver, x, &loss))
        return err_set(
            err, ERR_INVALID,
            "the factors do not stay finite: alpha %g is too large, or lambda %g too small, for these weights",
            h->params.rules.alpha, h->params.rules.lambda);
    h->result.loss += loss;
    return number % TICK_ROWS != 0 || task_tick(h->task, 0, err);
}

static void add(struct half *h, const uint32_t *numbers, const float *weights, uint32_t count)
{
    als_solver_add(h->solver, numbers, weights, count);
    h->result.cells += count;
    for (uint32_t i = 0; i < count; i++)
        h->result.sure += 1 + h->params.rules.alpha * (double)weights[i];
}

static bool known(const struct half *h, const uint32_t *numbers, uint32_t count, uint32_t number, struct err *err)
{
    for (uint32_t i = 0; i < count; i++)
        if (numbers[i] >= h->other.count)
            return err_set(err, ERR_SYSTEM, "the matrix names number %u of %u", numbers[i], h->other.count);
    return (number >= h->first && number - h->first < h->count) ||
           err_set(err, ERR_SYSTEM, "row %u is not in the split", number);
}

static bool solve_units(struct half *h, struct err *err)
{
    struct matrix_rows rows;
    struct matrix_row row;
    bool end = false, ok = true;
    matrix_rows_open(&rows, h->task, 0);
    for (uint32_t unit = h->first; ok && !end; unit++) {
        ok = matrix_row_next(&rows, &row, &end, err) && (end || known(h, row.items, row.count, unit, err));
        if (!ok || end)
            break;
        add(h, row.items, row.weights, row.count);
        ok = solve(h, unit, err);
    }
    matrix_rows_close(&rows);
    return ok;
}

static bool solve_items(struct half *h, struct err *err)
{
    struct matrix_columns columns;
    struct matrix_column c;
    bool end = false, ok = true;
    matrix_columns_open(&columns, h->task);
    while (ok && !end) {
        ok = matrix_column_next(&columns, &c, &end, err) && (end || known(h, c.units, c.count, c.item, err));
        if (!ok || end)
            break;
        add(h, c.units, c.weights, c.count);
        ok = c.more || solve(h, c.item, err);
    }
    matrix_columns_close(&columns);
    return ok;
}

static bool collect(struct task *t, const void *p, size_t n, struct err *err)
{
    return task_collect(t, (struct str){ p, n }, err);
}

static bool finish(struct half *h, struct err *err)
{
    const size_t stride = h->other.stride;
    struct arena *arena = task_arena(h->task);
    float *scratch = arena_zalloc(arena, stride * stride * sizeof *scratch);
    double *gram = arena_zalloc(arena, stride * stride * sizeof *gram);
    als_gram_add(h->made, h->count, stride, scratch, gram);
    return collect(h->task, &h->result, sizeof h->result, err) &&
           collect(h->task, gram, stride * stride * sizeof *gram, err) &&
           collect(h->task, h->made, h->count * stride * sizeof *h->made, err);
}

static bool open_half(struct half *h, struct err *err)
{
    struct str rest = task_desc(h->task), word, first, before = task_blob(h->task, 1);
    if (!str_split(&rest, ' ', &word) || !str_split(&rest, ' ', &first) || !parse_u32(first, &h->first, NULL) ||
        !parse_u32(rest, &h->count, NULL))
        return err_set(err, ERR_INVALID, "the split is not three numbers");
    if (!als_params_read(task_params(h->task), &h->params, task_arena(h->task), err) ||
        !als_factors_read(task_blob(h->task, 0), h->params.rules.rank, &h->other, err) ||
        (before.n && !als_factors_read(before, h->params.rules.rank, &h->before, err)))
        return false;
    h->made = arena_zalloc(task_arena(h->task), (h->count * h->other.stride + 1) * sizeof *h->made);
    h->solver = als_solver_new(&h->params.rules, als_vector_best(), &h->other);
    return true;
}

static bool run(struct task *t, struct err *err)
{
    struct half h = { .task = t };
    bool ok = open_half(&h, err) && (h.params.items ? solve_items(&h, err) : solve_units(&h, err)) && finish(&h, err);
    als_solver_free(h.solver);
    return ok;
}

const struct kernel kernel_als_solve = { ALS_SOLVE_KERNEL, run };
