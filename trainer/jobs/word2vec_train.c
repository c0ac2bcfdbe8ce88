#include "trainer/jobs/word2vec_train.h"

#include <inttypes.h>
#include <math.h>

#include "base/clock.h"
#include "trainer/jobs/factor_side.h"
#include "trainer/kernels/word2vec/sgns.h"
#include "trainer/kernels/word2vec/word2vec.h"

#define BYTES_MAX ((size_t)16 << 30)
#define POWER 0.75 /* words are drawn in proportion to count^0.75 */
enum { COLLECT_ROOM = 1 << 20 };

static size_t half_of(const struct w2v_train *t)
{
    return t->corpus->words * t->stride;
}

/* ---- tables ---- */

/* Walker's alias method: every column has the same height, of a word and of one other. */
static void make_alias(const struct corpus *c, struct w2v_alias *out)
{
    const uint32_t n = c->words;
    double *share = mem_alloc(n * sizeof *share), total = 0;
    uint32_t *small = mem_alloc(2 * (size_t)n * sizeof *small), *large = small + n, smalls = 0, larges = 0;
    for (uint32_t i = 0; i < n; i++)
        total += share[i] = pow((double)c->counts[i], POWER);
    for (uint32_t i = 0; i < n; i++) {
        share[i] *= n / total;
        out[i] = (struct w2v_alias){ i, UINT32_MAX };
        if (share[i] < 1)
            small[smalls++] = i;
        else
            large[larges++] = i;
    }
    while (smalls && larges) {
        const uint32_t a = small[--smalls], b = large[larges - 1];
        out[a] = (struct w2v_alias){ b, (uint32_t)(share[a] * 4294967295.0) };
        share[b] -= 1 - share[a];
        if (share[b] < 1)
            small[smalls++] = large[--larges];
    }
    mem_free(share);
    mem_free(small);
}

/* A word of share f of all stays with probability (√(f/s) + 1) s/f. */
static uint32_t keep_limit(double share, double sample)
{
    const double p = sample > 0 && share > 0 ? (sqrt(share / sample) + 1) * sample / share : 1;
    return p < 1 ? (uint32_t)(p * 4294967295.0) : UINT32_MAX;
}

static bool make_tables(struct w2v_train *t, struct err *err)
{
    const struct corpus *c = t->corpus;
    const uint32_t head[] = { c->words, 0 };
    const double sample = run_real(t->run, "subsample");
    AUTO(buf_release) struct buf b;
    buf_init(&b, BYTES_MAX);
    struct w2v_alias *alias = mem_alloc(c->words * sizeof *alias);
    make_alias(c, alias);
    buf_add(&b, head, sizeof head);
    buf_add(&b, alias, c->words * sizeof *alias);
    for (uint32_t i = 0; i < c->words; i++) {
        const uint32_t limit = keep_limit((double)c->counts[i] / (double)c->total, sample);
        buf_add(&b, &limit, sizeof limit);
    }
    mem_free(alias);
    t->tables_blob = buf_ok(&b, "the tables of words", err) ? engine_blob(t->run->engine, buf_str(&b), err) : -1;
    return t->tables_blob >= 0;
}

/* ---- blocks ---- */

static void add_block(struct w2v_train *t, uint64_t from, uint64_t to, uint64_t words)
{
    t->blocks[t->blocks_count++] = (struct engine_split){
        .desc = arena_printf(t->arena, "%" PRIu64 " %" PRIu64, from, to), .weight = words + 1
    };
}

static void cut_blocks(struct w2v_train *t, const struct sentences *s)
{
    const uint64_t most = (uint64_t)run_whole(t->run, "block_words"), all = s->ends[s->count - 1];
    uint64_t from = 0;
    t->blocks = arena_zalloc(t->arena, (size_t)(all / most + 2) * sizeof *t->blocks);
    for (uint64_t i = 0; i < s->count; i++) {
        const uint64_t words = s->ends[i] - sentences_begin(s, from);
        if (words < most && i + 1 < s->count)
            continue;
        add_block(t, from, i + 1, words);
        from = i + 1;
    }
}

