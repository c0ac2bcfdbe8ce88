#include "experimentd/dictionaries/handlers.h"

#include "experimentd/dictionaries/dictionary.h"
#include "experimentd/http/asks.h"
#include "experimentd/queries.h"
#include "experimentd/resources/resource.h"

enum { ANSWER_MAX = DICTIONARY_BYTES_MAX + 4096 };
/* Columns of QUERY_DICTIONARIES; of QUERY_DICTIONARY_WORDS the words behind them. */
enum column { NAME, WORDS, TOTAL, BYTES, VERSION, CREATED, UPDATED, BY, CONTENT };

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

static const struct resource_kind kind = {
    .what = "dictionary",
    .form = { .write = write_one, .list = "dictionaries", .one = "the dictionary", .bytes_max = ANSWER_MAX },
    .read = QUERY_DICTIONARIES,
    .remove = QUERY_DICTIONARY_DELETE,
    .version_column = VERSION
};

void dictionaries_get(struct http_request *req, void *arg)
{
    resource_get(req, arg, &kind);
}

void dictionaries_list(struct http_request *req, void *arg)
{
    resource_list(req, arg, &kind);
}

static void reply_words(struct resource_wait *w, const PGresult *r)
{
    http_reply(w->req, 200, "text/plain; charset=utf-8", pg_get(r, 0, CONTENT));
}

static const struct resource_kind words = {
    .what = "dictionary", .read = QUERY_DICTIONARY_WORDS, .version_column = VERSION, .reply = reply_words
};

void dictionaries_words(struct http_request *req, void *arg)
{
    resource_get(req, arg, &words);
}

static void store(struct resource_wait *wait, const struct dictionary *d, const char *expected)
{
    struct arena *arena = &wait->req->arena;
    const char *params[] = { wait->name,
                             d->content.p,
                             arena_printf(arena, "%u", d->words).p,
                             arena_printf(arena, "%llu", (unsigned long long)d->total).p,
                             expected,
                             resource_actor(wait->req) };
    resource_change(wait, QUERY_DICTIONARY_PUT, params);
}

static void put_words(struct resource_wait *wait, const char *expected, bool only_checked)
{
    struct http_request *req = wait->req;
    struct dictionary d;
    struct err err;
    if (!dictionary_read(req->body, &req->arena, &d, &err))
        http_reply_bad_lines(req, 400, &d.bad, &err);
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
    struct resource_wait *wait = resource_wait_new(req, arg, &kind);
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
    resource_delete(req, arg, &kind);
}
