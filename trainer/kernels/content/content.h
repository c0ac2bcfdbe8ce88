/* content.h - what jobs over the texts of the catalogue and their kernels say to each other: documents as vectors, and which are alike. A split that reads the
 * table, and the params of texts: content_read.h.
 *
 * "content.terms@2": a range of the table of items → terms. Parts 0 … parts - 2: struct pair_sum of each term of the range, the key its own and the count the
 * documents that have it; the last part: vectors of documents (text, u32 words, u32 count, count × struct content_term with √Σ weight of the field × how often), terms
 * by key.
 * "pair_sums.merge@1" (kernels/items/) adds up the counts.
 * "content.words@1": a range of the table → what terms are called: blob 0 are keys (u64), ascending. Collects for each that is there: u32 number, text.
 * "content.vectors@2": vectors of a range → the same by numbers: blob 0 is struct content_word of each term that counts, by key. Params {"max_terms", "dims"}. Collects
 * for each document: text, u32 words, u32 count, count × { u32 term, f32 weight }, of length 1. With dims above 0, blob 1 are vectors of these terms (float,
 * terms × dims) and the document is the sum of those of its terms by weight: count is dims, or 0.
 * "content.similar@1": documents FROM … TO - 1 (text) → those that are most alike, by cosine; params {"top", "min_score"}, blob 0 the index (content_index.h).
 * Collects for each document with a list: u32 document, u32 count, count × { u32 document, f32 score }. */
#pragma once
#include "trainer/engine/task.h"

#define CONTENT_TERMS_KERNEL "content.terms@2"
#define CONTENT_WORDS_KERNEL "content.words@1"
#define CONTENT_VECTORS_KERNEL "content.vectors@2"
#define CONTENT_SIMILAR_KERNEL "content.similar@1"
extern const struct kernel kernel_content_terms, kernel_content_words, kernel_content_vectors, kernel_content_similar;

struct content_term {
    uint64_t key;
    double weight;
};
struct content_word {
    uint64_t key;
    double idf;
};
