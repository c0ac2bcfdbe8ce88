/* What the targets of libassign share: input in parts, and an arena that ends when the input says so. */
#pragma once
#include <stdlib.h>
#include <string.h>

#include "assign/assign.h"

enum { FUZZ_PIECES = 64, FUZZ_PIECE_BYTES = 1 << 20 };

struct fuzz_arena {
    struct assign_arena arena;
    void *pieces[FUZZ_PIECES];
    size_t count, limit; /* the call for piece number `limit` gets none */
};

static inline char *fuzz_more(void *owner, size_t bytes)
{
    struct fuzz_arena *a = owner;
    if (a->count >= a->limit || bytes > FUZZ_PIECE_BYTES)
        return NULL;
    a->pieces[a->count] = malloc(bytes); /* exactly so many: what is written beyond is found */
    return a->pieces[a->count++];
}

static inline void fuzz_arena_init(struct fuzz_arena *a, size_t limit)
{
    *a = (struct fuzz_arena){ .limit = limit < FUZZ_PIECES ? limit : FUZZ_PIECES };
    a->arena.more = fuzz_more;
    a->arena.owner = a;
}

static inline void fuzz_arena_release(struct fuzz_arena *a)
{
    while (a->count)
        free(a->pieces[--a->count]);
}

/* The next part of the input, up to a 0 byte. */
static inline struct assign_text fuzz_part(const uint8_t **data, size_t *n)
{
    const uint8_t *end = *n ? memchr(*data, 0, *n) : NULL;
    struct assign_text part = { (const char *)*data, end ? (size_t)(end - *data) : *n };
    size_t used = end ? part.n + 1 : part.n;
    *data += used;
    *n -= used;
    return part;
}

/* The part as a JSON value, or MISSING. */
static inline struct assign_value fuzz_value(struct assign_text part, struct fuzz_arena *a)
{
    struct assign_error e;
    struct assign_value v;
    return assign_json_read(part.p, part.n, &a->arena, &v, &e) ? v : (struct assign_value){ .type = ASSIGN_MISSING };
}

/* As JSON text, to be freed. */
static inline char *fuzz_write(const struct assign_value *v)
{
    size_t n = assign_json_write(v, NULL, 0);
    char *text = malloc(n + 1);
    if (assign_json_write(v, text, n + 1) != n || strlen(text) != n)
        abort();
    return text;
}
