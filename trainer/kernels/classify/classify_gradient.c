/* "classify.gradient@1": see classify.h. Loss of an example: its weight times -Σ share of a label · ln p of the label. */
#include "model/softmax.h"
#include "trainer/kernels/classify/classify.h"
#include "trainer/kernels/classify/example.h"

struct gradient {
    struct task *task;
    struct classify_params params;
    const double *bias, *weights;
    struct example example;
    double z[CLASSIFIER_CLASSES_MAX], loss;
    double *of_bias, *of_weights;
    bool *touched;
};

static void add(struct gradient *g)
{
    const struct example *e = &g->example;
    const uint32_t classes = g->params.classes;
    double at_labels = 0;
    example_scores(e, g->bias, g->weights, classes, g->z);
    for (uint32_t i = 0; i < e->labels_count; i++)
        at_labels += e->labels[i].share * g->z[e->labels[i].label];
    g->loss += e->weight * (softmax(g->z, classes) - at_labels);
    for (uint32_t i = 0; i < e->labels_count; i++)
        g->z[e->labels[i].label] -= e->labels[i].share;
    for (uint32_t k = 0; k < classes; k++)
        g->of_bias[k] += g->z[k] *= e->weight;
    for (uint32_t i = 0; i < e->rows_count; i++) {
        double *row = g->of_weights + (size_t)e->rows[i] * classes;
        const double v = e->values[i];
        g->touched[e->rows[i]] = true;
        for (uint32_t k = 0; k < classes; k++)
            row[k] += v * g->z[k];
    }
}

static bool read_all(struct gradient *g, struct err *err)
{
    struct str block;
    for (bool end = false;;) {
        uint64_t count = 0;
        if (!task_next(g->task, 0, &block, &end, err))
            return false;
        if (end)
            return true;
        for (; block.n; count++) {
            if (!example_rows_read(&block, g->params.classes, g->params.rows, &g->example))
                return err_set(err, ERR_SYSTEM, "an example is damaged");
            add(g);
        }
        if (!task_tick(g->task, count, err))
            return false;
    }
}

static bool collect(const struct gradient *g, struct err *err)
{
    const size_t row_bytes = g->params.classes * sizeof(double);
    AUTO(buf_release) struct buf b;
    uint32_t count = 0;
    buf_init(&b, TASK_COLLECT_MAX);
    record_put(&b, &g->loss, sizeof g->loss);
    record_put(&b, g->of_bias, row_bytes);
    for (uint32_t i = 0; i < g->params.rows; i++)
        count += g->touched[i];
    record_put(&b, &count, sizeof count);
    for (uint32_t i = 0; i < g->params.rows; i++)
        if (g->touched[i])
            record_put(&b, &i, sizeof i);
    for (uint32_t i = 0; i < g->params.rows; i++)
        if (g->touched[i])
            record_put(&b, g->of_weights + (size_t)i * g->params.classes, row_bytes);
    return buf_ok(&b, "the gradient", err) && task_collect(g->task, buf_str(&b), err);
}

static bool run(struct task *t, struct err *err)
{
    struct arena *arena = task_arena(t);
    struct gradient *g = arena_zalloc(arena, sizeof *g);
    g->task = t;
    if (!classify_params_read(task_params(t), arena, &g->params, err))
        return false;
    const size_t classes = g->params.classes, rows = g->params.rows;
    const struct str blob = task_blob(t, 0);
    if (blob.n != (rows + 1) * classes * sizeof(double))
        return err_set(err, ERR_SYSTEM, "the weights have %zu bytes, which are not those of %zu rows", blob.n, rows);
    g->bias = (const double *)(const void *)blob.p;
    g->weights = g->bias + classes;
    g->of_bias = arena_zalloc(arena, classes * sizeof(double));
    g->of_weights = arena_zalloc(arena, (rows * classes + 1) * sizeof(double));
    g->touched = arena_zalloc(arena, rows + 1);
    example_init(&g->example, arena);
    return read_all(g, err) && collect(g, err);
}

const struct kernel kernel_classify_gradient = { CLASSIFY_GRADIENT_KERNEL, run };
