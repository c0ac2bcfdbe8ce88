#include "experimentd/labelled/handlers.h"

#include "base/json.h"
#include "base/jsonw.h"
#include "base/pgloop.h"
#include "experimentd/labelled/labelled.h"
#include "experimentd/queries.h"
#include "experimentd/worker.h"

enum { ANSWER_MAX = LABELLED_BYTES_MAX, NAME_MAX_BYTES = 64, PAGE = 100, PAGE_MAX = 1000 };
/* Columns of QUERY_LABELLED_SETS, QUERY_LABELLED_TEXTS. */
enum set_column { NAME, TEXTS, LABELS, MANUAL, VERSION, RUN, CREATED, UPDATED, BY, BY_LABEL };
enum text_column { TEXT, TEXT_LABEL, WEIGHT, SOURCE };

struct wait {
    struct http_request *req;
    struct worker *worker;
    const char *name;
    enum labelled_format format;
    uint32_t page_size;
    bool created;
    struct str changes; /* what an edit did, as JSON; n = 0: it is read only */
};

static struct wait *wait_new(struct http_request *req, void *worker)
{
    struct wait *w = arena_zalloc(&req->arena, sizeof *w);
    *w = (struct wait){ .req = req, .worker = worker, .name = arena_cstr(&req->arena, req->params[0]) };
    return w;
}

/* ---- sets ---- */

static void not_known(struct wait *wait)
{
    struct err err;
    (void)err_set(&err, ERR_NOT_FOUND, "there are no labelled texts \"%s\"", wait->name);
    http_reply_err(wait->req, &err);
}

static void write_set(struct jsonw *w, const PGresult *r, int row)
{
    jsonw_str(w, "name", pg_get(r, row, NAME));
    jsonw_i64(w, "texts", pg_get_i64(r, row, TEXTS));
    jsonw_i64(w, "labels", pg_get_i64(r, row, LABELS));
    jsonw_i64(w, "manual", pg_get_i64(r, row, MANUAL));
    jsonw_i64(w, "version", pg_get_i64(r, row, VERSION));
    jsonw_str(w, "run", PQgetisnull(r, row, RUN) ? (struct str){ NULL, 0 } : pg_get(r, row, RUN));
    jsonw_time(w, "created_at", pg_get_i64(r, row, CREATED));
    jsonw_time(w, "updated_at", pg_get_i64(r, row, UPDATED));
    jsonw_str(w, "updated_by", pg_get(r, row, BY));
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
    jsonw_open(&w, "labelled_texts", '[');
    for (int i = 0; i < PQntuples(r); i++) {
        jsonw_open(&w, NULL, '{');
        write_set(&w, r, i);
        jsonw_close(&w);
    }
    jsonw_close(&w);
    jsonw_close(&w);
    http_reply_buf(req, 200, &b, "the list");
}

void labelled_list(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    const char *params[] = { NULL };
    pgloop_run(worker->pg, &queries[QUERY_LABELLED_SETS], params, on_list, req);
}

static void reply_set(struct wait *wait, const PGresult *r)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    write_set(&w, r, 0);
    jsonw_raw(&w, "by_label", pg_get(r, 0, BY_LABEL));
    if (wait->changes.n)
        jsonw_raw(&w, "changes", wait->changes);
    jsonw_close(&w);
    http_reply_buf(wait->req, wait->created ? 201 : 200, &b, "the labelled texts");
}

static void on_set(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    struct http_request *req = wait->req;
    if (err) {
        http_reply_err(req, err);
    } else if (PQntuples(r) == 0) {
        not_known(wait);
    } else {
        http_reply_header(req, STR("ETag"),
                          arena_printf(&req->arena, "\"%lld\"", (long long)pg_get_i64(r, 0, VERSION)));
        reply_set(wait, r);
    }
}

static void read_set(struct wait *wait)
{
    const char *params[] = { wait->name };
    pgloop_run(wait->worker->pg, &queries[QUERY_LABELLED_SETS], params, on_set, wait);
}

void labelled_get(struct http_request *req, void *arg)
{
    read_set(wait_new(req, arg));
}

/* ---- texts ---- */

static struct labelled_row row_of(const PGresult *r, int row)
{
    return (struct labelled_row){ pg_get(r, row, TEXT), pg_get(r, row, TEXT_LABEL), pg_get_double(r, row, WEIGHT) };
}

/* A set without texts is a row without one. */
static int texts_of(const PGresult *r)
{
    return PQgetisnull(r, 0, TEXT) ? 0 : PQntuples(r);
}

static void write_text(struct jsonw *w, const PGresult *r, int row)
{
    struct labelled_row t = row_of(r, row);
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "text", t.text);
    jsonw_str(w, "label", t.label);
    jsonw_double(w, "weight", t.weight);
    jsonw_str(w, "source", pg_get(r, row, SOURCE));
    jsonw_close(w);
}

