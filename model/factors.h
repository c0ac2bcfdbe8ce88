/* factors.h - section "factors" of a recommender: one vector per item, and what folding in a history needs beside them.
 *
 * A unit that training has not seen, or whose last documents it has not seen, gets a vector from its history, and each item the product
 * of the two vectors. How the vector is found is the model's:
 *   FOLD_SOLVE  implicit ALS (Hu, Koren, Volinsky 2008): with x_u = (Y'Y + lambda I + alpha sum w_i y_i y_i')^-1 sum (1 + alpha w_i) y_i,
 *               the half step that training itself makes for a unit
 *   FOLD_MEAN   others (BPR): the mean of the items' vectors, weighted by w_i
 * Bytes, little-endian: header (64) · slots of a hash index · offsets of texts · texts · padding · float vectors · float biases, if any ·
 * double Gram matrix Y'Y, for FOLD_SOLVE. Sums run in the order of items and in double: the same bytes whoever computes. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

enum factors_fold { FOLD_SOLVE, FOLD_MEAN, FOLD_COUNT };
enum { FACTORS_RANK_MAX = 1024, FACTORS_HISTORY_MAX = 512 };

/* ---- writing ---- */

struct factors_out {
    enum factors_fold fold;
    uint32_t rank, items;
    const struct str *texts; /* each once */
    const float *vectors;    /* items × rank */
    const float *biases;     /* NULL: none; added to the product */
    double alpha, lambda;    /* FOLD_SOLVE */
};
/* Appends the section's bytes. */
bool factors_write(const struct factors_out *f, struct buf *out, struct err *err) MUSTCHECK;

/* ---- reading ---- */

struct factors {
    enum factors_fold fold;
    uint32_t rank, items, slots;
    double alpha, lambda;
    const char *index, *offsets, *texts, *vectors, *biases,
        *gram;       /* into the section; biases, gram: NULL when there are none */
    double *inverse; /* (Y'Y + lambda I)^-1, for FOLD_SOLVE */
};
/* Checks every offset and number once; afterwards nothing can go out of bounds. The inverse is the arena's, the rest the section's. */
bool factors_read(struct str section, struct factors *out, struct arena *arena, struct err *err) MUSTCHECK;
bool factors_find(const struct factors *f, struct str item, uint32_t *out_number);
struct str factors_text(const struct factors *f, uint32_t number);
void factors_vector(const struct factors *f, uint32_t number, float *out); /* rank floats */
double factors_cosine(const struct factors *f, uint32_t a, uint32_t b);    /* 0 when one is all zero */

struct factors_event {
    uint32_t item;
    double weight; /* above 0, as in training: of a signal's type, decayed */
};
/* The vector of a history; false when it is empty or all weights are 0. Events beyond FACTORS_HISTORY_MAX are not looked at. */
bool factors_fold_in(const struct factors *f, const struct factors_event *events, size_t count, struct arena *arena,
                     float *out_vector);
/* Scores of items first … first + count - 1; one that is too large for a float becomes the least. */
void factors_scores(const struct factors *f, const float *vector, uint32_t first, uint32_t count, float *out);
