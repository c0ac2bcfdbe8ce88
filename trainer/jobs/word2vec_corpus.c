#include "trainer/jobs/word2vec_corpus.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/jsonw.h"
#include "trainer/jobs/query_passes.h"
#include "trainer/kernels/pair_table.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/word2vec/word2vec.h"
#include "trainer/models/training.h"

#define BYTES_MAX ((size_t)16 << 30)
enum { JSON_MAX = 1 << 16, WORD_PARTS = 16 };

/* ---- texts ---- */

static bool pass_texts(struct corpus *c, struct err *err)
{
    const struct engine_pass pass = { .name = "texts",
                                      .kernel = W2V_TEXTS_KERNEL,
                                      .params = c->v.text_params,
                                      .snapshot = c->v.items.snapshot,
                                      .splits = doc_vectors_ranges(&c->v, err),
                                      .splits_count = c->v.ranges,
                                      .input_pass = -1,
                                      .out = ENGINE_DATASET,
                                      .parts = WORD_PARTS + 1,
                                      .reads_database = true };
    return pass.splits && run_pass_numbered(c->run, &pass, &c->texts_pass, err);
}

static bool write_query_params(struct corpus *c, struct str *out, struct err *err)
{
    const struct run_context *run = c->run;
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "language", run->param(run, "language"));
    jsonw_text(&w, "stop_words", run->param(run, "stop_words"));
    jsonw_i64(&w, "repeats", run_whole(run, "query_repeats"));
    jsonw_bool(&w, "sessions", run_flag(run, "query_sessions"));
    jsonw_close(&w);
    *out = arena_str(c->arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

static bool pass_queries(struct corpus *c, struct err *err)
{
    struct query_window training, evaluation;
    struct str params;
    query_log_window(c->run, &training, &evaluation);
    if (!query_log_open(&c->q, c->run, c->arena, "training", training, err) || !write_query_params(c, &params, err))
        return false;
    if (c->q.queries == 0)
        return true;
    const struct engine_pass pass = { .name = "query texts",
                                      .kernel = W2V_QUERIES_KERNEL,
                                      .params = params,
                                      .splits = query_splits_each(c->arena, c->q.parts),
                                      .splits_count = c->q.parts,
                                      .input_pass = c->q.pass,
                                      .out = ENGINE_DATASET,
                                      .parts = WORD_PARTS + 1 };
    return run_pass_numbered(c->run, &pass, &c->queries_pass, err);
}

/* ---- the vocabulary ---- */

struct word {
    struct str text;
    uint64_t count;
};
struct vocabulary {
    struct buf words; /* struct word */
};

static bool add_words(struct corpus *c, struct vocabulary *v, const char *name, int of_pass, uint32_t splits,
                      struct err *err)
{
    struct engine_result result;
    const struct engine_pass pass = { .name = name,
                                      .kernel = W2V_WORDS_KERNEL,
                                      .params = STR("{\"min_count\":1}"),
                                      .splits = query_splits_by_part(c->arena, splits, WORD_PARTS),
                                      .splits_count = WORD_PARTS,
                                      .input_pass = of_pass };
    if (!run_pass(c->run, &pass, &result, err))
        return false;
    bool ok = true;
    for (uint32_t p = 0; ok && p < result.count; p++)
        for (struct str in = buf_str(&result.parts[p]); ok && in.n;) {
            struct word w;
            ok = (record_take_text(&in, &w.text) && record_take(&in, &w.count, sizeof w.count)) ||
                 err_set(err, ERR_SYSTEM, "the words of part %u are damaged", p);
            if (ok) {
                w.text = arena_str(c->arena, w.text);
                buf_add(&v->words, &w, sizeof w);
            }
        }
    engine_result_release(&result);
    return ok && buf_ok(&v->words, "the words", err);
}

static int by_text(const void *a, const void *b)
{
    return pair_text_compare(((const struct word *)a)->text, ((const struct word *)b)->text);
}

static int most_frequent(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return by_text(a, b);
}

/* Words of both sources are put together, seldom ones left out, the most frequent come first. */
static void choose_words(struct corpus *c, struct word *all, size_t count)
{
    const uint64_t least = (uint64_t)run_whole(c->run, "min_count"), most = (uint64_t)run_whole(c->run, "max_words");
    size_t n = 0;
    if (count)
        qsort(all, count, sizeof *all, by_text);
    for (size_t i = 0; i < count; i++)
        if (n && str_eq(all[n - 1].text, all[i].text))
            all[n - 1].count += all[i].count;
        else
            all[n++] = all[i];
    if (n)
        qsort(all, n, sizeof *all, most_frequent);
    while (n && all[n - 1].count < least)
        n--;
    c->words = (uint32_t)(n < most ? n : most);
    c->texts = arena_alloc(c->arena, ((size_t)c->words + 1) * sizeof *c->texts);
    c->counts = arena_zalloc(c->arena, ((size_t)c->words + 1) * sizeof *c->counts);
    for (uint32_t i = 0; i < c->words; i++)
        c->texts[i] = all[i].text;
}

struct numbered {
    uint64_t hash;
    uint32_t number;
};

static int by_hash(const void *a, const void *b)
{
    const struct numbered *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static void number_words(struct corpus *c)
{
    struct numbered *all = mem_alloc(((size_t)c->words + 1) * sizeof *all);
    for (uint32_t i = 0; i < c->words; i++)
        all[i] = (struct numbered){ hash64(c->texts[i]), i };
    if (c->words)
        qsort(all, c->words, sizeof *all, by_hash);
    for (uint32_t i = 0; i < c->words; i++)
        buf_add(&c->numbers, &all[i].hash, sizeof all[i].hash);
    for (uint32_t i = 0; i < c->words; i++)
        buf_add(&c->numbers, &all[i].number, sizeof all[i].number);
    mem_free(all);
}

static bool make_vocabulary(struct corpus *c, struct err *err)
{
    struct vocabulary v;
    buf_init(&v.words, BYTES_MAX);
    bool ok = (c->texts_pass < 0 || add_words(c, &v, "words of texts", c->texts_pass, c->v.ranges, err)) &&
              (c->queries_pass < 0 || add_words(c, &v, "words of queries", c->queries_pass, c->q.parts, err));
    if (ok)
        choose_words(c, (struct word *)(void *)v.words.p, v.words.n / sizeof(struct word));
    buf_release(&v.words);
    if (!ok)
        return false;
    number_words(c);
    return buf_ok(&c->numbers, "the words", err) &&
           (c->words > 1 ||
            run_too_little(c->run, err, "%u words are there as often as parameter \"min_count\" asks for", c->words));
}

/* ---- sentences ---- */

static bool take_sentence(struct corpus *c, struct str *in)
{
    uint32_t held, n;
    if (!record_take(in, &held, sizeof held) || !record_take(in, &n, sizeof n) || in->n / sizeof n < n)
        return false;
    struct corpus_part *p = held ? &c->held : &c->train;
    buf_add(&p->words, in->p, n * sizeof n);
    for (uint32_t i = 0; i < n && !held; i++) {
        uint32_t word;
        memcpy(&word, in->p + i * sizeof word, sizeof word);
        if (word >= c->words)
            return false;
        c->counts[word]++;
        c->total++;
    }
    const uint64_t end = p->words.n / sizeof n;
    buf_add(&p->ends, &end, sizeof end);
    in->p += n * sizeof n;
    in->n -= n * sizeof n;
    return true;
}

static bool encode(struct corpus *c, int blob, const char *name, int of_pass, uint32_t splits, struct err *err)
{
    struct engine_result result;
    struct engine_split *list = query_splits_each(c->arena, splits);
    struct engine_input *inputs = arena_alloc(c->arena, splits * sizeof *inputs);
    for (uint32_t i = 0; i < splits; i++) {
        inputs[i] = (struct engine_input){ i, WORD_PARTS };
        list[i].inputs = &inputs[i];
    }
    const struct engine_pass pass = {
        .name = name,
        .kernel = W2V_ENCODE_KERNEL,
        .params = arena_printf(c->arena, "{\"holdout\":%.17g}", run_real(c->run, "holdout")),
        .splits = list,
        .splits_count = splits,
        .input_pass = of_pass,
        .blobs = &blob,
        .blobs_count = 1,
    };
    if (!run_pass(c->run, &pass, &result, err))
        return false;
    bool ok = true;
    for (uint32_t p = 0; ok && p < result.count; p++)
        for (struct str in = buf_str(&result.parts[p]); ok && in.n;)
            ok = take_sentence(c, &in) || err_set(err, ERR_SYSTEM, "the sentences of split %u are damaged", p);
    engine_result_release(&result);
    engine_drop(c->run->engine, of_pass);
    return ok && buf_ok(&c->train.words, "the sentences", err) && buf_ok(&c->held.words, "the sentences", err) &&
           buf_ok(&c->train.ends, "the sentences", err) && buf_ok(&c->held.ends, "the sentences", err);
}

static bool make_sentences(struct corpus *c, struct err *err)
{
    const int blob = engine_blob(c->run->engine, buf_str(&c->numbers), err);
    bool ok = blob >= 0 &&
              (c->texts_pass < 0 || encode(c, blob, "sentences of texts", c->texts_pass, c->v.ranges, err)) &&
              (c->queries_pass < 0 || encode(c, blob, "sentences of queries", c->queries_pass, c->q.parts, err));
    if (blob >= 0)
        engine_blob_drop(c->run->engine, blob);
    if (!ok)
        return false;
    const uint64_t train = c->train.ends.n / sizeof(uint64_t);
    run_say(c->run, "%u words, %" PRIu64 " times in %" PRIu64 " sentences; %zu more sentences are left out of training",
            c->words, c->total, train, c->held.ends.n / sizeof(uint64_t));
    return training_enough(c->run, "sentences", train, "min_sentences", err);
}

/* ---- all of it ---- */

bool corpus_open(struct corpus *c, struct run_context *run, struct arena *arena, struct err *err)
{
    const char *sources = run->param(run, "sources");
    *c = (struct corpus){ .run = run, .arena = arena, .texts_pass = -1, .queries_pass = -1 };
    c->v.terms_pass = -1;
    c->items = strcmp(sources, "queries") != 0;
    c->queries = strcmp(sources, "items") != 0;
    buf_init(&c->numbers, BYTES_MAX);
    for (struct corpus_part *p = &c->train;; p = &c->held) {
        buf_init(&p->words, BYTES_MAX);
        buf_init(&p->ends, BYTES_MAX);
        if (p == &c->held)
            break;
    }
    if ((c->items || run_flag(run, "doc_vectors")) && !doc_vectors_open(&c->v, run, arena, err))
        return false;
    return (!c->items || pass_texts(c, err)) && (!c->queries || pass_queries(c, err)) && make_vocabulary(c, err) &&
           make_sentences(c, err);
}

void corpus_close(struct corpus *c)
{
    if (!c->run)
        return;
    doc_vectors_close(&c->v);
    if (c->q.run)
        query_log_close(&c->q);
    buf_release(&c->numbers);
    buf_release(&c->train.words);
    buf_release(&c->train.ends);
    buf_release(&c->held.words);
    buf_release(&c->held.ends);
}

struct sentences corpus_sentences(const struct corpus_part *p)
{
    return (struct sentences){ .count = p->ends.n / sizeof(uint64_t),
                               .ends = (const void *)buf_str(&p->ends).p,
                               .words = (const void *)buf_str(&p->words).p };
}
