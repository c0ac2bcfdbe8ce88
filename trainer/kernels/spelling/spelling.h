/* spelling.h - what the jobs "spelling" and "phrases" and their kernels say to each other.
 *
 * "terms.count@1": records of queries (query_record.h) → records of terms (terms.h) in parts by text. params: {"longest", "lists"}.
 * "terms.merge@1": a part of all of them → one record for each term with at least min_searches, sorted; it collects a struct terms_seen and, of each
 * record, text and struct term_counts. params: and "min_searches".
 * "spelling.correct@1": records of terms, blob: the head (head.h) → it collects rows. params: the members of struct spelling_params. */
#pragma once
#include "trainer/kernels/spelling/speller.h"
#include "trainer/kernels/spelling/terms.h"

#define TERMS_COUNT_KERNEL "terms.count@1"
#define TERMS_MERGE_KERNEL "terms.merge@1"
#define SPELLING_CORRECT_KERNEL "spelling.correct@1"
extern const struct kernel kernel_terms_count, kernel_terms_merge, kernel_spelling_correct;

struct terms_params {
    uint32_t longest;
    bool lists;
    uint64_t min_searches;
};
bool terms_params_read(struct str json, struct terms_params *out, struct err *err) MUSTCHECK;
struct str terms_params_write(const struct terms_params *p, struct arena *arena);

/* Over all terms of the part, by how many words they have. */
struct terms_seen {
    uint64_t terms[TERMS_LONGEST], searches[TERMS_LONGEST];
};

struct spelling_params {
    struct spell_rules rules;
    uint64_t word_below, phrase_below; /* terms with fewer searches may be misspelt */
    bool phrases;                      /* those of two words are looked at, too */
};
bool spelling_params_read(struct str json, struct spelling_params *out, struct err *err) MUSTCHECK;
struct str spelling_params_write(const struct spelling_params *p, struct arena *arena);

struct spelling_numbers {
    struct term_counts typed;
    uint64_t searches, clicks, listed, next; /* with what was meant */
    double edit_cost, score, probability, confidence;
    uint32_t distance;
    bool sounds_same, words_known, split;
};
struct spelling_row {
    struct str input, output;
    struct spelling_numbers numbers;
};
void spelling_row_write(struct buf *out, const struct spelling_row *r);
bool spelling_row_read(struct str *bytes, struct spelling_row *out);
