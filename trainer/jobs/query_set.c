/* The job "query-set": queries drawn from what was searched (sample.h) → a query set, published with the end of the run. */
#include <inttypes.h>

#include "base/jsonw.h"
#include "trainer/jobs/judgments_put.h"
#include "trainer/jobs/query_log.h"
#include "trainer/jobs/sample.h"

enum { ARENA_FIRST = 1 << 16, ROWS_MAX = 128 << 20, PROPS_MAX = 64 << 10 };

static const char *const samplings[] = { "topn", "pptss", "random", "stratified" };
static const char *const strata_names[SAMPLE_STRATA] = { "head", "torso", "tail" };

struct drawing {
    struct run_context *run;
    struct arena arena;
    const char *name;
    struct sample_rules rules;
    struct query_set log;
    struct sample_query *queries;
    size_t count, drawn;
    struct sample_stratum strata[SAMPLE_STRATA];
    uint64_t searches, seen; /* of all queries; queries before the minimum */
};

static bool read_params(struct drawing *d, struct err *err)
{
    const struct run_context *run = d->run;
    const char *sampling = run->param(run, "sampling");
    d->rules = (struct sample_rules){ .size = (size_t)run_whole(run, "size"),
                                      .seed = (uint64_t)run_whole(run, "seed"),
                                      .head = run_real(run, "head"),
                                      .torso = run_real(run, "torso"),
                                      .head_size = run_real(run, "head_size"),
                                      .torso_size = run_real(run, "torso_size"),
                                      .equal_weights = strcmp(run->param(run, "weights"), "equal") == 0 };
    while (strcmp(samplings[d->rules.sampling], sampling) != 0)
        d->rules.sampling++;
    if (d->rules.head + d->rules.torso > 1)
        return err_set(err, ERR_INVALID, "--param torso=%g: with head=%g there is more than all", d->rules.torso,
                       d->rules.head);
    if (d->rules.head_size + d->rules.torso_size > 1 + 1e-9)
        return err_set(err, ERR_INVALID, "--param torso_size=%g: with head_size=%g there is more than all",
                       d->rules.torso_size, d->rules.head_size);
    return true;
}

static bool read_log(struct drawing *d, struct err *err)
{
    struct query_window window, none;
    struct query_log log = { .pass = -1 };
    uint64_t units = (uint64_t)run_whole(d->run, "min_query_units");
    query_log_window(d->run, &window, &none);
    bool ok = query_log_open(&log, d->run, &d->arena, "searches", window, err) &&
              query_log_collect(&log, (uint64_t)run_whole(d->run, "min_searches"), &d->log, err);
    query_log_close(&log);
    if (!ok)
        return false;
    d->searches = log.searches;
    d->seen = log.queries;
    d->queries = arena_alloc(&d->arena, (d->log.count + 1) * sizeof *d->queries);
    for (size_t i = 0; i < d->log.count; i++)
        if (d->log.queries[i].units >= units)
            d->queries[d->count++] = (struct sample_query){ .text = d->log.queries[i].text,
                                                            .searches = d->log.queries[i].searches };
    return true;
}

/* ---- what is published ---- */

static void write_rows(const struct drawing *d, struct buf *out)
{
    buf_add_byte(out, '[');
    for (size_t i = 0; i < d->drawn; i++) {
        buf_add_c(out, i ? ",[" : "[");
        buf_add_json_str(out, d->queries[i].text);
        buf_add_byte(out, ',');
        buf_add_json_double(out, (double)(float)d->queries[i].weight);
        buf_add_c(out, ",null]");
    }
    buf_add_byte(out, ']');
}

static void write_counts(struct jsonw *w, const struct drawing *d)
{
    jsonw_i64(w, "drawn", (int64_t)d->drawn);
    jsonw_i64(w, "from", (int64_t)d->count);
    jsonw_i64(w, "searches", (int64_t)d->searches);
    if (d->rules.sampling != SAMPLE_STRATIFIED)
        return;
    for (int s = 0; s < SAMPLE_STRATA; s++) {
        jsonw_open(w, strata_names[s], '{');
        jsonw_i64(w, "drawn", (int64_t)d->strata[s].drawn);
        jsonw_i64(w, "queries", (int64_t)d->strata[s].queries);
        jsonw_i64(w, "searches", (int64_t)d->strata[s].searches);
        jsonw_close(w);
    }
}

static void write_props(const struct drawing *d, struct buf *out)
{
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "sampling", samplings[d->rules.sampling]);
    jsonw_open(&w, "spec", '{');
    jsonw_text(&w, "job", "query-set");
    jsonw_i64(&w, "size", (int64_t)d->rules.size);
    jsonw_i64(&w, "seed", (int64_t)d->rules.seed);
    jsonw_text(&w, "weights", d->run->param(d->run, "weights"));
    jsonw_i64(&w, "min_searches", run_whole(d->run, "min_searches"));
    jsonw_i64(&w, "min_query_units", run_whole(d->run, "min_query_units"));
    write_counts(&w, d);
    jsonw_close(&w);
    jsonw_close(&w);
}

static void tell(const struct drawing *d, int64_t version)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    run_say(d->run, "query set %s version %" PRId64 ": %zu of %zu queries", d->name, version, d->drawn, d->count);
    buf_init(&b, PROPS_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "set", d->name);
    jsonw_i64(&w, "version", version);
    write_counts(&w, d);
    jsonw_close(&w);
    run_result(d->run, "%s", b.p);
}

static bool publish(struct drawing *d, struct err *err)
{
    AUTO(buf_release) struct buf rows;
    AUTO(buf_release) struct buf props;
    buf_init(&rows, ROWS_MAX);
    buf_init(&props, PROPS_MAX);
    write_rows(d, &rows);
    write_props(d, &props);
    if (!buf_ok(&rows, "the query set", err) || !buf_ok(&props, "what is known of the query set", err))
        return false;
    struct set_put put = { .name = d->name, .rows = buf_str(&rows), .props = buf_str(&props) };
    if (!run_publish_begin(d->run, err) || !query_set_put(d->run, &put, err))
        return false;
    tell(d, put.version);
    return run_publish_end(d->run, err);
}

static bool draw(struct drawing *d, struct err *err)
{
    if (!read_params(d, err) || !query_set_put_begin(d->run, d->name, err) || !read_log(d, err))
        return false;
    if (d->count < (uint64_t)run_whole(d->run, "min_queries"))
        return run_too_little(d->run, err,
                              "%zu of %" PRIu64 " queries have \"min_searches\" and \"min_query_units\", parameter "
                              "\"min_queries\" asks for %" PRId64,
                              d->count, d->seen, run_whole(d->run, "min_queries"));
    d->drawn = sample_queries(d->queries, d->count, &d->rules, d->strata);
    return publish(d, err);
}

static bool run_query_set(struct run_context *run, struct err *err)
{
    struct drawing d = { .run = run, .name = run->param(run, "set") };
    arena_init(&d.arena, ARENA_FIRST);
    bool ok = draw(&d, err);
    query_set_release(&d.log);
    arena_release(&d.arena);
    return ok;
}

const struct job job_query_set = { "query-set", run_query_set };
