#include "experimentd/preflight/gather.h"

#include <math.h>

#include "base/pgloop.h"
#include "experimentd/queries.h"
#include "experimentd/worker.h"

enum { JSON_MAX = 1 << 20 };

struct gathering {
    struct preflight_report report; /* first */
    preflight_ready_fn ready;
    struct known_traffic traffic;
    struct known_baseline baseline;
    struct str metric; /* that the baseline was asked for */
};

/* ---- rows ---- */

static void on_traffic(void *arg, const PGresult *r, const struct err *err)
{
    struct gathering *g = arg;
    known_traffic_read(&g->traffic, r, err, &g->report.req->arena);
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
    known_baseline_read(&g->baseline, g->metric, s, r, err, &g->report.req->arena);
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
