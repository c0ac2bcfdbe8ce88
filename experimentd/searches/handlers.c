#include "experimentd/searches/handlers.h"

#include "base/json.h"
#include "base/jsonw.h"
#include "base/pgloop.h"
#include "experimentd/queries.h"
#include "experimentd/searches/run_file.h"
#include "experimentd/worker.h"
#include "job/search.h"

enum { ANSWER_MAX = 8 << 20, NAME_MAX_BYTES = 64, DESCRIPTION_MAX = 1000 };
/* Columns of QUERY_SEARCHES. */
enum column { NAME, DESCRIPTION, SPEC, LISTS, VERSION, CREATED, UPDATED, BY };

struct wait {
    struct http_request *req;
    struct worker *worker;
    const char *name;
    bool created;
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
    (void)err_set(&err, ERR_NOT_FOUND, "there is no search \"%s\"", wait->name);
    http_reply_err(wait->req, &err);
}

/* What stands in the spec stands beside the name: what PUT takes is what GET gives. */
static void write_one(struct jsonw *w, const PGresult *r, int row)
{
    struct err err;
    const char *key;
    json_t *value;
    json_auto_t *spec = json_parse(pg_get(r, row, SPEC), &err);
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "name", pg_get(r, row, NAME));
    jsonw_str(w, "description", pg_get(r, row, DESCRIPTION));
    json_object_foreach(spec, key, value)
    {
        AUTO(buf_release) struct buf b;
        buf_init(&b, ANSWER_MAX);
        json_write(&b, value);
        jsonw_raw(w, key, buf_str(&b));
    }
    jsonw_i64(w, "lists", pg_get_i64(r, row, LISTS));
    jsonw_i64(w, "version", pg_get_i64(r, row, VERSION));
    jsonw_time(w, "created_at", pg_get_i64(r, row, CREATED));
    jsonw_time(w, "updated_at", pg_get_i64(r, row, UPDATED));
    jsonw_str(w, "updated_by", pg_get(r, row, BY));
    jsonw_close(w);
}

static void on_one(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    struct http_request *req = wait->req;
    struct buf b;
    struct jsonw w;
    if (err) {
        http_reply_err(req, err);
        return;
    }
    if (PQntuples(r) == 0) {
        not_known(wait);
        return;
    }
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    write_one(&w, r, 0);
    http_reply_header(req, STR("ETag"), arena_printf(&req->arena, "\"%lld\"", (long long)pg_get_i64(r, 0, VERSION)));
    http_reply_buf(req, wait->created ? 201 : 200, &b, "the search");
}

static void read_one(struct wait *wait)
{
    const char *params[] = { wait->name };
    pgloop_run(wait->worker->pg, &queries[QUERY_SEARCHES], params, on_one, wait);
}

void searches_get(struct http_request *req, void *arg)
{
    read_one(wait_new(req, arg));
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
    jsonw_open(&w, "searches", '[');
    for (int i = 0; i < PQntuples(r); i++)
        write_one(&w, r, i);
    jsonw_close(&w);
    jsonw_close(&w);
    http_reply_buf(req, 200, &b, "the list");
}

void searches_list(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    const char *params[] = { NULL };
    pgloop_run(worker->pg, &queries[QUERY_SEARCHES], params, on_list, req);
}

/* ---- edits ---- */

/* NULL: any version. */
static bool read_if_match(struct http_request *req, const char **out, struct err *err)
{
    struct str match = http_header(req, STR("if-match"));
    uint32_t version;
    *out = NULL;
    if (!match.n || str_eq(match, STR("*")))
        return true;
    if (match.n < 3 || match.p[0] != '"' || match.p[match.n - 1] != '"' ||
        !parse_u32((struct str){ match.p + 1, match.n - 2 }, &version, NULL))
        return err_set(err, ERR_INVALID,
                       "header \"If-Match\" must be an ETag of the search, like \"3\" with its quotes");
    *out = arena_printf(&req->arena, "%u", version).p;
    return true;
}

