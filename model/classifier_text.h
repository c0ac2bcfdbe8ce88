/* classifier_text.h - pure: a text → what a classifier sees of it: n-grams of characters and of words, hashed into 2^bits buckets, and their weights. The trainer
 * and whoever serves go through here.
 *
 * The text is brought to the form of queries (query_text.h); commas, brackets, quotes and the like are spaces, too. N-grams of characters lie within a word with
 * one space at each of its ends; a word shorter than n is one n-gram. N-grams of words are up to words_max words in a row.
 * A feature's value is how often it comes times its idf; a text's values have length 1. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/query_text.h"

enum {
    CLASSIFIER_BITS_MIN = 8,
    CLASSIFIER_BITS_MAX = 22,
    CLASSIFIER_CHARS_MAX = 8,
    CLASSIFIER_WORDS_MAX = 3,
    CLASSIFIER_TEXT = QUERY_TEXT_MAX + 2,
    CLASSIFIER_GRAMS_MAX = CLASSIFIER_TEXT * (CLASSIFIER_CHARS_MAX + CLASSIFIER_WORDS_MAX)
};

struct classifier_rules {
    uint32_t bits;
    uint32_t chars_min, chars_max; /* chars_max 0: none */
    uint32_t words_max;            /* 0: none */
};
/* ERR_INVALID: out of bounds, or neither characters nor words. */
bool classifier_rules_check(const struct classifier_rules *r, struct err *err) MUSTCHECK;

struct classifier_gram {
    uint32_t bucket;
    uint16_t at, n; /* of the text below */
    bool word;
};
struct classifier_text {
    char text[CLASSIFIER_TEXT]; /* " red lamp " */
    size_t n;
    struct classifier_gram grams[CLASSIFIER_GRAMS_MAX]; /* each as often as it comes */
    uint32_t grams_count;
};
void classifier_read(const struct classifier_rules *r, struct str raw, struct classifier_text *out);

struct classifier_feature {
    uint32_t id; /* bucket, or row of the table */
    uint32_t count;
    double value;
};
/* The buckets of the text, ascending, each once with its count; `out` has room for CLASSIFIER_GRAMS_MAX. Returns how many. */
uint32_t classifier_buckets(const struct classifier_text *t, struct classifier_feature *out);

/* Which buckets were seen in training: their row + 1, and its idf. */
struct classifier_table {
    uint32_t bits, rows;
    const uint32_t *slots; /* 2^bits; 0: not seen */
    const float *idf;      /* of each row */
};
/* The rows of the text by bucket, with values; length 1, or none when no bucket was seen. */
uint32_t classifier_vector(const struct classifier_table *table, const struct classifier_text *t,
                           struct classifier_feature *out);
