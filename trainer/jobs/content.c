/* The job "content": documents that are alike by their texts: what is recommended of which nobody has done anything yet.
 *
 * Pass "terms" cuts the table of items into ranges and its texts into terms, "frequencies" counts the documents of each term, "vectors" weighs (TF-IDF), and
 * "similar" finds for each document those of the greatest cosine, by an inverted index that all workers map. With holdout_days the version is judged on
 * what units did in later days, as every recommender is. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "trainer/jobs/items_read.h"
#include "trainer/jobs/recommender.h"
#include "trainer/kernels/content/content.h"
#include "trainer/kernels/content/content_index.h"
#include "trainer/kernels/content/text_terms.h"
#include "trainer/kernels/items/items.h"
#include "trainer/kernels/items/pair_sums.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/signal_weights.h"

#define BYTES_MAX ((size_t)8 << 30)
enum { JSON_MAX = 16384 };
static const char *const columns[] = { "score" };

/* $1: of so many ranges. The first document of each. */
static const struct pg_stmt read_bounds = {
    "content_bounds", 1,
    "select doc from (select doc, row_number() over w - 1 as n, count(*) over () as all_of_them from items window w as "
    "(order by doc)) i where n = 0 or n * $1::bigint / all_of_them > (n - 1) * $1::bigint / all_of_them order by doc"
};

struct content {
    struct recommender_job *j;
    struct items_read items;
    struct str *bounds;
    uint32_t ranges, parts; /* of documents; of terms */
    int terms_pass;
    struct buf words;   /* struct content_word, by key */
    uint32_t documents; /* with a vector, which may be empty */
    struct str *texts;
    uint64_t *ends;
    struct buf entries; /* struct content_entry, document after document */
};

/* ---- terms ---- */

static bool check_fields(struct content *c, struct err *err)
{
    struct signal_weights fields;
    return signal_weights_read(str_of(c->j->run->param(c->j->run, "fields")), &c->j->arena, &fields, err) ||
           err_prefix(err, "parameter \"fields\": ");
}

static bool cut_documents(struct content *c, struct err *err)
{
    const char *params[] = { c->j->run->param(c->j->run, "ranges") };
    AUTO(pg_result_free) PGresult *r = pg_run(c->items.pg, &read_bounds, params, err);
    if (!r)
        return false;
    c->ranges = (uint32_t)PQntuples(r);
    c->bounds = arena_alloc(&c->j->arena, ((size_t)c->ranges + 1) * sizeof *c->bounds);
    for (uint32_t i = 0; i < c->ranges; i++)
        c->bounds[i] = arena_str(&c->j->arena, pg_get(r, (int)i, 0));
    c->parts = c->ranges;
    return true;
}

static bool write_terms_params(struct content *c, struct str *out, struct err *err)
{
    const struct run_context *run = c->j->run;
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "fields", run->param(run, "fields"));
    jsonw_i64(&w, "ngrams", run_whole(run, "ngrams"));
    jsonw_text(&w, "language", run->param(run, "language"));
    jsonw_text(&w, "stop_words", run->param(run, "stop_words"));
    jsonw_close(&w);
    *out = arena_str(&c->j->arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

static bool write_range(struct content *c, uint32_t i, struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "from", c->bounds[i]);
    jsonw_str(&w, "to", i + 1 < c->ranges ? c->bounds[i + 1] : (struct str){ NULL, 0 });
    jsonw_close(&w);
    *out = arena_str(&c->j->arena, buf_str(&b));
    return buf_ok(&b, "a range of documents", err);
}

static bool pass_terms(struct content *c, struct err *err)
{
    struct recommender_job *j = c->j;
    struct engine_split *splits = arena_zalloc(&j->arena, c->ranges * sizeof *splits);
    struct engine_pass pass = { .name = "terms",
                                .kernel = CONTENT_TERMS_KERNEL,
                                .snapshot = c->items.snapshot,
                                .splits = splits,
                                .splits_count = c->ranges,
                                .input_pass = -1,
                                .out = ENGINE_DATASET,
                                .parts = c->parts + 1,
                                .reads_database = true };
    if (!write_terms_params(c, &pass.params, err))
        return false;
    for (uint32_t i = 0; i < c->ranges; i++) {
        splits[i].weight = 1;
        if (!write_range(c, i, &splits[i].desc, err))
            return false;
    }
    return run_pass_numbered(j->run, &pass, &c->terms_pass, err);
}

/* ---- words ---- */

