#include "trainer/kernels/word2vec/sentences.h"

void sentences_write(struct buf *b, const struct sentences *s)
{
    buf_add(b, &s->count, sizeof s->count);
    buf_add(b, s->ends, s->count * sizeof *s->ends);
    buf_add(b, s->words, (s->count ? s->ends[s->count - 1] : 0) * sizeof *s->words);
}

bool sentences_read(struct str blob, uint32_t words, struct sentences *out, struct err *err)
{
    uint64_t count = 0;
    if (blob.n >= sizeof count)
        memcpy(&count, blob.p, sizeof count);
    if (blob.n < sizeof count || count > (blob.n - sizeof count) / sizeof *out->ends)
        return err_set(err, ERR_INVALID, "the sentences have %zu bytes", blob.n);
    *out = (struct sentences){ .count = count, .ends = (const void *)(blob.p + sizeof count) };
    out->words = (const void *)(out->ends + count);
    const uint64_t all = count ? out->ends[count - 1] : 0;
    if ((blob.n - sizeof count - count * sizeof *out->ends) / sizeof *out->words != all)
        return err_set(err, ERR_INVALID, "the sentences have %zu bytes", blob.n);
    for (uint64_t i = 0; i < all; i++)
        if (out->words[i] >= words)
            return err_set(err, ERR_INVALID, "a sentence has word %u of %u", out->words[i], words);
    return true;
}
