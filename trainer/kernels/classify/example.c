#include "trainer/kernels/classify/example.h"

#include "model/classifier.h"

void example_init(struct example *e, struct arena *arena)
{
    *e = (struct example){ .labels = arena_alloc(arena, CLASSIFIER_CLASSES_MAX * sizeof *e->labels),
                           .rows = arena_alloc(arena, CLASSIFIER_GRAMS_MAX * sizeof *e->rows),
                           .values = arena_alloc(arena, CLASSIFIER_GRAMS_MAX * sizeof *e->values) };
}

static void put_labels(const struct example *e, struct buf *out)
{
    record_put(out, &e->weight, sizeof e->weight);
    record_put(out, &e->labels_count, sizeof e->labels_count);
    for (uint32_t i = 0; i < e->labels_count; i++) {
        record_put(out, &e->labels[i].label, sizeof e->labels[i].label);
        record_put(out, &e->labels[i].share, sizeof e->labels[i].share);
    }
}

void example_text_write(const struct example *e, struct buf *out)
{
    record_put_text(out, e->text);
    put_labels(e, out);
}

void example_rows_write(const struct example *e, struct buf *out)
{
    put_labels(e, out);
    record_put(out, &e->rows_count, sizeof e->rows_count);
    record_put(out, e->rows, e->rows_count * sizeof *e->rows);
    record_put(out, e->values, e->rows_count * sizeof *e->values);
}

static bool take_labels(struct str *in, uint32_t classes, struct example *out)
{
    if (!record_take(in, &out->weight, sizeof out->weight) ||
        !record_take(in, &out->labels_count, sizeof out->labels_count) || out->labels_count > classes)
        return false;
    for (uint32_t i = 0; i < out->labels_count; i++)
        if (!record_take(in, &out->labels[i].label, sizeof out->labels[i].label) ||
            !record_take(in, &out->labels[i].share, sizeof out->labels[i].share) || out->labels[i].label >= classes)
            return false;
    return true;
}

bool example_text_read(struct str *block, uint32_t classes, struct example *out)
{
    return record_take_text(block, &out->text) && take_labels(block, classes, out);
}

bool example_rows_read(struct str *block, uint32_t classes, uint32_t rows, struct example *out)
{
    if (!take_labels(block, classes, out) || !record_take(block, &out->rows_count, sizeof out->rows_count) ||
        out->rows_count > CLASSIFIER_GRAMS_MAX || !record_take(block, out->rows, out->rows_count * sizeof *out->rows) ||
        !record_take(block, out->values, out->rows_count * sizeof *out->values))
        return false;
    for (uint32_t i = 0; i < out->rows_count; i++)
        if (out->rows[i] >= rows)
            return false;
    return true;
}

void example_scores(const struct example *e, const double *bias, const double *weights, uint32_t classes, double *z)
{
    memcpy(z, bias, classes * sizeof *z);
    for (uint32_t i = 0; i < e->rows_count; i++) {
        const double *row = weights + (size_t)e->rows[i] * classes, v = e->values[i];
        for (uint32_t k = 0; k < classes; k++)
            z[k] += v * row[k];
    }
}
