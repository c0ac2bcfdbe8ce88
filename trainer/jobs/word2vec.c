/* The job "word2vec": words as vectors, from texts of the catalogue and from queries, by skip-grams with negative sampling.
 *
 *   words and sentences (word2vec_corpus.h) → epochs (word2vec_train.h) → nearest words, vectors of documents → gate (word2vec_judge.h) → version */
#include <inttypes.h>
#include <math.h>

#include "base/clock.h"
#include "model/vectors.h"
#include "trainer/jobs/factor_side.h"
#include "trainer/jobs/model_file.h"
#include "trainer/jobs/word2vec_judge.h"
#include "trainer/kernels/als/als_solve.h"
#include "trainer/kernels/factors/factors.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/word2vec/word2vec.h"

#define BYTES_MAX ((size_t)8 << 30)
enum { METRICS_MAX = 1 << 14, NEAREST_PARTS = 16 };
static const char *const cosine[] = { "cosine" };

struct word2vec {
    struct run_context *run;
    struct arena arena;
    struct corpus corpus;
    struct w2v_train train;
    struct model_file file;
    struct training t;
};

/* ---- words ---- */

static float *rows_of(const struct word2vec *w)
{
    const uint32_t words = w->corpus.words, dims = w->train.dims;
    float *rows = mem_alloc(((size_t)words * dims + 1) * sizeof *rows);
    for (uint32_t i = 0; i < words; i++)
        memcpy(rows + (size_t)i * dims, w2v_row(&w->train, i), dims * sizeof *rows);
    return rows;
}

static bool add_words(struct word2vec *w, struct err *err)
{
    float *rows = rows_of(w);
    const struct factors_out out = {
        .fold = FOLD_MEAN, .rank = w->train.dims, .items = w->corpus.words, .texts = w->corpus.texts, .vectors = rows
    };
    struct buf *words = model_file_section(&w->file), *contexts = model_file_section(&w->file),
               *settings = model_file_section(&w->file);
    bool ok = factors_write(&out, words, err);
    for (uint32_t i = 0; i < w->corpus.words; i++)
        buf_add(contexts, w2v_context(&w->train, i), w->train.dims * sizeof(float));
    ok = ok && buf_ok(contexts, "the contexts", err) &&
         vectors_settings_write(str_of(w->run->param(w->run, "language")), str_of(w->run->param(w->run, "stop_words")),
                                settings, err);
    artifact_add(&w->file.out, "words", buf_str(words));
    artifact_add(&w->file.out, "contexts", buf_str(contexts));
    artifact_add(&w->file.out, "settings", buf_str(settings));
    mem_free(rows);
    return ok;
}

/* ---- nearest words ---- */

static bool take_nearest(struct word2vec *w, const struct engine_result *result, struct err *err)
{
    struct lists_out o;
    uint32_t word = 0, count;
    bool ok = true;
    lists_begin(&o, cosine, 1);
    for (uint32_t p = 0; ok && p < result->count; p++)
        for (struct str in = buf_str(&result->parts[p]); ok && in.n; word++) {
            ok = word < w->corpus.words && record_take(&in, &count, sizeof count);
            if (ok)
                lists_key(&o, w->corpus.texts[word]);
            for (uint32_t i = 0; ok && i < count; i++) {
                struct factors_entry e;
                ok = record_take(&in, &e, sizeof e) && e.number < w->corpus.words;
                if (ok)
                    lists_add(&o, w->corpus.texts[e.number], &e.value);
            }
            if (!ok)
                (void)err_set(err, ERR_SYSTEM, "the nearest words of part %u are damaged", p);
        }
    ok = ok && model_file_lists(&w->file, "nearest_words", &o, err);
    lists_release(&o);
    return ok;
}

