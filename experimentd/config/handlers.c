/* Edits are one statement each (experimentd/queries.c) that also writes the revision, raises the configuration's version and
 * notifies every daemon; the answer is held until this daemon's snapshot has the edit. */
#include "experimentd/config/handlers.h"

#include <stdio.h>

#include "base/pgloop.h"
#include "experimentd/config/experiment.h"
#include "experimentd/config/publish_wait.h"
#include "experimentd/queries.h"
#include "experimentd/results/json.h"
#include "experimentd/worker.h"

enum { ANSWER_MAX = 1 << 20 };

struct edit {
    struct http_request *req;
    struct worker *worker;
    struct str key;
    int status;                /* of the answer when it worked */
    const char *verb;          /* "start": for the refusal's text */
};

static void reply_not_known(struct http_request *req, struct str key)
{
    struct err err;
    err_set(&err, ERR_NOT_FOUND, "experiment \"%.*s\" is not known", key.n > 100 ? 100 : (int)key.n, key.p);
    http_reply_err(req, &err);
}

static void reply_experiment(struct http_request *req, const struct snapshot_experiment *e, int status)
{
    struct buf b;
    struct jsonw w;
    char etag[32];
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    result_write_experiment(&w, NULL, e);
    (void)snprintf(etag, sizeof etag, "\"%lld\"", (long long)e->version);
    http_reply_header(req, STR("ETag"), str_of(etag));
    http_reply_json(req, status, buf_str(&b));
    buf_release(&b);
}

static void on_published(struct http_request *req, void *arg)
{
    struct edit *edit = arg;
    const struct snapshot_experiment *e = snapshot_experiment(snapshot_get(), edit->key);
    if (edit->status == 204 || !e)
        http_reply(req, 204, NULL, STR(""));
    else
        reply_experiment(req, e, edit->status);
}

static const char *status_name(enum experiment_status s)
{
    return s == EXPERIMENT_DRAFT ? "a draft" : s == EXPERIMENT_RUNNING ? "running" : "stopped";
}

/* The statement changed no row: the experiment is not there, or not in the state for it, or was edited meanwhile. */
static void refuse(const struct edit *edit)
{
    const struct snapshot_experiment *e = snapshot_experiment(snapshot_get(), edit->key);
    struct err err;
    if (!e) {
        reply_not_known(edit->req, edit->key);
        return;
    }
    struct str match = http_header(edit->req, STR("if-match"));
    if (match.n) {
        http_reply_problem(edit->req, 412, arena_printf(&edit->req->arena, "If-Match is " STR_FMT " but the experiment is at version \"%lld\", %s",
                                                       STR_ARG(match), (long long)e->version, status_name(e->status)).p);
        return;
    }
    err_set(&err, ERR_CONFLICT, "cannot %s experiment \"" STR_FMT "\": it is %s", edit->verb, STR_ARG(e->key), status_name(e->status));
    http_reply_err(edit->req, &err);
}

static void on_edited(void *arg, const PGresult *r, const struct err *err)
{
    struct edit *edit = arg;
    struct err mine;
    if (err && err->kind == ERR_CONFLICT) {
        err_set(&mine, ERR_CONFLICT, "experiment \"" STR_FMT "\" exists already", STR_ARG(edit->key));
        http_reply_err(edit->req, &mine);
    } else if (err) {
        http_reply_err(edit->req, err);
    } else if (PQntuples(r) == 0) {
        refuse(edit);
    } else {
        publish_wait_add(edit->worker, edit->req, pg_get_i64(r, 0, 0), on_published, edit);
    }
}

static struct edit *edit_new(struct http_request *req, struct worker *worker, struct str key, int status, const char *verb)
{
    struct edit *edit = arena_alloc(&req->arena, sizeof *edit);
    *edit = (struct edit){ req, worker, key, status, verb };
    return edit;
}

void experiments_create(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    struct str key, json;
    struct err err;
    if (!experiment_parse(req->body, snapshot_get(), &req->arena, &key, &json, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { json.p, arena_cstr(&req->arena, req->key_label) };
    pgloop_run(worker->pg, &queries[QUERY_EXPERIMENT_CREATE], params, on_edited, edit_new(req, worker, key, 201, "create"));
}

void experiments_get(struct http_request *req, void *arg)
{
    (void)arg;
    const struct snapshot_experiment *e = snapshot_experiment(snapshot_get(), req->params[0]);
    if (e)
        reply_experiment(req, e, 200);
    else
        reply_not_known(req, req->params[0]);
}

/* `"3"` of If-Match as text, "" when absent; false when it is no version of ours. */
static bool version_wanted(struct http_request *req, const char **out)
{
    struct str match = http_header(req, STR("if-match"));
    uint32_t v;
    *out = "";
    if (!match.n)
        return true;
    if (match.n < 3 || match.p[0] != '"' || !parse_u32((struct str){ match.p + 1, match.n - 2 }, &v, NULL))
        return false;
    *out = arena_printf(&req->arena, "%u", v).p;
    return true;
}

static void edit_state(struct http_request *req, struct worker *worker, enum query query, int status, const char *verb)
{
    const char *version;
    if (!version_wanted(req, &version)) {
        http_reply_problem(req, 400, "header \"If-Match\" must be an ETag of the experiment, like \"3\" with its quotes");
        return;
    }
    const char *params[] = { arena_cstr(&req->arena, req->params[0]), version, arena_cstr(&req->arena, req->key_label) };
    pgloop_run(worker->pg, &queries[query], params, on_edited, edit_new(req, worker, req->params[0], status, verb));
}

void experiments_start(struct http_request *req, void *arg)
{
    edit_state(req, arg, QUERY_EXPERIMENT_START, 200, "start");
}

void experiments_stop(struct http_request *req, void *arg)
{
    edit_state(req, arg, QUERY_EXPERIMENT_STOP, 200, "stop");
}

void experiments_delete(struct http_request *req, void *arg)
{
    edit_state(req, arg, QUERY_EXPERIMENT_DELETE, 204, "delete");
}
