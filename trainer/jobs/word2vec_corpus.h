/* word2vec_corpus.h - what the job "word2vec" is trained on: the words of the catalogue and of queries, and sentences of them by numbers.
 *
 * Passes "texts", "query texts" → "words …" → the vocabulary → "sentences …". The run's parameters that count: sources, query_sessions, query_repeats, language, stop_words, min_count,
 * max_words, min_sentences, holdout; of items fields, min_documents, ranges; of queries those of query_log.h. */
#pragma once
#include "trainer/jobs/doc_vectors.h"
#include "trainer/jobs/query_log.h"
#include "trainer/kernels/word2vec/sentences.h"

struct corpus_part {
    struct buf words, ends; /* u32; u64 */
};
struct corpus {
    struct run_context *run;
    struct arena *arena;
    bool items, queries;
    struct doc_vectors v; /* of items: their ranges */
    struct query_log q;
    int texts_pass, queries_pass;
    struct str *texts; /* of words, the most frequent first */
    uint64_t *counts;
    uint32_t words;
    struct buf numbers; /* w2v_numbers.h */
    struct corpus_part train, held;
    uint64_t total; /* occurrences of the words in `train` */
};
/* "too little data" below min_sentences or without two words. Close it in any case. */
bool corpus_open(struct corpus *c, struct run_context *run, struct arena *arena, struct err *err) MUSTCHECK;
void corpus_close(struct corpus *c);
/* Borrowed. */
struct sentences corpus_sentences(const struct corpus_part *p);
