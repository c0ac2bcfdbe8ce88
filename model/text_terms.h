/* text_terms.h - pure: a text → its terms: words in lower case (text_words.h), without stop words, and runs of up to n of them. */
#pragma once
#include "base/mem.h"

enum { TEXT_NGRAMS_MAX = 3, TEXT_WORD_MAX = 64 /* bytes; a longer word is none */ };

struct stop_words {
    struct str *words; /* sorted by bytes */
    size_t count;
};
/* language: "none", "english", "german"; more: words with commas, or {NULL, 0}. In the arena. */
void stop_words_make(const char *language, struct str more, struct arena *arena, struct stop_words *out);
bool stop_words_has(const struct stop_words *s, struct str word);

/* "desk lamp": words with one space between. Valid during the call. */
typedef void (*text_term_fn)(void *arg, struct str term);
void text_terms(struct str text, const struct stop_words *stop, unsigned ngrams, text_term_fn fn, void *arg);
/* What numbers stand for the term by: its first half is below TEXT_KEYS. */
#define TEXT_KEYS (UINT32_C(1) << 31)
uint64_t text_term_key(struct str term);
