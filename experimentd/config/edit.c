#include "experimentd/config/edit.h"

#include <stdio.h>

#include "base/pgloop.h"
#include "experimentd/config/experiment.h"
#include "experimentd/config/publish_wait.h"
#include "experimentd/queries.h"
#include "experimentd/worker.h"

enum { ATTEMPTS_MAX = 20, WRITES_MAX = 16 << 20 };

struct edit *edit_new(struct http_request *req, struct worker *worker, const char *kind, const char *action,
                      struct str key, edit_make_fn make, edit_reply_fn reply)
{
    struct edit *e = arena_zalloc(&req->arena, sizeof *e);
    *e = (struct edit){ .req = req,
                        .worker = worker,
                        .arena = &req->arena,
                        .kind = kind,
                        .action = action,
                        .key = key,
                        .make = make,
                        .reply = reply,
                        /* copied: the label is of a snapshot, which an edit may outlive */
                        .actor = arena_cstr(&req->arena, req->key_label),
                        .body = req->body };
    return e;
}

/* ---- writes ---- */

static void writes_open(struct edit *e)
{
    buf_init(&e->writes, WRITES_MAX);
    jsonw_init(&e->w, &e->writes);
    jsonw_open(&e->w, NULL, '[');
}

void edit_write_begin(struct edit *e, const char *kind, struct str key, const char *action, struct str spec,
                      struct str state)
{
    jsonw_open(&e->w, NULL, '{');
    jsonw_text(&e->w, "kind", kind);
    jsonw_str(&e->w, "key", key);
    jsonw_text(&e->w, "action", action);
    if (spec.p)
        jsonw_raw(&e->w, "spec", spec);
    if (state.p)
        jsonw_raw(&e->w, "state", state);
}

void edit_write_end(struct edit *e)
{
    jsonw_close(&e->w);
}

json_t *edit_patched(struct edit *e, struct str was, struct err *err)
{
    json_auto_t *patch = json_parse(e->body, err), *root = patch ? json_parse(was, err) : NULL;
    const char *key;
    json_t *v;
    if (!root)
        return NULL;
    if (!json_is_object(patch)) {
        err_set(err, ERR_INVALID, "the request body is not an object");
        return NULL;
    }
    json_object_foreach(patch, key, v)
    {
        if (json_is_null(v))
            (void)json_object_del(root, key);
        else
            (void)json_object_set(root, key, v);
    }
    return TAKE(root);
}

/* ---- If-Match ---- */

bool edit_match(struct edit *e, const char *kind, struct str key, int64_t version, struct err *err)
{
    struct str match = e->req ? http_header(e->req, STR("if-match")) : STR("");
    uint32_t wanted;
    if (!match.n || str_eq(match, STR("*")))
        return true;
    if (match.n < 3 || match.p[0] != '"' || match.p[match.n - 1] != '"' ||
        !parse_u32((struct str){ match.p + 1, match.n - 2 }, &wanted, NULL))
        return err_set(err, ERR_INVALID, "header \"If-Match\" must be an ETag of the %s, like \"3\" with its quotes",
                       kind);
    if (wanted == version)
        return true;
    e->refused_status = 412;
    return err_set(err, ERR_CONFLICT, "If-Match is \"%u\" but %s \"" STR_FMT "\" is at version \"%lld\"", wanted, kind,
                   STR_ARG(key), (long long)version);
}

/* ---- the way of an edit ---- */

static void refuse(struct edit *e, const struct err *err)
{
    buf_release(&e->writes);
    if (e->refused_status)
        http_reply_problem(e->req, e->refused_status, err->text);
    else
        http_reply_err(e->req, err);
}

/* The edit is committed, but this server has not loaded it in the time that an answer may wait. */
static void reply_saved(struct edit *e)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, 4096);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "key", e->key);
    jsonw_text(&w, "detail", "saved; this server has not loaded it yet");
    jsonw_close(&w);
    http_reply_json(e->req, 202, buf_str(&b));
    buf_release(&b);
}

static void on_published(struct http_request *req, void *arg)
{
    (void)req;
    struct edit *e = arg;
    const struct snapshot *s = snapshot_get();
    if (s && s->version >= e->version)
        e->reply(e, s);
    else
        reply_saved(e);
}

static void on_newer(struct http_request *req, void *arg)
{
    (void)req;
    edit_run(arg);
}

static void on_written(void *arg, const PGresult *r, const struct err *err)
{
    struct edit *e = arg;
    buf_release(&e->writes);
    if (err) {
        http_reply_err(e->req, err);
        return;
    }
    e->version = pg_get_i64(r, 0, 0);
    if (e->version > 0)
        publish_wait_add(e->worker, e->req, e->version, on_published, e);
    else
        publish_wait_add(e->worker, e->req, -e->version, on_newer, e); /* another edit came first */
}

static bool make(struct edit *e, const struct snapshot *s, struct err *err)
{
    if (!s)
        return err_set(err, ERR_BUSY, "no configuration has been loaded yet");
    writes_open(e);
    if (!e->make(e, s, err))
        return false;
    jsonw_close(&e->w);
    return buf_ok(&e->writes, "the edit", err);
}

void edit_run(struct edit *e)
{
    const struct snapshot *s = snapshot_get();
    struct err err;
    if (++e->attempts > ATTEMPTS_MAX) {
        err_set(&err, ERR_BUSY, "the configuration was edited by others %d times meanwhile", ATTEMPTS_MAX);
        http_reply_err(e->req, &err);
        return;
    }
    if (!make(e, s, &err)) {
        refuse(e, &err);
        return;
    }
    const char *params[] = { arena_printf(e->arena, "%lld", (long long)s->version).p, buf_str(&e->writes).p, e->actor };
    pgloop_run(e->worker->pg, &queries[QUERY_CONFIG_EDIT], params, on_written, e);
}

bool edit_run_blocking(struct edit *e, struct pg *pg, const struct snapshot *s, const char *actor, struct err *err)
{
    bool ok = make(e, s, err);
    char version[24];
    (void)snprintf(version, sizeof version, "%lld", s ? (long long)s->version : 0);
    const char *params[] = { version, buf_str(&e->writes).p, actor };
    AUTO(pg_result_free) PGresult *r = ok ? pg_run(pg, &queries[QUERY_CONFIG_EDIT], params, err) : NULL;
    buf_release(&e->writes);
    if (!r)
        return false;
    e->version = pg_get_i64(r, 0, 0);
    return e->version > 0 || err_set(err, ERR_BUSY, "another edit came first");
}
