/* The job "synonyms": words and phrases in whose place others stand in queries that lead to the same documents.
 *
 * Four passes: how much each document is clicked; queries by document; of each document, the pairs of queries that differ in one place; and by pair of
 * words, what all documents together say of it (trainer/kernels/synonyms/). Misspellings and phrases that are known are read from query_rewrites: the
 * former are no synonyms, the latter are not cut. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "stats/special/special.h"
#include "trainer/jobs/query_passes.h"
#include "trainer/jobs/rewrites_put.h"
#include "trainer/kernels/record.h"
#include "trainer/kernels/synonyms/synonyms.h"

enum { ARENA_FIRST = 1 << 20, BLOB_MAX = 1 << 30, EVIDENCE_MAX = 4096 };

enum stmt { PHRASES, MISSPELLED, STMT_COUNT };
static const struct pg_stmt statements[STMT_COUNT] = {
    [PHRASES] = { "synonyms_phrases", 0,
                  "select input from query_rewrites where type = 'phrase' and review in ('auto', 'approved') order by "
                  "input collate \"C\"" },
    [MISSPELLED] = { "synonyms_misspelled", 0,
                     "select input, output from query_rewrites where type = 'spelling' and review <> 'denied' order by "
                     "input collate \"C\", output collate \"C\"" },
};

struct synonyms {
    struct run_context *run;
    struct arena arena;
    struct query_log log;
    struct synonyms_params params;
    struct buf reach, known;
    uint64_t phrases, misspelled;
    int documents_pass, pairs_pass;
    struct synonym *found; /* surest first */
    size_t count;
    struct buf *bytes; /* what they borrow from */
    uint32_t bytes_count;
};

/* ---- parameters ---- */

static void read_params(struct synonyms *s)
{
    const struct run_context *run = s->run;
    double level = run_real(run, "level"), z = special_normal_qinv((1 - level) / 2);
    s->params = (struct synonyms_params){ .min_clicks = (uint64_t)run_whole(run, "min_clicks"),
                                          .max_words = (uint32_t)run_whole(run, "max_words"),
                                          .per_document = (uint32_t)run_whole(run, "per_document"),
                                          .beginnings = run_flag(run, "beginnings"),
                                          .whole_queries = run_flag(run, "whole_queries"),
                                          .length_scale = run_real(run, "length_scale"),
                                          .rules = { .min_overlap = run_real(run, "min_overlap"),
                                                     .min_inside = run_real(run, "min_inside"),
                                                     .min_g = z * z, /* chi-square of one degree of freedom */
                                                     .min_contexts = (uint64_t)run_whole(run, "min_contexts"),
                                                     .z = special_normal_qinv(0.025) } };
}

/* ---- what is known of words ---- */

static bool read_known(struct synonyms *s, struct err *err)
{
    AUTO(pg_result_free) PGresult *phrases = pg_run(s->run->pg, &statements[PHRASES], NULL, err);
    AUTO(pg_result_free) PGresult *pairs = phrases ? pg_run(s->run->pg, &statements[MISSPELLED], NULL, err) : NULL;
    if (!pairs)
        return false;
    uint32_t n = (uint32_t)PQntuples(phrases);
    record_put(&s->known, &n, sizeof n);
    for (int i = 0; i < PQntuples(phrases); i++)
        record_put_text(&s->known, pg_get(phrases, i, 0));
    for (int i = 0; i < PQntuples(pairs); i++) {
        record_put_text(&s->known, pg_get(pairs, i, 0));
        record_put_text(&s->known, pg_get(pairs, i, 1));
    }
    s->phrases = n;
    s->misspelled = (uint64_t)PQntuples(pairs);
    return buf_ok(&s->known, "what is known of words", err);
}

/* ---- passes ---- */

static bool make_pass(struct synonyms *s, struct engine_pass *pass, const int *blob, struct err *err)
{
    pass->blobs = blob;
    pass->blobs_count = blob ? 1 : 0;
    return synonyms_params_write(&s->params, &s->arena, &pass->params, err);
}

static int by_doc(const void *a, const void *b)
{
    const struct synonyms_reach *x = a, *y = b;
    return x->doc < y->doc ? -1 : x->doc > y->doc;
}

