#include "trainer/jobs/doc_vectors.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/jsonw.h"
#include "trainer/kernels/content/content_read.h"
#include "trainer/kernels/items/items.h"
#include "trainer/kernels/items/pair_sums.h"
#include "trainer/kernels/record.h"
#include "trainer/models/training.h"

#define BYTES_MAX ((size_t)8 << 30)
enum { JSON_MAX = 16384 };

/* $1: of so many ranges. The first document of each. */
static const struct pg_stmt read_bounds = {
    "doc_bounds", 1,
    "select doc from (select doc, row_number() over w - 1 as n, count(*) over () as all_of_them from items window w as "
    "(order by doc)) i where n = 0 or n * $1::bigint / all_of_them > (n - 1) * $1::bigint / all_of_them order by doc"
};

/* ---- what is read ---- */

static bool cut_documents(struct doc_vectors *v, struct err *err)
{
    const char *params[] = { v->run->param(v->run, "ranges") };
    AUTO(pg_result_free) PGresult *r = pg_run(v->items.pg, &read_bounds, params, err);
    if (!r)
        return false;
    v->ranges = v->parts = (uint32_t)PQntuples(r);
    v->bounds = arena_alloc(v->arena, ((size_t)v->ranges + 1) * sizeof *v->bounds);
    for (uint32_t i = 0; i < v->ranges; i++)
        v->bounds[i] = arena_str(v->arena, pg_get(r, (int)i, 0));
    return true;
}

static bool write_text_params(struct doc_vectors *v, struct err *err)
{
    const struct run_context *run = v->run;
    struct signal_weights fields;
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    if (!signal_weights_read(str_of(run->param(run, "fields")), v->arena, &fields, err))
        return err_prefix(err, "parameter \"fields\": ");
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "fields", run->param(run, "fields"));
    jsonw_i64(&w, "ngrams", run->param(run, "ngrams") ? run_whole(run, "ngrams") : 1);
    jsonw_text(&w, "language", run->param(run, "language"));
    jsonw_text(&w, "stop_words", run->param(run, "stop_words"));
    jsonw_close(&w);
    v->text_params = arena_str(v->arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

bool doc_vectors_open(struct doc_vectors *v, struct run_context *run, struct arena *arena, struct err *err)
{
    *v = (struct doc_vectors){ .run = run, .arena = arena, .terms_pass = -1 };
    buf_init(&v->words, BYTES_MAX);
    buf_init(&v->entries, BYTES_MAX);
    return write_text_params(v, err) && items_read_open(&v->items, run, arena, err) &&
           training_enough(run, "documents", v->items.documents, "min_documents", err) && cut_documents(v, err);
}

void doc_vectors_close(struct doc_vectors *v)
{
    items_read_close(&v->items);
    if (v->terms_pass >= 0)
        engine_drop(v->run->engine, v->terms_pass);
    v->terms_pass = -1;
    buf_release(&v->words);
    buf_release(&v->entries);
}

static bool write_range(struct doc_vectors *v, uint32_t i, struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "from", v->bounds[i]);
    jsonw_str(&w, "to", i + 1 < v->ranges ? v->bounds[i + 1] : (struct str){ NULL, 0 });
    jsonw_close(&w);
    *out = arena_str(v->arena, buf_str(&b));
    return buf_ok(&b, "a range of documents", err);
}

const struct engine_split *doc_vectors_ranges(struct doc_vectors *v, struct err *err)
{
    struct engine_split *splits = arena_zalloc(v->arena, (v->ranges + 1) * sizeof *splits);
    for (uint32_t i = 0; i < v->ranges; i++) {
        splits[i].weight = 1;
        if (!write_range(v, i, &splits[i].desc, err))
            return NULL;
    }
    return splits;
}

/* ---- terms ---- */

static bool pass_terms(struct doc_vectors *v, struct err *err)
{
    const struct engine_pass pass = { .name = "terms",
                                      .kernel = CONTENT_TERMS_KERNEL,
                                      .params = v->text_params,
                                      .snapshot = v->items.snapshot,
                                      .splits = doc_vectors_ranges(v, err),
                                      .splits_count = v->ranges,
                                      .input_pass = -1,
                                      .out = ENGINE_DATASET,
                                      .parts = v->parts + 1,
                                      .reads_database = true };
    return pass.splits && run_pass_numbered(v->run, &pass, &v->terms_pass, err);
}

