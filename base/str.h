/* str.h - borrowed text: a pointer and a length, not ended by 0 unless the giver says so; and strict number parsing. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).n, (s).p

static inline struct str str_of(const char *s)
{
    return (struct str){ s, s ? strlen(s) : 0 };
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_eq_c(struct str a, const char *b)
{
    return str_eq(a, str_of(b));
}

bool str_starts(struct str s, struct str prefix);
bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
struct str str_cut(struct str s, size_t max);   /* the first max bytes or fewer: UTF-8 is cut between characters */
struct str str_trim(struct str s);              /* spaces, tabs, CR, LF at both ends */
/* Takes the part before `sep` off *rest (all of it when there is none). False when *rest was used up. */
bool str_split(struct str *rest, char sep, struct str *out_part);

/* The whole text must be the number; no sign for u32/u64, no spaces, no hex, no "inf" or "nan". */
bool parse_u32(struct str s, uint32_t *out, struct err *err) MUSTCHECK;
bool parse_u64(struct str s, uint64_t *out, struct err *err) MUSTCHECK;
bool parse_i64(struct str s, int64_t *out, struct err *err) MUSTCHECK;
bool parse_double(struct str s, double *out, struct err *err) MUSTCHECK;
bool parse_bool(struct str s, bool *out, struct err *err) MUSTCHECK; /* true/false, on/off, yes/no, 1/0 */
/* Sizes: a number with an optional k, m, g (binary) behind it, in bytes. */
bool parse_size(struct str s, uint64_t *out, struct err *err) MUSTCHECK;
/* True when all bytes form valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF) without a NUL. */
bool str_is_utf8(struct str s);
