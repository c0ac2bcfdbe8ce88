/* sentences.h - pure: sentences as numbers of words. As a blob: u64 sentences | u64 end of each | u32 words. */
#pragma once
#include "base/buf.h"
#include "base/mem.h"

struct sentences {
    uint64_t count;
    const uint64_t *ends;
    const uint32_t *words;
};
void sentences_write(struct buf *b, const struct sentences *s);
/* Every number is below `words`. */
bool sentences_read(struct str blob, uint32_t words, struct sentences *out, struct err *err) MUSTCHECK;
static inline uint64_t sentences_begin(const struct sentences *s, uint64_t i)
{
    return i ? s->ends[i - 1] : 0;
}
