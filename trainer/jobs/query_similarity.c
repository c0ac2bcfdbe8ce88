/* The job "query-similarity": queries and the documents that were clicked for them, factorised → queries that lead to the like, also by documents that
 * only other queries have in common.
 *
 * The query log of the training days → the most searched queries as one blob → implicit ALS (kernels/als), in each iteration a pass over the queries with
 * the documents' factors and one the other way round → cosine of the queries' factors, products with the documents' → judged by later days, published. */
#include <inttypes.h>
#include <math.h>

#include "model/lists.h"
#include "trainer/jobs/query_model.h"
#include "trainer/jobs/query_similar.h"
#include "trainer/kernels/als/als.h"
#include "trainer/kernels/factors/factors.h"

enum { SPLITS = 16 };
#define FIRST_SIZE 0.1 /* of a document's factors before the first iteration */

/* Of queries or of documents. */
struct side {
    bool docs;
    uint32_t count;
    char *bytes;
    int blob;
};

struct factoring {
    struct query_model *m;
    struct query_log q;
    struct query_similar s; /* its head */
    struct als_rules rules;
    int head_blob;
    struct side queries, docs;
    uint64_t pairs, listed;
};

/* ---- a side ---- */

static float *rows_of(const struct side *s, size_t stride)
{
    return (float *)(void *)(s->bytes + sizeof(struct als_factors_head)) + stride * stride;
}

static void side_release(struct factoring *f, struct side *s)
{
    if (s->blob >= 0)
        engine_blob_drop(f->m->run->engine, s->blob);
    mem_free(s->bytes);
    s->blob = -1;
    s->bytes = NULL;
}

static bool side_share(struct factoring *f, struct side *s, const double *gram, struct err *err)
{
    als_factors_write(s->bytes, f->rules.rank, s->count, gram, NULL);
    s->blob = engine_blob(f->m->run->engine, (struct str){ s->bytes, als_factors_bytes(f->rules.rank, s->count) }, err);
    return s->blob >= 0;
}

