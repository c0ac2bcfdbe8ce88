/* doc_vectors.h - the catalogue as vectors: the passes that jobs over its texts begin with.
 *
 *   doc_vectors_open → doc_vectors_words → doc_vectors_make, doc_vectors_terms → doc_vectors_close
 *
 * Pass "terms" cuts the table of items into ranges and its texts into terms, "frequencies" counts the documents of each term, "vectors" weighs (TF-IDF) and
 * makes them as long as 1. Neither ranges nor workers change what comes out.
 *
 * The run's parameters that count: fields, ngrams, language, stop_words, min_df, max_df, max_terms, min_documents, ranges, and max_features where the job has it
 * (DOC_TEXTS in job/clusters.h). */
#pragma once
#include "trainer/jobs/items_read.h"
#include "trainer/kernels/content/content.h"
#include "trainer/kernels/content/content_index.h"

struct doc_vectors {
    struct run_context *run;
    struct arena *arena;
    struct items_read items;
    struct str *bounds;     /* the first document of each range */
    struct str text_params; /* of kernels that read texts */
    uint32_t ranges, parts; /* of documents; of terms */
    int terms_pass;
    struct buf words; /* struct content_word of each term that counts, by key */
    uint32_t documents;
    struct str *texts;  /* their ids, ascending by bytes */
    uint32_t *lengths;  /* in words */
    uint64_t *ends;     /* of each document in `entries`; one without a term that counts has none */
    struct buf entries; /* struct content_entry, document after document */
    uint32_t terms,
        dims; /* dims above 0: of sums of words' vectors, and entries are numbered below dims; else below terms */
};

/* "too little data" below min_documents. Close it in any case. */
bool doc_vectors_open(struct doc_vectors *v, struct run_context *run, struct arena *arena, struct err *err) MUSTCHECK;
/* Passes "terms" and "frequencies": v->words. */
bool doc_vectors_words(struct doc_vectors *v, struct err *err) MUSTCHECK;
/* Pass "vectors", as often as it is called; what was made before goes. rows: NULL, or of each term in v->words a vector of dims numbers. */
bool doc_vectors_make(struct doc_vectors *v, const float *rows, uint32_t dims, struct err *err) MUSTCHECK;
/* What terms are called: keys ascending; out_texts {NULL, 0} for one that no document has. In the arena. */
bool doc_vectors_terms(struct doc_vectors *v, const uint64_t *keys, uint32_t count, struct str *out_texts,
                       struct err *err) MUSTCHECK;
void doc_vectors_close(struct doc_vectors *v);

static inline uint64_t doc_vectors_begin(const struct doc_vectors *v, uint32_t document)
{
    return document ? v->ends[document - 1] : 0;
}
static inline const struct content_entry *doc_vectors_entries(const struct doc_vectors *v)
{
    return (const void *)buf_str(&v->entries).p;
}
static inline const struct content_word *doc_vectors_word(const struct doc_vectors *v, uint32_t i)
{
    return (const struct content_word *)(const void *)buf_str(&v->words).p + i;
}

/* Splits that read the table of items, in the arena. */
const struct engine_split *doc_vectors_ranges(struct doc_vectors *v, struct err *err);
