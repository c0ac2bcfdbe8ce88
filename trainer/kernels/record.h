/* record.h - the bytes of records in data sets: numbers as they lie in memory (data sets never leave the kind of host that made them), texts with
 * their length before them. */
#pragma once
#include "base/buf.h"

static inline void record_put(struct buf *b, const void *value, size_t n)
{
    buf_add(b, value, n);
}
static inline void record_put_text(struct buf *b, struct str s)
{
    uint32_t n = (uint32_t)s.n;
    buf_add(b, &n, sizeof n);
    buf_add_str(b, s);
}

/* False: the bytes are used up. A text is borrowed from them. */
static inline bool record_take(struct str *in, void *out, size_t n)
{
    if (in->n < n)
        return false;
    memcpy(out, in->p, n);
    in->p += n;
    in->n -= n;
    return true;
}
static inline bool record_take_text(struct str *in, struct str *out)
{
    uint32_t n;
    if (!record_take(in, &n, sizeof n) || in->n < n)
        return false;
    *out = (struct str){ in->p, n };
    in->p += n;
    in->n -= n;
    return true;
}

/* Records that say first how many bytes are behind it (u32), so that whoever reads them can take one whole. record_begin returns what record_end wants. */
static inline size_t record_begin(struct buf *b)
{
    const uint32_t bytes = 0;
    buf_add(b, &bytes, sizeof bytes);
    return b->n;
}
static inline void record_end(struct buf *b, size_t begin)
{
    const uint32_t bytes = (uint32_t)(b->n - begin);
    if (!b->failed)
        memcpy(b->p + begin - sizeof bytes, &bytes, sizeof bytes);
}
/* What is behind its number of bytes. */
static inline bool record_take_whole(struct str *block, struct str *out)
{
    uint32_t bytes;
    if (block->n < sizeof bytes)
        return false;
    memcpy(&bytes, block->p, sizeof bytes);
    if (block->n - sizeof bytes < bytes)
        return false;
    *out = (struct str){ block->p + sizeof bytes, bytes };
    *block = (struct str){ out->p + bytes, block->n - sizeof bytes - bytes };
    return true;
}