static void refuse(struct wait *wait, const json_t *answer)
{
    const char *why = json_string_value(json_object_get(answer, "refused"));
    struct arena *arena = &wait->req->arena;
    if (strcmp(why, "missing") == 0)
        not_known(wait);
    else if (strcmp(why, "used") == 0)
        http_reply_problem(wait->req, 409,
                           arena_printf(arena, "search \"%s\" is used by job \"%s\"", wait->name,
                                        json_string_value(json_object_get(answer, "detail")))
                               .p);
    else if (strcmp(why, "lists") == 0)
        http_reply_problem(wait->req, 409, "a search that was given lists stays of engine \"run\"");
    else if (strcmp(why, "engine") == 0)
        http_reply_problem(wait->req, 409, "only a search of engine \"run\" has lists");
    else
        http_reply_problem(wait->req, 412,
                           arena_printf(arena, "If-Match is not the version of search \"%s\", which is \"%lld\"",
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

static bool check_name(struct str s, struct err *err)
{
    bool good = s.n > 0 && s.n <= NAME_MAX_BYTES;
    for (size_t i = 0; i < s.n && good; i++) {
        bool letter = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9');
        good = letter || (i > 0 && s.p[i] && strchr("_.-", s.p[i]));
    }
    return good || err_set(err, ERR_INVALID,
                           "the name of a search has small letters, digits and _ . - behind the first, at most %d",
                           NAME_MAX_BYTES);
}

static bool dry_run(struct http_request *req, bool *out, struct err *err)
{
    struct str text;
    *out = false;
    return !http_query(req, STR("dry_run"), &text) || parse_bool(text, out, NULL) ||
           err_set(err, ERR_INVALID, "query parameter \"dry_run\" is \"" STR_FMT "\", neither true nor false",
                   STR_ARG(str_cut(text, 60)));
}

/* What GET gives beside the spec may come back: it is not looked at. */
static bool read_document(struct http_request *req, struct str *out_description, struct str *out_spec, struct err *err)
{
    static const char *const shown[] = { "name",       "description", "lists",     "version",
                                         "created_at", "updated_at",  "updated_by" };
    json_auto_t *root = json_parse(req->body, err);
    struct search_config c;
    struct buf b;
    struct jsonw w;
    if (!root)
        return false;
    if (!json_is_object(root))
        return err_set(err, ERR_INVALID, "the body is no JSON object");
    const json_t *description = json_object_get(root, "description");
    if (description && (!json_is_string(description) || json_string_length(description) > DESCRIPTION_MAX))
        return err_set(err, ERR_INVALID, "search: field \"description\" is no text of up to %d bytes", DESCRIPTION_MAX);
    *out_description = arena_str(&req->arena, str_of(description ? json_string_value(description) : ""));
    for (size_t i = 0; i < COUNT_OF(shown); i++)
        (void)json_object_del(root, shown[i]);
    if (!search_config_read(root, &req->arena, &c, err))
        return false;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    search_config_write(&w, NULL, &c);
    *out_spec = arena_str(&req->arena, buf_str(&b));
    buf_release(&b);
    return true;
}

void searches_put(struct http_request *req, void *arg)
{
    struct wait *wait = wait_new(req, arg);
    const char *expected;
    bool only_checked;
    struct str description, spec;
    struct err err;
    if (!check_name(req->params[0], &err) || !read_if_match(req, &expected, &err) ||
        !dry_run(req, &only_checked, &err) || !read_document(req, &description, &spec, &err)) {
        http_reply_err(req, &err);
    } else if (only_checked) {
        http_reply_json(req, 200, spec);
    } else {
        const char *params[] = { wait->name, arena_cstr(&req->arena, description), arena_cstr(&req->arena, spec),
                                 expected, arena_cstr(&req->arena, req->key_label) };
        pgloop_run(wait->worker->pg, &queries[QUERY_SEARCH_PUT], params, on_edited, wait);
    }
}

void searches_delete(struct http_request *req, void *arg)
{
    struct wait *wait = wait_new(req, arg);
    const char *expected;
    struct err err;
    if (!read_if_match(req, &expected, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { wait->name, expected, arena_cstr(&req->arena, req->key_label) };
    pgloop_run(wait->worker->pg, &queries[QUERY_SEARCH_DELETE], params, on_edited, wait);
}

/* ---- lists ---- */

static bool read_format(struct http_request *req, enum run_file_format *out, struct err *err)
{
    struct str text;
    if (!http_query(req, STR("format"), &text))
        return err_set(err, ERR_INVALID, "query parameter \"format\" is missing: trec, csv or jsonl");
    for (int i = 0; i < RUN_FILE_FORMATS; i++)
        if (str_eq_c(text, run_file_formats[i])) {
            *out = (enum run_file_format)i;
            return true;
        }
    return err_set(err, ERR_INVALID, "query parameter \"format\" is \"" STR_FMT "\", not trec, csv or jsonl",
                   STR_ARG(str_cut(text, 60)));
}

/* A problem that names the lines. */
static void reply_errors(struct http_request *req, const struct run_file *f, const struct err *err)
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
    for (size_t i = 0; i < f->errors_count && i < RUN_FILE_ERRORS_MAX; i++) {
        jsonw_open(&w, NULL, '{');
        jsonw_i64(&w, "line", (int64_t)f->errors[i].line);
        jsonw_text(&w, "error", f->errors[i].err.text);
        jsonw_close(&w);
    }
    jsonw_close(&w);
    jsonw_close(&w);
    http_reply(req, 400, "application/problem+json", buf_str(&b));
    buf_release(&b);
}

void searches_put_lists(struct http_request *req, void *arg)
{
    struct wait *wait = wait_new(req, arg);
    const char *expected;
    enum run_file_format format;
    struct run_file f;
    struct err err;
    if (!read_if_match(req, &expected, &err) || !read_format(req, &format, &err)) {
        http_reply_err(req, &err);
        return;
    }
    if (!run_file_read(format, req->body, &req->arena, &f, &err)) {
        reply_errors(req, &f, &err);
    } else {
        const char *params[] = { wait->name, f.lists.p, expected, arena_cstr(&req->arena, req->key_label) };
        pgloop_run(wait->worker->pg, &queries[QUERY_SEARCH_LISTS_PUT], params, on_edited, wait);
    }
    buf_release(&f.lists);
}
