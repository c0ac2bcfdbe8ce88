/* letters.h - pure: a word as its letters (code points), and what is known of letters: which are vowels, which lie side by side on a keyboard,
 * which sound alike, which is which without its accent.
 *
 * Texts come in the normal form of query_text.h: lower case, one space between words. What is said of sounds and keys is of Latin letters; others have
 * neither, so that their edits are all of the plain kinds. */
#pragma once
#include "base/str.h"

enum { LETTERS_MAX = 64 };

struct letters {
    uint32_t at[LETTERS_MAX];
    uint32_t n;
};

/* False: it is empty, longer than LETTERS_MAX, or not UTF-8. */
bool letters_of(struct str text, struct letters *out) MUSTCHECK;

/* 'e' of "é"; 0: the letter is none of Latin. Digits and all else: 0. */
char letter_base(uint32_t letter);
bool letter_is_vowel(uint32_t letter); /* a e i o u y, with or without an accent */
bool letter_is_digit(uint32_t letter); /* of any script that a keyboard has: ASCII, Arabic, Devanagari, full width */
/* Neighbours on a QWERTY keyboard; keys of other layouts differ in few places. */
bool letters_near(uint32_t a, uint32_t b);
/* Consonants that are taken for each other: c k q x, s c z x, g j, f v, d t, b p, m n, v w. */
bool letters_alike(uint32_t a, uint32_t b);
/* A bit for each base letter that the word has; others share the bits above. Words at distance d differ in at most 2 d bits. */
uint32_t letters_mask(const struct letters *w);
/* The digits of both are the same, in the same order: another number is another thing, never a misspelling. */
bool letters_same_digits(const struct letters *a, const struct letters *b);
