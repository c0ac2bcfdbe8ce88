/* Reading: the list, one, counts. */
#include "base/json.h"
#include "base/pgloop.h"
#include "experimentd/queries.h"
#include "experimentd/rewrites/handlers.h"
#include "experimentd/rewrites/parts.h"
#include "experimentd/worker.h"

enum { PAGE = 50, PAGE_MAX = 1000, FILTER_BYTES = 16 << 10, COLUMN_K1 = RC_COUNT, COLUMN_K2 };

static const char *const sorts[] = { "confidence", "searches", "created_at", "updated_at", "input" };

struct list {
    struct http_request *req;
    uint32_t page_size;
};

/* ---- what is asked ---- */

bool rewrites_query_filter(struct http_request *req, const char **out, struct err *err)
{
    struct rewrite_filter f = { 0 };
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, FILTER_BYTES);
    for (int i = 0; i < FILTER_COUNT; i++)
        (void)http_query(req, str_of(rewrite_filter_names[i]), &f.values[i]);
    if (!rewrite_filter_check(&f, &req->arena, err))
        return false;
    jsonw_init(&w, &b);
    rewrite_filter_write(&w, &f);
    *out = arena_cstr(&req->arena, buf_str(&b));
    return buf_ok(&b, "the filter", err);
}

static bool read_sort(struct http_request *req, const char **out, struct err *err)
{
    struct str sort;
    *out = sorts[0];
    if (!http_query(req, STR("sort"), &sort))
        return true;
    for (size_t i = 0; i < COUNT_OF(sorts); i++)
        if (str_eq_c(sort, sorts[i])) {
            *out = sorts[i];
            return true;
        }
    return err_set(err, ERR_INVALID,
                   "query parameter \"sort\" is \"" STR_FMT
                   "\", none of confidence, searches, created_at, updated_at, input",
                   STR_ARG(str_cut(sort, 40)));
}

/* A page's token is where the one before it ended: NUMBER.ID.TEXT of the order. */
static bool read_token(struct http_request *req, const char *params[3], struct err *err)
{
    struct str token, number, id;
    double v;
    uint64_t n;
    if (!http_query(req, STR("page_token"), &token))
        return true;
    if (!str_split(&token, '_', &number) || !str_split(&token, '_', &id) || !parse_double(number, &v, NULL) ||
        !parse_u64(id, &n, NULL) || !str_is_utf8(token))
        return err_set(err, ERR_INVALID, "query parameter \"page_token\" is not one that this list gave");
    params[0] = arena_cstr(&req->arena, number);
    params[1] = arena_cstr(&req->arena, token);
    params[2] = arena_cstr(&req->arena, id);
    return true;
}

static bool read_page_size(struct http_request *req, uint32_t *out, struct err *err)
{
    struct str size;
    *out = PAGE;
    if (http_query(req, STR("page_size"), &size) && (!parse_u32(size, out, NULL) || *out < 1 || *out > PAGE_MAX))
        return err_set(err, ERR_INVALID, "query parameter \"page_size\" must be a whole number from 1 to %d", PAGE_MAX);
    return true;
}

/* ---- the list ---- */

const struct rows_form rewrites_form = {
    .write = rewrite_row_write, .list = "rewrites", .one = "the rewrite", .bytes_max = REWRITES_ANSWER_MAX
};

static void on_list(void *arg, const PGresult *r, const struct err *err)
{
    struct list *l = arg;
    if (err) {
        http_reply_err(l->req, err);
        return;
    }
    struct rows_page page = { .shown = rows_shown(r, l->page_size) };
    if (PQntuples(r) > page.shown)
        page.next = arena_printf(
            &l->req->arena, STR_FMT "_" STR_FMT "_" STR_FMT, STR_ARG(pg_get(r, page.shown - 1, COLUMN_K1)),
            STR_ARG(pg_get(r, page.shown - 1, RC_ID)), STR_ARG(pg_get(r, page.shown - 1, COLUMN_K2)));
    rows_reply_page(l->req, &rewrites_form, r, &page);
}

void rewrites_list(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    struct list *l = arena_zalloc(&req->arena, sizeof *l);
    const char *params[6] = { NULL };
    struct err err;
    l->req = req;
    if (!rewrites_query_filter(req, &params[0], &err) || !read_sort(req, &params[1], &err) ||
        !read_token(req, &params[2], &err) || !read_page_size(req, &l->page_size, &err)) {
        http_reply_err(req, &err);
        return;
    }
    params[5] = arena_printf(&req->arena, "%u", l->page_size + 1).p;
    pgloop_run(worker->pg, &queries[QUERY_REWRITES], params, on_list, l);
}

/* ---- counts ---- */

static void on_counts(void *arg, const PGresult *r, const struct err *err)
{
    struct http_request *req = arg;
    struct buf b;
    struct jsonw w;
    if (err) {
        http_reply_err(req, err);
        return;
    }
    int64_t total = 0;
    buf_init(&b, REWRITES_ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, "counts", '[');
    for (int i = 0; i < PQntuples(r); i++) {
        jsonw_open(&w, NULL, '{');
        jsonw_str(&w, "type", pg_get(r, i, 0));
        jsonw_str(&w, "review", pg_get(r, i, 1));
        jsonw_i64(&w, "rewrites", pg_get_i64(r, i, 2));
        jsonw_i64(&w, "searches", pg_get_i64(r, i, 3));
        jsonw_close(&w);
        total += pg_get_i64(r, i, 2);
    }
    jsonw_close(&w);
    jsonw_i64(&w, "total", total);
    jsonw_close(&w);
    http_reply_buf(req, 200, &b, "the counts");
}

void rewrites_counts(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    const char *params[1];
    struct err err;
    if (rewrites_query_filter(req, &params[0], &err))
        pgloop_run(worker->pg, &queries[QUERY_REWRITES_COUNTS], params, on_counts, req);
    else
        http_reply_err(req, &err);
}