/* The finaliser of splitmix64: number i of the seed, -0.5 … 0.5. */
static double random_at(uint64_t seed, uint64_t i)
{
    uint64_t v = (seed << 32 ^ i) * UINT64_C(0x9e3779b97f4a7c15);
    v = (v ^ (v >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ (v >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((v ^ (v >> 31)) >> 11) / 9007199254740992.0 - 0.5;
}

static bool begin_docs(struct factoring *f, struct err *err)
{
    const size_t stride = als_stride(f->rules.rank);
    f->docs.bytes = mem_zalloc(als_factors_bytes(f->rules.rank, f->docs.count));
    float *rows = rows_of(&f->docs, stride), *scratch = mem_zalloc(stride * stride * sizeof *scratch);
    double *gram = mem_zalloc(stride * stride * sizeof *gram);
    for (uint32_t i = 0; i < f->docs.count; i++)
        for (uint32_t k = 0; k < f->rules.rank; k++)
            rows[i * stride + k] = (float)(FIRST_SIZE * random_at(f->m->t.seed, i * (uint64_t)f->rules.rank + k));
    als_gram_add(rows, f->docs.count, stride, scratch, gram);
    bool ok = side_share(f, &f->docs, gram, err);
    mem_free(scratch);
    mem_free(gram);
    return ok;
}

/* ---- passes ---- */

static bool pass(struct factoring *f, const char *name, const char *kernel, const struct side *over, struct str params,
                 const int *blobs, size_t blobs_count, struct engine_result *out, struct err *err)
{
    struct engine_split *splits = arena_zalloc(f->m->arena, SPLITS * sizeof *splits);
    for (uint32_t i = 0; i < SPLITS; i++) {
        uint64_t first = (uint64_t)over->count * i / SPLITS, end = (uint64_t)over->count * (i + 1) / SPLITS;
        splits[i].desc = arena_printf(f->m->arena, "%u %" PRIu64 " %" PRIu64, i, first, end - first);
        splits[i].weight = 1;
    }
    const struct engine_pass p = { .name = name,
                                   .kernel = kernel,
                                   .params = params,
                                   .splits = splits,
                                   .splits_count = SPLITS,
                                   .input_pass = -1,
                                   .out = ENGINE_COLLECT,
                                   .blobs = blobs,
                                   .blobs_count = blobs_count };
    return run_pass(f->m->run, &p, out, err);
}

static bool gather(struct factoring *f, struct side *s, const struct engine_result *result, struct err *err)
{
    const size_t stride = als_stride(f->rules.rank), square = stride * stride;
    double *gram = mem_zalloc(square * sizeof *gram);
    size_t at = 0, all = s->count * stride * sizeof(float);
    bool ok = true;
    side_release(f, s);
    s->bytes = mem_zalloc(als_factors_bytes(f->rules.rank, s->count));
    for (uint32_t i = 0; ok && i < result->count; i++) {
        const struct buf *part = &result->parts[i];
        ok = part->n >= square * sizeof(double) && part->n - square * sizeof(double) <= all - at;
        for (size_t k = 0; ok && k < square; k++) {
            double d;
            memcpy(&d, part->p + k * sizeof d, sizeof d);
            gram[k] += d;
        }
        if (ok) {
            memcpy((char *)rows_of(s, stride) + at, part->p + square * sizeof(double),
                   part->n - square * sizeof(double));
            at += part->n - square * sizeof(double);
        }
    }
    ok = ok && at == all ? side_share(f, s, gram, err) : err_set(err, ERR_SYSTEM, "the factors of a split are damaged");
    mem_free(gram);
    return ok;
}

static bool half(struct factoring *f, struct side *s, const struct side *other, uint32_t iteration, struct err *err)
{
    const struct als_params params = { f->rules, s->docs };
    const int blobs[] = { other->blob, f->head_blob };
    struct engine_result result;
    struct str text;
    const char *name = arena_printf(f->m->arena, "%s %u", s->docs ? "documents" : "queries", iteration).p;
    if (!als_params_write(&params, f->m->arena, &text, err) ||
        !pass(f, name, QUERIES_ALS_KERNEL, s, text, blobs, COUNT_OF(blobs), &result, err))
        return false;
    bool ok = gather(f, s, &result, err);
    engine_result_release(&result);
    return ok;
}

static bool iterate(struct factoring *f, struct err *err)
{
    uint32_t iterations = (uint32_t)run_whole(f->m->run, "iterations");
    f->queries.count = (uint32_t)f->s.head.sizes.queries;
    f->docs.count = (uint32_t)f->s.head.sizes.docs;
    f->head_blob = engine_blob(f->m->run->engine, buf_str(&f->s.blob), err);
    if (f->head_blob < 0 || !begin_docs(f, err))
        return false;
    for (uint32_t i = 1; i <= iterations; i++)
        if (!half(f, &f->queries, &f->docs, i, err) || !half(f, &f->docs, &f->queries, i, err))
            return false;
    return true;
}

/* ---- lists ---- */

/* Of each query its entries, in the order of queries: u32 count, entries. */
typedef void (*list_fn)(struct factoring *f, struct lists_out *o, uint32_t query, const struct factors_entry *entries,
                        uint32_t count);

static bool each_list(struct factoring *f, const struct engine_result *result, struct lists_out *o, list_fn fn,
                      struct err *err)
{
    uint32_t query = 0, count;
    for (uint32_t i = 0; i < result->count; i++)
        for (struct str in = buf_str(&result->parts[i]); in.n; query++) {
            if (query >= f->queries.count || !record_take(&in, &count, sizeof count) ||
                in.n / sizeof(struct factors_entry) < count)
                return err_set(err, ERR_SYSTEM, "the lists of part %u are damaged", i);
            struct factors_entry *entries = mem_alloc(count * sizeof *entries + 1);
            (void)record_take(&in, entries, count * sizeof *entries);
            fn(f, o, query, entries, count);
            mem_free(entries);
        }
    return true;
}

/* Those that are similar enough, and say something new. */
static void add_queries(struct factoring *f, struct lists_out *o, uint32_t query, const struct factors_entry *entries,
                        uint32_t count)
{
    const struct query_head *h = &f->s.head;
    uint32_t top = (uint32_t)run_whole(f->m->run, "top"), n = 0, kept[1000];
    float least = (float)run_real(f->m->run, "min_similarity");
    for (uint32_t i = 0; i < count && n < top && entries[i].value >= least; i++) {
        struct str text = query_head_query(h, entries[i].number);
        bool again = query_same_words(query_head_query(h, query), text);
        for (uint32_t k = 0; k < n && !again; k++)
            again = query_same_words(query_head_query(h, kept[k]), text);
        if (again)
            continue;
        if (n == 0)
            lists_key(o, query_head_query(h, query));
        lists_add(o, text, &entries[i].value);
        kept[n++] = entries[i].number;
    }
    f->listed += n > 0;
    f->pairs += n;
}

static uint32_t clicks_of(const struct query_head *h, uint32_t query, uint32_t doc)
{
    struct query_head_row row = query_head_docs(h, query);
    for (uint32_t i = 0; i < row.count; i++)
        if (row.entries[i].number == doc)
            return row.entries[i].count;
    return 0;
}

static void add_items(struct factoring *f, struct lists_out *o, uint32_t query, const struct factors_entry *entries,
                      uint32_t count)
{
    const struct query_head *h = &f->s.head;
    if (count)
        lists_key(o, query_head_query(h, query));
    for (uint32_t i = 0; i < count; i++)
        lists_add(o, query_head_doc(h, entries[i].number),
                  (const float[]){ entries[i].value, (float)clicks_of(h, query, entries[i].number) });
}

static bool make_lists(struct factoring *f, const char *name, const char *kernel, uint32_t top, const int *blobs,
                       size_t blobs_count, const char *const *columns, size_t columns_count, list_fn fn,
                       struct buf *out, struct err *err)
{
    struct engine_result result;
    struct lists_out o;
    struct str params = arena_printf(f->m->arena, "{\"rank\":%u,\"columns\":%u,\"top\":%u}", f->rules.rank,
                                     f->rules.rank, top);
    if (!pass(f, name, kernel, &f->queries, params, blobs, blobs_count, &result, err))
        return false;
    lists_begin(&o, columns, columns_count);
    bool ok = each_list(f, &result, &o, fn, err);
    engine_result_release(&result);
    if (!ok)
        lists_release(&o);
    return ok && lists_end(&o, out, err);
}

/* Twice as many as are asked for: some are the same words in another order. */
static bool write_sections(struct factoring *f, struct buf *queries, struct buf *items, struct err *err)
{
    static const char *const score[] = { "score" }, *const clicks[] = { "score", "clicks" };
    const int blobs[] = { f->queries.blob, f->docs.blob };
    const struct run_context *run = f->m->run;
    return make_lists(f, "similar queries", FACTORS_SIMILAR_KERNEL, 2 * (uint32_t)run_whole(run, "top"), blobs, 1,
                      score, COUNT_OF(score), add_queries, queries, err) &&
           make_lists(f, "documents", QUERIES_ITEMS_KERNEL, (uint32_t)run_whole(run, "top_items"), blobs, 2, clicks,
                      COUNT_OF(clicks), add_items, items, err);
}

/* ---- the job ---- */

static bool publish(struct factoring *f, struct err *err)
{
    AUTO(buf_release) struct buf queries, items;
    struct artifact_out o;
    buf_init(&queries, LISTS_BYTES_MAX);
    buf_init(&items, LISTS_BYTES_MAX);
    if (!write_sections(f, &queries, &items, err))
        return false;
    run_say(f->m->run, "%" PRIu64 " similar queries of %" PRIu64 " queries, of %u that are searched often enough",
            f->pairs, f->listed, f->queries.count);
    artifact_begin(&o, f->m->t.kind);
    artifact_add(&o, "queries_for_query", buf_str(&queries));
    artifact_add(&o, "items_for_query", buf_str(&items));
    return query_model_publish(f->m, &o, err);
}

static bool train(struct factoring *f, struct err *err)
{
    struct query_model *m = f->m;
    const struct run_context *run = m->run;
    f->rules = (struct als_rules){ .rank = (uint32_t)run_whole(run, "factors"),
                                   .cg_steps = 1,
                                   .solver = ALS_CHOLESKY,
                                   .alpha = run_real(run, "alpha"),
                                   .lambda = run_real(run, "lambda") };
    m->t.seed = (uint64_t)run_whole(run, "seed");
    if (!query_log_open(&f->q, m->run, m->arena, "training", m->training, err) ||
        !training_enough(run, "searches", f->q.searches, "min_searches", err) ||
        !query_similar_open(&f->s, &f->q, (uint64_t)run_whole(run, "min_query_count"), err))
        return false;
    m->t.days = f->q.days.days_count;
    m->t.rows = f->q.searches;
    m->t.units = f->s.head.sizes.queries;
    m->t.items = f->s.head.sizes.docs;
    return iterate(f, err) && publish(f, err);
}

static bool run_query_similarity(struct run_context *run, struct err *err)
{
    struct query_model m;
    struct factoring f = {
        .m = &m, .q.pass = -1, .head_blob = -1, .queries.blob = -1, .docs = { .docs = true, .blob = -1 }
    };
    struct arena arena;
    arena_init(&arena, 1 << 16);
    bool ok = query_model_begin(&m, run, &arena, "queries", err);
    query_model_judge_queries(&m);
    ok = ok && train(&f, err);
    side_release(&f, &f.queries);
    side_release(&f, &f.docs);
    if (f.head_blob >= 0)
        engine_blob_drop(run->engine, f.head_blob);
    query_similar_release(&f.s);
    query_log_close(&f.q);
    arena_release(&arena);
    return ok;
}

const struct job job_query_similarity = { "query-similarity", run_query_similarity };