/* Splits that read part `p` of each range, or, with own, of range p its part of vectors. */
static const struct engine_split *parts_of(struct content *c, bool own)
{
    struct arena *arena = &c->j->arena;
    struct engine_split *splits = arena_zalloc(arena, c->parts * sizeof *splits);
    for (uint32_t p = 0; p < c->parts; p++) {
        const uint32_t count = own ? 1 : c->ranges;
        struct engine_input *inputs = arena_alloc(arena, count * sizeof *inputs);
        for (uint32_t i = 0; i < count; i++)
            inputs[i] = own ? (struct engine_input){ p, c->parts } : (struct engine_input){ i, p };
        splits[p].desc = arena_printf(arena, "%u", p);
        splits[p].weight = 1;
        splits[p].inputs = inputs;
        splits[p].inputs_count = count;
    }
    return splits;
}

/* idf = ln((1 + N)/(1 + df)) + 1, here and not in kernels: a logarithm is not the same to the last bit on every host. */
static bool take_words(struct content *c, const struct engine_result *result, struct err *err)
{
    struct pair_sum e;
    for (uint32_t p = 0; p < result->count; p++)
        for (struct str in = buf_str(&result->parts[p]); in.n;) {
            if (!record_take(&in, &e, sizeof e))
                return err_set(err, ERR_SYSTEM, "the frequencies of part %u are damaged", p);
            const struct content_word word = { e.key,
                                               log((1 + (double)c->items.documents) / (1 + (double)e.count)) + 1 };
            buf_add(&c->words, &word, sizeof word);
        }
    const size_t words = c->words.n / sizeof(struct content_word);
    run_say(c->j->run, "%" PRIu64 " documents, %zu terms that tell some of them from others", c->items.documents,
            words);
    return buf_ok(&c->words, "the terms of the catalogue", err) &&
           (words > 0 || err_set(err, ERR_INVALID,
                                 "too little data: no term of the fields \"%s\" is in at least min_df documents and at "
                                 "most the share max_df of them",
                                 c->j->run->param(c->j->run, "fields")));
}

static bool pass_frequencies(struct content *c, struct err *err)
{
    struct recommender_job *j = c->j;
    struct engine_result result;
    const int64_t most = (int64_t)floor(run_real(j->run, "max_df") * (double)c->items.documents);
    const struct engine_pass pass = {
        .name = "frequencies",
        .kernel = PAIR_SUMS_MERGE_KERNEL,
        .params = arena_printf(&j->arena, "{\"min_count\":%" PRId64 ",\"max_count\":%" PRId64 "}",
                               run_whole(j->run, "min_df"), most),
        .splits = parts_of(c, false),
        .splits_count = c->parts,
        .input_pass = c->terms_pass,
    };
    if (!run_pass(j->run, &pass, &result, err))
        return false;
    bool ok = take_words(c, &result, err);
    engine_result_release(&result);
    return ok;
}

/* ---- vectors ---- */

static bool take_vector(struct content *c, struct str *in)
{
    struct str doc;
    uint32_t count;
    if (c->documents == c->items.documents || !record_take_text(in, &doc) || !record_take(in, &count, sizeof count) ||
        in->n / sizeof(struct content_entry) < count)
        return false;
    buf_add(&c->entries, in->p, count * sizeof(struct content_entry));
    in->p += count * sizeof(struct content_entry);
    in->n -= count * sizeof(struct content_entry);
    c->texts[c->documents] = arena_str(&c->j->arena, doc);
    c->ends[c->documents++] = c->entries.n / sizeof(struct content_entry);
    return true;
}

static bool take_vectors(struct content *c, const struct engine_result *result, struct err *err)
{
    c->texts = arena_alloc(&c->j->arena, (c->items.documents + 1) * sizeof *c->texts);
    c->ends = arena_alloc(&c->j->arena, (c->items.documents + 1) * sizeof *c->ends);
    for (uint32_t p = 0; p < result->count; p++)
        for (struct str in = buf_str(&result->parts[p]); in.n;)
            if (!take_vector(c, &in))
                return err_set(err, ERR_SYSTEM, "the vectors of range %u are damaged", p);
    return buf_ok(&c->entries, "the vectors of documents", err);
}

static bool pass_vectors(struct content *c, struct err *err)
{
    struct recommender_job *j = c->j;
    struct engine_result result;
    const int blob = engine_blob(j->run->engine, buf_str(&c->words), err);
    if (blob < 0)
        return false;
    const struct engine_pass pass = {
        .name = "vectors",
        .kernel = CONTENT_VECTORS_KERNEL,
        .params = arena_printf(&j->arena, "{\"max_terms\":%" PRId64 "}", run_whole(j->run, "max_terms")),
        .splits = parts_of(c, true),
        .splits_count = c->parts,
        .input_pass = c->terms_pass,
        .blobs = &blob,
        .blobs_count = 1,
    };
    bool ran = run_pass(j->run, &pass, &result, err), ok = ran && take_vectors(c, &result, err);
    if (ran)
        engine_result_release(&result);
    engine_blob_drop(j->run->engine, blob);
    engine_drop(j->run->engine, c->terms_pass);
    return ok;
}

