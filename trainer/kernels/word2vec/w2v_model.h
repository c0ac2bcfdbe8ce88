/* w2v_model.h - pure: what epoch and judge read: both halves of a model, the tables by which words are drawn. */
#pragma once
#include "base/mem.h"
#include "trainer/kernels/word2vec/sgns.h"
#include "trainer/kernels/word2vec/word2vec.h"

struct w2v_tables {
    uint32_t words;
    const struct w2v_alias *alias;
    const uint32_t *keep;
};
bool w2v_tables_read(struct str blob, struct w2v_tables *out, struct err *err) MUSTCHECK;
/* A word in proportion to count^0.75, by one random number (Walker's alias method). */
static inline uint32_t w2v_draw(const struct w2v_tables *t, uint64_t random)
{
    const uint32_t i = (uint32_t)(((random >> 32) * t->words) >> 32);
    return (uint32_t)random < t->alias[i].limit ? i : t->alias[i].other;
}
/* Both halves, words × stride floats each. */
bool w2v_model_read(struct str blob, uint32_t words, uint32_t dims, const float **out_in, const float **out_out,
                    struct err *err) MUSTCHECK;
/* "FIRST END", of sentences. */
bool w2v_split_read(struct str desc, uint64_t count, uint64_t *first, uint64_t *end, struct err *err) MUSTCHECK;
