#include "experimentd/dictionaries/handlers.h"

#include "base/json.h"
#include "base/jsonw.h"
#include "base/pgloop.h"
#include "experimentd/dictionaries/dictionary.h"
#include "experimentd/http/asks.h"
#include "experimentd/queries.h"
#include "experimentd/worker.h"

enum { ANSWER_MAX = DICTIONARY_BYTES_MAX + 4096 };
/* Columns of QUERY_DICTIONARIES; of QUERY_DICTIONARY_WORDS the words behind them. */
enum column { NAME, WORDS, TOTAL, BYTES, VERSION, CREATED, UPDATED, BY, CONTENT };

struct wait {
    struct http_request *req;
    struct worker *worker;
    const char *name;
    bool created, words;
};

static struct wait *wait_new(struct http_request *req, void *worker)
{
    struct wait *w = arena_zalloc(&req->arena, sizeof *w);
    *w = (struct wait){ .req = req, .worker = worker, .name = arena_cstr(&req->arena, req->params[0]) };
    return w;
}

/* ---- answers ---- */

static void not_known(struct wait *wait)
{
    struct err err;
    (void)err_set(&err, ERR_NOT_FOUND, "there is no dictionary \"%s\"", wait->name);
    http_reply_err(wait->req, &err);
}

static void write_one(struct jsonw *w, const PGresult *r, int row)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "name", pg_get(r, row, NAME));
    jsonw_i64(w, "words", pg_get_i64(r, row, WORDS));
    jsonw_i64(w, "total", pg_get_i64(r, row, TOTAL));
    jsonw_i64(w, "bytes", pg_get_i64(r, row, BYTES));
    jsonw_i64(w, "version", pg_get_i64(r, row, VERSION));
    jsonw_time(w, "created_at", pg_get_i64(r, row, CREATED));
    jsonw_time(w, "updated_at", pg_get_i64(r, row, UPDATED));
    jsonw_str(w, "updated_by", pg_get(r, row, BY));
    jsonw_close(w);
}

static void reply_one(struct wait *wait, const PGresult *r)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    write_one(&w, r, 0);
    http_reply_buf(wait->req, wait->created ? 201 : 200, &b, "the dictionary");
}

static void on_one(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    struct http_request *req = wait->req;
    if (err) {
        http_reply_err(req, err);
        return;
    }
    if (PQntuples(r) == 0) {
        not_known(wait);
        return;
    }
    http_reply_header(req, STR("ETag"), arena_printf(&req->arena, "\"%lld\"", (long long)pg_get_i64(r, 0, VERSION)));
    if (wait->words)
        http_reply(req, 200, "text/plain; charset=utf-8", pg_get(r, 0, CONTENT));
    else
        reply_one(wait, r);
}

static void read_one(struct wait *wait)
{
    const char *params[] = { wait->name };
    pgloop_run(wait->worker->pg, &queries[wait->words ? QUERY_DICTIONARY_WORDS : QUERY_DICTIONARIES], params, on_one,
               wait);
}

void dictionaries_get(struct http_request *req, void *arg)
{
    read_one(wait_new(req, arg));
}

void dictionaries_words(struct http_request *req, void *arg)
{
    struct wait *wait = wait_new(req, arg);
    wait->words = true;
    read_one(wait);
}

static void on_list(void *arg, const PGresult *r, const struct err *err)
{
    struct http_request *req = arg;
    struct buf b;
    struct jsonw w;
    if (err) {
        http_reply_err(req, err);
        return;
    }
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, "dictionaries", '[');
    for (int i = 0; i < PQntuples(r); i++)
        write_one(&w, r, i);
    jsonw_close(&w);
    jsonw_close(&w);
    http_reply_buf(req, 200, &b, "the list");
}

void dictionaries_list(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    const char *params[] = { NULL };
    pgloop_run(worker->pg, &queries[QUERY_DICTIONARIES], params, on_list, req);
}

/* ---- edits ---- */

