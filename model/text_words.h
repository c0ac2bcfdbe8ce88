/* text_words.h - pure: the words of a text in the form of query_text.h.
 *
 * A word is a run of anything but white space and punctuation; + # & % belong to words ("c++"), a point or comma does between two digits ("1.5"). */
#pragma once
#include <stdint.h>

#include "base/str.h"

enum { WORDS_MAX = 32 };

struct words {
    struct str texts[WORDS_MAX]; /* borrowed from the text */
    uint32_t count;              /* what lies behind the last one is left out */
};
void words_split(struct str text, struct words *out);
