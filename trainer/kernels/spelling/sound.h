/* sound.h - pure: how a word sounds, as a short key: words with the same key are taken for each other.
 *
 * For Latin letters the rules are those of Lawrence Philips' Metaphone ("Hanging on the Metaphone", Computer Language 7 (12), 1990), without accents
 * and with one key for the sounds that are mixed up most (v as f, z as s, a dropped h). It is English to the ear, but consonants of most languages
 * with Latin letters come out well enough to be told apart. Spaces are not heard: "note book" sounds as "notebook". A word with letters of another script is its own key, doubled letters once. */
#pragma once
#include "trainer/kernels/spelling/letters.h"

/* Letters of the key; at most as many as LETTERS_MAX. */
void sound_key(const struct letters *word, struct letters *out);
