/* classify.h - what the job "query-intent" and its kernels say to each other.
 *
 * "classify.texts@1": a range of the table labelled_texts (text: {"from", "to" or null}) → struct example with text, by hash in part 0 (to train on), 1 (to
 * calibrate on) or 2 (to judge by); blob 0: the labels that count, sorted, as texts. Collects struct classify_counts, of each label u64 texts and f64
 * weight (of part 0), and of each bucket in a text of part 0, ascending, u32 bucket and u32 texts.
 * "classify.rows@1": parts 0 and 1 of a split → the same parts with rows of weights; blob 0: classify_table_*.
 * "classify.gradient@1": part 0 of these → f64 loss, f64 gradient of biases, u32 count, count × u32 row, count × classes × f64 gradient; blob 0: f64
 * bias[classes], weights[rows][classes].
 * "classify.temperature@1": part 1 of these → f64 sum of weights, of each temperature the f64 loss; blob 0 likewise.
 * "classify.judge@1": part 2 of texts → class_scores_write; blob 0: labels, 1: the candidate's file, 2: the champion's, if there is one. */
#pragma once
#include "model/classifier.h"
#include "trainer/engine/task.h"

#define CLASSIFY_TEXTS_KERNEL "classify.texts@1"
#define CLASSIFY_ROWS_KERNEL "classify.rows@1"
#define CLASSIFY_GRADIENT_KERNEL "classify.gradient@1"
#define CLASSIFY_TEMPERATURE_KERNEL "classify.temperature@1"
#define CLASSIFY_JUDGE_KERNEL "classify.judge@1"
extern const struct kernel kernel_classify_texts, kernel_classify_rows, kernel_classify_gradient,
    kernel_classify_temperature, kernel_classify_judge;

enum classify_part { CLASSIFY_TRAIN, CLASSIFY_CALIBRATE, CLASSIFY_JUDGE, CLASSIFY_PARTS };
enum { CLASSIFY_TEMPERATURES_MAX = 64 };

struct classify_params {
    struct str set;
    struct classifier_rules rules;
    double holdout, calibration; /* shares of texts, by hash */
    bool by_weight;              /* a text counts by its weights; else once */
    uint32_t classes, rows;
    double low, step; /* temperatures low, low · step, … */
    uint32_t temperatures;
    bool champion;
};
bool classify_params_read(struct str json, struct arena *arena, struct classify_params *out, struct err *err) MUSTCHECK;
bool classify_params_write(const struct classify_params *p, struct arena *arena, struct str *out,
                           struct err *err) MUSTCHECK;

struct classify_counts {
    uint64_t texts[CLASSIFY_PARTS];
};
/* Which part a text is in: by its form and nothing else, so that the same texts are held out night after night. */
enum classify_part classify_part_of(const struct classify_params *p, const struct classifier_text *t);
/* One of `groups` that a text is in, by another hash. */
uint32_t classify_group_of(const struct classifier_text *t, uint32_t groups);

/* Labels, as a blob: texts one behind the other, sorted. */
struct classify_labels {
    const struct str *labels;
    uint32_t count;
};
bool classify_labels_read(struct str blob, struct arena *arena, struct classify_labels *out, struct err *err) MUSTCHECK;
/* UINT32_MAX: it is none of them. */
uint32_t classify_label_find(const struct classify_labels *l, struct str label);

/* What texts become rows by, as a blob: u32 bits, rows | f64 weights of the classes | u32 slots[2^bits] | f32 idf[rows]. */
void classify_table_write(const struct classifier_table *t, const double *class_weights, uint32_t classes,
                          struct buf *out);
bool classify_table_read(struct str blob, uint32_t classes, struct classifier_table *out,
                         const double **out_class_weights, struct err *err) MUSTCHECK;
