/* example.h - pure: a text with its labels, as a record, and the same as rows of weights.
 *
 *   text      | f64 weight | u32 n | n × (u32 label, f64 share)       shares add up to 1
 *   f64 weight | u32 n | n × (u32 label, f64 share) | u32 m | m × u32 row | m × f64 value */
#pragma once
#include "base/mem.h"
#include "model/classifier_text.h"
#include "trainer/kernels/record.h"

struct example_label {
    uint32_t label;
    double share;
};
struct example {
    struct str text; /* n = 0 when it is rows */
    double weight;
    struct example_label *labels; /* room for CLASSIFIER_CLASSES_MAX */
    uint32_t labels_count;
    uint32_t *rows; /* room for CLASSIFIER_GRAMS_MAX */
    double *values;
    uint32_t rows_count;
};
void example_init(struct example *e, struct arena *arena);
void example_text_write(const struct example *e, struct buf *out);
void example_rows_write(const struct example *e, struct buf *out);
/* Takes the next one off *block. False: what is there is damaged. */
bool example_text_read(struct str *block, uint32_t classes, struct example *out);
bool example_rows_read(struct str *block, uint32_t classes, uint32_t rows, struct example *out);

/* z = bias + Σ value · weights of the row, of every class. */
void example_scores(const struct example *e, const double *bias, const double *weights, uint32_t classes, double *z);
