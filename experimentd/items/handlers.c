/* An edit's documents are all read and checked first; those that are good go to the database in one statement, the others are told of by line. */
#include "experimentd/items/handlers.h"

#include "base/jsonw.h"
#include "base/pgloop.h"
#include "experimentd/ingest/formats/elements.h"
#include "experimentd/items/document.h"
#include "experimentd/queries.h"
#include "experimentd/server.h"

enum { ANSWER_MAX = 32 << 20, PER_REQUEST_MAX = 10000, TOLD_MAX = 1000, PAGE = 100, PAGE_MAX = 1000 };
/* Columns of QUERY_ITEM, and of QUERY_ITEMS behind its counts. */
enum item_column { DOC, FIELDS, UPDATED, ITEM_COLUMNS };
enum state_column { VERSION, DOCUMENTS, UPSERTED, DELETED, CHANGED, STATE_COLUMNS };

struct edit {
    struct http_request *req;
    struct worker *worker;
    bool removes, merge, single;
    struct buf documents; /* a JSON array */
    struct buf rejected;  /* elements of a JSON array */
    size_t taken, refused, line;
    const char *counted; /* up to where lines of the body were counted */
    struct err first;
};

/* ---- reading ---- */

static bool wants_merge(struct http_request *req, bool *out, struct err *err)
{
    struct str text;
    *out = false;
    return !http_query(req, STR("merge"), &text) || parse_bool(text, out, NULL) ||
           err_set(err, ERR_INVALID, "query parameter \"merge\" is \"" STR_FMT "\", neither true nor false",
                   STR_ARG(str_cut(text, 60)));
}

static size_t line_of(struct edit *e, const char *at)
{
    for (; e->counted < at; e->counted++)
        e->line += *e->counted == '\n';
    return e->line;
}

static void refuse(struct edit *e, size_t index, struct str text, const struct err *why)
{
    if (e->refused++ == 0)
        e->first = *why;
    if (e->refused > TOLD_MAX)
        return;
    if (e->rejected.n)
        buf_add_byte(&e->rejected, ',');
    buf_addf(&e->rejected, "{\"index\":%zu,\"line\":%zu,\"error\":", index, line_of(e, text.p));
    buf_add_json_str(&e->rejected, str_of(why->text));
    buf_add_byte(&e->rejected, '}');
}

static bool on_element(void *arg, size_t index, struct str text)
{
    struct edit *e = arg;
    struct err err;
    size_t before = e->documents.n;
    if (e->taken)
        buf_add_byte(&e->documents, ',');
    bool ok = e->removes ? item_id_read(text, &e->documents, &err)
                         : item_document_read(text, (struct str){ NULL, 0 }, e->merge, &e->documents, &err);
    if (!ok) {
        e->documents.n = before;
        refuse(e, index, text, &err);
    } else {
        e->taken++;
    }
    return true;
}

static struct edit *edit_new(struct http_request *req, struct worker *worker, bool removes)
{
    struct edit *e = arena_zalloc(&req->arena, sizeof *e);
    *e = (struct edit){ .req = req, .worker = worker, .removes = removes, .line = 1, .counted = req->body.p };
    buf_init(&e->documents, ANSWER_MAX);
    buf_init(&e->rejected, ANSWER_MAX);
    buf_add_byte(&e->documents, '[');
    return e;
}

static void end_edit(struct edit *e)
{
    buf_release(&e->documents);
    buf_release(&e->rejected);
}

static void fail(struct edit *e, const struct err *err)
{
    http_reply_err(e->req, err);
    end_edit(e);
}

static void count(struct edit *e, uint64_t changed)
{
    struct server *s = e->worker->server;
    atomic_fetch_add_explicit(e->removes ? &s->items_deleted : &s->items_upserted, changed, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->items_rejected, e->refused, memory_order_relaxed);
}

/* ---- bulk ---- */

static void reply_counts(struct edit *e, const PGresult *r)
{
    static const char *const put[] = { "created", "changed", "unchanged" };
    static const char *const removed[] = { "deleted", "unknown" };
    const char *const *names = e->removes ? removed : put;
    struct buf b;
    struct jsonw w;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    for (int i = 0; i < (e->removes ? 2 : 3); i++)
        jsonw_i64(&w, names[i], r ? pg_get_i64(r, 0, i) : 0);
    jsonw_i64(&w, "refused", (int64_t)e->refused);
    buf_add_c(&b, ",\"rejected\":[");
    buf_add_str(&b, buf_str(&e->rejected));
    buf_add_c(&b, "]}");
    count(e, r ? (uint64_t)(pg_get_i64(r, 0, 0) + (e->removes ? 0 : pg_get_i64(r, 0, 1))) : 0);
    http_reply_buf(e->req, 200, &b, "the answer");
    end_edit(e);
}

static void on_edited(void *arg, const PGresult *r, const struct err *err)
{
    if (err)
        fail(arg, err);
    else
        reply_counts(arg, r);
}

static void run_edit(struct edit *e, pgloop_fn then)
{
    struct err err;
    buf_add_byte(&e->documents, ']');
    if (!buf_ok(&e->documents, "the request's documents", &err)) {
        fail(e, &err);
        return;
    }
    const char *params[] = { e->documents.p, e->merge ? "true" : "false" };
    pgloop_run(e->worker->pg, &queries[e->removes ? QUERY_ITEMS_DELETE : QUERY_ITEMS_PUT], params, then, e);
}

