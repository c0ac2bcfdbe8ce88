/* classify_train.h - from labelled texts to the weights of a classifier: passes over ranges of texts, between them L-BFGS on the coordinator.
 *
 *   f = Σ s_i loss_i / S + |W|² / (2 C S),  S = Σ s_i: what LIBLINEAR and scikit-learn make small, divided by C S; biases are not held down
 *
 *   classify_train_open (labels that count) → classify_train (texts, n-grams that count, rows, gradients, temperature) → classify_train_release */
#pragma once
#include "trainer/jobs/labelled_read.h"
#include "trainer/kernels/classify/classify.h"
#include "trainer/kernels/classify/lbfgs.h"

#define CLASSIFY_CELLS_MAX ((uint64_t)1 << 23) /* n-grams times labels: what the optimiser holds some dozen times */

struct classify_train {
    struct run_context *run;
    struct arena *arena;
    struct labelled_read read;
    struct classify_params params;
    struct classify_labels labels;
    int labels_blob;
    uint32_t labels_left_out; /* with too few texts */
    uint64_t texts_left_out;
    int texts_pass, rows_pass;
    struct classify_counts counts;
    uint64_t *label_texts;                 /* to train on */
    double *label_weights, *class_weights; /* Σ weight of their texts; what each is multiplied by */
    double sum;                            /* S */
    uint32_t *slots;                       /* of the buckets */
    float *idf;
    uint64_t features_left_out;
    double c;
    struct lbfgs l; /* x: biases, then weights, row by row */
    enum lbfgs_state state;
    double loss, objective; /* of a text, at the end; f */
    double temperature;
};
/* run_too_little when fewer than two labels have texts enough. Release it in any case. */
bool classify_train_open(struct classify_train *t, struct run_context *run, struct arena *arena,
                         struct err *err) MUSTCHECK;
bool classify_train(struct classify_train *t, struct err *err) MUSTCHECK;
void classify_train_release(struct classify_train *t);
/* A split for each range that reads part `part`, or, with both, parts 0 and 1, of an earlier pass. */
struct engine_split *classify_splits(struct classify_train *t, uint32_t part, bool both);
