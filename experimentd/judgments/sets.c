#include "experimentd/judgments/sets.h"

#include "base/json.h"
#include "experimentd/http/asks.h"
#include "experimentd/queries.h"

enum { PROPS_MAX = 64 << 10 };

struct set_wait *set_wait_new(struct http_request *req, void *worker, const struct set_kind *kind)
{
    struct set_wait *w = arena_zalloc(&req->arena, sizeof *w);
    *w = (struct set_wait){ .req = req, .worker = worker, .kind = kind, .extra = STR("") };
    if (req->params[0].p)
        w->name = arena_cstr(&req->arena, req->params[0]);
    return w;
}

/* ---- answers ---- */

void set_fail(struct set_wait *w, const struct err *err)
{
    http_reply_err(w->req, err);
}

void set_not_known(struct set_wait *w)
{
    struct err err;
    (void)err_set(&err, ERR_NOT_FOUND, "there is no %s \"%.100s\"", w->kind->what, w->name);
    set_fail(w, &err);
}

void set_etag(struct set_wait *w, struct str version)
{
    http_reply_header(w->req, STR("ETag"), arena_printf(&w->req->arena, "\"" STR_FMT "\"", STR_ARG(version)));
}

void set_reply_bad_lines(struct set_wait *wait, const struct bad_lines *bad, const struct err *err)
{
    struct buf b;
    struct jsonw w;
    if (bad->count == 0) {
        set_fail(wait, err);
        return;
    }
    buf_init(&b, SETS_ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "type", "about:blank");
    jsonw_text(&w, "title", "Bad Request");
    jsonw_i64(&w, "status", 400);
    jsonw_text(&w, "detail", err->text);
    jsonw_open(&w, "errors", '[');
    for (size_t i = 0; i < bad->count && i < BAD_LINES_MAX; i++) {
        jsonw_open(&w, NULL, '{');
        jsonw_i64(&w, "line", (int64_t)bad->first[i].line);
        jsonw_text(&w, "error", bad->first[i].err.text);
        jsonw_close(&w);
    }
    jsonw_close(&w);
    jsonw_close(&w);
    http_reply(wait->req, 400, "application/problem+json", buf_str(&b));
    buf_release(&b);
}

/* ---- reading ---- */

static void write_set(const struct set_kind *kind, struct jsonw *w, const PGresult *r, int row)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "name", pg_get(r, row, SET_NAME));
    jsonw_i64(w, "version", pg_get_i64(r, row, SET_VERSION));
    jsonw_str(w, "description", pg_get(r, row, SET_DESCRIPTION));
    kind->write(w, r, row);
    jsonw_raw(w, "spec", pg_get(r, row, SET_SPEC));
    jsonw_str(w, "run", pg_get(r, row, SET_RUN));
    jsonw_time(w, "created_at", pg_get_i64(r, row, SET_CREATED));
    jsonw_time(w, "updated_at", pg_get_i64(r, row, SET_UPDATED));
    jsonw_str(w, "updated_by", pg_get(r, row, SET_BY));
    jsonw_close(w);
}

static void on_list(void *arg, const PGresult *r, const struct err *err)
{
    struct set_wait *wait = arg;
    struct buf b;
    struct jsonw w;
    if (err) {
        set_fail(wait, err);
        return;
    }
    buf_init(&b, SETS_ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, wait->kind->list, '[');
    for (int i = 0; i < PQntuples(r); i++)
        write_set(wait->kind, &w, r, i);
    jsonw_close(&w);
    jsonw_close(&w);
    http_reply_buf(wait->req, 200, &b, "the list");
}

static void on_one(void *arg, const PGresult *r, const struct err *err)
{
    struct set_wait *wait = arg;
    struct buf b;
    struct jsonw w;
    if (err) {
        set_fail(wait, err);
        return;
    }
    if (PQntuples(r) == 0) {
        set_not_known(wait);
        return;
    }
    set_etag(wait, pg_get(r, 0, SET_VERSION));
    buf_init(&b, SETS_ANSWER_MAX);
    jsonw_init(&w, &b);
    write_set(wait->kind, &w, r, 0);
    http_reply_buf(wait->req, wait->status ? wait->status : 200, &b, wait->kind->what);
}

static void read_sets(struct set_wait *w, const char *name, pgloop_fn then)
{
    const char *params[] = { name };
    pgloop_run(w->worker->pg, &queries[w->kind->all], params, then, w);
}

void sets_list(struct http_request *req, void *worker, const struct set_kind *kind)
{
    read_sets(set_wait_new(req, worker, kind), NULL, on_list);
}

void sets_get(struct http_request *req, void *worker, const struct set_kind *kind)
{
    struct set_wait *w = set_wait_new(req, worker, kind);
    read_sets(w, w->name, on_one);
}

