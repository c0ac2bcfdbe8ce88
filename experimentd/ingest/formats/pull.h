/* pull.h - a strict pull reader of JSON text (RFC 8259), for the hot way of signals: no tree, no allocation but the arena's.
 *
 * Strict: UTF-8 only, no NUL (also not as an escape: PostgreSQL stores none), whole surrogate pairs, numbers within a double's
 * range, at most PULL_DEPTH_MAX levels. The first error sticks. */
#pragma once
#include <stdbool.h>

#include "base/mem.h"

enum { PULL_DEPTH_MAX = 32 };
enum pull_type { PULL_NONE, PULL_OBJECT, PULL_ARRAY, PULL_STRING, PULL_NUMBER, PULL_TRUE, PULL_FALSE, PULL_NULL };

struct pull {
    const char *at, *end;
    struct arena *arena;
    struct err err;
    bool named; /* err names a member */
};

void pull_init(struct pull *p, struct str text, struct arena *arena);
bool pull_ok(const struct pull *p);
enum pull_type pull_peek(struct pull *p); /* after spaces; NONE at the end or on a byte that starts no value */
bool pull_skip(struct pull *p, struct str *out_text); /* any value, checked; out_text (may be NULL) is its text */
bool pull_string(struct pull *p, struct str *out);    /* unescaped, in the arena or in place */
bool pull_number(struct pull *p, double *out);
bool pull_number_or_null(struct pull *p, double *out); /* null: NaN */
/* A list of numbers and nulls, with its brackets. *out_n is room + 1 when there are more than `room`; on an error, how many came before. */
bool pull_numbers(struct pull *p, double *out, size_t room, size_t *out_n);
/* Members: call pull_enter('{'), then pull_member until it is false (end or error). Elements likewise with '[' and pull_element. */
bool pull_enter(struct pull *p, char bracket);
bool pull_member(struct pull *p, bool first, struct str *out_key);
/* The next member when its key is this one, written without escapes; else false, and nothing is taken: pull_member is to be asked. `key` holds no quote,
 * backslash or control character. */
bool pull_member_is(struct pull *p, bool first, struct str key);
bool pull_element(struct pull *p, bool first);
bool pull_at_end(struct pull *p); /* only spaces are left */
bool pull_fail(struct pull *p, const char *fmt, ...) PRINTF(2, 3);
