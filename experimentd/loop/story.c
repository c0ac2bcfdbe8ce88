/* The story of a model: its loop, what was done step by step, and the versions that the steps are about. */
#include "base/jsonw.h"
#include "base/pgloop.h"
#include "experimentd/loop/document.h"
#include "experimentd/loop/handlers.h"
#include "experimentd/loop/step_json.h"
#include "experimentd/models/model_json.h"
#include "experimentd/queries.h"
#include "experimentd/worker.h"

enum { ANSWER_MAX = 64 << 20, PAGE = 100, PAGE_MAX = 500 };

struct story {
    struct http_request *req;
    const char *model;
    uint32_t size;
    struct err failed; /* the first failure of the three */
    struct buf b;
    struct jsonw w;
};

/* The statements come behind one another: the first failure is the answer, when the last has come back; with the answer the request ends, and this with it. */
static bool is_open(struct story *s, const struct err *err)
{
    if (err && s->failed.kind == ERR_NONE)
        s->failed = *err;
    return s->failed.kind == ERR_NONE;
}

static void on_loop(void *arg, const PGresult *r, const struct err *err)
{
    struct story *s = arg;
    struct err missing;
    if (!err && PQntuples(r) == 0)
        (void)err_set(&missing, ERR_NOT_FOUND, "model \"%.64s\" is not known", s->model);
    if (!is_open(s, err ? err : PQntuples(r) == 0 ? &missing : NULL))
        return;
    buf_init(&s->b, ANSWER_MAX);
    jsonw_init(&s->w, &s->b);
    jsonw_open(&s->w, NULL, '{');
    jsonw_text(&s->w, "model", s->model);
    jsonw_str(&s->w, "kind", pg_get(r, 0, LOOP_KIND_COLUMN));
    jsonw_raw(&s->w, "aliases", pg_get(r, 0, LOOP_ALIASES_COLUMN));
    if (PQgetisnull(r, 0, LOOP_SPEC_COLUMN)) {
        jsonw_null(&s->w, "loop");
    } else {
        jsonw_open(&s->w, "loop", '{');
        loop_document_write(&s->w, r, 0);
        jsonw_close(&s->w);
    }
}

static void on_steps(void *arg, const PGresult *r, const struct err *err)
{
    struct story *s = arg;
    if (!is_open(s, err))
        return;
    int rows = PQntuples(r), shown = rows > (int)s->size ? (int)s->size : rows;
    jsonw_open(&s->w, "steps", '[');
    for (int i = 0; i < shown; i++) {
        jsonw_open(&s->w, NULL, '{');
        step_write(&s->w, r, i, 0);
        jsonw_close(&s->w);
    }
    jsonw_close(&s->w);
    if (rows > shown)
        jsonw_str(&s->w, "next_page_token", pg_get(r, shown - 1, STEP_ID_COLUMN));
}

static void on_versions(void *arg, const PGresult *r, const struct err *err)
{
    struct story *s = arg;
    if (!is_open(s, err)) {
        buf_release(&s->b);
        http_reply_err(s->req, &s->failed);
        return;
    }
    jsonw_open(&s->w, "versions", '[');
    for (int i = 0; i < PQntuples(r); i++)
        version_write(&s->w, r, i);
    jsonw_close(&s->w);
    jsonw_close(&s->w);
    http_reply_buf(s->req, 200, &s->b, "the story");
}

static bool read_page(struct http_request *req, struct story *s, const char **before, struct err *err)
{
    struct str text;
    uint64_t id;
    s->size = PAGE;
    *before = "9223372036854775807";
    if (http_query(req, STR("page_size"), &text) &&
        (!parse_u32(text, &s->size, NULL) || !s->size || s->size > PAGE_MAX))
        return err_set(err, ERR_INVALID, "query string: field \"page_size\" is not 1 to %d", PAGE_MAX);
    if (http_query(req, STR("page_token"), &text) && text.n) {
        if (!parse_u64(text, &id, NULL) || id > INT64_MAX)
            return err_set(err, ERR_INVALID, "query string: field \"page_token\" is none that was given");
        *before = arena_cstr(&req->arena, text);
    }
    return true;
}

void stories_get(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    struct story *s = arena_zalloc(&req->arena, sizeof *s);
    struct err err;
    const char *before;
    *s = (struct story){ .req = req, .model = arena_cstr(&req->arena, req->params[0]) };
    if (!read_page(req, s, &before, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *steps[] = { s->model, before, arena_printf(&req->arena, "%u", s->size + 1).p };
    pgloop_run(worker->pg, &queries[QUERY_LOOP], &s->model, on_loop, s);
    pgloop_run(worker->pg, &queries[QUERY_LOOP_STEPS], steps, on_steps, s);
    pgloop_run(worker->pg, &queries[QUERY_LOOP_VERSIONS], steps, on_versions, s);
}
