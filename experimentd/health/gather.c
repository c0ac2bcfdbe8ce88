#include "experimentd/health/gather.h"

#include <math.h>

#include "base/clock.h"
#include "base/pgloop.h"
#include "experimentd/config/experiment.h"
#include "experimentd/queries.h"
#include "experimentd/worker.h"

/* Columns of QUERY_HEALTH_MARKED and QUERY_HEALTH_HISTORY. */
enum { MARKED_BUCKETS, MARKED_VARIANT, MARKED_UNITS };
enum { AA_EXPERIMENT, AA_METRIC, AA_IS_CONTROL, AA_N, AA_MEAN_X, AA_M2_X, AA_MEAN_Y, AA_M2_Y, AA_CXY };
enum { BUCKETS = 4096 };

struct gathering {
    struct health_report report; /* first */
    health_ready_fn ready;
    struct result result;
};

static struct arena *arena_of(struct gathering *g)
{
    return &g->report.req->arena;
}

static const struct snapshot_experiment *experiment_of(struct gathering *g)
{
    return snapshot_experiment(snapshot_get(), g->report.key);
}

/* ---- rows ---- */

static void on_counts(void *arg, const PGresult *r, const struct err *err)
{
    struct gathering *g = arg;
    const struct snapshot_experiment *e = experiment_of(g);
    if (!err && e)
        health_read_counts(&g->report.input, e, r, arena_of(g));
}

static void on_marked(void *arg, const PGresult *r, const struct err *err)
{
    struct gathering *g = arg;
    const struct snapshot_experiment *e = experiment_of(g);
    if (err || !e || PQntuples(r) == 0)
        return;
    int64_t *marked = arena_zalloc(arena_of(g), (e->variants_count + 1) * sizeof *marked);
    for (int row = 0; row < PQntuples(r); row++) {
        int v = experiment_variant(e, pg_get(r, row, MARKED_VARIANT));
        if (v >= 0)
            marked[v] = pg_get_i64(r, row, MARKED_UNITS);
    }
    g->report.input.marked = marked;
    g->report.input.marked_share = (double)pg_get_i64(r, 0, MARKED_BUCKETS) / BUCKETS;
}

static void on_loaded(void *arg, const PGresult *r, const struct err *err)
{
    struct gathering *g = arg;
    if (!err)
        g->report.input.loaded_us = pg_get_i64(r, 0, 0);
}

static void on_moments(void *arg, const PGresult *r, const struct err *err)
{
    struct gathering *g = arg;
    const struct snapshot_experiment *e = experiment_of(g);
    if (err)
        g->report.error = *err;
    else if (e)
        result_read(&g->result, snapshot_get(), e, r, arena_of(g));
}

static struct moments2 aa_moments(const PGresult *r, int row)
{
    double y = pg_get_double(r, row, AA_MEAN_Y);
    struct moments2 m = { .n = pg_get_i64(r, row, AA_N),
                          .mean_x = pg_get_double(r, row, AA_MEAN_X),
                          .m2_x = pg_get_double(r, row, AA_M2_X) };
    if (isnan(y))
        return m;
    m.mean_y = y;
    m.m2_y = pg_get_double(r, row, AA_M2_Y);
    m.cxy = pg_get_double(r, row, AA_CXY);
    return m;
}

static const struct result_metric *metric_of(const struct result *r, struct str key)
{
    for (size_t i = 0; i < r->metrics_count; i++)
        if (str_eq(r->metrics[i].metric->key, key))
            return &r->metrics[i];
    return NULL;
}

/* The control's row and, behind it, the treatment's. */
static bool is_pair(const PGresult *r, int row)
{
    return row + 1 < PQntuples(r) && pg_get_bool(r, row, AA_IS_CONTROL) && !pg_get_bool(r, row + 1, AA_IS_CONTROL) &&
           str_eq(pg_get(r, row, AA_EXPERIMENT), pg_get(r, row + 1, AA_EXPERIMENT)) &&
           str_eq(pg_get(r, row, AA_METRIC), pg_get(r, row + 1, AA_METRIC));
}

static void read_history(struct gathering *g, const PGresult *r)
{
    struct health_input *in = &g->report.input;
    in->history = arena_alloc(arena_of(g), ((size_t)PQntuples(r) + 1) * sizeof *in->history);
    for (int row = 0; row < PQntuples(r); row++) {
        const struct result_metric *m = metric_of(&g->result, pg_get(r, row, AA_METRIC));
        struct comparison c;
        struct err err;
        if (!m || !is_pair(r, row))
            continue;
        const struct arm control = { .kind = m->kind, .m = aa_moments(r, row) },
                         treatment = { .kind = m->kind, .m = aa_moments(r, row + 1) };
        if (stats_compare(&control, &treatment, &(struct compare_plan){ .level = 0.95 }, &c, &err))
            in->history[in->history_count++] = (struct health_aa){ m->metric->key, c.p };
    }
}

/* The last one: it needs the moments before it. */
static void on_history(void *arg, const PGresult *r, const struct err *err)
{
    struct gathering *g = arg;
    struct health_report *out = &g->report;
    if (!g->result.experiment && out->error.kind == ERR_NONE)
        (void)err_set(&out->error, ERR_NOT_FOUND, "experiment \"" STR_FMT "\" is not known", STR_ARG(out->key));
    if (out->error.kind == ERR_NONE) {
        if (!err)
            read_history(g, r);
        out->input.r = &g->result;
        out->input.now_us = clock_now_us();
        health_make(&out->input, arena_of(g), &out->health);
    }
    g->ready(out);
}

/* ---- the whole ---- */

static struct str primary_of(const struct snapshot_experiment *e)
{
    for (size_t i = 0; i < e->metrics_count; i++)
        if (str_eq(e->metrics[i].role, STR("primary")))
            return e->metrics[i].metric;
    return e->metrics_count ? e->metrics[0].metric : STR("");
}

void health_gather(struct http_request *req, struct worker *worker, struct str key, health_ready_fn ready, void *arg)
{
    struct gathering *g = arena_zalloc(&req->arena, sizeof *g);
    const struct snapshot_experiment *e = snapshot_experiment(snapshot_get(), key);
    g->report = (struct health_report){ .req = req, .worker = worker, .key = key, .arg = arg };
    g->ready = ready;
    if (!e) {
        (void)err_set(&g->report.error, ERR_NOT_FOUND, "experiment \"" STR_FMT "\" is not known", STR_ARG(key));
        ready(&g->report);
        return;
    }
    const char *keyed[] = { arena_cstr(&req->arena, key) };
    const char *rows[] = { arena_printf(&req->arena, "{" STR_FMT "}", STR_ARG(key)).p,
                           arena_cstr(&req->arena, primary_of(e)) };
    pgloop_run(worker->pg, &queries[QUERY_HEALTH_COUNTS], keyed, on_counts, g);
    pgloop_run(worker->pg, &queries[QUERY_HEALTH_MARKED], keyed, on_marked, g);
    pgloop_run(worker->pg, &queries[QUERY_HEALTH_LOADED], NULL, on_loaded, g);
    pgloop_run(worker->pg, &queries[QUERY_HEALTH_MOMENTS], rows, on_moments, g);
    pgloop_run(worker->pg, &queries[QUERY_HEALTH_HISTORY], keyed, on_history, g);
}
