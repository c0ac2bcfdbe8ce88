/* Experiments over HTTP: each edit is a function of life.h, run by edit.h. */
#include "experimentd/config/handlers.h"

#include "experimentd/config/experiment.h"
#include "experimentd/config/life.h"
#include "experimentd/preflight/gather.h"
#include "experimentd/preflight/handlers.h"
#include "experimentd/results/json.h"
#include "experimentd/worker.h"

enum { ANSWER_MAX = 2 << 20, LIST_MAX = 64 << 20 };

static void reply_not_known(struct http_request *req, struct str key)
{
    struct err err;
    err_set(&err, ERR_NOT_FOUND, "experiment \"" STR_FMT "\" is not known", STR_ARG(str_cut(key, EXPERIMENT_KEY_MAX)));
    http_reply_err(req, &err);
}

/* `preflight` {NULL, 0}: none was made. */
static void reply_experiment(struct http_request *req, const struct snapshot_experiment *e, int status,
                             struct str preflight)
{
    struct buf b;
    struct jsonw w;
    struct str etag = arena_printf(&req->arena, "\"%lld\"", (long long)e->version);
    struct str known = http_header(req, STR("if-none-match"));
    http_reply_header(req, STR("ETag"), etag);
    if (req->method == HTTP_GET_ && known.n && str_eq(known, etag)) {
        http_reply(req, 304, NULL, STR(""));
        return;
    }
    if (status == 201)
        http_reply_header(req, STR("Location"), arena_printf(&req->arena, "/v1/experiments/" STR_FMT, STR_ARG(e->key)));
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    result_write_experiment_members(&w, e);
    if (preflight.p)
        jsonw_raw(&w, "preflight", preflight);
    jsonw_close(&w);
    http_reply_buf(req, status, &b, "the experiment");
}

static void reply_edited(struct edit *edit, const struct snapshot *s)
{
    const struct snapshot_experiment *e = snapshot_experiment(s, edit->key);
    const struct preflight_report *report = strcmp(edit->action, "start") == 0 ? edit->arg : NULL;
    bool made = strcmp(edit->action, "create") == 0;
    if (strcmp(edit->action, "delete") == 0)
        http_reply(edit->req, 204, NULL, STR(""));
    else if (e)
        reply_experiment(edit->req, e, made ? 201 : 200, report ? report->json : (struct str){ NULL, 0 });
    else
        reply_not_known(edit->req, edit->key); /* deleted meanwhile */
}

static void run(struct http_request *req, void *worker, const char *action, edit_make_fn make)
{
    edit_run(edit_new(req, worker, "experiment", action, req->params[0], make, reply_edited));
}

void experiments_create(struct http_request *req, void *arg)
{
    run(req, arg, "create", life_create);
}

void experiments_patch(struct http_request *req, void *arg)
{
    run(req, arg, "change", life_patch);
}

void experiments_delete(struct http_request *req, void *arg)
{
    run(req, arg, "delete", life_delete);
}

static void on_preflight(struct preflight_report *r)
{
    struct edit *edit = edit_new(r->req, r->worker, "experiment", "start", r->key, life_start, reply_edited);
    const struct snapshot_experiment *e = snapshot_experiment(snapshot_get(), r->key);
    struct err err;
    edit->arg = r->passed ? r : NULL;
    bool read_before = !e || edit_match(edit, "experiment", e->key, e->version, &err);
    if (r->json.p && !r->passed && read_before)
        preflight_refuse(r);
    else
        edit_run(edit); /* which tells what is no draft, or was changed since it was read, too */
}

void experiments_start(struct http_request *req, void *arg)
{
    preflight_gather(req, arg, req->params[0], on_preflight);
}

void experiments_stop(struct http_request *req, void *arg)
{
    run(req, arg, "stop", life_stop);
}

void experiments_conclude(struct http_request *req, void *arg)
{
    run(req, arg, "conclude", life_conclude);
}

void experiments_new_phase(struct http_request *req, void *arg)
{
    run(req, arg, "phase", life_new_phase);
}

void holdouts_create(struct http_request *req, void *arg)
{
    run(req, arg, "create", life_create_holdout);
}

void experiments_get(struct http_request *req, void *arg)
{
    (void)arg;
    const struct snapshot_experiment *e = snapshot_experiment(snapshot_get(), req->params[0]);
    if (e)
        reply_experiment(req, e, 200, (struct str){ NULL, 0 });
    else
        reply_not_known(req, req->params[0]);
}

void holdouts_list(struct http_request *req, void *arg)
{
    (void)arg;
    const struct snapshot *s = snapshot_get();
    struct buf b;
    struct jsonw w;
    buf_init(&b, LIST_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, "holdouts", '[');
    for (size_t i = 0; s && i < s->experiments_count; i++)
        if (s->experiments[i].kind == EXPERIMENT_HOLDOUT)
            result_write_experiment(&w, NULL, &s->experiments[i]);
    jsonw_close(&w);
    jsonw_close(&w);
    http_reply_buf(req, 200, &b, "the answer");
}
