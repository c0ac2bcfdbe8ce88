/* text.h - inside of libassign: UTF-8 text that answers as JavaScript's UTF-16 would. */
#pragma once
#include <string.h>

#include "assign/assign.h"

#define ASSIGN_TEXT(literal) ((struct assign_text){ (literal), sizeof(literal) - 1 })

/* Names and values are short: two words that overlap cost less than a call of memcmp. */
static inline bool assign_same_bytes(const char *a, const char *b, size_t n)
{
    uint64_t a0, a1, b0, b1;
    if (n > 16)
        return memcmp(a, b, n) == 0;
    if (n >= 8) {
        memcpy(&a0, a, 8);
        memcpy(&a1, a + n - 8, 8);
        memcpy(&b0, b, 8);
        memcpy(&b1, b + n - 8, 8);
        return ((a0 ^ b0) | (a1 ^ b1)) == 0;
    }
    if (n >= 4) {
        uint32_t c0, c1, d0, d1;
        memcpy(&c0, a, 4);
        memcpy(&c1, a + n - 4, 4);
        memcpy(&d0, b, 4);
        memcpy(&d1, b + n - 4, 4);
        return ((c0 ^ d0) | (c1 ^ d1)) == 0;
    }
    return n == 0 || (a[0] == b[0] && a[n / 2] == b[n / 2] && a[n - 1] == b[n - 1]);
}

/* A number that two texts of up to seven bytes share only when they are the same: the bytes, and the length above them. Of a longer text
 * the first seven bytes; those of others may begin so, too. */
enum { ASSIGN_TAG_EXACT_MAX = 7 };
static inline uint64_t assign_text_tag(struct assign_text t)
{
    uint64_t tag = 0;
    uint32_t lo, hi;
    if (t.n > ASSIGN_TAG_EXACT_MAX) {
        memcpy(&tag, t.p, 8);
        return tag | UINT64_C(0xFF) << 56;
    }
    if (t.n >= 4) {
        memcpy(&lo, t.p, 4);
        memcpy(&hi, t.p + t.n - 4, 4);
        tag = lo | (uint64_t)hi << (t.n - 4) * 8;
    } else if (t.n) { /* the first, the middle and the last are all there are */
        tag = (unsigned char)t.p[0] | (uint64_t)(unsigned char)t.p[t.n / 2] << t.n / 2 * 8 |
              (uint64_t)(unsigned char)t.p[t.n - 1] << (t.n - 1) * 8;
    }
    return tag | (uint64_t)(t.n + 1) << 56;
}

static inline bool assign_text_equal(struct assign_text a, struct assign_text b)
{
    return a.n == b.n && assign_same_bytes(a.p, b.p, a.n);
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
