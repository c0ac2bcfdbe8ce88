/* distance.h - pure: how many edits lie between two words.
 *
 * An edit leaves out, adds or replaces a letter, or swaps two that are side by side; no letter is edited twice: the restricted Damerau-Levenshtein
 * distance, "optimal string alignment" (OSA). */
#pragma once
#include "trainer/kernels/spelling/letters.h"

/* The distance when it is at most `most`, else most + 1. */
uint32_t letters_distance(const struct letters *a, const struct letters *b, uint32_t most);
