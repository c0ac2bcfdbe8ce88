/* varint.h - whole numbers and texts in records, small ones in few bytes: seven bits a byte, the lowest first, the top bit says that more follow; of a
 * text its length and its bytes. */
#pragma once
#include "base/buf.h"

enum { VARINT_MAX = 10 };

static inline void varint_put(struct buf *b, uint64_t v)
{
    char *to = buf_reserve(b, VARINT_MAX);
    size_t n = 0;
    if (!to)
        return;
    for (; v >= 0x80; v >>= 7)
        to[n++] = (char)(v | 0x80);
    to[n++] = (char)v;
    b->n += n;
}
static inline void varint_put_text(struct buf *b, struct str s)
{
    varint_put(b, s.n);
    buf_add_str(b, s);
}

/* False: the bytes are used up. A text is borrowed from them. */
static inline bool varint_take(struct str *in, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < in->n && i < VARINT_MAX; i++) {
        v |= (uint64_t)(in->p[i] & 0x7F) << 7 * i;
        if (in->p[i] & 0x80)
            continue;
        *out = v;
        *in = (struct str){ in->p + i + 1, in->n - i - 1 };
        return true;
    }
    return false;
}
static inline bool varint_take_text(struct str *in, struct str *out)
{
    uint64_t n;
    if (!varint_take(in, &n) || n > in->n)
        return false;
    *out = (struct str){ in->p, (size_t)n };
    *in = (struct str){ in->p + n, in->n - (size_t)n };
    return true;
}