/* The parts' documents put together, sorted. */
static void merge_reach(struct synonyms *s, struct synonyms_reach *list, size_t count)
{
    size_t n = 0;
    if (count)
        qsort(list, count, sizeof *list, by_doc);
    for (size_t i = 0; i < count; i++) {
        s->params.all_clicks += list[i].clicks;
        if (n && list[n - 1].doc == list[i].doc)
            list[n - 1].clicks += list[i].clicks;
        else
            list[n++] = list[i];
    }
    record_put(&s->reach, list, n * sizeof *list);
}

static bool take_reach(struct synonyms *s, const struct engine_result *r, struct err *err)
{
    size_t bytes = 0, at = 0;
    for (uint32_t i = 0; i < r->count; i++)
        bytes += r->parts[i].n;
    char *all = mem_alloc(bytes + 1);
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->parts[i].n)
            memcpy(all + at, r->parts[i].p, r->parts[i].n);
        at += r->parts[i].n;
    }
    merge_reach(s, (struct synonyms_reach *)(void *)all, bytes / sizeof(struct synonyms_reach));
    mem_free(all);
    return buf_ok(&s->reach, "the documents", err);
}

static bool pass_reach(struct synonyms *s, struct err *err)
{
    struct engine_result r;
    struct engine_pass pass = { .name = "reach",
                                .kernel = SYNONYMS_REACH_KERNEL,
                                .splits = query_splits_each(&s->arena, s->log.parts),
                                .splits_count = s->log.parts,
                                .input_pass = s->log.pass,
                                .out = ENGINE_COLLECT };
    if (!make_pass(s, &pass, NULL, err) || !run_pass(s->run, &pass, &r, err))
        return false;
    bool ok = take_reach(s, &r, err);
    engine_result_release(&r);
    return ok;
}

static bool pass_documents(struct synonyms *s, struct err *err)
{
    int blob = engine_blob(s->run->engine, buf_str(&s->reach), err);
    struct engine_pass pass = { .name = "documents",
                                .kernel = SYNONYMS_DOCUMENTS_KERNEL,
                                .splits = query_splits_each(&s->arena, s->log.parts),
                                .splits_count = s->log.parts,
                                .input_pass = s->log.pass,
                                .out = ENGINE_DATASET,
                                .parts = QUERY_PARTS };
    return blob >= 0 && make_pass(s, &pass, &blob, err) && run_pass_numbered(s->run, &pass, &s->documents_pass, err);
}

static bool pass_pairs(struct synonyms *s, struct err *err)
{
    int blob = engine_blob(s->run->engine, buf_str(&s->known), err);
    struct engine_pass pass = { .name = "pairs",
                                .kernel = SYNONYMS_PAIRS_KERNEL,
                                .splits = query_splits_by_part(&s->arena, s->log.parts, QUERY_PARTS),
                                .splits_count = QUERY_PARTS,
                                .input_pass = s->documents_pass,
                                .out = ENGINE_DATASET,
                                .parts = QUERY_PARTS };
    return blob >= 0 && make_pass(s, &pass, &blob, err) && run_pass_numbered(s->run, &pass, &s->pairs_pass, err);
}

static bool take_found(struct synonyms *s, struct str in, size_t *room, struct err *err)
{
    while (in.n) {
        if (s->count == *room) {
            *room = *room ? 2 * *room : 1024;
            s->found = mem_realloc(s->found, *room * sizeof *s->found);
        }
        if (!synonym_read(&in, &s->found[s->count++]))
            return err_set(err, ERR_SYSTEM, "what was found of pairs is damaged");
    }
    return true;
}

/* They borrow from the result, which is kept. */
static bool take_all(struct synonyms *s, struct engine_result *r, struct err *err)
{
    size_t room = 0, top = (size_t)run_whole(s->run, "top");
    s->bytes_count = r->count;
    s->bytes = mem_zalloc((r->count + 1) * sizeof *s->bytes);
    for (uint32_t i = 0; i < r->count; i++) {
        s->bytes[i] = r->parts[i];
        r->parts[i] = (struct buf){ .n = 0 };
        if (!take_found(s, buf_str(&s->bytes[i]), &room, err))
            return false;
    }
    if (s->count)
        qsort(s->found, s->count, sizeof *s->found, synonym_compare);
    s->count = s->count < top ? s->count : top;
    return true;
}

