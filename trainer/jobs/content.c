/* The job "content": documents that are alike by their texts: what is recommended of which nobody has done anything yet.
 *
 * Behind the passes of doc_vectors.h, "similar" finds for each document those of the greatest cosine, by an inverted index that all workers map. With
 * holdout_days the version is judged on what units did in later days, as every recommender is. */
#include <inttypes.h>

#include "base/clock.h"
#include "trainer/jobs/doc_vectors.h"
#include "trainer/jobs/recommender.h"
#include "trainer/kernels/record.h"

#define BYTES_MAX ((size_t)8 << 30)
static const char *const columns[] = { "score" };

struct content {
    struct recommender_job *j;
    struct doc_vectors v;
};

/* ---- lists ---- */

static bool take_list(struct content *c, struct str *in, struct lists_out *out)
{
    uint32_t document, count;
    if (!record_take(in, &document, sizeof document) || !record_take(in, &count, sizeof count) ||
        document >= c->v.documents)
        return false;
    lists_key(out, c->v.texts[document]);
    for (uint32_t i = 0; i < count; i++) {
        struct content_entry e;
        if (!record_take(in, &e, sizeof e) || e.number >= c->v.documents)
            return false;
        lists_add(out, c->v.texts[e.number], &e.weight);
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
    struct engine_split *splits = arena_zalloc(&c->j->arena, c->v.ranges * sizeof *splits);
    for (uint32_t i = 0; i < c->v.ranges; i++) {
        const uint64_t from = (uint64_t)c->v.documents * i / c->v.ranges,
                       to = (uint64_t)c->v.documents * (i + 1) / c->v.ranges;
        splits[i].desc = arena_printf(&c->j->arena, "%" PRIu64 " %" PRIu64, from, to);
        splits[i].weight = to - from + 1;
    }
    return splits;
}

static int index_blob(struct content *c, struct err *err)
{
    AUTO(buf_release) struct buf b;
    buf_init(&b, BYTES_MAX);
    content_index_write(&b, c->v.documents, c->v.terms, c->v.ends, doc_vectors_entries(&c->v));
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
        .splits_count = c->v.ranges,
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
    const int32_t day = clock_day(c->v.items.changed_us);
    j->t.rows = j->t.items = c->v.items.documents;
    j->t.from = INT32_MIN;
    j->t.until = day;
    j->t.eval_from = day + 1;
    j->t.eval_until = day;
}

static bool compute(struct content *c, struct err *err)
{
    if (!doc_vectors_open(&c->v, c->j->run, &c->j->arena, err))
        return false;
    describe(c);
    return doc_vectors_words(&c->v, err) && doc_vectors_make(&c->v, NULL, 0, err) && pass_similar(c, err);
}

static bool train(struct recommender_job *j, struct err *err)
{
    struct content c = { .j = j };
    bool ok = compute(&c, err);
    doc_vectors_close(&c.v);
    return ok;
}

static bool run_content(struct run_context *run, struct err *err)
{
    return run_whole(run, "holdout_days") ? recommender_run(run, train, err) : recommender_run_alone(run, train, err);
}

const struct job job_content = { "content", run_content };
