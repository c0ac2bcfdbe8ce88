/* word2vec.h - what the job "word2vec" and its kernels say to each other.
 *
 * "word2vec.texts@1": a range of the table of items (content_read.h) → words and sentences: a text of a field is a sentence. "word2vec.queries@1": records of the query log
 * → the same; params {"language", "stop_words", "repeats", "sessions"}: a query is a sentence as often as it was searched, at most `repeats` times; with sessions also the words of
 * two queries that followed each other. Both leave parts 0 … parts - 2: text, u64 how often, of each word; the last part: sentences (u64 hash of what it is of, u32 words,
 * hashes of words).
 * "word2vec.words@1": a part of all splits → text, u64 how often, of each word, sorted by bytes; params {"min_count"}.
 * "word2vec.encode@1": sentences of a split by numbers; blob 0: hashes (u64), ascending, and behind them the numbers (u32). Words that are not there are left out, then
 * sentences of fewer than two. Params {"holdout"}. Collects u32 held out (0, 1), u32 words, numbers.
 * "word2vec.epoch@1": text "FIRST END" (sentences), params struct w2v_rules; blobs: sentences, both halves of the model (words × stride floats each), tables. Collects a struct w2v_result,
 * of each word how often its halves were moved (u32, u32), both halves.
 * "word2vec.judge@1": text "FIRST END"; params {"dims", "champion_dims" (0: there is none), "negative", "window"}; blobs: sentences, model, tables, and with a champion its model by the same numbers and a
 * byte of each word, whether it knows it. Collects a struct w2v_judged.
 * "word2vec.documents@1": a range of the table of items → vectors; params of content_read.h; blobs: as of encode, the first half of the model. Collects text, dims floats: the
 * mean of its words' vectors, each of length 1; no document without one. */
#pragma once
#include "stats/moments.h"
#include "trainer/engine/task.h"

#define W2V_TEXTS_KERNEL "word2vec.texts@1"
#define W2V_QUERIES_KERNEL "word2vec.queries@1"
#define W2V_WORDS_KERNEL "word2vec.words@1"
#define W2V_ENCODE_KERNEL "word2vec.encode@1"
#define W2V_EPOCH_KERNEL "word2vec.epoch@1"
#define W2V_JUDGE_KERNEL "word2vec.judge@1"
#define W2V_DOCUMENTS_KERNEL "word2vec.documents@1"
extern const struct kernel kernel_w2v_texts, kernel_w2v_queries, kernel_w2v_words, kernel_w2v_encode, kernel_w2v_epoch,
    kernel_w2v_judge, kernel_w2v_documents;

enum { W2V_SENTENCE_MAX = 10000 };

struct w2v_rules {
    uint32_t dims, window, negative;
    float rate, rate_end; /* at the first and behind the last word of the epoch */
};
struct w2v_result {
    double loss; /* Σ over pairs */
    uint64_t pairs, words;
};
/* Of the tables: u32 words | u32 0 | of each u32 alias, u32 limit (a draw below it is the word's own) | of each u32 keep (a word stays when a draw is not above it). */
struct w2v_alias {
    uint32_t other, limit;
};
struct w2v_judged {
    struct moments2 m;  /* skill of a sentence: x the candidate's, y the champion's */
    double loss;        /* Σ over sentences of the candidate's mean loss of a pair */
    uint64_t sentences; /* with a pair */
};
