/* content.h - what the job "content" and its kernels say to each other: documents that are alike by their texts.
 *
 * "content.terms@1": a range of the table of items → terms; text {"from": id, "to": id or null}, params {"fields": "title=3,text=1", "ngrams", "language",
 * "stop_words"}. Parts 0 … parts - 2: struct pair_sum of each term of the range, the key its hash and the count the documents that have it; the last
 * part: vectors of documents (text, u32 count, count × struct content_term with √Σ weight of the field × how often), terms by key.
 * "pair_sums.merge@1" (kernels/items/) adds up the counts.
 * "content.vectors@1": vectors of a range → the same by numbers: blob 0 is struct content_word of each term that counts, by key. Params {"max_terms"}. Collects for each
 * document: text, u32 count, count × { u32 term, f32 weight }, of length 1.
 * "content.similar@1": documents FROM … TO - 1 (text) → those that are most alike, by cosine; params {"top", "min_score"}, blob 0 the index (content_index.h).
 * Collects for each document with a list: u32 document, u32 count, count × { u32 document, f32 score }. */
#pragma once
#include "trainer/engine/task.h"

#define CONTENT_TERMS_KERNEL "content.terms@1"
#define CONTENT_VECTORS_KERNEL "content.vectors@1"
#define CONTENT_SIMILAR_KERNEL "content.similar@1"
extern const struct kernel kernel_content_terms, kernel_content_vectors, kernel_content_similar;

struct content_term {
    uint64_t key;
    double weight;
};
struct content_word {
    uint64_t key;
    double idf;
};
/* Of a key, so that its first half is below CONTENT_KEYS. */
#define CONTENT_KEYS (UINT32_C(1) << 31)
static inline uint64_t content_key(uint64_t hash)
{
    return hash >> 1;
}