static void edit_in_bulk(struct http_request *req, struct worker *worker, bool removes)
{
    struct edit *e = edit_new(req, worker, removes);
    struct err err;
    if (!wants_merge(req, &e->merge, &err) || !elements_read(req->body, removes ? "ids" : "documents", PER_REQUEST_MAX,
                                                             &req->arena, on_element, e, &e->single, &err)) {
        fail(e, &err);
    } else if (e->single && e->refused) {
        count(e, 0);
        fail(e, &e->first); /* one sent alone: the status itself says that it was not taken */
    } else if (e->taken == 0) {
        reply_counts(e, NULL);
    } else {
        run_edit(e, on_edited);
    }
}

void items_post(struct http_request *req, void *arg)
{
    edit_in_bulk(req, arg, false);
}

void items_remove(struct http_request *req, void *arg)
{
    edit_in_bulk(req, arg, true);
}

/* ---- one ---- */

static void not_known(struct http_request *req)
{
    struct err err;
    (void)err_set(&err, ERR_NOT_FOUND, "document \"" STR_FMT "\" is not in the catalogue",
                  STR_ARG(str_cut(req->params[0], 100)));
    http_reply_err(req, &err);
}

static void on_put(void *arg, const PGresult *r, const struct err *err)
{
    struct edit *e = arg;
    if (err) {
        fail(e, err);
        return;
    }
    bool created = pg_get_i64(r, 0, 0) > 0;
    count(e, (uint64_t)(pg_get_i64(r, 0, 0) + pg_get_i64(r, 0, 1)));
    http_reply_json(e->req, created ? 201 : 200, created ? STR("{\"created\":true}") : STR("{\"created\":false}"));
    end_edit(e);
}

void items_put(struct http_request *req, void *arg)
{
    struct edit *e = edit_new(req, arg, false);
    struct err err;
    if (!wants_merge(req, &e->merge, &err) ||
        !item_document_read(req->body, req->params[0], e->merge, &e->documents, &err)) {
        fail(e, &err);
        return;
    }
    run_edit(e, on_put);
}

static void on_deleted(void *arg, const PGresult *r, const struct err *err)
{
    struct edit *e = arg;
    if (err) {
        fail(e, err);
        return;
    }
    count(e, (uint64_t)pg_get_i64(r, 0, 0));
    if (pg_get_i64(r, 0, 0))
        http_reply(e->req, 204, NULL, STR(""));
    else
        not_known(e->req);
    end_edit(e);
}

void items_delete(struct http_request *req, void *arg)
{
    struct edit *e = edit_new(req, arg, true);
    buf_add_json_str(&e->documents, req->params[0]);
    run_edit(e, on_deleted);
}

static void write_item(struct jsonw *w, const PGresult *r, int row, int at)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "id", pg_get(r, row, at + DOC));
    jsonw_raw(w, "fields", pg_get(r, row, at + FIELDS));
    jsonw_time(w, "updated_at", pg_get_i64(r, row, at + UPDATED));
    jsonw_close(w);
}

static void on_item(void *arg, const PGresult *r, const struct err *err)
{
    struct http_request *req = arg;
    struct buf b;
    struct jsonw w;
    if (err || PQntuples(r) == 0) {
        if (err)
            http_reply_err(req, err);
        else
            not_known(req);
        return;
    }
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    write_item(&w, r, 0, 0);
    http_reply_buf(req, 200, &b, "the document");
}

void items_get(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    const char *params[] = { arena_cstr(&req->arena, req->params[0]) };
    pgloop_run(worker->pg, &queries[QUERY_ITEM], params, on_item, req);
}

/* ---- the list ---- */

struct list {
    struct http_request *req;
    uint32_t limit;
};

static void write_state(struct jsonw *w, const PGresult *r)
{
    jsonw_i64(w, "documents", pg_get_i64(r, 0, DOCUMENTS));
    jsonw_i64(w, "upserted", pg_get_i64(r, 0, UPSERTED));
    jsonw_i64(w, "deleted", pg_get_i64(r, 0, DELETED));
    jsonw_i64(w, "version", pg_get_i64(r, 0, VERSION));
    jsonw_time(w, "changed_at", pg_get_i64(r, 0, CHANGED));
}

static void on_list(void *arg, const PGresult *r, const struct err *err)
{
    struct list *l = arg;
    struct buf b;
    struct jsonw w;
    if (err) {
        http_reply_err(l->req, err);
        return;
    }
    int rows = PQntuples(r), last = (int)l->limit - 1;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, "items", '[');
    for (int i = 0; i < rows && !PQgetisnull(r, i, STATE_COLUMNS + DOC); i++)
        write_item(&w, r, i, STATE_COLUMNS);
    jsonw_close(&w);
    jsonw_str(&w, "next_page_token", rows > last ? pg_get(r, last, STATE_COLUMNS + DOC) : (struct str){ NULL, 0 });
    write_state(&w, r);
    jsonw_close(&w);
    http_reply_buf(l->req, 200, &b, "the list");
}

void items_list(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    struct list *l = arena_zalloc(&req->arena, sizeof *l);
    struct str behind = STR(""), prefix = STR(""), limit;
    struct err err;
    *l = (struct list){ req, PAGE };
    (void)http_query(req, STR("page_token"), &behind);
    (void)http_query(req, STR("prefix"), &prefix);
    if (http_query(req, STR("limit"), &limit) &&
        (!parse_u32(limit, &l->limit, NULL) || l->limit < 1 || l->limit > PAGE_MAX)) {
        (void)err_set(&err, ERR_INVALID, "query parameter \"limit\" is \"" STR_FMT "\", not from 1 to %d",
                      STR_ARG(str_cut(limit, 60)), PAGE_MAX);
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { arena_cstr(&req->arena, behind), arena_cstr(&req->arena, prefix),
                             arena_printf(&req->arena, "%u", l->limit).p };
    pgloop_run(worker->pg, &queries[QUERY_ITEMS], params, on_list, l);
}