/* ---- an epoch ---- */

struct gathered {
    double *sums; /* both halves, weighted */
    uint64_t *moved;
    struct w2v_result all;
};

static bool take(const struct w2v_train *t, const struct buf *part, struct gathered *g, struct err *err)
{
    struct w2v_result r;
    const size_t rows = 2 * (size_t)t->corpus->words, row = t->stride * sizeof(float), counts = sizeof r,
                 floats = counts + rows * sizeof(uint32_t);
    if (part->n != floats + rows * row)
        return err_set(err, ERR_SYSTEM, "the vectors of a block are damaged");
    memcpy(&r, part->p, sizeof r);
    for (size_t i = 0; i < rows; i++) {
        uint32_t moved;
        memcpy(&moved, part->p + counts + i * sizeof moved, sizeof moved);
        g->moved[i] += moved;
        for (size_t k = 0; moved && k < t->stride; k++) {
            float f;
            memcpy(&f, part->p + floats + i * row + k * sizeof f, sizeof f);
            g->sums[i * t->stride + k] += (double)moved * (double)f;
        }
    }
    g->all.loss += r.loss;
    g->all.pairs += r.pairs;
    g->all.words += r.words;
    return true;
}

static bool gather(struct w2v_train *t, const struct engine_result *result, struct w2v_result *out, struct err *err)
{
    const size_t rows = 2 * (size_t)t->corpus->words;
    struct gathered g = { .sums = mem_zalloc(rows * t->stride * sizeof *g.sums),
                          .moved = mem_zalloc(rows * sizeof *g.moved) };
    bool ok = true;
    for (uint32_t i = 0; ok && i < result->count; i++)
        ok = take(t, &result->parts[i], &g, err);
    for (size_t i = 0; ok && i < rows; i++)
        for (size_t k = 0; g.moved[i] && k < t->stride; k++)
            t->model[i * t->stride + k] = (float)(g.sums[i * t->stride + k] / (double)g.moved[i]);
    *out = g.all;
    mem_free(g.sums);
    mem_free(g.moved);
    return ok;
}

static bool put_model(struct w2v_train *t, struct err *err)
{
    if (t->model_blob >= 0)
        engine_blob_drop(t->run->engine, t->model_blob);
    t->model_blob = engine_blob(t->run->engine,
                                (struct str){ (const char *)t->model, 2 * half_of(t) * sizeof *t->model }, err);
    return t->model_blob >= 0;
}

static struct str params_of(const struct w2v_train *t, uint32_t number, uint32_t epochs)
{
    const double first = run_real(t->run, "learning_rate"), last = run_real(t->run, "min_learning_rate");
    const double rate = first + (last - first) * (number - 1) / epochs, end = first + (last - first) * number / epochs;
    return arena_printf(t->arena, "{\"dims\":%u,\"window\":%u,\"negative\":%u,\"rate\":%.17g,\"rate_end\":%.17g}",
                        t->dims, t->window, t->negative, rate, end);
}

