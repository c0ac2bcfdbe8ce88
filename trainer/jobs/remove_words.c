/* The job "remove-words": words that queries do better without, found in the log: the query without the word is known, and its searches find something, or
 * end in clicks, significantly more often.
 *
 * Three passes: a join of queries with what they are without a word, by the text of that; and by word, the judgement (trainer/kernels/remove/). */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/jsonw.h"
#include "stats/special/special.h"
#include "trainer/jobs/query_passes.h"
#include "trainer/jobs/rewrites_put.h"
#include "trainer/kernels/remove/remove_words.h"

enum { ARENA_FIRST = 1 << 20, EVIDENCE_MAX = 4096 };

struct remove_words {
    struct run_context *run;
    struct arena arena;
    struct query_log log;
    struct remove_params params;
    struct str text; /* of the params */
    int keys_pass, cases_pass;
    struct removal *found; /* most searches first */
    size_t count;
    struct buf *bytes; /* what they borrow from */
    uint32_t bytes_count;
};

static bool read_params(struct remove_words *r, struct err *err)
{
    const struct run_context *run = r->run;
    /* Two measures are tried: half of what is left of the level each. */
    r->params = (struct remove_params){ .min_searches = (uint64_t)run_whole(run, "min_searches"),
                                        .max_words = (uint32_t)run_whole(run, "max_words"),
                                        .rules = { .min_gain = run_real(run, "min_gain"),
                                                   .z = special_normal_qinv((1 - run_real(run, "level")) / 2),
                                                   .min_contexts = (uint64_t)run_whole(run, "min_contexts"),
                                                   .max_harm = run_real(run, "max_harm") } };
    return remove_params_write(&r->params, &r->arena, &r->text, err);
}

/* ---- passes ---- */

static bool pass_keys(struct remove_words *r, struct err *err)
{
    const struct engine_pass pass = { .name = "without a word",
                                      .kernel = REMOVE_KEYS_KERNEL,
                                      .params = r->text,
                                      .splits = query_splits_each(&r->arena, r->log.parts),
                                      .splits_count = r->log.parts,
                                      .input_pass = r->log.pass,
                                      .out = ENGINE_DATASET,
                                      .parts = QUERY_PARTS };
    return run_pass_numbered(r->run, &pass, &r->keys_pass, err);
}

static bool pass_cases(struct remove_words *r, struct err *err)
{
    const struct engine_pass pass = { .name = "cases",
                                      .kernel = REMOVE_CASES_KERNEL,
                                      .params = r->text,
                                      .splits = query_splits_by_part(&r->arena, r->log.parts, QUERY_PARTS),
                                      .splits_count = QUERY_PARTS,
                                      .input_pass = r->keys_pass,
                                      .out = ENGINE_DATASET,
                                      .parts = QUERY_PARTS };
    return run_pass_numbered(r->run, &pass, &r->cases_pass, err);
}

static bool take_found(struct remove_words *r, struct str in, size_t *room, struct err *err)
{
    while (in.n) {
        if (r->count == *room) {
            *room = *room ? 2 * *room : 1024;
            r->found = mem_realloc(r->found, *room * sizeof *r->found);
        }
        if (!removal_read(&in, &r->found[r->count++]))
            return err_set(err, ERR_SYSTEM, "what was found of words is damaged");
    }
    return true;
}

/* They borrow from the result, which is kept. */
static bool take_all(struct remove_words *r, struct engine_result *result, struct err *err)
{
    size_t room = 0, top = (size_t)run_whole(r->run, "top");
    r->bytes_count = result->count;
    r->bytes = mem_zalloc((result->count + 1) * sizeof *r->bytes);
    for (uint32_t i = 0; i < result->count; i++) {
        r->bytes[i] = result->parts[i];
        result->parts[i] = (struct buf){ .n = 0 };
        if (!take_found(r, buf_str(&r->bytes[i]), &room, err))
            return false;
    }
    r->count = removals_choose(r->found, r->count);
    r->count = r->count < top ? r->count : top;
    return true;
}

