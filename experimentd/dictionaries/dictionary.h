/* dictionary.h - pure: a list of words as people have it → the form in which it is stored.
 *
 * A line is a word, or a word or phrase with its count behind it: "lamp", "lamp 1200", "table lamp\t300". A word without a count has 1. Words are brought to the
 * form of queries (model/query_text.h); those that are then the same are one word with the sum of their counts. Empty lines, a byte order mark and
 * carriage returns do no harm. */
#pragma once
#include "base/bad_lines.h"
#include "base/buf.h"

enum {
    DICTIONARY_BYTES_MAX = 16 << 20,
    DICTIONARY_WORDS_MAX = 500000,
    DICTIONARY_PHRASE_MAX = 3, /* words of a phrase */
    DICTIONARY_WORD_BYTES = 128
};
#define DICTIONARY_COUNT_MAX UINT64_C(1000000000000) /* so that a sum fits */

struct dictionary {
    struct buf content; /* "lamp 1200\n" …, sorted by word (bytes); release it */
    uint32_t words;
    uint64_t total;
    struct bad_lines bad;
};
/* False: a line is wrong (bad), or it is too long or empty, as err says. In any case release the content. */
bool dictionary_read(struct str text, struct arena *arena, struct dictionary *out, struct err *err) MUSTCHECK;
