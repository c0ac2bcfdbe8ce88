/* "classify.temperature@1": see classify.h. */
#include "model/softmax.h"
#include "trainer/kernels/classify/classify.h"
#include "trainer/kernels/classify/example.h"

struct heat {
    struct task *task;
    struct classify_params params;
    const double *bias, *weights;
    struct example example;
    double z[CLASSIFIER_CLASSES_MAX], at[CLASSIFIER_CLASSES_MAX];
    double sums[1 + CLASSIFY_TEMPERATURES_MAX]; /* of weights; of losses */
};

static void add(struct heat *h)
{
    const struct example *e = &h->example;
    const uint32_t classes = h->params.classes;
    double temperature = h->params.low;
    example_scores(e, h->bias, h->weights, classes, h->z);
    h->sums[0] += e->weight;
    for (uint32_t t = 0; t < h->params.temperatures; t++, temperature *= h->params.step) {
        double at_labels = 0;
        for (uint32_t k = 0; k < classes; k++)
            h->at[k] = h->z[k] / temperature;
        for (uint32_t i = 0; i < e->labels_count; i++)
            at_labels += e->labels[i].share * h->at[e->labels[i].label];
        h->sums[1 + t] += e->weight * (softmax(h->at, classes) - at_labels);
    }
}

static bool read_all(struct heat *h, struct err *err)
{
    struct str block;
    for (bool end = false;;) {
        uint64_t count = 0;
        if (!task_next(h->task, 0, &block, &end, err))
            return false;
        if (end)
            return true;
        for (; block.n; count++) {
            if (!example_rows_read(&block, h->params.classes, h->params.rows, &h->example))
                return err_set(err, ERR_SYSTEM, "an example is damaged");
            add(h);
        }
        if (!task_tick(h->task, count, err))
            return false;
    }
}

static bool run(struct task *t, struct err *err)
{
    struct arena *arena = task_arena(t);
    struct heat *h = arena_zalloc(arena, sizeof *h);
    h->task = t;
    if (!classify_params_read(task_params(t), arena, &h->params, err))
        return false;
    const size_t classes = h->params.classes, rows = h->params.rows;
    const struct str blob = task_blob(t, 0);
    if (blob.n != (rows + 1) * classes * sizeof(double) || h->params.temperatures > CLASSIFY_TEMPERATURES_MAX)
        return err_set(err, ERR_SYSTEM, "the weights have %zu bytes, which are not those of %zu rows", blob.n, rows);
    h->bias = (const double *)(const void *)blob.p;
    h->weights = h->bias + classes;
    example_init(&h->example, arena);
    return read_all(h, err) &&
           task_collect(t, (struct str){ (const char *)h->sums, (1 + h->params.temperatures) * sizeof(double) }, err);
}

const struct kernel kernel_classify_temperature = { CLASSIFY_TEMPERATURE_KERNEL, run };
