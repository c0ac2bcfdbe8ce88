#include "experimentd/preflight/gather.h"

#include <math.h>

#include "base/pgloop.h"
#include "experimentd/queries.h"
#include "experimentd/worker.h"

enum { JSON_MAX = 1 << 20 };

/* Columns of QUERY_PREFLIGHT_TRAFFIC, PREFLIGHT_DAYS of the last; and of QUERY_PREFLIGHT_BASELINE. */
enum { TRAFFIC_UNTIL, TRAFFIC_BUCKETS, TRAFFIC_DAYS, TRAFFIC_UNITS, TRAFFIC_DAILY };
enum {
    BASELINE_EXPERIMENT,
    BASELINE_AS_OF,
    BASELINE_KIND,
    BASELINE_N,
    BASELINE_MEAN_X,
    BASELINE_M2_X,
    BASELINE_MEAN_Y,
    BASELINE_M2_Y,
    BASELINE_CXY
};
enum { BUCKETS = 4096 };

struct gathering {
    struct preflight_report report; /* first */
    preflight_ready_fn ready;
    struct preflight_traffic traffic;
    struct preflight_baseline baseline;
    struct str metric; /* that the baseline was asked for */
};

/* ---- rows ---- */

static const char *reason(struct gathering *g, const char *what, const struct err *err)
{
    return arena_printf(&g->report.req->arena, "%s could not be read: %s", what, err->text).p;
}

static void read_traffic(const PGresult *r, struct preflight_traffic *out)
{
    int64_t buckets = pg_get_i64(r, 0, TRAFFIC_BUCKETS);
    *out = (struct preflight_traffic){ .until_us = pg_get_i64(r, 0, TRAFFIC_UNTIL),
                                       .days = (int)pg_get_i64(r, 0, TRAFFIC_DAYS),
                                       .share = (double)buckets / BUCKETS };
    out->units = (double)pg_get_i64(r, 0, TRAFFIC_UNITS) / out->share;
    for (int i = 0; i < PREFLIGHT_DAYS; i++)
        out->daily[i] = (double)pg_get_i64(r, 0, TRAFFIC_DAILY + i) / out->share;
}

static void on_traffic(void *arg, const PGresult *r, const struct err *err)
{
    struct gathering *g = arg;
    if (err)
        g->traffic.why_not = reason(g, "the traffic", err);
    else
        read_traffic(r, &g->traffic);
}

static double or_zero(const PGresult *r, int column)
{
    return PQgetisnull(r, 0, column) ? 0 : pg_get_double(r, 0, column);
}

static enum metric_kind kind_of(struct str kind)
{
    if (str_eq(kind, STR("proportion")))
        return METRIC_PROPORTION;
    return str_eq(kind, STR("ratio")) ? METRIC_RATIO : METRIC_MEAN;
}

static void read_baseline(struct gathering *g, const PGresult *r)
{
    struct arm arm = { .kind = kind_of(pg_get(r, 0, BASELINE_KIND)),
                       .m = { .n = pg_get_i64(r, 0, BASELINE_N),
                              .mean_x = pg_get_double(r, 0, BASELINE_MEAN_X),
                              .m2_x = pg_get_double(r, 0, BASELINE_M2_X),
                              .mean_y = or_zero(r, BASELINE_MEAN_Y),
                              .m2_y = or_zero(r, BASELINE_M2_Y),
                              .cxy = or_zero(r, BASELINE_CXY) } };
    struct arm_value v;
    struct err err;
    if (!stats_arm_value(&arm, 0.95, &v, &err)) {
        g->baseline.why_not = reason(g, "the baseline", &err);
        return;
    }
    g->baseline = (struct preflight_baseline){ .experiment = arena_str(&g->report.req->arena,
                                                                       pg_get(r, 0, BASELINE_EXPERIMENT)),
                                               .as_of_us = pg_get_i64(r, 0, BASELINE_AS_OF),
                                               .n = arm.m.n,
                                               .mean = v.value,
                                               .variance = v.se * v.se * (double)arm.m.n };
}

/* ---- the whole ---- */

static void make_report(struct gathering *g, const struct snapshot_experiment *e, const struct snapshot *s)
{
    struct preflight_report *out = &g->report;
    struct preflight *p = arena_alloc(&out->req->arena, sizeof *p);
    struct buf b;
    struct jsonw w;
    preflight_make(e, s, &g->traffic, &g->baseline, &out->req->arena, p);
    out->config_version = s->version;
    out->passed = preflight_passed(p, &out->error);
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    preflight_write(&w, NULL, e, p);
    if (buf_ok(&b, "the pre-flight", &out->error))
        out->json = arena_str(&out->req->arena, buf_str(&b));
    else
        out->passed = false;
    buf_release(&b);
}

static const struct snapshot_experiment *find(const struct snapshot *s, struct str key, struct err *err)
{
    const struct snapshot_experiment *e = snapshot_experiment(s, key);
    if (!e)
        (void)err_set(err, ERR_NOT_FOUND, "experiment \"" STR_FMT "\" is not known", STR_ARG(str_cut(key, 100)));
    else if (e->status != EXPERIMENT_DRAFT)
        (void)err_set(err, ERR_CONFLICT, "experiment \"" STR_FMT "\" has been started: it is %s", STR_ARG(key),
                      experiment_status_names[e->status]);
    return e && e->status == EXPERIMENT_DRAFT ? e : NULL;
}

static void on_baseline(void *arg, const PGresult *r, const struct err *err)
{
    struct gathering *g = arg;
    const struct snapshot *s = snapshot_get();
    const struct snapshot_experiment *e = find(s, g->report.key, &g->report.error);
    if (err)
        g->baseline.why_not = reason(g, "the baseline", err);
    else if (PQntuples(r) > 0)
        read_baseline(g, r);
    else
        g->baseline.why_not = arena_printf(&g->report.req->arena,
                                           "metric \"" STR_FMT "\" has not been measured in any experiment yet",
                                           STR_ARG(g->metric))
                                  .p;
    if (e)
        make_report(g, e, s);
    g->ready(&g->report);
}

void preflight_gather(struct http_request *req, struct worker *worker, struct str key, preflight_ready_fn ready)
{
    struct gathering *g = arena_zalloc(&req->arena, sizeof *g);
    g->report = (struct preflight_report){ .req = req, .worker = worker, .key = key };
    g->ready = ready;
    const struct snapshot_experiment *e = find(snapshot_get(), key, &g->report.error);
    if (!e) {
        ready(&g->report);
        return;
    }
    g->metric = arena_str(&req->arena, preflight_metric(e));
    const char *params[] = { g->metric.p };
    pgloop_run(worker->pg, &queries[QUERY_PREFLIGHT_TRAFFIC], NULL, on_traffic, g);
    pgloop_run(worker->pg, &queries[QUERY_PREFLIGHT_BASELINE], params, on_baseline, g);
}
