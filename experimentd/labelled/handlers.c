#include "experimentd/labelled/handlers.h"

#include "experimentd/http/asks.h"
#include "experimentd/labelled/labelled.h"
#include "experimentd/queries.h"
#include "experimentd/resources/resource.h"

enum { ANSWER_MAX = LABELLED_BYTES_MAX, PAGE = 100, PAGE_MAX = 1000 };
/* Columns of QUERY_LABELLED_SETS, QUERY_LABELLED_TEXTS. */
enum set_column { NAME, TEXTS, LABELS, MANUAL, VERSION, RUN, CREATED, UPDATED, BY, BY_LABEL };
enum text_column { TEXT, TEXT_LABEL, WEIGHT, SOURCE };

/* ---- sets ---- */

static void write_members(struct jsonw *w, const PGresult *r, int row)
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

static void write_set(struct jsonw *w, const PGresult *r, int row)
{
    jsonw_open(w, NULL, '{');
    write_members(w, r, row);
    jsonw_close(w);
}

/* Alone a set has more to say: its labels, and what a change did. */
static void reply_set(struct resource_wait *wait, const PGresult *r)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    write_members(&w, r, 0);
    jsonw_raw(&w, "by_label", pg_get(r, 0, BY_LABEL));
    if (wait->extra.n)
        jsonw_raw(&w, "changes", wait->extra);
    jsonw_close(&w);
    http_reply_buf(wait->req, wait->status, &b, "the labelled texts");
}

static void take_changes(struct resource_wait *wait, const json_t *answer)
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
    wait->extra = arena_str(&wait->req->arena, buf_str(&b));
    buf_release(&b);
}

static const struct resource_kind kind = {
    .what = "labelled texts",
    .plural = true,
    .form = { .write = write_set, .list = "labelled_texts", .one = "the labelled texts", .bytes_max = ANSWER_MAX },
    .read = QUERY_LABELLED_SETS,
    .remove = QUERY_LABELLED_DELETE,
    .version_column = VERSION,
    .changed = take_changes,
    .reply = reply_set
};

void labelled_list(struct http_request *req, void *arg)
{
    resource_list(req, arg, &kind);
}

void labelled_get(struct http_request *req, void *arg)
{
    resource_get(req, arg, &kind);
}

void labelled_delete(struct http_request *req, void *arg)
{
    resource_delete(req, arg, &kind);
}

/* ---- texts ---- */

struct wait {
    struct resource_wait set;
    enum labelled_format format;
    uint32_t page_size;
};

static struct wait *wait_new(struct http_request *req, void *worker)
{
    struct wait *w = arena_zalloc(&req->arena, sizeof *w);
    w->set = resource_wait_of(req, worker, &kind);
    return w;
}

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
    static const struct rows_form form = { .write = write_text, .list = "texts", .bytes_max = ANSWER_MAX };
    struct wait *wait = arg;
    if (!resource_found(&wait->set, r, err))
        return;
    struct rows_page page = { .shown = texts_of(r) ? rows_shown(r, wait->page_size) : 0 };
    if (PQntuples(r) > page.shown && page.shown) /* a label has no new line */
        page.next = arena_printf(&wait->set.req->arena, STR_FMT "\n" STR_FMT,
                                 STR_ARG(pg_get(r, page.shown - 1, TEXT_LABEL)),
                                 STR_ARG(pg_get(r, page.shown - 1, TEXT)));
    rows_reply_page(wait->set.req, &form, r, &page);
}

static bool read_page(struct wait *wait, const char *params[6], struct err *err)
{
    struct http_request *req = wait->set.req;
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
    const char *params[6] = { wait->set.name };
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
    pgloop_run(wait->set.worker->pg, &queries[QUERY_LABELLED_TEXTS], params, on_texts, wait);
}

/* ---- files ---- */

static bool read_format(struct wait *wait, struct err *err)
{
    struct str format = STR("csv");
    (void)http_query(wait->set.req, STR("format"), &format);
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
    if (!resource_found(&wait->set, r, err))
        return;
    labelled_write_head(wait->format, &b);
    for (int i = 0; i < texts_of(r); i++) {
        struct labelled_row row = row_of(r, i);
        labelled_write_row(wait->format, &row, pg_get(r, i, SOURCE), &b);
    }
    if (!buf_ok(&b, "the export", &full))
        http_reply_err(wait->set.req, &full);
    else
        http_reply(wait->set.req, 200, labelled_format_content_types[wait->format], buf_str(&b));
}

void labelled_export(struct http_request *req, void *arg)
{
    struct wait *wait = wait_new(req, arg);
    const char *params[6] = { wait->set.name };
    struct err err;
    if (!read_format(wait, &err))
        http_reply_err(req, &err);
    else
        pgloop_run(wait->set.worker->pg, &queries[QUERY_LABELLED_TEXTS], params, on_export, wait);
}

/* ---- edits ---- */

static void import(struct wait *wait, const char *expected, bool replace, bool only_checked)
{
    struct http_request *req = wait->set.req;
    struct labelled_upload u;
    struct err err;
    const bool ok = labelled_read(req->body, wait->format, &req->arena, &u, &err);
    if (!ok)
        http_reply_bad_lines(req, http_status_of(err.kind), &u.bad, &err);
    else if (only_checked)
        http_reply_json(req, 200, arena_printf(&req->arena, "{\"rows\":%u}", u.count));
    if (ok && !only_checked) {
        const char *params[] = { wait->set.name, u.rows.p, replace ? "true" : "false", expected, resource_actor(req) };
        resource_change(&wait->set, QUERY_LABELLED_PUT, params);
    }
    buf_release(&u.rows);
}

void labelled_import(struct http_request *req, void *arg)
{
    struct wait *wait = wait_new(req, arg);
    const char *expected;
    bool replace, only_checked;
    struct err err;
    if (!http_name_check(req->params[0], "the name of labelled texts", &err) || !read_format(wait, &err) ||
        !http_if_match(req, "labelled texts", &expected, &err) ||
        !http_query_flag(req, STR("replace"), &replace, &err) ||
        !http_query_flag(req, STR("dry_run"), &only_checked, &err))
        http_reply_err(req, &err);
    else
        import(wait, expected, replace, only_checked);
}

void labelled_delete_text(struct http_request *req, void *arg)
{
    struct resource_wait *wait = resource_wait_new(req, arg, &kind);
    struct str text, label;
    struct err err;
    if (!http_query(req, STR("text"), &text) || !text.n) {
        (void)err_set(&err, ERR_INVALID, "query parameter \"text\" is missing");
        http_reply_err(req, &err);
        return;
    }
    const bool one = http_query(req, STR("label"), &label) && label.n;
    const char *params[] = { wait->name, arena_cstr(&req->arena, text), one ? arena_cstr(&req->arena, label) : NULL,
                             resource_actor(req) };
    resource_change(wait, QUERY_LABELLED_TEXT_DELETE, params);
}
