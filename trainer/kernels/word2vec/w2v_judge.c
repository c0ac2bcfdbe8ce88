/* "word2vec.judge@1": see word2vec.h. Both models are asked for the same pairs and the same draws, of words that both know. */
#include <math.h>

#include "base/json.h"
#include "trainer/kernels/word2vec/sentences.h"
#include "trainer/kernels/word2vec/w2v_model.h"

enum { MODELS = 2, TICK_SENTENCES = 64 };

struct half {
    size_t stride;
    const float *in, *out;
};
struct judging {
    struct task *task;
    int64_t dims, champion_dims, negative, window;
    struct w2v_tables tables;
    struct sentences sentences;
    struct half models[MODELS];
    int count;            /* of models */
    const uint8_t *known; /* of words, by the champion; NULL: there is none */
    uint64_t first, end;
    struct w2v_judged out;
};

static bool read_params(struct judging *j, struct err *err)
{
    struct json_reader r;
    json_auto_t *root = json_parse(task_params(j->task), err);
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "dims", JSON_REQUIRED, &j->dims);
    (void)json_get_i64(&r, "champion_dims", JSON_REQUIRED, &j->champion_dims);
    (void)json_get_i64(&r, "negative", JSON_REQUIRED, &j->negative);
    (void)json_get_i64(&r, "window", JSON_REQUIRED, &j->window);
    j->count = j->champion_dims > 0 ? 2 : 1;
    return json_reader_close(&r, err);
}

static bool read_model(struct judging *j, int which, size_t blob, int64_t dims, struct err *err)
{
    struct half *h = &j->models[which];
    h->stride = sgns_stride((uint32_t)dims);
    return w2v_model_read(task_blob(j->task, blob), j->tables.words, (uint32_t)dims, &h->in, &h->out, err);
}

static bool open_split(struct judging *j, struct err *err)
{
    struct task *t = j->task;
    if (!read_params(j, err) || !w2v_tables_read(task_blob(t, 2), &j->tables, err) ||
        !sentences_read(task_blob(t, 0), j->tables.words, &j->sentences, err) || !read_model(j, 0, 1, j->dims, err) ||
        !w2v_split_read(task_desc(t), j->sentences.count, &j->first, &j->end, err))
        return false;
    if (j->count == 1)
        return true;
    const struct str known = task_blob(t, 4);
    j->known = (const uint8_t *)known.p;
    return read_model(j, 1, 3, j->champion_dims, err) &&
           (known.n == j->tables.words || err_set(err, ERR_INVALID, "the champion's words have %zu bytes", known.n));
}

static double product(const struct half *h, uint32_t beside, uint32_t word)
{
    return (double)sgns_product(h->in + beside * h->stride, h->out + word * h->stride, h->stride);
}

struct losses {
    double sum[MODELS], chance; /* chance: what is lost when nothing is known, ln 2 for each word that is to be told */
    uint64_t pairs, draws;
};

static void add_pair(const struct judging *j, uint64_t sentence, uint32_t word, uint32_t beside, struct losses *l)
{
    uint32_t others[SGNS_TARGETS_MAX], count = 0;
    for (int64_t i = 0; i < j->negative; i++) {
        const uint32_t other = w2v_draw(&j->tables, task_rand(j->task, sentence, l->draws++));
        if (other != word && (!j->known || j->known[other]))
            others[count++] = other;
    }
    for (int m = 0; m < j->count; m++) {
        const struct half *h = &j->models[m];
        l->sum[m] += sgns_exact_loss(product(h, beside, word));
        for (uint32_t i = 0; i < count; i++)
            l->sum[m] += sgns_exact_loss(-product(h, beside, others[i]));
    }
    l->chance += (1 + count) * M_LN2;
    l->pairs++;
}

/* Pairs within the whole window; draws are the sentence's own, whichever split it is in. */
static void judge(struct judging *j, uint64_t sentence)
{
    const uint32_t *words = j->sentences.words + sentences_begin(&j->sentences, sentence);
    const uint64_t n = j->sentences.ends[sentence] - sentences_begin(&j->sentences, sentence);
    const uint64_t reach = (uint64_t)j->window;
    struct losses l = { .pairs = 0 };
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t from = i > reach ? i - reach : 0, to = i + reach < n ? i + reach : n - 1;
        for (uint64_t k = from; k <= to; k++)
            if (k != i && (!j->known || (j->known[words[i]] && j->known[words[k]])))
                add_pair(j, sentence, words[i], words[k], &l);
    }
    if (l.pairs == 0)
        return;
    const double x = 1 - l.sum[0] / l.chance;
    moments2_add(&j->out.m, x, j->count > 1 ? 1 - l.sum[1] / l.chance : x);
    j->out.loss += l.sum[0] / (double)l.pairs;
    j->out.sentences++;
}

static bool run(struct task *t, struct err *err)
{
    struct judging *j = arena_zalloc(task_arena(t), sizeof *j);
    j->task = t;
    if (!open_split(j, err))
        return false;
    for (uint64_t i = j->first; i < j->end; i++) {
        judge(j, i);
        if (i % TICK_SENTENCES == 0 && !task_tick(t, TICK_SENTENCES, err))
            return false;
    }
    return task_collect(t, (struct str){ (const char *)&j->out, sizeof j->out }, err);
}

const struct kernel kernel_w2v_judge = { W2V_JUDGE_KERNEL, run };