static bool pass_nearest(struct word2vec *w, int blob, struct err *err)
{
    struct engine_split splits[NEAREST_PARTS] = { { .weight = 1 } };
    struct engine_result result;
    for (uint32_t i = 0; i < NEAREST_PARTS; i++) {
        const uint32_t from = (uint32_t)((uint64_t)w->corpus.words * i / NEAREST_PARTS),
                       to = (uint32_t)((uint64_t)w->corpus.words * (i + 1) / NEAREST_PARTS);
        splits[i].desc = arena_printf(&w->arena, "%u %u %u", i, from, to - from);
        splits[i].weight = to - from + 1;
    }
    const struct engine_pass pass = {
        .name = "nearest words",
        .kernel = FACTORS_SIMILAR_KERNEL,
        .params = arena_printf(&w->arena, "{\"rank\":%u,\"columns\":%u,\"top\":%" PRId64 "}", w->train.dims,
                               w->train.dims, run_whole(w->run, "nearest")),
        .splits = splits,
        .splits_count = NEAREST_PARTS,
        .input_pass = -1,
        .blobs = &blob,
        .blobs_count = 1,
    };
    if (!run_pass(w->run, &pass, &result, err))
        return false;
    bool ok = take_nearest(w, &result, err);
    engine_result_release(&result);
    return ok;
}

static bool add_nearest(struct word2vec *w, struct err *err)
{
    struct factor_side side;
    factor_side_init(&side, w->run, w->train.dims, w->corpus.words);
    char *bytes = factor_side_alloc(&side);
    float *rows = factor_side_rows(&side, bytes);
    const size_t stride = als_stride(w->train.dims);
    double *gram = mem_zalloc(stride * stride * sizeof *gram); /* nobody asks for it */
    for (uint32_t i = 0; i < w->corpus.words; i++)
        memcpy(rows + i * stride, w2v_row(&w->train, i), w->train.dims * sizeof *rows);
    bool ok = factor_side_set(&side, bytes, gram, err) && pass_nearest(w, side.blob, err);
    mem_free(gram);
    factor_side_release(&side);
    return ok;
}

/* ---- documents ---- */

static float *unit_rows(const struct word2vec *w)
{
    const uint32_t words = w->corpus.words, dims = w->train.dims;
    float *rows = rows_of(w);
    for (uint32_t i = 0; i < words; i++) {
        double squares = 0;
        for (uint32_t k = 0; k < dims; k++)
            squares += (double)rows[(size_t)i * dims + k] * (double)rows[(size_t)i * dims + k];
        for (uint32_t k = 0; k < dims && squares > 0; k++)
            rows[(size_t)i * dims + k] = (float)((double)rows[(size_t)i * dims + k] / sqrt(squares));
    }
    return rows;
}

static bool take_documents(struct word2vec *w, const struct engine_result *result, struct err *err)
{
    const size_t row = w->train.dims * sizeof(float);
    struct str *texts = arena_alloc(&w->arena, ((size_t)w->corpus.v.items.documents + 1) * sizeof *texts);
    AUTO(buf_release) struct buf vectors;
    uint32_t n = 0;
    buf_init(&vectors, BYTES_MAX);
    for (uint32_t p = 0; p < result->count; p++)
        for (struct str in = buf_str(&result->parts[p]); in.n;) {
            if (n == w->corpus.v.items.documents || !record_take_text(&in, &texts[n]) || in.n < row)
                return err_set(err, ERR_SYSTEM, "the vectors of documents of range %u are damaged", p);
            texts[n] = arena_str(&w->arena, texts[n]);
            n++;
            buf_add(&vectors, in.p, row);
            in.p += row;
            in.n -= row;
        }
    run_say(w->run, "%u of %" PRIu64 " documents have a vector", n, w->corpus.v.items.documents);
    const struct factors_out out = { .fold = FOLD_MEAN,
                                     .rank = w->train.dims,
                                     .items = n,
                                     .texts = texts,
                                     .vectors = (const void *)buf_str(&vectors).p };
    struct buf *section = model_file_section(&w->file);
    if (!buf_ok(&vectors, "the vectors of documents", err) || (n && !factors_write(&out, section, err)))
        return false;
    if (n)
        artifact_add(&w->file.out, "documents", buf_str(section));
    return true;
}