/* ---- edits ---- */

static const char *text_in(const json_t *list, size_t i)
{
    const char *s = json_string_value(json_array_get(list, i));
    return s ? s : "";
}

static struct str grade_refused(struct set_wait *w, const json_t *answer)
{
    const json_t *detail = json_object_get(answer, "detail");
    return arena_printf(&w->req->arena,
                        "query \"%.100s\", document \"%.100s\": the grade is %g, above %g, the highest of %s \"%s\"",
                        text_in(detail, 0), text_in(detail, 1), json_number_value(json_array_get(detail, 2)),
                        json_number_value(json_object_get(answer, "max_grade")), w->kind->what, w->name);
}

static void refuse(struct set_wait *w, const json_t *answer)
{
    const char *why = json_string_value(json_object_get(answer, "refused"));
    struct arena *arena = &w->req->arena;
    struct str text = STR("");
    int status = 409;
    if (strcmp(why, "missing") == 0) {
        set_not_known(w);
        return;
    }
    if (strcmp(why, "exists") == 0)
        text = arena_printf(arena, "there is a %s \"%s\" already", w->kind->what, w->name);
    else if (strcmp(why, "used") == 0)
        text = arena_printf(arena, "%s \"%s\" is used by job \"%s\"", w->kind->what, w->name,
                            json_string_value(json_object_get(answer, "detail")));
    else if (strcmp(why, "grade") == 0)
        text = grade_refused(w, answer);
    else
        text = arena_printf(arena, "If-Match is not the version of %s \"%s\", which is \"%lld\"", w->kind->what,
                            w->name, (long long)json_integer_value(json_object_get(answer, "version")));
    if (strcmp(why, "grade") == 0)
        status = 400;
    else if (strcmp(why, "version") == 0)
        status = 412;
    http_reply_problem(w->req, status, text.p);
}

/* {"name": …, what the database says, what the handler adds} */
static void reply_edit(struct set_wait *w, const json_t *answer)
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

static void on_edited(void *arg, const PGresult *r, const struct err *err)
{
    struct set_wait *w = arg;
    struct err bad;
    if (err) {
        set_fail(w, err);
        return;
    }
    json_auto_t *answer = json_parse(pg_get(r, 0, 0), &bad);
    const json_t *version = json_object_get(answer, "version");
    if (json_object_get(answer, "refused")) {
        refuse(w, answer);
    } else if (!version) {
        http_reply(w->req, 204, NULL, STR("")); /* deleted */
    } else if (w->status) {
        read_sets(w, w->name, on_one);
    } else {
        set_etag(w, arena_printf(&w->req->arena, "%lld", (long long)json_integer_value(version)));
        reply_edit(w, answer);
    }
}

static const char *actor(struct http_request *req)
{
    return arena_cstr(&req->arena, req->key_label);
}

void set_put(struct set_wait *w, const char *props, const char *rows, const char *mode)
{
    const char *expected;
    struct err err;
    if (!http_if_match(w->req, w->kind->what, &expected, &err)) {
        set_fail(w, &err);
        return;
    }
    const char *params[] = { w->name, props, rows, mode, expected, actor(w->req) };
    pgloop_run(w->worker->pg, &queries[w->kind->put], params, on_edited, w);
}

void set_take_out(struct set_wait *w, int statement, const char *rows)
{
    const char *expected;
    struct err err;
    if (!http_if_match(w->req, w->kind->what, &expected, &err)) {
        set_fail(w, &err);
        return;
    }
    const char *params[] = { w->name, rows, expected, actor(w->req) };
    pgloop_run(w->worker->pg, &queries[statement], params, on_edited, w);
}

void sets_remove(struct http_request *req, void *worker, const struct set_kind *kind)
{
    struct set_wait *w = set_wait_new(req, worker, kind);
    const char *expected;
    struct err err;
    if (!http_if_match(req, kind->what, &expected, &err)) {
        set_fail(w, &err);
        return;
    }
    const char *params[] = { w->name, expected, actor(req) };
    pgloop_run(w->worker->pg, &queries[kind->remove], params, on_edited, w);
}

static void edit(struct http_request *req, void *worker, const struct set_kind *kind, const char *must, int status)
{
    struct set_wait *wait = set_wait_new(req, worker, kind);
    struct str name = req->params[0];
    struct err err;
    struct jsonw w;
    AUTO(buf_release) struct buf b;
    buf_init(&b, PROPS_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "must", must);
    bool ok = kind->read(req, must, &w, &name, &err) &&
              http_name_check(name, arena_printf(&req->arena, "the name of a %s", kind->what).p, &err);
    jsonw_close(&w);
    if (!ok || !buf_ok(&b, "the request", &err)) {
        set_fail(wait, &err);
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