/* Splits that read part `p` of each range, or, with own, of range p its part of vectors. */
static const struct engine_split *parts_of(struct doc_vectors *v, bool own)
{
    struct engine_split *splits = arena_zalloc(v->arena, (v->parts + 1) * sizeof *splits);
    for (uint32_t p = 0; p < v->parts; p++) {
        const uint32_t count = own ? 1 : v->ranges;
        struct engine_input *inputs = arena_alloc(v->arena, count * sizeof *inputs);
        for (uint32_t i = 0; i < count; i++)
            inputs[i] = own ? (struct engine_input){ p, v->parts } : (struct engine_input){ i, p };
        splits[p].desc = arena_printf(v->arena, "%u", p);
        splits[p].weight = 1;
        splits[p].inputs = inputs;
        splits[p].inputs_count = count;
    }
    return splits;
}

static int most_frequent(const void *a, const void *b)
{
    const struct pair_sum *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->key > y->key) - (x->key < y->key);
}

static int by_key(const void *a, const void *b)
{
    const struct pair_sum *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

/* Of too many terms those that most documents have. Returns how many are left, by key. */
static size_t most_of(struct doc_vectors *v, struct pair_sum *all, size_t count)
{
    const size_t most = v->run->param(v->run, "max_features") ? (size_t)run_whole(v->run, "max_features") : 0;
    if (most && count > most) {
        qsort(all, count, sizeof *all, most_frequent);
        count = most;
    }
    if (count)
        qsort(all, count, sizeof *all, by_key);
    return count;
}

/* idf = ln((1 + N)/(1 + df)) + 1, here and not in kernels: a logarithm is not the same to the last bit on every host. */
static bool take_words(struct doc_vectors *v, const struct engine_result *result, struct err *err)
{
    AUTO(buf_release) struct buf all;
    struct pair_sum e;
    buf_init(&all, BYTES_MAX);
    for (uint32_t p = 0; p < result->count; p++)
        for (struct str in = buf_str(&result->parts[p]); in.n;) {
            if (!record_take(&in, &e, sizeof e))
                return err_set(err, ERR_SYSTEM, "the frequencies of part %u are damaged", p);
            buf_add(&all, &e, sizeof e);
        }
    if (!buf_ok(&all, "the terms of the catalogue", err))
        return false;
    struct pair_sum *sums = (void *)all.p;
    const size_t count = most_of(v, sums, all.n / sizeof *sums);
    for (size_t i = 0; i < count; i++) {
        const double idf = log((1 + (double)v->items.documents) / (1 + (double)sums[i].count)) + 1;
        const struct content_word word = { sums[i].key, idf };
        buf_add(&v->words, &word, sizeof word);
    }
    v->terms = (uint32_t)count;
    run_say(v->run, "%" PRIu64 " documents, %zu terms that tell some of them from others", v->items.documents, count);
    return buf_ok(&v->words, "the terms of the catalogue", err) &&
           (count > 0 || run_too_little(v->run, err,
                                        "no term of the fields \"%s\" is in at least min_df documents and at most the "
                                        "share max_df of them",
                                        v->run->param(v->run, "fields")));
}

static bool pass_frequencies(struct doc_vectors *v, struct err *err)
{
    struct engine_result result;
    const int64_t most = (int64_t)floor(run_real(v->run, "max_df") * (double)v->items.documents);
    const struct engine_pass pass = {
        .name = "frequencies",
        .kernel = PAIR_SUMS_MERGE_KERNEL,
        .params = arena_printf(v->arena, "{\"min_count\":%" PRId64 ",\"max_count\":%" PRId64 "}",
                               run_whole(v->run, "min_df"), most),
        .splits = parts_of(v, false),
        .splits_count = v->parts,
        .input_pass = v->terms_pass,
    };
    if (!run_pass(v->run, &pass, &result, err))
        return false;
    bool ok = take_words(v, &result, err);
    engine_result_release(&result);
    return ok;
}

bool doc_vectors_words(struct doc_vectors *v, struct err *err)
{
    return pass_terms(v, err) && pass_frequencies(v, err);
}

/* ---- vectors ---- */

static bool take_vector(struct doc_vectors *v, struct str *in)
{
    struct str doc;
    uint32_t words, count;
    if (v->documents == v->items.documents || !record_take_text(in, &doc) || !record_take(in, &words, sizeof words) ||
        !record_take(in, &count, sizeof count) || in->n / sizeof(struct content_entry) < count)
        return false;
    buf_add(&v->entries, in->p, count * sizeof(struct content_entry));
    in->p += count * sizeof(struct content_entry);
    in->n -= count * sizeof(struct content_entry);
    v->texts[v->documents] = arena_str(v->arena, doc);
    v->lengths[v->documents] = words;
    v->ends[v->documents++] = v->entries.n / sizeof(struct content_entry);
    return true;
}

static bool take_vectors(struct doc_vectors *v, const struct engine_result *result, struct err *err)
{
    v->texts = arena_alloc(v->arena, (v->items.documents + 1) * sizeof *v->texts);
    v->lengths = arena_alloc(v->arena, (v->items.documents + 1) * sizeof *v->lengths);
    v->ends = arena_alloc(v->arena, (v->items.documents + 1) * sizeof *v->ends);
    for (uint32_t p = 0; p < result->count; p++)
        for (struct str in = buf_str(&result->parts[p]); in.n;)
            if (!take_vector(v, &in))
                return err_set(err, ERR_SYSTEM, "the vectors of range %u are damaged", p);
    return buf_ok(&v->entries, "the vectors of documents", err);
}

static bool run_vectors(struct doc_vectors *v, const int *blobs, size_t blobs_count, struct err *err)
{
    struct engine_result result;
    const struct engine_pass pass = {
        .name = "vectors",
        .kernel = CONTENT_VECTORS_KERNEL,
        .params = arena_printf(v->arena, "{\"max_terms\":%" PRId64 ",\"dims\":%u}", run_whole(v->run, "max_terms"),
                               v->dims),
        .splits = parts_of(v, true),
        .splits_count = v->parts,
        .input_pass = v->terms_pass,
        .blobs = blobs,
        .blobs_count = blobs_count,
    };
    if (!run_pass(v->run, &pass, &result, err))
        return false;
    bool ok = take_vectors(v, &result, err);
    engine_result_release(&result);
    return ok;
}

bool doc_vectors_make(struct doc_vectors *v, const float *rows, uint32_t dims, struct err *err)
{
    const struct str row_bytes = { (const char *)rows, rows ? (size_t)v->terms * dims * sizeof *rows : 0 };
    int blobs[] = { -1, -1 };
    v->dims = rows ? dims : 0;
    v->documents = 0;
    buf_clear(&v->entries);
    blobs[0] = engine_blob(v->run->engine, buf_str(&v->words), err);
    if (blobs[0] >= 0 && rows)
        blobs[1] = engine_blob(v->run->engine, row_bytes, err);
    bool ok = blobs[0] >= 0 && (!rows || blobs[1] >= 0) && run_vectors(v, blobs, rows ? 2 : 1, err);
    for (size_t i = 0; i < COUNT_OF(blobs); i++)
        if (blobs[i] >= 0)
            engine_blob_drop(v->run->engine, blobs[i]);
    return ok;
}

/* ---- texts of terms ---- */

static bool take_texts(struct doc_vectors *v, const struct engine_result *result, uint32_t count, struct str *out,
                       struct err *err)
{
    for (uint32_t p = 0; p < result->count; p++)
        for (struct str in = buf_str(&result->parts[p]); in.n;) {
            struct str text;
            uint32_t n;
            if (!record_take(&in, &n, sizeof n) || n >= count || !record_take_text(&in, &text))
                return err_set(err, ERR_SYSTEM, "the texts of terms of range %u are damaged", p);
            if (!out[n].p)
                out[n] = arena_str(v->arena, text);
        }
    return true;
}

bool doc_vectors_terms(struct doc_vectors *v, const uint64_t *keys, uint32_t count, struct str *out_texts,
                       struct err *err)
{
    struct engine_result result;
    const int blob = engine_blob(v->run->engine, (struct str){ (const char *)keys, count * sizeof *keys }, err);
    memset(out_texts, 0, count * sizeof *out_texts);
    if (blob < 0)
        return false;
    const struct engine_pass pass = { .name = "words",
                                      .kernel = CONTENT_WORDS_KERNEL,
                                      .params = v->text_params,
                                      .snapshot = v->items.snapshot,
                                      .splits = doc_vectors_ranges(v, err),
                                      .splits_count = v->ranges,
                                      .input_pass = -1,
                                      .reads_database = true,
                                      .blobs = &blob,
                                      .blobs_count = 1 };
    bool ran = pass.splits && run_pass(v->run, &pass, &result, err),
         ok = ran && take_texts(v, &result, count, out_texts, err);
    if (ran)
        engine_result_release(&result);
    engine_blob_drop(v->run->engine, blob);
    return ok;
}
