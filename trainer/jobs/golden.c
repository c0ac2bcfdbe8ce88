/* The job "golden": whether every engine computes the same. It needs no data: rows are made out of random numbers, and all that passes can do is
 * done with them: statistics merged by a tree, an exchange by key, iterations with broadcast weights, publication. What comes out is one digest:
 * the same for the same parameters, on however many workers, on whatever engine, and whatever died on the way. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#include "base/jsonw.h"
#include "trainer/jobs/job.h"
#include "trainer/kernels/golden.h"

enum { JSON_MAX = 4096, DIGEST_BYTES = 32 };
#define LEARNING_RATE 4.0
#define COLUMNS "doc, clicks, weight"

static const struct pg_stmt delete_docs = { "golden_delete", 0, "delete from golden_docs" };
static const struct pg_stmt take_docs = { "golden_take", 3,
                                          "select staging_take('golden_docs', $1, $2::uuid, $3::int)" };

struct golden {
    struct run_context *run;
    struct arena arena;
    uint32_t rows, splits, parts, passes, docs, seed, memory_mb;
    uint32_t fault_split, hog_mb, slow_ms;
    const char *fault;
    struct str params;
    int rows_pass, counts_pass, docs_pass; /* numbers of passes */
    crypto_generichash_state digest;
    struct golden_weights weights;
    double loss;
};

/* ---- parameters ---- */

static uint32_t number(const struct golden *g, const char *name)
{
    return (uint32_t)run_whole(g->run, name);
}

static void read_params(struct golden *g)
{
    g->rows = number(g, "rows");
    g->splits = number(g, "splits");
    g->parts = number(g, "parts");
    g->passes = number(g, "passes");
    g->docs = number(g, "docs");
    g->seed = number(g, "seed");
    g->memory_mb = number(g, "memory_mb");
    g->fault = g->run->param(g->run, "fault");
    g->fault_split = number(g, "fault_split");
    g->hog_mb = number(g, "hog_mb");
    g->slow_ms = number(g, "slow_ms");
}

static bool write_params(struct golden *g, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    struct golden_params check;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_i64(&w, "docs", g->docs);
    jsonw_text(&w, "fault", g->fault);
    jsonw_i64(&w, "fault_split", g->fault_split);
    jsonw_i64(&w, "hog_mb", g->hog_mb);
    jsonw_i64(&w, "slow_ms", g->slow_ms);
    jsonw_close(&w);
    g->params = arena_str(&g->arena, buf_str(&b));
    return buf_ok(&b, "the parameters", err) && golden_params_read(g->params, &check, &g->arena, err);
}

/* ---- passes ---- */

/* Split i reads part 0 of split i of the rows. */
static struct engine_split *splits_of_rows(struct golden *g)
{
    struct engine_split *splits = arena_zalloc(&g->arena, g->splits * sizeof *splits);
    struct engine_input *inputs = arena_zalloc(&g->arena, g->splits * sizeof *inputs);
    for (uint32_t i = 0; i < g->splits; i++) {
        inputs[i].split = i;
        splits[i] = (struct engine_split){ .weight = 1, .inputs = &inputs[i], .inputs_count = 1 };
    }
    return splits;
}

static struct engine_pass pass_over_rows(struct golden *g, const char *name, const char *kernel, enum engine_out out)
{
    return (struct engine_pass){ .name = name,
                                 .kernel = kernel,
                                 .params = g->params,
                                 .splits = splits_of_rows(g),
                                 .splits_count = g->splits,
                                 .input_pass = g->rows_pass,
                                 .out = out,
                                 .memory_mb = g->memory_mb };
}

