/* "word2vec.epoch@1": see word2vec.h. Memory: the model once more. */
#include "base/json.h"
#include "trainer/kernels/word2vec/sentences.h"
#include "trainer/kernels/word2vec/w2v_model.h"

enum { DRAW_KEEP = 0, DRAW_WINDOW = 1, DRAW_NEGATIVE = 2, TICK_SENTENCES = 64 };

struct epoch {
    struct task *task;
    struct w2v_rules rules;
    struct w2v_tables tables;
    struct sgns_tables curves;
    struct sentences sentences;
    uint64_t first, end;
    size_t stride;
    float *in, *out, *scratch;
    uint32_t *moved_in, *moved_out;
    uint32_t kept[W2V_SENTENCE_MAX]; /* words of the sentence that stay */
    uint64_t seen, all;              /* words before, of the split: numbers of what is drawn, and how far it is */
    uint64_t draws;
    struct w2v_result result;
};

static bool read_params(struct epoch *e, struct err *err)
{
    struct json_reader r;
    int64_t dims = 0, window = 0, negative = 0;
    double rate = 0, rate_end = 0;
    json_auto_t *root = json_parse(task_params(e->task), err);
    if (!root)
        return false;
    json_reader_open(&r, root, "params");
    (void)json_get_i64(&r, "dims", JSON_REQUIRED, &dims);
    (void)json_get_i64(&r, "window", JSON_REQUIRED, &window);
    (void)json_get_i64(&r, "negative", JSON_REQUIRED, &negative);
    (void)json_get_double(&r, "rate", JSON_REQUIRED, &rate);
    (void)json_get_double(&r, "rate_end", JSON_REQUIRED, &rate_end);
    e->rules = (struct w2v_rules){ (uint32_t)dims, (uint32_t)window, (uint32_t)negative, (float)rate, (float)rate_end };
    return json_reader_close(&r, err) && (negative < SGNS_TARGETS_MAX || err_set(err, ERR_INVALID, "too many draws"));
}

static bool open_split(struct epoch *e, struct err *err)
{
    struct arena *arena = task_arena(e->task);
    const float *in, *out;
    if (!read_params(e, err) || !w2v_tables_read(task_blob(e->task, 2), &e->tables, err) ||
        !sentences_read(task_blob(e->task, 0), e->tables.words, &e->sentences, err) ||
        !w2v_model_read(task_blob(e->task, 1), e->tables.words, e->rules.dims, &in, &out, err) ||
        !w2v_split_read(task_desc(e->task), e->sentences.count, &e->first, &e->end, err))
        return false;
    e->stride = sgns_stride(e->rules.dims);
    const size_t half = e->tables.words * e->stride;
    e->in = memcpy(arena_alloc(arena, half * sizeof *in), in, half * sizeof *in);
    e->out = memcpy(arena_alloc(arena, half * sizeof *out), out, half * sizeof *out);
    e->scratch = arena_alloc(arena, e->stride * sizeof *e->scratch);
    e->moved_in = arena_zalloc(arena, e->tables.words * sizeof *e->moved_in);
    e->moved_out = arena_zalloc(arena, e->tables.words * sizeof *e->moved_out);
    e->all = sentences_begin(&e->sentences, e->end) - sentences_begin(&e->sentences, e->first);
    sgns_tables_init(&e->curves);
    return true;
}

/* Word `beside` is to tell `word` from what is drawn; a draw that is the word itself is none. */
static void train_pair(struct epoch *e, uint32_t word, uint32_t beside, float rate)
{
    float *targets[SGNS_TARGETS_MAX];
    uint32_t count = 1;
    targets[0] = e->out + word * e->stride;
    e->moved_out[word]++;
    for (uint32_t i = 0; i < e->rules.negative; i++) {
        const uint32_t other = w2v_draw(&e->tables, task_rand(e->task, DRAW_NEGATIVE, e->draws++));
        if (other == word)
            continue;
        e->moved_out[other]++;
        targets[count++] = e->out + other * e->stride;
    }
    e->moved_in[beside]++;
    e->result.loss += (double)sgns_step(&e->curves, e->stride, e->in + beside * e->stride, targets, count, rate,
                                        e->scratch);
    e->result.pairs++;
}

static uint32_t keep_words(struct epoch *e, uint64_t sentence)
{
    uint32_t n = 0;
    for (uint64_t i = sentences_begin(&e->sentences, sentence); i < e->sentences.ends[sentence]; i++, e->seen++) {
        const uint32_t word = e->sentences.words[i];
        if (n < W2V_SENTENCE_MAX && (uint32_t)task_rand(e->task, DRAW_KEEP, e->seen) <= e->tables.keep[word])
            e->kept[n++] = word;
    }
    return n;
}

static void train_sentence(struct epoch *e, uint64_t sentence)
{
    const uint64_t begin = e->seen;
    const float done = (float)begin / (float)(e->all ? e->all : 1);
    const float rate = e->rules.rate + (e->rules.rate_end - e->rules.rate) * done;
    const uint32_t n = keep_words(e, sentence);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t reach = 1 + (uint32_t)(task_rand(e->task, DRAW_WINDOW, begin + i) % e->rules.window);
        const uint32_t from = i > reach ? i - reach : 0, to = i + reach < n ? i + reach : n - 1;
        for (uint32_t k = from; k <= to; k++)
            if (k != i)
                train_pair(e, e->kept[i], e->kept[k], rate);
    }
    e->result.words += e->seen - begin;
}

static bool collect(struct task *t, const void *p, size_t n, struct err *err)
{
    return task_collect(t, (struct str){ p, n }, err);
}

static bool run(struct task *t, struct err *err)
{
    struct epoch *e = arena_zalloc(task_arena(t), sizeof *e);
    e->task = t;
    if (!open_split(e, err))
        return false;
    for (uint64_t i = e->first; i < e->end; i++) {
        train_sentence(e, i);
        if (i % TICK_SENTENCES == 0 && !task_tick(t, TICK_SENTENCES, err))
            return false;
    }
    const size_t words = e->tables.words, half = words * e->stride;
    return collect(t, &e->result, sizeof e->result, err) && collect(t, e->moved_in, words * sizeof *e->moved_in, err) &&
           collect(t, e->moved_out, words * sizeof *e->moved_out, err) &&
           collect(t, e->in, half * sizeof *e->in, err) && collect(t, e->out, half * sizeof *e->out, err);
}

const struct kernel kernel_w2v_epoch = { W2V_EPOCH_KERNEL, run };