static void refuse(struct wait *wait, const json_t *answer)
{
    const char *why = json_string_value(json_object_get(answer, "refused"));
    struct arena *arena = &wait->req->arena;
    if (strcmp(why, "missing") == 0)
        not_known(wait);
    else if (strcmp(why, "used") == 0)
        http_reply_problem(wait->req, 409,
                           arena_printf(arena, "dictionary \"%s\" is used by job \"%s\"", wait->name,
                                        json_string_value(json_object_get(answer, "detail")))
                               .p);
    else
        http_reply_problem(wait->req, 412,
                           arena_printf(arena, "If-Match is not the version of dictionary \"%s\", which is \"%lld\"",
                                        wait->name, (long long)json_integer_value(json_object_get(answer, "version")))
                               .p);
}

static void on_edited(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    struct err bad;
    if (err) {
        http_reply_err(wait->req, err);
        return;
    }
    json_auto_t *answer = json_parse(pg_get(r, 0, 0), &bad);
    if (json_object_get(answer, "refused")) {
        refuse(wait, answer);
    } else if (wait->req->method == HTTP_DELETE_) {
        http_reply(wait->req, 204, NULL, STR(""));
    } else {
        wait->created = json_is_true(json_object_get(answer, "created"));
        read_one(wait);
    }
}

/* A problem that names the lines. */
static void reply_errors(struct http_request *req, const struct dictionary *d, const struct err *err)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "type", "about:blank");
    jsonw_text(&w, "title", "Bad Request");
    jsonw_i64(&w, "status", 400);
    jsonw_text(&w, "detail", err->text);
    jsonw_open(&w, "errors", '[');
    for (size_t i = 0; i < d->errors_count && i < DICTIONARY_ERRORS_MAX; i++) {
        jsonw_open(&w, NULL, '{');
        jsonw_i64(&w, "line", (int64_t)d->errors[i].line);
        jsonw_text(&w, "error", d->errors[i].err.text);
        jsonw_close(&w);
    }
    jsonw_close(&w);
    jsonw_close(&w);
    http_reply(req, 400, "application/problem+json", buf_str(&b));
    buf_release(&b);
}

static void store(struct wait *wait, const struct dictionary *d, const char *expected)
{
    struct arena *arena = &wait->req->arena;
    const char *params[] = { wait->name,
                             d->content.p,
                             arena_printf(arena, "%u", d->words).p,
                             arena_printf(arena, "%llu", (unsigned long long)d->total).p,
                             expected,
                             arena_cstr(arena, wait->req->key_label) };
    pgloop_run(wait->worker->pg, &queries[QUERY_DICTIONARY_PUT], params, on_edited, wait);
}

static void put_words(struct wait *wait, const char *expected, bool only_checked)
{
    struct http_request *req = wait->req;
    struct dictionary d;
    struct err err;
    if (!dictionary_read(req->body, &req->arena, &d, &err))
        reply_errors(req, &d, &err);
    else if (only_checked)
        http_reply_json(req, 200,
                        arena_printf(&req->arena, "{\"words\":%u,\"total\":%llu,\"bytes\":%zu}", d.words,
                                     (unsigned long long)d.total, d.content.n));
    else
        store(wait, &d, expected);
    buf_release(&d.content);
}

void dictionaries_put(struct http_request *req, void *arg)
{
    struct wait *wait = wait_new(req, arg);
    const char *expected;
    bool only_checked;
    struct err err;
    if (!http_name_check(req->params[0], "the name of a dictionary", &err) ||
        !http_if_match(req, "dictionary", &expected, &err) ||
        !http_query_flag(req, STR("dry_run"), &only_checked, &err)) {
        http_reply_err(req, &err);
    } else {
        put_words(wait, expected, only_checked);
    }
}

void dictionaries_delete(struct http_request *req, void *arg)
{
    struct wait *wait = wait_new(req, arg);
    const char *expected;
    struct err err;
    if (!http_if_match(req, "dictionary", &expected, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { wait->name, expected, arena_cstr(&req->arena, req->key_label) };
    pgloop_run(wait->worker->pg, &queries[QUERY_DICTIONARY_DELETE], params, on_edited, wait);
}
