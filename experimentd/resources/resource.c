#include "experimentd/resources/resource.h"

#include "base/json.h"
#include "experimentd/http/asks.h"
#include "experimentd/queries.h"

struct resource_wait resource_wait_of(struct http_request *req, void *worker, const struct resource_kind *kind)
{
    return (struct resource_wait){ .req = req,
                                   .worker = worker,
                                   .kind = kind,
                                   .name = req->params[0].p ? arena_cstr(&req->arena, req->params[0]) : NULL,
                                   .status = 200,
                                   .extra = STR("") };
}

struct resource_wait *resource_wait_new(struct http_request *req, void *worker, const struct resource_kind *kind)
{
    struct resource_wait *w = arena_zalloc(&req->arena, sizeof *w);
    *w = resource_wait_of(req, worker, kind);
    return w;
}

const char *resource_actor(struct http_request *req)
{
    return arena_cstr(&req->arena, req->key_label);
}

/* ---- answers ---- */

void resource_not_known(struct resource_wait *w)
{
    const struct resource_kind *k = w->kind;
    struct err err;
    (void)err_set(&err, ERR_NOT_FOUND, "there %s no %s \"%.*s\"", k->plural ? "are" : "is", k->what,
                  k->name_shown ? k->name_shown : -1, w->name);
    http_reply_err(w->req, &err);
}

bool resource_found(struct resource_wait *w, const PGresult *r, const struct err *err)
{
    if (err)
        http_reply_err(w->req, err);
    else if (PQntuples(r) == 0)
        resource_not_known(w);
    return !err && PQntuples(r) > 0;
}

static const struct resource_refusal *refusal_of(const struct resource_kind *k, const char *why)
{
    for (const struct resource_refusal *f = k->refusals; f && f->why; f++)
        if (strcmp(f->why, why) == 0)
            return f;
    return NULL;
}

static void refuse_version(struct resource_wait *w, const json_t *answer, int status)
{
    long long version = json_integer_value(json_object_get(answer, "version"));
    http_reply_problem(w->req, status,
                       arena_printf(&w->req->arena, "If-Match is not the version of %s \"%s\", which is \"%lld\"",
                                    w->kind->what, w->name, version)
                           .p);
}

static void refuse_used(struct resource_wait *w, const json_t *answer)
{
    const char *job = json_string_value(json_object_get(answer, "detail"));
    http_reply_problem(w->req, 409,
                       arena_printf(&w->req->arena, "%s \"%s\" %s used by job \"%s\"", w->kind->what, w->name,
                                    w->kind->plural ? "are" : "is", job)
                           .p);
}

bool resource_refused(struct resource_wait *w, const json_t *answer)
{
    const char *why = json_string_value(json_object_get(answer, "refused"));
    const struct resource_refusal *own = why ? refusal_of(w->kind, why) : NULL;
    if (!why || (w->kind->refuse && w->kind->refuse(w, answer)))
        return why != NULL;
    if (own)
        http_reply_problem(w->req, own->status,
                           arena_printf(&w->req->arena, "%s%s%s", own->before ? own->before : "",
                                        own->before ? w->name : "", own->after)
                               .p);
    else if (strcmp(why, "missing") == 0)
        resource_not_known(w);
    else if (strcmp(why, "used") == 0)
        refuse_used(w, answer);
    else
        refuse_version(w, answer, strcmp(why, "version") == 0 ? 412 : 409);
    return true;
}

/* ---- reading ---- */

static void on_list(void *arg, const PGresult *r, const struct err *err)
{
    struct resource_wait *w = arg;
    rows_reply_list(w->req, &w->kind->form, r, err);
}

static void on_one(void *arg, const PGresult *r, const struct err *err)
{
    struct resource_wait *w = arg;
    if (!resource_found(w, r, err))
        return;
    rows_etag(w->req, pg_get(r, 0, w->kind->version_column));
    if (w->kind->reply)
        w->kind->reply(w, r);
    else
        rows_reply_one(w->req, &w->kind->form, w->status, r);
}

static void read_rows(struct resource_wait *w, const char *name, pgloop_fn then)
{
    pgloop_run(w->worker->pg, &queries[w->kind->read], &name, then, w);
}

void resource_list(struct http_request *req, void *worker, const struct resource_kind *kind)
{
    read_rows(resource_wait_new(req, worker, kind), NULL, on_list);
}

void resource_get(struct http_request *req, void *worker, const struct resource_kind *kind)
{
    struct resource_wait *w = resource_wait_new(req, worker, kind);
    read_rows(w, w->name, on_one);
}

/* ---- changes ---- */

static void on_changed(void *arg, const PGresult *r, const struct err *err)
{
    struct resource_wait *w = arg;
    struct err bad;
    if (err) {
        http_reply_err(w->req, err);
        return;
    }
    json_auto_t *answer = json_parse(pg_get(r, 0, 0), &bad);
    if (resource_refused(w, answer))
        return;
    if (w->req->method == HTTP_DELETE_) {
        http_reply(w->req, 204, NULL, STR(""));
        return;
    }
    if (json_is_true(json_object_get(answer, "created")))
        w->status = 201;
    if (w->kind->changed)
        w->kind->changed(w, answer);
    read_rows(w, w->name, on_one);
}

void resource_change(struct resource_wait *w, int statement, const char *const *params)
{
    pgloop_run(w->worker->pg, &queries[statement], params, on_changed, w);
}

void resource_delete(struct http_request *req, void *worker, const struct resource_kind *kind)
{
    struct resource_wait *w = resource_wait_new(req, worker, kind);
    const char *expected;
    struct err err;
    if (!http_if_match(req, kind->what, &expected, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { w->name, expected, resource_actor(req) };
    resource_change(w, kind->remove, params);
}
