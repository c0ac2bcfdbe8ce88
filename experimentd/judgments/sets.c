#include "experimentd/judgments/sets.h"

#include "base/json.h"
#include "experimentd/http/asks.h"
#include "experimentd/queries.h"

enum { PROPS_MAX = 64 << 10 };

void set_write_head(struct jsonw *w, const PGresult *r, int row)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "name", pg_get(r, row, SET_NAME));
    jsonw_i64(w, "version", pg_get_i64(r, row, SET_VERSION));
    jsonw_str(w, "description", pg_get(r, row, SET_DESCRIPTION));
}

void set_write_tail(struct jsonw *w, const PGresult *r, int row)
{
    jsonw_raw(w, "spec", pg_get(r, row, SET_SPEC));
    jsonw_str(w, "run", pg_get(r, row, SET_RUN));
    jsonw_time(w, "created_at", pg_get_i64(r, row, SET_CREATED));
    jsonw_time(w, "updated_at", pg_get_i64(r, row, SET_UPDATED));
    jsonw_str(w, "updated_by", pg_get(r, row, SET_BY));
    jsonw_close(w);
}

void set_reply_bad_lines(struct resource_wait *w, const struct bad_lines *bad, const struct err *err)
{
    if (bad->count)
        http_reply_bad_lines(w->req, 400, bad, err);
    else
        http_reply_err(w->req, err);
}

/* ---- rows ---- */

static const char *text_in(const json_t *list, size_t i)
{
    const char *s = json_string_value(json_array_get(list, i));
    return s ? s : "";
}

bool set_refuse_grade(struct resource_wait *w, const json_t *answer)
{
    if (strcmp(json_string_value(json_object_get(answer, "refused")), "grade") != 0)
        return false;
    const json_t *detail = json_object_get(answer, "detail");
    struct str text = arena_printf(
        &w->req->arena, "query \"%.100s\", document \"%.100s\": the grade is %g, above %g, the highest of %s \"%s\"",
        text_in(detail, 0), text_in(detail, 1), json_number_value(json_array_get(detail, 2)),
        json_number_value(json_object_get(answer, "max_grade")), w->kind->what, w->name);
    http_reply_problem(w->req, 400, text.p);
    return true;
}

/* {"name": …, what the database says, what the handler adds} */
static void reply_edit(struct resource_wait *w, const json_t *answer)
{
    struct buf b, rest;
    buf_init(&b, SETS_ANSWER_MAX);
    buf_init(&rest, SETS_ANSWER_MAX);
    json_write(&rest, answer);
    buf_add_c(&b, "{\"name\":");
    buf_add_json_str(&b, str_of(w->name));
    buf_add_str(&b, w->extra);
    buf_add_byte(&b, ',');
    buf_add_str(&b, (struct str){ buf_str(&rest).p + 1, rest.n - 1 });
    buf_release(&rest);
    http_reply_buf(w->req, 200, &b, "the answer");
}

static void on_rows(void *arg, const PGresult *r, const struct err *err)
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
    long long version = json_integer_value(json_object_get(answer, "version"));
    rows_etag(w->req, arena_printf(&w->req->arena, "%lld", version));
    reply_edit(w, answer);
}

void set_put(struct resource_wait *w, const char *props, const char *rows, const char *mode)
{
    const struct set_kind *kind = (const struct set_kind *)w->kind; /* its first member */
    const char *expected;
    struct err err;
    if (!http_if_match(w->req, kind->resource.what, &expected, &err)) {
        http_reply_err(w->req, &err);
        return;
    }
    const char *params[] = { w->name, props, rows, mode, expected, resource_actor(w->req) };
    if (rows)
        pgloop_run(w->worker->pg, &queries[kind->put], params, on_rows, w);
    else
        resource_change(w, kind->put, params);
}

void set_take_out(struct resource_wait *w, int statement, const char *rows)
{
    const char *expected;
    struct err err;
    if (!http_if_match(w->req, w->kind->what, &expected, &err)) {
        http_reply_err(w->req, &err);
        return;
    }
    const char *params[] = { w->name, rows, expected, resource_actor(w->req) };
    pgloop_run(w->worker->pg, &queries[statement], params, on_rows, w);
}

/* ---- properties ---- */

static void edit(struct http_request *req, void *worker, const struct set_kind *kind, const char *must, int status)
{
    struct resource_wait *wait = resource_wait_new(req, worker, &kind->resource);
    struct str name = req->params[0];
    struct err err;
    struct jsonw w;
    AUTO(buf_release) struct buf b;
    buf_init(&b, PROPS_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "must", must);
    bool ok = kind->read(req, must, &w, &name, &err) &&
              http_name_check(name, arena_printf(&req->arena, "the name of a %s", kind->resource.what).p, &err);
    jsonw_close(&w);
    if (!ok || !buf_ok(&b, "the request", &err)) {
        http_reply_err(req, &err);
        return;
    }
    wait->name = arena_cstr(&req->arena, name);
    wait->status = status;
    set_put(wait, b.p, NULL, "merge");
}

void sets_create(struct http_request *req, void *worker, const struct set_kind *kind)
{
    edit(req, worker, kind, "be_new", 201);
}

void sets_patch(struct http_request *req, void *worker, const struct set_kind *kind)
{
    edit(req, worker, kind, "exist", 200);
}
