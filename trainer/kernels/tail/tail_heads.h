/* tail_heads.h - pure: the head of the queries, prepared for looking up which of them a tail query may mean.
 *
 * Heads are numbered by their traffic, most first. A tail query's candidates are the heads that share a word with it, have one that is few edits from
 * one of its words, or one that its last word begins; that are an edit from it when spaces do not count; for which documents are clicked
 * that are clicked for it; and those that people searched for next. Of a word or document that many heads have, the first TAIL_COMMON count. */
#pragma once
#include "trainer/kernels/intern.h"
#include "trainer/kernels/near.h"
#include "trainer/kernels/queries/query_record.h"
#include "trainer/kernels/words.h"

enum { TAIL_COMMON = 500, TAIL_DOCS = 20, TAIL_NEAR = 64, TAIL_PREFIX_CHARS = 3 };
#define TAIL_DOC_SHARE 0.05 /* of a query's clicks, for its document to say anything */

/* Numbers that belong to a number. */
struct tail_index {
    uint32_t *from; /* of key k: values[from[k]] … values[from[k + 1]] */
    uint32_t *values;
    uint32_t keys;
};

struct tail_doc {
    uint32_t doc; /* its number in `docs` */
    double share; /* of the query's clicks on documents */
};

struct tail_head {
    const struct query_record *query;
    struct words words;
    uint32_t ids[WORDS_MAX]; /* numbers of the words */
    struct str squashed;
    const struct tail_doc *docs; /* by number */
    uint32_t docs_count;
};

struct tail_heads {
    struct arena *arena;
    struct tail_head *heads;
    uint32_t count;
    struct intern texts, words, docs; /* a head's number in `texts` is its own */
    double *weights;                  /* of words: how much one says: ln(1 + queries / queries with it) */
    bool *rare;                       /* words that few queries have */
    uint32_t head_words;              /* words below this number are in heads */
    struct tail_index by_word, by_doc;
    uint32_t *sorted_words; /* numbers of words of heads, by text (bytes) */
    struct near_index *near_words, *near_squashed;
    uint32_t *near_word_ids; /* of each number in near_words */
    double queries;
};

/* A word that at least so many queries have: others are rare. */
struct tail_word {
    struct str text;
    uint64_t queries;
};
/* `queries`: heads in any order, borrowed; total_queries: of the log, tail and all. Release it before the arena. */
void tail_heads_init(struct tail_heads *h, struct arena *arena, const struct query_record *queries, size_t count,
                     const struct tail_word *words, size_t words_count, uint64_t total_queries);
void tail_heads_release(struct tail_heads *h);

/* What a word says; of one that is not known, as of one that a single query has. */
double tail_heads_weight(const struct tail_heads *h, struct str word, bool *out_rare);
/* The word's number; UINT32_MAX: no head has it. */
uint32_t tail_heads_word(const struct tail_heads *h, struct str word);
/* The number of a head by its text; UINT32_MAX: it is none. */
uint32_t tail_heads_find(const struct tail_heads *h, struct str text);

/* Candidates of a tail query, each once; `scale`: of words_edits. The caller frees *out with mem_free. */
size_t tail_heads_candidates(const struct tail_heads *h, const struct query_record *q, double scale, uint32_t **out);
