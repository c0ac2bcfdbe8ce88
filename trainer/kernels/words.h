/* words.h - pure: the words of a query (model/text_words.h), and how far texts are apart. Texts are compared by their characters, not bytes. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/query_text.h"
#include "model/text_words.h"
#include "trainer/kernels/spelling/letters.h"

enum { WORDS_CHARS_MAX = LETTERS_MAX };

/* Those between spaces, whatever they are made of: what rewritings of queries call words (model/rewrite.h). */
void words_split_spaces(struct str query, struct words *out);

/* The words behind each other, without what was between them; `out` has QUERY_TEXT_MAX bytes. */
struct str words_squash(const struct words *w, char *out);
size_t words_chars(struct str s);
bool words_have_digit(struct str word);
/* Word i is a number ("64gb"), or the unit of one beside it ("64 gb"). */
bool words_measure(const struct words *w, uint32_t i);
/* letters_distance of the two (spelling/distance.h). limit + 1: more than the limit, or a text that is not the other has more than WORDS_CHARS_MAX
 * characters. */
unsigned words_distance(struct str a, struct str b, unsigned limit);
/* Edits that a text may differ in and still be taken for the other: one for each `scale` characters, at most two; none when it has a digit, for a
 * number that differs is another number. */
unsigned words_edits(struct str s, double scale);
