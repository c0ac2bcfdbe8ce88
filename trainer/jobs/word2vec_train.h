/* word2vec_train.h - the epochs of job "word2vec".
 *
 * A pass "epoch N" over blocks: sentences behind each other with about block_words words. Each block goes through its sentences from the model of before; behind the epoch
 * a word's vectors are the mean of what the blocks made of them, weighted by how often they moved them, in the order of blocks. These follow from the data alone.
 * With little data there is one block, and that is plain stochastic gradient descent. The rate falls in a straight line over all epochs. */
#pragma once
#include "trainer/jobs/word2vec_corpus.h"

struct w2v_train {
    struct run_context *run;
    struct arena *arena;
    const struct corpus *corpus;
    uint32_t dims, negative, window;
    size_t stride;
    float *model; /* both halves, words × stride each */
    int model_blob, tables_blob;
    struct engine_split *blocks;
    uint32_t blocks_count;
    double loss; /* of a pair, in the last epoch */
};
/* Release it in any case. */
bool w2v_train_run(struct w2v_train *t, struct run_context *run, struct arena *arena, const struct corpus *corpus,
                   struct err *err) MUSTCHECK;
void w2v_train_release(struct w2v_train *t);
static inline const float *w2v_row(const struct w2v_train *t, uint32_t word)
{
    return t->model + word * t->stride;
}
static inline const float *w2v_context(const struct w2v_train *t, uint32_t word)
{
    return t->model + ((size_t)t->corpus->words + word) * t->stride;
}