static void on_texts(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    struct http_request *req = wait->req;
    struct str next = { NULL, 0 };
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
    int rows = texts_of(r), shown = rows > (int)wait->page_size ? (int)wait->page_size : rows;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, "texts", '[');
    for (int i = 0; i < shown; i++)
        write_text(&w, r, i);
    jsonw_close(&w);
    if (rows > shown) /* a label has no new line */
        next = arena_printf(&req->arena, STR_FMT "\n" STR_FMT, STR_ARG(pg_get(r, shown - 1, TEXT_LABEL)),
                            STR_ARG(pg_get(r, shown - 1, TEXT)));
    jsonw_str(&w, "next_page_token", next);
    jsonw_close(&w);
    http_reply_buf(req, 200, &b, "the list");
}

static bool read_page(struct wait *wait, const char *params[6], struct err *err)
{
    struct http_request *req = wait->req;
    struct str s, label;
    wait->page_size = PAGE;
    if (http_query(req, STR("page_size"), &s) &&
        (!parse_u32(s, &wait->page_size, NULL) || !wait->page_size || wait->page_size > PAGE_MAX))
        return err_set(err, ERR_INVALID, "query parameter \"page_size\" must be a whole number from 1 to %d", PAGE_MAX);
    params[5] = arena_printf(&req->arena, "%u", wait->page_size + 1).p;
    if (!http_query(req, STR("page_token"), &s) || !s.n)
        return true;
    if (!str_split(&s, '\n', &label) || !s.n || !str_is_utf8(s) || !str_is_utf8(label))
        return err_set(err, ERR_INVALID, "query parameter \"page_token\" is not one that this list gave");
    params[3] = arena_cstr(&req->arena, s);
    params[4] = arena_cstr(&req->arena, label);
    return true;
}

void labelled_texts(struct http_request *req, void *arg)
{
    struct wait *wait = wait_new(req, arg);
    const char *params[6] = { wait->name };
    struct str s;
    struct err err;
    if (!read_page(wait, params, &err)) {
        http_reply_err(req, &err);
        return;
    }
    if (http_query(req, STR("label"), &s) && s.n)
        params[1] = arena_cstr(&req->arena, s);
    if (http_query(req, STR("prefix"), &s) && s.n)
        params[2] = arena_cstr(&req->arena, s);
    pgloop_run(wait->worker->pg, &queries[QUERY_LABELLED_TEXTS], params, on_texts, wait);
}

/* ---- files ---- */

static bool read_format(struct wait *wait, struct err *err)
{
    struct str format = STR("csv");
    (void)http_query(wait->req, STR("format"), &format);
    for (int i = 0; i < LABELLED_FORMAT_COUNT; i++)
        if (str_eq_c(format, labelled_format_names[i])) {
            wait->format = (enum labelled_format)i;
            return true;
        }
    return err_set(err, ERR_INVALID, "query parameter \"format\" is \"" STR_FMT "\", neither csv nor jsonl",
                   STR_ARG(str_cut(format, 40)));
}

static void on_export(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    AUTO(buf_release) struct buf b;
    struct err full;
    buf_init(&b, ANSWER_MAX);
    if (err) {
        http_reply_err(wait->req, err);
        return;
    }
    if (PQntuples(r) == 0) {
        not_known(wait);
        return;
    }
    labelled_write_head(wait->format, &b);
    for (int i = 0; i < texts_of(r); i++) {
        struct labelled_row row = row_of(r, i);
        labelled_write_row(wait->format, &row, pg_get(r, i, SOURCE), &b);
    }
    if (!buf_ok(&b, "the export", &full))
        http_reply_err(wait->req, &full);
    else
        http_reply(wait->req, 200, labelled_format_content_types[wait->format], buf_str(&b));
}

void labelled_export(struct http_request *req, void *arg)
{
    struct wait *wait = wait_new(req, arg);
    const char *params[6] = { wait->name };
    struct err err;
    if (!read_format(wait, &err))
        http_reply_err(req, &err);
    else
        pgloop_run(wait->worker->pg, &queries[QUERY_LABELLED_TEXTS], params, on_export, wait);
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
                       "header \"If-Match\" must be an ETag of the labelled texts, like \"3\" with its quotes");
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
                           arena_printf(arena, "labelled texts \"%s\" are used by job \"%s\"", wait->name,
                                        json_string_value(json_object_get(answer, "detail")))
                               .p);
    else
        http_reply_problem(wait->req, 412,
                           arena_printf(arena,
                                        "If-Match is not the version of labelled texts \"%s\", which is \"%lld\"",
                                        wait->name, (long long)json_integer_value(json_object_get(answer, "version")))
                               .p);
}

