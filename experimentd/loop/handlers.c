#include "experimentd/loop/handlers.h"

#include "base/json.h"
#include "base/jsonw.h"
#include "base/pgloop.h"
#include "experimentd/config/experiment.h"
#include "experimentd/http/asks.h"
#include "experimentd/loop/document.h"
#include "experimentd/loop/spec.h"
#include "experimentd/queries.h"
#include "experimentd/resources/rows.h"
#include "experimentd/worker.h"

enum { ANSWER_MAX = 1 << 20 };

struct wait {
    struct http_request *req;
    struct worker *worker;
    const char *model;
    int status;
};

static struct wait *wait_new(struct http_request *req, struct worker *worker, int status)
{
    struct wait *wait = arena_zalloc(&req->arena, sizeof *wait);
    *wait = (struct wait){
        .req = req, .worker = worker, .model = arena_cstr(&req->arena, req->params[0]), .status = status
    };
    return wait;
}

static void refuse(struct wait *wait, enum err_kind kind, const char *text)
{
    struct err err;
    (void)err_set(&err, kind, "model \"%.64s\" %s", wait->model, text);
    http_reply_err(wait->req, &err);
}

/* ---- one ---- */

static void reply(struct wait *wait, const PGresult *r)
{
    struct buf b;
    struct jsonw w;
    rows_etag(wait->req, pg_get(r, 0, LOOP_VERSION_COLUMN));
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    loop_document_write(&w, r, 0);
    jsonw_close(&w);
    http_reply_buf(wait->req, wait->status, &b, "the loop");
}

static void on_loop(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    if (err)
        http_reply_err(wait->req, err);
    else if (PQntuples(r) == 0)
        refuse(wait, ERR_NOT_FOUND, "is not known");
    else if (PQgetisnull(r, 0, LOOP_SPEC_COLUMN))
        refuse(wait, ERR_NOT_FOUND, "has no loop");
    else
        reply(wait, r);
}

static void reply_one(struct wait *wait)
{
    pgloop_run(wait->worker->pg, &queries[QUERY_LOOP], &wait->model, on_loop, wait);
}

void loops_get(struct http_request *req, void *arg)
{
    reply_one(wait_new(req, arg, 200));
}

/* ---- written ---- */

/* What is shown of a loop and is not its owner's to say: what was read may be written back. */
static const char *const shown[] = { "model", "state", "aliases", "edit", "created_at", "updated_at" };

/* Its experiment could be made and started now, as far as the configuration says. */
static bool check(const struct loop_spec *spec, struct arena *arena, struct err *err)
{
    const struct snapshot *s = snapshot_get();
    struct snapshot_experiment *own = arena_zalloc(arena, sizeof *own);
    const struct snapshot_experiment *there = s ? snapshot_experiment(s, spec->experiment) : NULL;
    if (!s)
        return err_set(err, ERR_BUSY, "no configuration has been loaded yet");
    return loop_spec_experiment(spec, arena, own, err) && experiment_check(own, s, err) &&
           (!there || loop_spec_fits(spec, there, arena, err));
}

static bool read_spec(struct http_request *req, const char **out, struct err *err)
{
    struct loop_spec spec;
    struct buf b;
    struct jsonw w;
    json_auto_t *root = json_parse(req->body, err);
    if (!root)
        return false;
    if (!json_is_object(root))
        return err_set(err, ERR_INVALID, "the request body is not an object");
    for (size_t i = 0; i < COUNT_OF(shown); i++)
        (void)json_object_del(root, shown[i]);
    if (!loop_spec_read(root, req->params[0], &req->arena, &spec, err) || !check(&spec, &req->arena, err))
        return false;
    buf_init(&b, LOOP_SPEC_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    loop_spec_write(&w, &spec);
    jsonw_close(&w);
    bool ok = buf_ok(&b, "the loop", err);
    *out = ok ? arena_cstr(&req->arena, buf_str(&b)) : NULL;
    buf_release(&b);
    return ok;
}

static void on_put(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    struct err bad;
    if (err) {
        http_reply_err(wait->req, err);
        return;
    }
    json_auto_t *answer = json_parse(pg_get(r, 0, 0), &bad);
    const char *refused = json_string_value(json_object_get(answer, "refused"));
    if (!refused && wait->status == 204)
        http_reply(wait->req, 204, NULL, STR(""));
    else if (!refused)
        reply_one(wait);
    else if (strcmp(refused, "expected") == 0)
        http_reply_problem(wait->req, 412,
                           arena_printf(&wait->req->arena, "If-Match is not the ETag of the loop, which is \"%lld\"",
                                        (long long)json_integer_value(json_object_get(answer, "detail")))
                               .p);
    else
        refuse(wait, ERR_NOT_FOUND, strcmp(refused, "loop") == 0 ? "has no loop" : "is not known");
}

static void put(struct wait *wait, const char *spec)
{
    const char *expected;
    struct err err;
    if (!http_if_match(wait->req, "loop", &expected, &err)) {
        http_reply_err(wait->req, &err);
        return;
    }
    const char *params[] = { wait->model, spec, expected, arena_cstr(&wait->req->arena, wait->req->key_label) };
    pgloop_run(wait->worker->pg, &queries[QUERY_LOOP_PUT], params, on_put, wait);
}

void loops_put(struct http_request *req, void *arg)
{
    const char *spec;
    struct err err;
    if (read_spec(req, &spec, &err))
        put(wait_new(req, arg, 200), spec);
    else
        http_reply_err(req, &err);
}

void loops_delete(struct http_request *req, void *arg)
{
    put(wait_new(req, arg, 204), NULL);
}

/* ---- wishes ---- */

static void on_wish(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    struct err bad;
    if (err) {
        http_reply_err(wait->req, err);
        return;
    }
    json_auto_t *answer = json_parse(pg_get(r, 0, 0), &bad);
    const char *refused = json_string_value(json_object_get(answer, "refused"));
    const char *state = json_string_value(json_object_get(answer, "detail"));
    if (!refused)
        reply_one(wait);
    else if (strcmp(refused, "loop") == 0)
        refuse(wait, ERR_NOT_FOUND, "has no loop");
    else
        refuse(wait, ERR_CONFLICT,
               state && strcmp(state, "idle") == 0 ? "has no version that is being tried"
                                                   : "has a version that is being tried, and nothing that waits for a "
                                                     "person yet: \"stop\" ends it");
}

static void wish(struct http_request *req, struct worker *worker, const char *wanted)
{
    struct wait *wait = wait_new(req, worker, 202);
    const char *params[] = { wait->model, wanted, arena_cstr(&req->arena, req->key_label) };
    pgloop_run(worker->pg, &queries[QUERY_LOOP_WISH], params, on_wish, wait);
}

void loops_approve(struct http_request *req, void *arg)
{
    wish(req, arg, "approve");
}

void loops_reject(struct http_request *req, void *arg)
{
    wish(req, arg, "reject");
}

void loops_stop(struct http_request *req, void *arg)
{
    wish(req, arg, "stop");
}