static bool pass_score(struct synonyms *s, struct err *err)
{
    struct engine_result r;
    struct engine_pass pass = { .name = "score",
                                .kernel = SYNONYMS_SCORE_KERNEL,
                                .splits = query_splits_by_part(&s->arena, QUERY_PARTS, QUERY_PARTS),
                                .splits_count = QUERY_PARTS,
                                .input_pass = s->pairs_pass,
                                .out = ENGINE_COLLECT };
    if (!make_pass(s, &pass, NULL, err) || !run_pass(s->run, &pass, &r, err))
        return false;
    bool ok = take_all(s, &r, err);
    engine_result_release(&r);
    return ok;
}

/* ---- publishing ---- */

/* Four digits behind the point are enough to look at. */
static double shown(double v)
{
    return round(v * 1e4) / 1e4;
}

static bool write_evidence(struct synonyms *s, const struct synonym *f, struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, EVIDENCE_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_double(&w, "overlap", shown(f->overlap));
    jsonw_double(&w, "inside", shown(f->inside));
    jsonw_double(&w, "inside_back", shown(f->inside_back));
    jsonw_double(&w, "g", shown(f->g));
    jsonw_i64(&w, "contexts", (int64_t)f->contexts);
    jsonw_str(&w, "context", str_cut(f->context, 60));
    jsonw_i64(&w, "clicks", (int64_t)f->clicks_input);
    jsonw_i64(&w, "output_clicks", (int64_t)f->clicks_output);
    jsonw_i64(&w, "documents", (int64_t)f->documents);
    jsonw_close(&w);
    *out = arena_str(&s->arena, buf_str(&b));
    return buf_ok(&b, "the evidence of a pair", err);
}

static bool make_rows(struct synonyms *s, struct rewrite_row *rows, size_t *out_both, struct err *err)
{
    double automatic = run_real(s->run, "auto_confidence");
    *out_both = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct synonym *f = &s->found[i];
        rows[i] = (struct rewrite_row){ .input = f->input,
                                        .output = f->output,
                                        .bidirectional = f->bidirectional,
                                        .confidence = f->confidence,
                                        .automatic = automatic > 0 && f->confidence >= automatic,
                                        .searches = f->searches };
        *out_both += f->bidirectional;
        if (!write_evidence(s, f, &rows[i].evidence, err))
            return false;
    }
    return true;
}

static void tell(struct synonyms *s, const struct rewrites_counts *counts, size_t both)
{
    run_result(s->run,
               "{\"days\":%zu,\"queries\":%" PRIu64 ",\"searches\":%" PRIu64 ",\"clicks\":%" PRIu64
               ",\"phrases_known\":%" PRIu64 ",\"misspellings_known\":%" PRIu64
               ",\"bidirectional\":%zu,\"one_way\":%zu,\"rewrites\":%s}",
               s->log.days.days_count, s->log.queries, s->log.searches, s->log.clicks, s->phrases, s->misspelled, both,
               s->count - both, query_rewrites_json(&s->arena, counts).p);
}

static bool publish(struct synonyms *s, struct err *err)
{
    struct rewrite_row *rows = arena_zalloc(&s->arena, (s->count + 1) * sizeof *rows);
    struct rewrites_counts counts = { 0 };
    size_t both;
    if (!make_rows(s, rows, &both, err) || !run_publish_begin(s->run, err) ||
        !rewrites_put(s->run, "synonym", rows, s->count, &counts, err))
        return false;
    tell(s, &counts, both);
    if (!run_publish_end(s->run, err))
        return false;
    run_say(s->run, "synonyms: %zu in both directions, %zu in one: %s", both, s->count - both,
            query_rewrites_said(&s->arena, &counts).p);
    return true;
}

/* ---- the job ---- */

static bool compute(struct synonyms *s, struct err *err)
{
    read_params(s);
    return query_log_begin(&s->log, s->run, &s->arena, err) && read_known(s, err) && pass_reach(s, err) &&
           pass_documents(s, err) && pass_pairs(s, err) && pass_score(s, err) && publish(s, err);
}

static bool run_synonyms(struct run_context *run, struct err *err)
{
    struct synonyms s = { .run = run };
    arena_init(&s.arena, ARENA_FIRST);
    buf_init(&s.reach, BLOB_MAX);
    buf_init(&s.known, BLOB_MAX);
    bool ok = compute(&s, err);
    query_log_close(&s.log);
    for (uint32_t i = 0; i < s.bytes_count; i++)
        buf_release(&s.bytes[i]);
    mem_free(s.bytes);
    mem_free(s.found);
    buf_release(&s.reach);
    buf_release(&s.known);
    arena_release(&s.arena);
    return ok;
}

const struct job job_synonyms = { "synonyms", run_synonyms };
