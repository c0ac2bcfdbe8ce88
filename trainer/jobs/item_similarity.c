/* The job "item-similarity": which items are had by the same units.
 *
 * Pass "pairs" counts the pairs of each unit's items and leaves them in the part of their first item; pass "similar", a split for each part, adds them up
 * and makes each item's list; from these, the lists of units (user_lists.h). */
#include <inttypes.h>

#include "base/jsonw.h"
#include "trainer/jobs/user_lists.h"
#include "trainer/kernels/items/item_lists.h"
#include "trainer/kernels/items/items.h"
#include "trainer/kernels/items/similar.h"
#include "trainer/kernels/record.h"

#define BLOB_MAX ((size_t)8 << 30)
static const char *const item_columns[] = { "score", "units" };

struct similarity {
    struct recommender_job *j;
    uint32_t parts;
    int pairs_pass;
    int items_blob;   /* struct similar_item of each */
    struct buf lists; /* struct item_score, item after item */
    uint64_t *ends;   /* items + 1 */
};

/* ---- pairs ---- */

static bool add_squares(struct similarity *s, const struct engine_result *result, struct similar_item *items,
                        struct err *err)
{
    const struct matrix *m = &s->j->m;
    for (uint32_t r = 0; r < result->count; r++) {
        struct str in = buf_str(&result->parts[r]);
        for (uint32_t i = 0; i < m->items; i++) {
            double squares;
            if (!record_take(&in, &squares, sizeof squares))
                return err_set(err, ERR_SYSTEM, "the sums of range %u are damaged", r);
            items[i].squares += squares;
        }
    }
    return true;
}

static bool make_items_blob(struct similarity *s, const struct engine_result *result, struct err *err)
{
    const struct matrix *m = &s->j->m;
    struct similar_item *items = arena_zalloc(&s->j->arena, ((size_t)m->items + 1) * sizeof *items);
    if (!add_squares(s, result, items, err))
        return false;
    for (uint32_t i = 0; i < m->items; i++)
        items[i].units = m->item_units[i];
    s->items_blob = engine_blob(s->j->run->engine, (struct str){ (const char *)items, m->items * sizeof *items }, err);
    return s->items_blob >= 0;
}

static bool pass_pairs(struct similarity *s, struct err *err)
{
    struct recommender_job *j = s->j;
    struct engine_result result;
    const char *weighted = strcmp(j->run->param(j->run, "values"), "weights") == 0 ? "true" : "false";
    const struct engine_pass pass = {
        .name = "pairs",
        .kernel = ITEM_PAIRS_COUNT_KERNEL,
        .params = arena_printf(&j->arena, "{\"items\":%u,\"weighted\":%s,\"both\":true}", j->m.items, weighted),
        .splits = recommender_rows(j),
        .splits_count = j->m.ranges,
        .input_pass = j->m.pass,
        .out = ENGINE_DATASET,
        .parts = s->parts,
    };
    s->pairs_pass = j->run->passes;
    if (!run_pass(j->run, &pass, &result, err))
        return false;
    bool ok = make_items_blob(s, &result, err);
    engine_result_release(&result);
    return ok;
}

/* ---- lists of items ---- */

static bool read_list(struct similarity *s, struct str *in, struct lists_out *out, uint32_t *next)
{
    const struct matrix *m = &s->j->m;
    uint32_t item, count;
    if (!record_take(in, &item, sizeof item) || !record_take(in, &count, sizeof count) || item < *next ||
        item >= m->items)
        return false;
    while (*next <= item)
        s->ends[(*next)++] = s->lists.n / sizeof(struct item_score);
    lists_key(out, m->item_texts[item]);
    for (uint32_t i = 0; i < count; i++) {
        struct item_score e;
        uint32_t units;
        if (!record_take(in, &e.item, sizeof e.item) || !record_take(in, &units, sizeof units) ||
            !record_take(in, &e.score, sizeof e.score) || e.item >= m->items)
            return false;
        const float values[] = { e.score, (float)units };
        lists_add(out, m->item_texts[e.item], values);
        buf_add(&s->lists, &e, sizeof e);
    }
    return true;
}

static bool read_lists(struct similarity *s, const struct engine_result *result, struct err *err)
{
    struct lists_out out;
    uint32_t next = 0;
    bool ok = true;
    lists_begin(&out, item_columns, COUNT_OF(item_columns));
    for (uint32_t p = 0; ok && p < result->count; p++)
        for (struct str in = buf_str(&result->parts[p]); ok && in.n;)
            ok = read_list(s, &in, &out, &next) || err_set(err, ERR_SYSTEM, "the lists of part %u are damaged", p);
    while (next <= s->j->m.items)
        s->ends[next++] = s->lists.n / sizeof(struct item_score);
    ok = ok && model_file_lists(&s->j->file, "items_for_item", &out, err);
    lists_release(&out);
    return ok;
}

static bool write_params(struct similarity *s, struct str *out, struct err *err)
{
    const struct run_context *run = s->j->run;
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, 4096);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "similarity", run->param(run, "similarity"));
    jsonw_double(&w, "shrink", run_real(run, "shrink"));
    jsonw_i64(&w, "units", (int64_t)s->j->m.units);
    jsonw_i64(&w, "min_units", run_whole(run, "min_pair_units"));
    jsonw_i64(&w, "top", run_whole(run, "top"));
    jsonw_close(&w);
    *out = arena_str(&s->j->arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err);
}

static bool pass_similar(struct similarity *s, struct err *err)
{
    struct recommender_job *j = s->j;
    struct engine_result result;
    struct engine_pass pass = { .name = "similar",
                                .kernel = ITEM_PAIRS_SIMILAR_KERNEL,
                                .splits = recommender_parts(j, s->parts),
                                .splits_count = s->parts,
                                .input_pass = s->pairs_pass,
                                .blobs = &s->items_blob,
                                .blobs_count = 1 };
    if (!write_params(s, &pass.params, err) || !run_pass(j->run, &pass, &result, err))
        return false;
    bool ok = read_lists(s, &result, err);
    engine_result_release(&result);
    engine_drop(j->run->engine, s->pairs_pass);
    return ok;
}

/* ---- the job ---- */

static bool train(struct recommender_job *j, struct err *err)
{
    struct similarity s = { .j = j, .items_blob = -1 };
    s.parts = j->m.items < j->m.ranges ? j->m.items : j->m.ranges;
    s.ends = arena_zalloc(&j->arena, ((size_t)j->m.items + 1) * sizeof *s.ends);
    buf_init(&s.lists, BLOB_MAX);
    bool ok = pass_pairs(&s, err) && pass_similar(&s, err) && buf_ok(&s.lists, "the lists of similar items", err) &&
              user_lists_add(j, s.ends, (const void *)buf_str(&s.lists).p, err);
    if (s.items_blob >= 0)
        engine_blob_drop(j->run->engine, s.items_blob);
    buf_release(&s.lists);
    return ok;
}

static bool run_item_similarity(struct run_context *run, struct err *err)
{
    return recommender_run(run, train, err);
}

const struct job job_item_similarity = { "item-similarity", run_item_similarity };
