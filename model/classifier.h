/* classifier.h - what a text is: multinomial logistic regression on hashed n-grams (classifier_text.h), an artifact of kind "classifier".
 *
 *   p(k) = exp(z_k / T) / Σ exp(z_j / T),  z_k = bias_k + Σ over the text's features of value · weight_k
 *
 * T, the temperature, makes probabilities of scores that can be believed (C. Guo et al., ICML 2017). Section "classifier":
 *
 *   u32 version 1, bits, chars_min, chars_max, words_max, classes, rows, bytes of labels | f64 temperature
 *   u32 label_ends[classes] | f32 bias[classes] | u32 slots[2^bits] | f32 idf[rows] | f32 weights[rows][classes] | labels
 *
 * All little-endian. Beside it "card". A text of 5 words and 50 classes takes some microseconds. Pure. */
#pragma once
#include "base/buf.h"
#include "base/mem.h"
#include "model/artifact.h"
#include "model/classifier_text.h"

#define CLASSIFIER_KIND "classifier"
enum { CLASSIFIER_CLASSES_MAX = 1000, CLASSIFIER_LABEL_MAX = 200, CLASSIFIER_N_MAX = 100, CLASSIFIER_WHY_MAX = 100 };
#define CLASSIFIER_CELLS_MAX ((uint64_t)1 << 28) /* rows times classes */

/* ---- writing ---- */

struct classifier_parts {
    struct classifier_rules rules;
    double temperature;
    const struct str *labels; /* of the classes */
    uint32_t classes, rows;
    const double *bias;    /* of the classes */
    const uint32_t *slots; /* 2^bits: row + 1, or 0 */
    const float *idf;      /* of the rows */
    const double *weights; /* rows times classes */
};
/* The section; `out` is empty and limited by the caller. */
bool classifier_write(const struct classifier_parts *p, struct buf *out, struct err *err) MUSTCHECK;

/* ---- reading ---- */

struct classifier {
    struct classifier_rules rules;
    struct classifier_table table;
    double temperature;
    uint32_t classes;
    const float *bias, *weights;
    const uint32_t *label_ends;
    const char *labels;
};
/* Borrows the artifact's bytes. ERR_INVALID: the section is damaged or missing. */
bool classifier_open(const struct artifact *a, struct classifier *out, struct err *err) MUSTCHECK;
struct str classifier_label(const struct classifier *c, uint32_t class);

/* A text under way; one for each thread, from the arena. */
struct classifier_work {
    struct classifier_text text;
    struct classifier_feature features[CLASSIFIER_GRAMS_MAX];
    uint32_t features_count;
    double p[CLASSIFIER_CLASSES_MAX];
};
/* Fills p of every class. features_count 0: nothing of the text was seen in training, and p is what the classes are without any text. */
void classifier_predict(const struct classifier *c, struct str text, struct classifier_work *w);

struct classifier_best {
    uint32_t class;
    double p;
};
/* The n most likely ones, best first, of equal ones the first class. Returns how many. */
uint32_t classifier_best(const struct classifier *c, const struct classifier_work *w, uint32_t n,
                         struct classifier_best *out);

struct classifier_why {
    struct str gram; /* of w's text; characters with the space at the end of a word */
    bool word;
    double weight; /* what it adds to the class' score, beyond what it adds to the mean of all classes */
};
/* What spoke most for the class and against it, the greatest absolute value first; behind classifier_predict. Returns how many. */
uint32_t classifier_explain(const struct classifier *c, const struct classifier_work *w, uint32_t class, uint32_t n,
                            struct classifier_why *out);
