/* "classify.rows@1": see classify.h. */
#include "trainer/kernels/classify/classify.h"
#include "trainer/kernels/classify/example.h"

enum { RECORD_MAX = 1 << 20 };

struct rows {
    struct task *task;
    struct classify_params params;
    struct classifier_table table;
    const double *class_weights;
    struct example example;
    struct classifier_text read;
    struct classifier_feature features[CLASSIFIER_GRAMS_MAX];
    struct buf record;
};

static bool write_example(struct rows *r, uint32_t part, struct err *err)
{
    struct example *e = &r->example;
    double by_class = 0;
    for (uint32_t i = 0; i < e->labels_count; i++)
        by_class += e->labels[i].share * r->class_weights[e->labels[i].label];
    e->weight *= by_class;
    classifier_read(&r->params.rules, e->text, &r->read);
    e->rows_count = classifier_vector(&r->table, &r->read, r->features);
    for (uint32_t i = 0; i < e->rows_count; i++) {
        e->rows[i] = r->features[i].id;
        e->values[i] = r->features[i].value;
    }
    buf_clear(&r->record);
    example_rows_write(e, &r->record);
    return buf_ok(&r->record, "an example", err) && task_emit(r->task, part, buf_str(&r->record), err);
}

static bool write_part(struct rows *r, uint32_t part, struct err *err)
{
    struct str block;
    for (bool end = false;;) {
        uint64_t count = 0;
        if (!task_next(r->task, part, &block, &end, err))
            return false;
        if (end)
            return true;
        for (; block.n; count++) {
            if (!example_text_read(&block, r->params.classes, &r->example))
                return err_set(err, ERR_SYSTEM, "a labelled text is damaged");
            if (!write_example(r, part, err))
                return false;
        }
        if (!task_tick(r->task, count, err))
            return false;
    }
}

static bool run(struct task *t, struct err *err)
{
    struct arena *arena = task_arena(t);
    struct rows *r = arena_zalloc(arena, sizeof *r);
    r->task = t;
    if (!classify_params_read(task_params(t), arena, &r->params, err) ||
        !classify_table_read(task_blob(t, 0), r->params.classes, &r->table, &r->class_weights, err))
        return false;
    example_init(&r->example, arena);
    buf_init(&r->record, RECORD_MAX);
    const bool ok = write_part(r, CLASSIFY_TRAIN, err) && write_part(r, CLASSIFY_CALIBRATE, err);
    buf_release(&r->record);
    return ok;
}

const struct kernel kernel_classify_rows = { CLASSIFY_ROWS_KERNEL, run };
