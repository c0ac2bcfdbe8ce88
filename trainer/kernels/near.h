/* near.h - pure: of many texts, those that are few edits from a given one.
 *
 * Texts that are k edits apart have a common rest after at most k deletions in each (W. Garbe, SymSpell, 2012), also when only a prefix is looked at: what
 * an edit pushes out of the prefix of one is deleted from the other. So each text is entered under the rests of its prefix after up to `edits`
 * deletions, and what is found is measured. Texts that begin alike want a longer prefix, which costs more entries: of two edits and 8 characters 37, of one
 * edit and 16 characters 17. */
#pragma once
#include "base/mem.h"

enum { NEAR_EDITS_MAX = 2, NEAR_PREFIX_MAX = 16 };

struct near_index;
struct near_index *near_new(unsigned edits, size_t prefix); /* at most as above; edits < prefix */
void near_free(struct near_index *n);
DEFINE_AUTO(struct near_index *, near_free)
/* Texts get the numbers 0, 1, 2 …; they are borrowed. */
void near_add(struct near_index *n, struct str text);
/* Behind the last near_add. */
void near_end(struct near_index *n);
/* The numbers of texts at most `limit` edits away (no more than the index has), ascending, at most `max` of them; how many. A text is near itself. */
size_t near_find(const struct near_index *n, struct str s, unsigned limit, uint32_t *out, size_t max);
