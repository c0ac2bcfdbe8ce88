#include "trainer/kernels/word2vec/w2v_model.h"

bool w2v_tables_read(struct str blob, struct w2v_tables *out, struct err *err)
{
    uint32_t words = 0;
    if (blob.n >= 2 * sizeof words)
        memcpy(&words, blob.p, sizeof words);
    *out = (struct w2v_tables){ .words = words, .alias = (const void *)(blob.p + 2 * sizeof words) };
    out->keep = (const void *)(out->alias + words);
    const size_t bytes = 2 * sizeof words + words * (sizeof *out->alias + sizeof *out->keep);
    if (words == 0 || blob.n != bytes)
        return err_set(err, ERR_INVALID, "the tables of words have %zu bytes", blob.n);
    for (uint32_t i = 0; i < words; i++)
        if (out->alias[i].other >= words)
            return err_set(err, ERR_INVALID, "the tables of words name word %u of %u", out->alias[i].other, words);
    return true;
}

bool w2v_model_read(struct str blob, uint32_t words, uint32_t dims, const float **out_in, const float **out_out,
                    struct err *err)
{
    const size_t half = words * sgns_stride(dims);
    *out_in = (const void *)blob.p;
    *out_out = *out_in + half;
    return blob.n == 2 * half * sizeof(float) || err_set(err, ERR_INVALID, "the model has %zu bytes", blob.n);
}

bool w2v_split_read(struct str desc, uint64_t count, uint64_t *first, uint64_t *end, struct err *err)
{
    struct str rest = desc, word;
    return (str_split(&rest, ' ', &word) && parse_u64(word, first, NULL) && parse_u64(rest, end, NULL) &&
            *first <= *end && *end <= count) ||
           err_set(err, ERR_INVALID, "the split names no sentences");
}