/* ---- lists ---- */

static bool take_list(struct content *c, struct str *in, struct lists_out *out)
{
    uint32_t document, count;
    if (!record_take(in, &document, sizeof document) || !record_take(in, &count, sizeof count) ||
        document >= c->documents)
        return false;
    lists_key(out, c->texts[document]);
    for (uint32_t i = 0; i < count; i++) {
        struct content_entry e;
        if (!record_take(in, &e, sizeof e) || e.number >= c->documents)
            return false;
        lists_add(out, c->texts[e.number], &e.weight);
    }
    return true;
}

static bool take_lists(struct content *c, const struct engine_result *result, struct err *err)
{
    struct lists_out out;
    bool ok = true;
    lists_begin(&out, columns, COUNT_OF(columns));
    for (uint32_t p = 0; ok && p < result->count; p++)
        for (struct str in = buf_str(&result->parts[p]); ok && in.n;)
            ok = take_list(c, &in, &out) || err_set(err, ERR_SYSTEM, "the lists of split %u are damaged", p);
    ok = ok && model_file_lists(&c->j->file, "items_for_item", &out, err);
    lists_release(&out);
    return ok;
}

static const struct engine_split *document_splits(struct content *c)
{
    struct engine_split *splits = arena_zalloc(&c->j->arena, c->ranges * sizeof *splits);
    for (uint32_t i = 0; i < c->ranges; i++) {
        const uint64_t from = (uint64_t)c->documents * i / c->ranges, to = (uint64_t)c->documents * (i + 1) / c->ranges;
        splits[i].desc = arena_printf(&c->j->arena, "%" PRIu64 " %" PRIu64, from, to);
        splits[i].weight = to - from + 1;
    }
    return splits;
}

static int index_blob(struct content *c, struct err *err)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, BYTES_MAX);
    content_index_write(&b, c->documents, (uint32_t)(c->words.n / sizeof(struct content_word)), c->ends,
                        (const void *)buf_str(&c->entries).p);
    return buf_ok(&b, "the index of documents", err) ? engine_blob(c->j->run->engine, buf_str(&b), err) : -1;
}

static bool pass_similar(struct content *c, struct err *err)
{
    struct recommender_job *j = c->j;
    struct engine_result result;
    const int blob = index_blob(c, err);
    if (blob < 0)
        return false;
    const struct engine_pass pass = {
        .name = "similar",
        .kernel = CONTENT_SIMILAR_KERNEL,
        .params = arena_printf(&j->arena, "{\"top\":%" PRId64 ",\"min_score\":%.17g}", run_whole(j->run, "top"),
                               run_real(j->run, "min_score")),
        .splits = document_splits(c),
        .splits_count = c->ranges,
        .input_pass = -1,
        .blobs = &blob,
        .blobs_count = 1,
    };
    bool ran = run_pass(j->run, &pass, &result, err), ok = ran && take_lists(c, &result, err);
    if (ran)
        engine_result_release(&result);
    engine_blob_drop(j->run->engine, blob);
    return ok;
}

/* ---- the job ---- */

/* Without a matrix nothing is known of units: the card tells of documents. */
static void describe(struct content *c)
{
    struct recommender_job *j = c->j;
    if (j->m.units)
        return;
    const int32_t day = clock_day(c->items.changed_us);
    j->t.rows = j->t.items = c->items.documents;
    j->t.from = INT32_MIN;
    j->t.until = day;
    j->t.eval_from = day + 1;
    j->t.eval_until = day;
}

static bool compute(struct content *c, struct err *err)
{
    if (!check_fields(c, err) || !items_read_open(&c->items, c->j->run, &c->j->arena, err) ||
        !training_enough(c->j->run, "documents", c->items.documents, "min_documents", err))
        return false;
    describe(c);
    return cut_documents(c, err) && pass_terms(c, err) && pass_frequencies(c, err) && pass_vectors(c, err) &&
           pass_similar(c, err);
}

static bool train(struct recommender_job *j, struct err *err)
{
    struct content c = { .j = j };
    buf_init(&c.words, BYTES_MAX);
    buf_init(&c.entries, BYTES_MAX);
    bool ok = compute(&c, err);
    items_read_close(&c.items);
    buf_release(&c.words);
    buf_release(&c.entries);
    return ok;
}

static bool run_content(struct run_context *run, struct err *err)
{
    return run_whole(run, "holdout_days") ? recommender_run(run, train, err) : recommender_run_alone(run, train, err);
}

const struct job job_content = { "content", run_content };