static bool pass_judge(struct remove_words *r, struct err *err)
{
    struct engine_result result;
    const struct engine_pass pass = { .name = "words",
                                      .kernel = REMOVE_JUDGE_KERNEL,
                                      .params = r->text,
                                      .splits = query_splits_by_part(&r->arena, QUERY_PARTS, QUERY_PARTS),
                                      .splits_count = QUERY_PARTS,
                                      .input_pass = r->cases_pass,
                                      .out = ENGINE_COLLECT };
    if (!run_pass(r->run, &pass, &result, err))
        return false;
    bool ok = take_all(r, &result, err);
    engine_result_release(&result);
    return ok;
}

/* ---- publishing ---- */

/* Four digits behind the point are enough to look at. */
static double shown(double v)
{
    return round(v * 1e4) / 1e4;
}

static bool write_evidence(struct remove_words *r, const struct removal *f, struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, EVIDENCE_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "measure", removal_measure_names[f->measure]);
    jsonw_double(&w, "with", shown(f->with));
    jsonw_double(&w, "without", shown(f->without));
    jsonw_double(&w, "gain", shown(f->gain));
    jsonw_double(&w, "gain_low", shown(f->low));
    jsonw_i64(&w, "queries", (int64_t)f->contexts);
    jsonw_double(&w, "harm", shown(f->harm));
    if (f->example.n)
        jsonw_str(&w, "example", str_cut(f->example, 60));
    jsonw_close(&w);
    *out = arena_str(&r->arena, buf_str(&b));
    return buf_ok(&b, "the evidence of a word", err);
}

static bool make_rows(struct remove_words *r, struct rewrite_row *rows, size_t *out_words, struct err *err)
{
    double automatic = run_real(r->run, "auto_confidence");
    *out_words = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct removal *f = &r->found[i];
        rows[i] = (struct rewrite_row){ .input = f->input,
                                        .output = f->output,
                                        .confidence = f->low,
                                        .automatic = automatic > 0 && f->low >= automatic,
                                        .searches = f->searches };
        *out_words += f->output.n == 0;
        if (!write_evidence(r, f, &rows[i].evidence, err))
            return false;
    }
    return true;
}

static bool publish(struct remove_words *r, struct err *err)
{
    struct rewrite_row *rows = arena_zalloc(&r->arena, (r->count + 1) * sizeof *rows);
    struct rewrites_counts counts = { 0 };
    size_t words;
    if (!make_rows(r, rows, &words, err) || !run_publish_begin(r->run, err) ||
        !rewrites_put(r->run, "remove_words", rows, r->count, &counts, err))
        return false;
    run_result(r->run,
               "{\"days\":%zu,\"queries\":%" PRIu64 ",\"searches\":%" PRIu64 ",\"clicks\":%" PRIu64
               ",\"zero_results\":%" PRIu64 ",\"words\":%zu,\"single_queries\":%zu,\"rewrites\":%s}",
               r->log.days.days_count, r->log.queries, r->log.searches, r->log.clicks, r->log.zero_results, words,
               r->count - words, query_rewrites_json(&r->arena, &counts).p);
    if (!run_publish_end(r->run, err))
        return false;
    run_say(r->run, "remove-words: %zu words, %zu for single queries: %s", words, r->count - words,
            query_rewrites_said(&r->arena, &counts).p);
    return true;
}

/* ---- the job ---- */

static bool compute(struct remove_words *r, struct err *err)
{
    return read_params(r, err) && query_log_begin(&r->log, r->run, &r->arena, err) && pass_keys(r, err) &&
           pass_cases(r, err) && pass_judge(r, err) && publish(r, err);
}

static bool run_remove_words(struct run_context *run, struct err *err)
{
    struct remove_words r = { .run = run };
    arena_init(&r.arena, ARENA_FIRST);
    bool ok = compute(&r, err);
    query_log_close(&r.log);
    for (uint32_t i = 0; i < r.bytes_count; i++)
        buf_release(&r.bytes[i]);
    mem_free(r.bytes);
    mem_free(r.found);
    arena_release(&r.arena);
    return ok;
}

const struct job job_remove_words = { "remove-words", run_remove_words };
