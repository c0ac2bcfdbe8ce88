/* Edits are one statement each (experimentd/queries.c) that also writes the revision, raises the configuration's version and
 * notifies every daemon; the answer is held until this daemon's snapshot has the edit. */
#include "experimentd/config/handlers.h"

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
    int status;            /* of the answer when it worked */
    const char *verb;      /* "start": for the refusal's text */
    struct str if_version; /* of If-Match; empty: any */
    int64_t version;       /* the configuration's that has the edit */
};

static void reply_not_known(struct http_request *req, struct str key)
{
    struct err err;
    err_set(&err, ERR_NOT_FOUND, "experiment \"" STR_FMT "\" is not known", STR_ARG(str_cut(key, EXPERIMENT_KEY_MAX)));
    http_reply_err(req, &err);
}

static void reply_experiment(struct http_request *req, const struct snapshot_experiment *e, int status)
{
    struct err err;
    struct buf b;
    struct jsonw w;
    struct str etag = arena_printf(&req->arena, "\"%lld\"", (long long)e->version);
    struct str known = http_header(req, STR("if-none-match"));
    http_reply_header(req, STR("ETag"), etag);
    if (req->method != HTTP_POST_ && known.n && str_eq(known, etag)) {
        http_reply(req, 304, NULL, STR(""));
        return;
    }
    if (status == 201)
        http_reply_header(req, STR("Location"), arena_printf(&req->arena, "/v1/experiments/" STR_FMT, STR_ARG(e->key)));
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    result_write_experiment(&w, NULL, e);
    if (buf_ok(&b, "the experiment", &err))
        http_reply_json(req, status, buf_str(&b));
    else
        http_reply_err(req, &err);
    buf_release(&b);
}

/* The edit is committed, but this server has not loaded it in the time that an answer may wait. */
static void reply_saved(struct edit *edit)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "key", edit->key);
    jsonw_text(&w, "detail", "saved; this server has not loaded it yet");
    jsonw_close(&w);
    http_reply_json(edit->req, 202, buf_str(&b));
    buf_release(&b);
}

static void on_published(struct http_request *req, void *arg)
{
    struct edit *edit = arg;
    const struct snapshot *s = snapshot_get();
    const struct snapshot_experiment *e = snapshot_experiment(s, edit->key);
    if (edit->status == 204)
        http_reply(req, 204, NULL, STR(""));
    else if (!s || s->version < edit->version)
        reply_saved(edit);
    else if (e)
        reply_experiment(req, e, edit->status);
    else
        reply_not_known(req, edit->key); /* deleted meanwhile */
}

/* The statement changed nothing: the row says which version and status stood in the way. */
static void refuse(const struct edit *edit, struct str status, struct str version)
{
    struct http_request *req = edit->req;
    struct err err;
    if (str_eq(status, STR("absent"))) {
        err_set(&err, ERR_CONFLICT, "experiment \"" STR_FMT "\" exists already", STR_ARG(edit->key));
    } else if (edit->if_version.n && !str_eq(edit->if_version, version)) {
        http_reply_problem(req, 412,
                           arena_printf(&req->arena,
                                        "If-Match is \"" STR_FMT "\" but experiment \"" STR_FMT
                                        "\" is at version \"" STR_FMT "\"",
                                        STR_ARG(edit->if_version), STR_ARG(edit->key), STR_ARG(version))
                               .p);
        return;
    } else {
        err_set(&err, ERR_CONFLICT, "cannot %s experiment \"" STR_FMT "\": it is %s" STR_FMT, edit->verb,
                STR_ARG(edit->key), str_eq(status, STR("draft")) ? "a " : "", STR_ARG(status));
    }
    http_reply_err(req, &err);
}

static void on_edited(void *arg, const PGresult *r, const struct err *err)
{
    struct edit *edit = arg;
    if (err) {
        http_reply_err(edit->req, err);
        return;
    }
    if (PQntuples(r) == 0) {
        reply_not_known(edit->req, edit->key);
        return;
    }
    edit->version = pg_get_i64(r, 0, 0);
    if (edit->version == 0)
        refuse(edit, pg_get(r, 0, 1), pg_get(r, 0, 2));
    else
        publish_wait_add(edit->worker, edit->req, edit->version, on_published, edit);
}

static struct edit *edit_new(struct http_request *req, struct worker *worker, struct str key, int status,
                             const char *verb)
{
    struct edit *edit = arena_alloc(&req->arena, sizeof *edit);
    *edit = (struct edit){ .req = req, .worker = worker, .key = key, .status = status, .verb = verb };
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
    pgloop_run(worker->pg, &queries[QUERY_EXPERIMENT_CREATE], params, on_edited,
               edit_new(req, worker, key, 201, "create"));
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

/* 3 of `If-Match: "3"`, empty when any will do; false when it is no version of ours. */
static bool version_wanted(struct http_request *req, struct str *out)
{
    struct str match = http_header(req, STR("if-match"));
    uint32_t v;
    *out = STR("");
    if (!match.n || str_eq(match, STR("*")))
        return true;
    if (match.n < 3 || match.p[0] != '"' || match.p[match.n - 1] != '"' ||
        !parse_u32((struct str){ match.p + 1, match.n - 2 }, &v, NULL))
        return false;
    *out = arena_printf(&req->arena, "%u", v);
    return true;
}

static void edit_state(struct http_request *req, struct worker *worker, enum query query, int status, const char *verb)
{
    struct edit *edit = edit_new(req, worker, req->params[0], status, verb);
    if (!version_wanted(req, &edit->if_version)) {
        http_reply_problem(req, 400,
                           "header \"If-Match\" must be an ETag of the experiment, like \"3\" with its quotes");
        return;
    }
    const char *params[] = { arena_cstr(&req->arena, edit->key), edit->if_version.p,
                             arena_cstr(&req->arena, req->key_label) };
    pgloop_run(worker->pg, &queries[query], params, on_edited, edit);
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