static bool pass_rows(struct golden *g, struct err *err)
{
    struct engine_split *splits = arena_zalloc(&g->arena, g->splits * sizeof *splits);
    for (uint32_t i = 0; i < g->splits; i++) {
        uint32_t n = g->rows / g->splits + (i < g->rows % g->splits);
        splits[i] = (struct engine_split){ .desc = arena_printf(&g->arena, "%u", n), .weight = n };
    }
    const struct engine_pass pass = { .name = "rows",
                                      .kernel = "golden.rows@1",
                                      .params = g->params,
                                      .splits = splits,
                                      .splits_count = g->splits,
                                      .input_pass = -1,
                                      .out = ENGINE_DATASET,
                                      .seed = g->seed,
                                      .memory_mb = g->memory_mb };
    return run_pass_numbered(g->run, &pass, &g->rows_pass, err);
}

/* The results of all splits, each of `size` bytes, one behind the other in the arena. */
static void *gather(struct golden *g, struct engine_result *r, size_t size, struct err *err)
{
    char *all = arena_zalloc(&g->arena, r->count * size);
    bool ok = true;
    for (uint32_t i = 0; ok && i < r->count; i++) {
        ok = r->parts[i].n == size;
        if (ok)
            memcpy(all + i * size, r->parts[i].p, size);
        else
            err_set(err, ERR_SYSTEM, "split %u: the worker sent %zu bytes, not %zu", i, r->parts[i].n, size);
    }
    engine_result_release(r);
    return ok ? all : NULL;
}

static void digest(struct golden *g, const void *p, size_t n)
{
    (void)crypto_generichash_update(&g->digest, p, n);
}

static bool pass_stats(struct golden *g, struct err *err)
{
    struct engine_pass pass = pass_over_rows(g, "stats", "golden.stats@1", ENGINE_COLLECT);
    struct engine_result result;
    if (!run_pass(g->run, &pass, &result, err))
        return false;
    struct golden_stats *s = gather(g, &result, sizeof *s, err);
    if (!s)
        return false;
    for (uint32_t step = 1; step < g->splits; step *= 2)
        for (uint32_t i = 0; i + step < g->splits; i += 2 * step) {
            for (unsigned k = 0; k < GOLDEN_FEATURES; k++)
                moments_merge(&s[i].x[k], &s[i + step].x[k]);
            moments_merge(&s[i].clicked, &s[i + step].clicked);
        }
    digest(g, s, sizeof *s);
    return true;
}

static bool pass_counts(struct golden *g, struct err *err)
{
    struct engine_pass pass = pass_over_rows(g, "counts", "golden.counts@1", ENGINE_DATASET);
    pass.parts = g->parts;
    return run_pass_numbered(g->run, &pass, &g->counts_pass, err);
}

static void add_gradient(struct golden_gradient *to, const struct golden_gradient *from)
{
    for (unsigned k = 0; k <= GOLDEN_FEATURES; k++)
        to->g[k] += from->g[k];
    to->loss += from->loss;
    to->rows += from->rows;
}

static bool pass_gradient(struct golden *g, uint32_t number, struct err *err)
{
    struct engine_result result;
    struct engine_pass pass = pass_over_rows(g, arena_printf(&g->arena, "gradient %u", number + 1).p,
                                             "golden.gradient@1", ENGINE_COLLECT);
    int blob = engine_blob(g->run->engine, (struct str){ (const char *)&g->weights, sizeof g->weights }, err);
    if (blob < 0)
        return false;
    pass.blobs = &blob;
    pass.blobs_count = 1;
    bool ok = run_pass(g->run, &pass, &result, err);
    engine_blob_drop(g->run->engine, blob);
    struct golden_gradient *s = ok ? gather(g, &result, sizeof *s, err) : NULL;
    if (!s)
        return false;
    for (uint32_t step = 1; step < g->splits; step *= 2)
        for (uint32_t i = 0; i + step < g->splits; i += 2 * step)
            add_gradient(&s[i], &s[i + step]);
    for (unsigned k = 0; k <= GOLDEN_FEATURES; k++)
        g->weights.w[k] -= LEARNING_RATE * s->g[k] / (double)s->rows;
    g->loss = s->loss / (double)s->rows;
    digest(g, s, sizeof *s);
    return true;
}

