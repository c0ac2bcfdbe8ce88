/* /v1/query-sets: the sets, and their queries. */
#include "base/json.h"
#include "experimentd/http/asks.h"
#include "experimentd/ingest/formats/elements.h"
#include "experimentd/judgments/handlers.h"
#include "experimentd/judgments/query_file.h"
#include "experimentd/judgments/sets.h"
#include "experimentd/queries.h"

enum { ROWS_MAX = 64 << 20, DESCRIPTION_MAX = 2000 };
enum query_set_column { SAMPLING = SET_COLUMN_COUNT, QUERIES };
/* Columns of QUERY_QUERY_SET_QUERIES. */
enum row_column { VERSION, DESCRIPTION, ROW_SAMPLING, POSITION, QUERY, WEIGHT, PARAMS };

static const char *const modes[] = { "replace", "merge", NULL };

/* ---- sets ---- */

static void write_set(struct jsonw *w, const PGresult *r, int row)
{
    set_write_head(w, r, row);
    jsonw_str(w, "sampling", pg_get(r, row, SAMPLING));
    jsonw_i64(w, "queries", pg_get_i64(r, row, QUERIES));
    set_write_tail(w, r, row);
}

static bool read_own(struct http_request *req, const char *must, struct jsonw *props, struct str *out_name,
                     struct err *err)
{
    struct json_reader in;
    struct str description;
    json_auto_t *root = json_parse(req->body, err);
    if (!root)
        return false;
    json_reader_open(&in, root, "query set");
    if (strcmp(must, "be_new") == 0)
        (void)json_get_str(&in, "name", JSON_REQUIRED, out_name, &req->arena);
    if (json_get_str(&in, "description", JSON_OPTIONAL, &description, NULL)) {
        if (description.n > DESCRIPTION_MAX)
            (void)json_fail(&in, "description", "is longer than %d bytes", DESCRIPTION_MAX);
        jsonw_str(props, "description", description);
    }
    return json_reader_close(&in, err);
}

static const struct resource_refusal refusals[] = {
    { "exists", 409, "there is a query set \"", "\" already" },
    { NULL, 0, NULL, NULL },
};

static const struct set_kind kind = { .resource = { .what = "query set",
                                                    .name_shown = 100,
                                                    .form = { .write = write_set,
                                                              .list = "query_sets",
                                                              .one = "query set",
                                                              .bytes_max = SETS_ANSWER_MAX },
                                                    .read = QUERY_QUERY_SETS,
                                                    .remove = QUERY_QUERY_SET_DELETE,
                                                    .version_column = SET_VERSION,
                                                    .refusals = refusals },
                                      .put = QUERY_QUERY_SET_PUT,
                                      .read = read_own };

void query_sets_list(struct http_request *req, void *arg)
{
    resource_list(req, arg, &kind.resource);
}

void query_sets_create(struct http_request *req, void *arg)
{
    sets_create(req, arg, &kind);
}

void query_sets_get(struct http_request *req, void *arg)
{
    resource_get(req, arg, &kind.resource);
}

void query_sets_patch(struct http_request *req, void *arg)
{
    sets_patch(req, arg, &kind);
}

void query_sets_remove(struct http_request *req, void *arg)
{
    resource_delete(req, arg, &kind.resource);
}

/* ---- queries ---- */

struct page {
    struct resource_wait *wait;
    uint32_t limit;
};

static void write_query(struct jsonw *w, const PGresult *r, int row)
{
    jsonw_open(w, NULL, '{');
    jsonw_i64(w, "position", pg_get_i64(r, row, POSITION));
    jsonw_str(w, "query", pg_get(r, row, QUERY));
    jsonw_double(w, "weight", pg_get_double(r, row, WEIGHT));
    if (!PQgetisnull(r, row, PARAMS))
        jsonw_raw(w, "params", pg_get(r, row, PARAMS));
    jsonw_close(w);
}

static void on_queries(void *arg, const PGresult *r, const struct err *err)
{
    static const struct rows_form form = { .write = write_query, .list = "queries", .bytes_max = SETS_ANSWER_MAX };
    struct page *p = arg;
    if (!resource_found(p->wait, r, err))
        return;
    struct rows_page page = { .shown = PQgetisnull(r, 0, QUERY) ? 0 : rows_shown(r, p->limit),
                              .version = PQgetvalue(r, 0, VERSION) };
    if (PQntuples(r) > (int)p->limit)
        page.next = pg_get(r, page.shown - 1, POSITION);
    rows_etag(p->wait->req, str_of(page.version));
    rows_reply_page(p->wait->req, &form, r, &page);
}

void query_set_queries_list(struct http_request *req, void *arg)
{
    struct page *p = arena_zalloc(&req->arena, sizeof *p);
    uint32_t behind = 0;
    struct str token;
    struct err err;
    p->wait = resource_wait_new(req, arg, &kind.resource);
    bool ok = http_query_count(req, STR("limit"), SETS_PAGE, SETS_PAGE_MAX, &p->limit, &err);
    if (ok && http_query(req, STR("page_token"), &token) && (!parse_u32(token, &behind, NULL) || behind > INT32_MAX))
        ok = err_set(&err, ERR_INVALID, "query parameter \"page_token\" is not one that this list gave");
    if (!ok) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { p->wait->name, arena_printf(&req->arena, "%u", behind).p,
                             arena_printf(&req->arena, "%u", p->limit + 1).p };
    pgloop_run(p->wait->worker->pg, &queries[QUERY_QUERY_SET_QUERIES], params, on_queries, p);
}

/* ---- edits ---- */

struct elements_of {
    struct query_rows *q;
    const char *counted;
    size_t line;
};

