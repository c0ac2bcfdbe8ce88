/* text.h - inside of libassign: UTF-8 text that answers as JavaScript's UTF-16 would. */
#pragma once
#include <string.h>

#include "assign/assign.h"

#define ASSIGN_TEXT(literal) ((struct assign_text){ (literal), sizeof(literal) - 1 })

static inline bool assign_text_equal(struct assign_text a, struct assign_text b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Length of the well-formed sequence at p (n > 0) and its code point; 1 and U+FFFD for a byte that starts none. */
size_t assign_decode(const char *p, size_t n, uint32_t *out);
/* Writes a code point as UTF-8; returns its length, at most 4. */
size_t assign_encode(uint32_t cp, char out[4]);
/* As JavaScript's < does: by UTF-16 code units, so that U+10000 comes before U+E000. Below, at or above 0. */
int assign_text_compare(struct assign_text a, struct assign_text b);
/* The text's UTF-16 code units; `out` has room for text.n of them. Returns their count. */
size_t assign_text_units(struct assign_text text, uint16_t *out);
/* As toLowerCase(), but for the final sigma, which becomes a plain one. False: the arena gave no more. */
bool assign_text_lower(struct assign_text text, struct assign_arena *a, struct assign_text *out);
uint32_t assign_lower(uint32_t cp); /* one code point (U+0130: itself) */
bool assign_text_copy(struct assign_text text, struct assign_arena *a, struct assign_text *out);
/* The texts, one behind the other. */
bool assign_text_join(const struct assign_text *parts, size_t count, struct assign_arena *a, struct assign_text *out);
/* A fast hash for tables; not GrowthBook's. */
uint32_t assign_text_hash(struct assign_text text);