static bool add_documents(struct word2vec *w, struct err *err)
{
    struct doc_vectors *v = &w->corpus.v;
    struct engine_result result;
    if (!run_flag(w->run, "doc_vectors"))
        return true;
    float *rows = unit_rows(w);
    const struct str row_bytes = { (const char *)rows, (size_t)w->corpus.words * w->train.dims * sizeof *rows };
    int blobs[] = { engine_blob(w->run->engine, buf_str(&w->corpus.numbers), err), -1 };
    if (blobs[0] >= 0)
        blobs[1] = engine_blob(w->run->engine, row_bytes, err);
    mem_free(rows);
    const struct engine_pass pass = { .name = "documents",
                                      .kernel = W2V_DOCUMENTS_KERNEL,
                                      .params = v->text_params,
                                      .snapshot = v->items.snapshot,
                                      .splits = doc_vectors_ranges(v, err),
                                      .splits_count = v->ranges,
                                      .input_pass = -1,
                                      .reads_database = true,
                                      .blobs = blobs,
                                      .blobs_count = COUNT_OF(blobs) };
    bool ran = blobs[0] >= 0 && blobs[1] >= 0 && pass.splits && run_pass(w->run, &pass, &result, err),
         ok = ran && take_documents(w, &result, err);
    if (ran)
        engine_result_release(&result);
    for (size_t i = 0; i < COUNT_OF(blobs); i++)
        if (blobs[i] >= 0)
            engine_blob_drop(w->run->engine, blobs[i]);
    return ok;
}

/* ---- the job ---- */

static void describe(struct word2vec *w)
{
    const struct corpus *c = &w->corpus;
    struct query_window training = { INT32_MIN, c->queries ? INT32_MIN : clock_day(c->v.items.changed_us) }, evaluation;
    if (c->queries)
        query_log_window(w->run, &training, &evaluation);
    w->t = (struct training){ .model = training_model(w->run),
                              .from = training.from,
                              .until = training.until,
                              .eval_from = training.until + 1,
                              .eval_until = training.until,
                              .seed = (uint64_t)run_whole(w->run, "seed"),
                              .rows = c->total,
                              .units = c->train.ends.n / sizeof(uint64_t),
                              .items = c->words };
}

static bool publish(struct word2vec *w, struct err *err)
{
    AUTO(buf_release) struct buf metrics;
    struct gate_outcome gate;
    buf_init(&metrics, METRICS_MAX);
    describe(w);
    if (!model_file_end(&w->file, w->run, &w->t, err) || !w2v_judge(&w->train, &gate, &metrics, err))
        return false;
    w->t.metrics = buf_str(&metrics);
    return training_publish(w->run, &w->t, &gate, err);
}

static bool compute(struct word2vec *w, struct err *err)
{
    const double first = run_real(w->run, "learning_rate"), last = run_real(w->run, "min_learning_rate");
    if (last > first)
        return err_set(err, ERR_INVALID, "parameter \"min_learning_rate\" is %g, more than \"learning_rate\", %g", last,
                       first);
    return training_begin(w->run, VECTORS_KIND, err) && corpus_open(&w->corpus, w->run, &w->arena, err) &&
           w2v_train_run(&w->train, w->run, &w->arena, &w->corpus, err) && add_words(w, err) && add_nearest(w, err) &&
           add_documents(w, err) && publish(w, err);
}

static bool run_word2vec(struct run_context *run, struct err *err)
{
    struct word2vec *w = mem_zalloc(sizeof *w);
    w->run = run;
    arena_init(&w->arena, 1 << 16);
    model_file_begin(&w->file, VECTORS_KIND);
    bool ok = compute(w, err);
    w2v_train_release(&w->train);
    corpus_close(&w->corpus);
    model_file_release(&w->file);
    arena_release(&w->arena);
    mem_free(w);
    return ok;
}

const struct job job_word2vec = { "word2vec", run_word2vec };