static bool on_element(void *arg, size_t index, struct str text)
{
    struct elements_of *e = arg;
    struct err err;
    (void)index;
    for (; e->counted < text.p; e->counted++)
        e->line += *e->counted == '\n';
    if (!query_row_read_json(text, e->q, &err))
        bad_lines_add(&e->q->bad, e->line, &err);
    return true;
}

static void put_rows(struct resource_wait *w, const char *props, const struct query_rows *q, const char *mode)
{
    AUTO(buf_release) struct buf rows;
    struct err err;
    buf_init(&rows, ROWS_MAX);
    query_rows_write(q, &rows);
    if (buf_ok(&rows, "the queries", &err))
        set_put(w, props, rows.p, mode);
    else
        http_reply_err(w->req, &err);
}

void query_set_queries_put(struct http_request *req, void *arg)
{
    struct resource_wait *w = resource_wait_new(req, arg, &kind.resource);
    struct query_rows q = { .arena = &req->arena };
    struct elements_of e = { &q, req->body.p, 1 };
    size_t mode;
    bool single;
    struct err err;
    if (!http_query_choice(req, STR("mode"), modes, "merge", &mode, &err))
        http_reply_err(w->req, &err);
    else if (!elements_read(req->body, "queries", SETS_PER_REQUEST_MAX, &req->arena, on_element, &e, &single, &err) ||
             !bad_lines_none(&q.bad, "lines", &err))
        set_reply_bad_lines(w, &q.bad, single && q.bad.count ? &q.bad.first[0].err : &err);
    else
        put_rows(w, "{\"must\":\"exist\"}", &q, modes[mode]);
    query_rows_release(&q);
}

void query_set_queries_delete(struct http_request *req, void *arg)
{
    struct resource_wait *w = resource_wait_new(req, arg, &kind.resource);
    struct str query;
    AUTO(buf_release) struct buf rows;
    struct err err;
    buf_init(&rows, 1 << 20);
    if (!http_query(req, STR("query"), &query)) {
        (void)err_set(&err, ERR_INVALID, "query parameter \"query\" must say which query is to be taken out");
        http_reply_err(w->req, &err);
        return;
    }
    buf_add_byte(&rows, '[');
    buf_add_json_str(&rows, query);
    buf_add_byte(&rows, ']');
    set_take_out(w, QUERY_QUERY_SET_REMOVE, rows.p);
}

/* ---- files ---- */

void query_sets_import(struct http_request *req, void *arg)
{
    struct resource_wait *w = resource_wait_new(req, arg, &kind.resource);
    struct query_rows q = { .arena = &req->arena };
    size_t format, mode;
    bool dry_run;
    struct err err;
    if (!http_name_check(req->params[0], "the name of a query set", &err) ||
        !http_query_choice(req, STR("format"), query_file_format_names, NULL, &format, &err) ||
        !http_query_choice(req, STR("mode"), modes, "replace", &mode, &err) ||
        !http_query_flag(req, STR("dry_run"), &dry_run, &err)) {
        http_reply_err(w->req, &err);
        return;
    }
    if (!query_file_read((enum query_file_format)format, req->body, &q, &err)) {
        set_reply_bad_lines(w, &q.bad, &err);
    } else if (dry_run) {
        http_reply_json(req, 200, arena_printf(&req->arena, "{\"name\":\"%s\",\"rows\":%zu}", w->name, q.count));
    } else {
        w->extra = arena_printf(&req->arena, ",\"rows\":%zu", q.count);
        put_rows(w, "{\"sampling\":\"manual\"}", &q, modes[mode]);
    }
    query_rows_release(&q);
}

struct exporting {
    struct resource_wait *wait;
    size_t format;
};

static void reply_file(struct exporting *e, const PGresult *r)
{
    struct resource_wait *w = e->wait;
    enum query_file_format f = (enum query_file_format)e->format;
    size_t count = (size_t)PQntuples(r);
    struct query_rows q = { .items = arena_alloc(&w->req->arena, count * sizeof *q.items) };
    AUTO(buf_release) struct buf b;
    struct err err;
    for (; q.count < count && !PQgetisnull(r, (int)q.count, QUERY); q.count++)
        q.items[q.count] = (struct query_row){ .query = pg_get(r, (int)q.count, QUERY),
                                               .weight = pg_get_double(r, (int)q.count, WEIGHT),
                                               .params = pg_get(r, (int)q.count, PARAMS) };
    buf_init(&b, SETS_ANSWER_MAX);
    if (!query_file_export(f, str_of(w->name), pg_get(r, 0, DESCRIPTION), pg_get(r, 0, ROW_SAMPLING), &q, &b, &err)) {
        http_reply_err(w->req, &err);
        return;
    }
    rows_etag(w->req, pg_get(r, 0, VERSION));
    http_reply_header(w->req, STR("Content-Disposition"),
                      arena_printf(&w->req->arena, "attachment; filename=\"%s.%s\"", w->name, query_file_suffix(f)));
    http_reply(w->req, 200, query_file_type(f), buf_str(&b));
}

static void on_export(void *arg, const PGresult *r, const struct err *err)
{
    struct exporting *e = arg;
    if (resource_found(e->wait, r, err))
        reply_file(e, r);
}

void query_sets_export(struct http_request *req, void *arg)
{
    struct exporting *e = arena_zalloc(&req->arena, sizeof *e);
    struct err err;
    e->wait = resource_wait_new(req, arg, &kind.resource);
    if (!http_query_choice(req, STR("format"), query_file_format_names, NULL, &e->format, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { e->wait->name, "0", NULL };
    pgloop_run(e->wait->worker->pg, &queries[QUERY_QUERY_SET_QUERIES], params, on_export, e);
}