/* Split p reads part p of the counts of all splits. */
static bool pass_docs(struct golden *g, struct err *err)
{
    struct engine_split *splits = arena_zalloc(&g->arena, g->parts * sizeof *splits);
    struct engine_result result;
    for (uint32_t p = 0; p < g->parts; p++) {
        struct engine_input *inputs = arena_zalloc(&g->arena, g->splits * sizeof *inputs);
        for (uint32_t i = 0; i < g->splits; i++)
            inputs[i] = (struct engine_input){ i, p };
        splits[p] = (struct engine_split){ .weight = 1, .inputs = inputs, .inputs_count = g->splits };
    }
    const struct engine_pass pass = { .name = "docs",
                                      .kernel = "golden.docs@1",
                                      .params = g->params,
                                      .splits = splits,
                                      .splits_count = g->parts,
                                      .input_pass = g->counts_pass,
                                      .out = ENGINE_PUBLISH,
                                      .table = "golden_docs",
                                      .columns = COLUMNS,
                                      .memory_mb = g->memory_mb };
    g->docs_pass = g->run->passes;
    if (!run_pass(g->run, &pass, &result, err))
        return false;
    for (uint32_t p = 0; p < result.count; p++)
        digest(g, buf_str(&result.parts[p]).p, result.parts[p].n);
    engine_result_release(&result);
    return true;
}

/* ---- publishing ---- */

static bool write_result(struct golden *g, uint64_t docs, struct buf *out, struct err *err)
{
    unsigned char bytes[DIGEST_BYTES];
    char text[2 * DIGEST_BYTES + 1];
    struct jsonw w;
    (void)crypto_generichash_final(&g->digest, bytes, sizeof bytes);
    (void)sodium_bin2hex(text, sizeof text, bytes, sizeof bytes);
    jsonw_init(&w, out);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "digest", text);
    jsonw_i64(&w, "rows", g->rows);
    jsonw_i64(&w, "docs", (int64_t)docs);
    jsonw_double(&w, "loss", g->loss);
    jsonw_close(&w);
    return buf_ok(out, "the result", err);
}

static bool publish(struct golden *g, struct err *err)
{
    char pass[16];
    AUTO(buf_release) struct buf b;
    const char *params[] = { COLUMNS, g->run->id, pass };
    buf_init(&b, JSON_MAX);
    (void)snprintf(pass, sizeof pass, "%d", g->docs_pass);
    if (!run_publish_begin(g->run, err))
        return false;
    AUTO(pg_result_free) PGresult *d = pg_run(g->run->pg, &delete_docs, NULL, err);
    AUTO(pg_result_free) PGresult *t = d ? pg_run(g->run->pg, &take_docs, params, err) : NULL;
    if (!t || !write_result(g, (uint64_t)pg_get_i64(t, 0, 0), &b, err))
        return false;
    run_result(g->run, "%s", b.p);
    return run_publish_end(g->run, err) && puts(b.p) >= 0;
}

/* ---- the job ---- */

static bool compute(struct golden *g, struct err *err)
{
    read_params(g);
    if (!write_params(g, err) || !pass_rows(g, err) || !pass_stats(g, err) || !pass_counts(g, err))
        return false;
    for (uint32_t i = 0; i < g->passes; i++)
        if (!pass_gradient(g, i, err))
            return false;
    engine_drop(g->run->engine, g->rows_pass);
    digest(g, &g->weights, sizeof g->weights);
    return pass_docs(g, err) && publish(g, err);
}

static bool run_golden(struct run_context *run, struct err *err)
{
    struct golden g = { .run = run };
    arena_init(&g.arena, 1 << 16);
    (void)crypto_generichash_init(&g.digest, NULL, 0, DIGEST_BYTES);
    bool ok = compute(&g, err);
    arena_release(&g.arena);
    return ok;
}

const struct job job_golden = { "golden", run_golden };
