#include "experimentd/config/key_handlers.h"

#include "base/pgloop.h"
#include "experimentd/config/publish_wait.h"
#include "experimentd/ingest/schema.h"
#include "experimentd/queries.h"
#include "experimentd/resources/rows.h"
#include "experimentd/worker.h"

enum { ANSWER_MAX = 64 << 20 };

static void write_key(struct jsonw *w, const PGresult *r, int row)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "id", pg_get(r, row, 0));
    jsonw_str(w, "label", pg_get(r, row, 1));
    jsonw_str(w, "scope", pg_get(r, row, 2));
    jsonw_time(w, "created_at", pg_get_i64(r, row, 3));
    jsonw_raw(w, "schema", PQgetisnull(r, row, 4) ? STR("null") : pg_get(r, row, 4));
    jsonw_close(w);
}

static void on_keys(void *arg, const PGresult *r, const struct err *err)
{
    static const struct rows_form form = {
        .write = write_key, .list = "keys", .bytes_max = ANSWER_MAX, .all = "the list of keys"
    };
    rows_reply_list(arg, &form, r, err);
}

void keys_list(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    pgloop_run(worker->pg, &queries[QUERY_KEYS], NULL, on_keys, req);
}

/* ---- the schema of one ---- */

struct change {
    struct http_request *req;
    struct worker *worker;
};

static void on_published(struct http_request *req, void *arg)
{
    (void)arg;
    http_reply(req, 204, NULL, STR(""));
}

static void on_changed(void *arg, const PGresult *r, const struct err *err)
{
    struct change *c = arg;
    struct err unknown;
    if (!err && PQntuples(r) == 0) {
        err_set(&unknown, ERR_NOT_FOUND, "no key has the id \"" STR_FMT "\"", STR_ARG(str_cut(c->req->params[0], 60)));
        err = &unknown;
    }
    if (err)
        http_reply_err(c->req, err);
    else
        publish_wait_add(c->worker, c->req, pg_get_i64(r, 0, 0), on_published, NULL);
}

static void change(struct http_request *req, struct worker *worker, const char *schema)
{
    struct change *c = arena_alloc(&req->arena, sizeof *c);
    *c = (struct change){ req, worker };
    const char *params[] = { arena_cstr(&req->arena, req->params[0]), schema, arena_cstr(&req->arena, req->key_label) };
    pgloop_run(worker->pg, &queries[QUERY_KEY_SCHEMA], params, on_changed, c);
}

void keys_put_schema(struct http_request *req, void *arg)
{
    struct err err;
    if (schema_parse(req->body, &req->arena, &err))
        change(req, arg, arena_cstr(&req->arena, req->body));
    else
        http_reply_err(req, &err);
}

void keys_delete_schema(struct http_request *req, void *arg)
{
    change(req, arg, NULL);
}