static struct str changes_of(struct wait *wait, const json_t *answer)
{
    static const char *const names[] = { "added", "changed", "unchanged", "deleted" };
    struct buf b;
    struct jsonw w;
    buf_init(&b, 1024);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    for (size_t i = 0; i < COUNT_OF(names); i++)
        jsonw_i64(&w, names[i], json_integer_value(json_object_get(answer, names[i])));
    jsonw_close(&w);
    struct str s = arena_str(&wait->req->arena, buf_str(&b));
    buf_release(&b);
    return s;
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
        wait->changes = changes_of(wait, answer);
        read_set(wait);
    }
}

/* A problem that names the lines. */
static void reply_errors(struct http_request *req, const struct labelled_upload *u, const struct err *err)
{
    int status = http_status_of(err->kind);
    struct buf b;
    struct jsonw w;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "type", "about:blank");
    jsonw_text(&w, "title", status == 413 ? "Content Too Large" : "Bad Request");
    jsonw_i64(&w, "status", status);
    jsonw_text(&w, "detail", err->text);
    jsonw_open(&w, "errors", '[');
    for (size_t i = 0; i < u->errors_count && i < LABELLED_ERRORS_MAX; i++) {
        jsonw_open(&w, NULL, '{');
        jsonw_i64(&w, "line", (int64_t)u->errors[i].line);
        jsonw_text(&w, "error", u->errors[i].err.text);
        jsonw_close(&w);
    }
    jsonw_close(&w);
    jsonw_close(&w);
    http_reply(req, status, "application/problem+json", buf_str(&b));
    buf_release(&b);
}

static bool flag(struct http_request *req, const char *name, bool *out, struct err *err)
{
    struct str text;
    *out = false;
    return !http_query(req, str_of(name), &text) || parse_bool(text, out, NULL) ||
           err_set(err, ERR_INVALID, "query parameter \"%s\" is \"" STR_FMT "\", neither true nor false", name,
                   STR_ARG(str_cut(text, 60)));
}

static bool is_name(struct str s, struct err *err)
{
    bool ok = s.n > 0 && s.n <= NAME_MAX_BYTES;
    for (size_t i = 0; ok && i < s.n; i++) {
        bool letter = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9');
        ok = letter || (i > 0 && s.p[i] && strchr("_.-", s.p[i]));
    }
    return ok || err_set(err, ERR_INVALID,
                         "the name of labelled texts has small letters, digits and _ . - behind the first, at most %d",
                         NAME_MAX_BYTES);
}

static void import(struct wait *wait, const char *expected, bool replace, bool only_checked)
{
    struct http_request *req = wait->req;
    struct labelled_upload u;
    struct err err;
    const bool ok = labelled_read(req->body, wait->format, &req->arena, &u, &err);
    if (!ok)
        reply_errors(req, &u, &err);
    else if (only_checked)
        http_reply_json(req, 200, arena_printf(&req->arena, "{\"rows\":%u}", u.count));
    if (ok && !only_checked) {
        const char *params[] = { wait->name, u.rows.p, replace ? "true" : "false", expected,
                                 arena_cstr(&req->arena, req->key_label) };
        pgloop_run(wait->worker->pg, &queries[QUERY_LABELLED_PUT], params, on_edited, wait);
    }
    buf_release(&u.rows);
}

void labelled_import(struct http_request *req, void *arg)
{
    struct wait *wait = wait_new(req, arg);
    const char *expected;
    bool replace, only_checked;
    struct err err;
    if (!is_name(req->params[0], &err) || !read_format(wait, &err) || !read_if_match(req, &expected, &err) ||
        !flag(req, "replace", &replace, &err) || !flag(req, "dry_run", &only_checked, &err))
        http_reply_err(req, &err);
    else
        import(wait, expected, replace, only_checked);
}

void labelled_delete(struct http_request *req, void *arg)
{
    struct wait *wait = wait_new(req, arg);
    const char *expected;
    struct err err;
    if (!read_if_match(req, &expected, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { wait->name, expected, arena_cstr(&req->arena, req->key_label) };
    pgloop_run(wait->worker->pg, &queries[QUERY_LABELLED_DELETE], params, on_edited, wait);
}

void labelled_delete_text(struct http_request *req, void *arg)
{
    struct wait *wait = wait_new(req, arg);
    struct str text, label;
    struct err err;
    if (!http_query(req, STR("text"), &text) || !text.n) {
        (void)err_set(&err, ERR_INVALID, "query parameter \"text\" is missing");
        http_reply_err(req, &err);
        return;
    }
    const bool one = http_query(req, STR("label"), &label) && label.n;
    const char *params[] = { wait->name, arena_cstr(&req->arena, text), one ? arena_cstr(&req->arena, label) : NULL,
                             arena_cstr(&req->arena, req->key_label) };
    pgloop_run(wait->worker->pg, &queries[QUERY_LABELLED_TEXT_DELETE], params, on_edited, wait);
}
