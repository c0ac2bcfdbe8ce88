/* slot.h - pure: two queries that differ in one place → what stands there in each, and the words around it.
 *
 *   "leather sofa", "couch leather"  →  a "couch", b "sofa", context "leather"
 *
 * Words that both have are the context, in whatever order; of each query the others have to stand side by side. Known phrases are never cut: they
 * are one word. */
#pragma once
#include "trainer/kernels/intern.h"
#include "trainer/kernels/words.h"

enum { SLOT_PHRASE_WORDS = 4 }; /* longer phrases are not known */

struct slot {
    struct str a, b; /* borrowed from the queries; a comes before b by its bytes */
    bool swapped;    /* a is of the second query */
    char context[QUERY_TEXT_MAX];
    size_t
        context_n; /* the words of both, sorted, with one space between them; 0: the queries have nothing in common */
};

/* The words of a query; phrases NULL: none are known. */
void slot_words(struct str query, const struct intern *phrases, struct words *out);
/* False: they do not differ in one place, or by more than max_words words on one side. */
bool slot_of(const struct words *x, const struct words *y, uint32_t max_words, struct slot *out);

/* What is no synonym: texts that few edits (words_edits) or only spaces lie between; texts with different numbers; a text that has the other's
 * words. */
bool slot_is_variant(const struct slot *s, double length_scale);
/* One text only begins the other, spaces or not: "tele", "television". An abbreviation, or a query that was sent before it was typed to its end. */
bool slot_is_beginning(const struct slot *s);