static bool epoch(struct w2v_train *t, int sentences_blob, uint32_t number, uint32_t epochs, struct err *err)
{
    const int blobs[] = { sentences_blob, t->model_blob, t->tables_blob };
    const int64_t began_us = clock_mono_us();
    struct w2v_result all;
    struct engine_result result;
    const struct engine_pass pass = { .name = arena_printf(t->arena, "epoch %u", number).p,
                                      .kernel = W2V_EPOCH_KERNEL,
                                      .params = params_of(t, number, epochs),
                                      .splits = t->blocks,
                                      .splits_count = t->blocks_count,
                                      .input_pass = -1,
                                      .blobs = blobs,
                                      .blobs_count = COUNT_OF(blobs),
                                      .seed = (uint64_t)run_whole(t->run, "seed") };
    if (!run_pass(t->run, &pass, &result, err))
        return false;
    bool ok = gather(t, &result, &all, err);
    engine_result_release(&result);
    if (!ok)
        return false;
    t->loss = all.pairs ? all.loss / (double)all.pairs : 0;
    if (!isfinite(t->loss))
        return err_set(err, ERR_INVALID, "the loss is not finite: parameter \"learning_rate\" is too large");
    const double seconds = (double)(clock_mono_us() - began_us) / 1e6;
    run_say(t->run, "epoch %u of %u: loss %.4f, %" PRIu64 " words, %" PRIu64 " pairs, %.3f s, %.0f words/s", number,
            epochs, t->loss, all.words, all.pairs, seconds, seconds > 0 ? (double)all.words / seconds : 0);
    return put_model(t, err) && run_tick(t->run, "epochs", number, epochs, err);
}

/* ---- training ---- */

/* Small numbers in the half that is kept, zeros in the other. */
static bool begin(struct w2v_train *t, struct err *err)
{
    const uint64_t seed = (uint64_t)run_whole(t->run, "seed");
    const size_t bytes = 2 * half_of(t) * sizeof *t->model;
    if (bytes + 2 * (size_t)t->corpus->words * sizeof(uint32_t) + COLLECT_ROOM > TASK_COLLECT_MAX)
        return err_set(err, ERR_TOO_LARGE,
                       "%u words with vectors of %u numbers are too large a model: lower parameter \"max_words\" or "
                       "\"dimension\"",
                       t->corpus->words, t->dims);
    t->model = mem_zalloc(bytes);
    for (uint32_t i = 0; i < t->corpus->words; i++)
        for (uint32_t k = 0; k < t->dims; k++)
            t->model[i * t->stride + k] = (float)((factor_random(seed, (uint64_t)i * t->dims + k) - 0.5) / t->dims);
    return put_model(t, err) && make_tables(t, err);
}

static bool run_epochs(struct w2v_train *t, int sentences_blob, struct err *err)
{
    const uint32_t epochs = (uint32_t)run_whole(t->run, "epochs");
    for (uint32_t i = 1; i <= epochs; i++)
        if (!epoch(t, sentences_blob, i, epochs, err))
            return false;
    return true;
}

bool w2v_train_run(struct w2v_train *t, struct run_context *run, struct arena *arena, const struct corpus *corpus,
                   struct err *err)
{
    const struct sentences s = corpus_sentences(&corpus->train);
    AUTO(buf_release) struct buf b;
    *t = (struct w2v_train){ .run = run,
                             .arena = arena,
                             .corpus = corpus,
                             .dims = (uint32_t)run_whole(run, "dimension"),
                             .negative = (uint32_t)run_whole(run, "negative"),
                             .window = (uint32_t)run_whole(run, "window"),
                             .model_blob = -1,
                             .tables_blob = -1 };
    t->stride = sgns_stride(t->dims);
    buf_init(&b, BYTES_MAX);
    sentences_write(&b, &s);
    if (!buf_ok(&b, "the sentences", err) || !begin(t, err))
        return false;
    cut_blocks(t, &s);
    run_say(run, "%u blocks of sentences", t->blocks_count);
    const int blob = engine_blob(run->engine, buf_str(&b), err);
    bool ok = blob >= 0 && run_epochs(t, blob, err);
    if (blob >= 0)
        engine_blob_drop(run->engine, blob);
    return ok;
}

void w2v_train_release(struct w2v_train *t)
{
    if (!t->run)
        return;
    if (t->model_blob >= 0)
        engine_blob_drop(t->run->engine, t->model_blob);
    if (t->tables_blob >= 0)
        engine_blob_drop(t->run->engine, t->tables_blob);
    mem_free(t->model);
    t->model = NULL;
}
