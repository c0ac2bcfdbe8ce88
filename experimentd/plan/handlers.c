#include "experimentd/plan/handlers.h"

#include "base/pgloop.h"
#include "experimentd/plan/ask.h"
#include "experimentd/queries.h"
#include "experimentd/worker.h"

enum { PLAN_JSON_MAX = 1 << 20 };

struct waiting {
    struct http_request *req;
    struct ask ask;
};

static void reply(struct waiting *wait)
{
    struct planner *p = arena_zalloc(&wait->req->arena, sizeof *p);
    struct buf b;
    struct jsonw w;
    struct err err;
    if (!ask_finish(&wait->ask, &err)) {
        http_reply_err(wait->req, &err);
        return;
    }
    if (!wait->ask.baseline.why_not)
        planner_make(&wait->ask.plan, p);
    buf_init(&b, PLAN_JSON_MAX);
    jsonw_init(&w, &b);
    ask_write(&w, &wait->ask, p);
    http_reply_buf(wait->req, 200, &b, "the answer");
}

static void on_traffic(void *arg, const PGresult *r, const struct err *err)
{
    struct waiting *wait = arg;
    if (!wait->ask.has_traffic)
        known_traffic_read(&wait->ask.traffic, r, err, &wait->req->arena);
    if (wait->ask.has_baseline)
        reply(wait);
}

static void on_baseline(void *arg, const PGresult *r, const struct err *err)
{
    struct waiting *wait = arg;
    known_baseline_read(&wait->ask.baseline, wait->ask.metric, snapshot_get(), r, err, &wait->req->arena);
    reply(wait);
}

/* What was given is not looked up. */
void plan_post(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    struct waiting *wait = arena_zalloc(&req->arena, sizeof *wait);
    struct err err;
    wait->req = req;
    json_auto_t *root = json_parse(req->body, &err);
    if (!root || !ask_read(root, snapshot_get(), &req->arena, &wait->ask, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { arena_cstr(&req->arena, wait->ask.metric) };
    if (wait->ask.has_baseline && wait->ask.has_traffic) {
        reply(wait);
        return;
    }
    if (!wait->ask.has_traffic)
        pgloop_run(worker->pg, &queries[QUERY_PREFLIGHT_TRAFFIC], NULL, on_traffic, wait);
    if (!wait->ask.has_baseline)
        pgloop_run(worker->pg, &queries[QUERY_PREFLIGHT_BASELINE], params, on_baseline, wait);
}
