/* /v1/evaluations: runs of the job "ranking-metrics" wrote them; here they are read. */
#include "base/json.h"
#include "base/pgloop.h"
#include "experimentd/queries.h"
#include "experimentd/resources/rows.h"
#include "experimentd/searches/handlers.h"
#include "experimentd/worker.h"

enum { ANSWER_MAX = 64 << 20, PAGE = 50, PAGE_MAX = 500, OFFSET_MAX = 1000000 };
/* Columns of QUERY_EVALUATIONS; the summary is the last. */
enum column { ID, QUERY_SET, JUDGMENTS, CONFIGS, METRICS, QUERIES, CREATED, SUMMARY };
/* Columns of QUERY_EVALUATION_QUERIES: of the query, then of each of the two lists; the count of all. */
enum query_column { POSITION, QUERY, WEIGHT, JUDGED, LIST_A, LIST_B = LIST_A + 4, TOTAL = LIST_B + 4 };

struct wait {
    struct http_request *req;
    struct worker *worker;
    const char *id;
    struct str a, b, metric, sort, search; /* of ?a=&b=&metric=&sort=&search= */
    uint32_t limit, offset;
    bool points;
    int metric_at; /* from 1 */
};

static void reply_err(struct http_request *req, enum err_kind kind, const char *text)
{
    struct err err;
    (void)err_set(&err, kind, "%s", text);
    http_reply_err(req, &err);
}

static struct wait *wait_new(struct http_request *req, void *worker)
{
    unsigned char id[16];
    if (req->params[0].n && !uuid_parse(req->params[0], id)) {
        reply_err(req, ERR_NOT_FOUND, "there is no such evaluation");
        return NULL;
    }
    struct wait *w = arena_zalloc(&req->arena, sizeof *w);
    *w = (struct wait){ .req = req, .worker = worker, .id = arena_cstr(&req->arena, req->params[0]), .limit = PAGE };
    return w;
}

static bool read_number(struct http_request *req, const char *name, uint32_t min, uint32_t max, uint32_t *out,
                        struct err *err)
{
    struct str text;
    uint32_t v;
    if (!http_query(req, str_of(name), &text) || text.n == 0)
        return true;
    if (!parse_u32(text, &v, NULL) || v < min || v > max)
        return err_set(err, ERR_INVALID, "query parameter \"%s\" is not a whole number from %u to %u", name, min, max);
    *out = v;
    return true;
}

/* ---- the list, and one ---- */

static void write_evaluation(struct jsonw *w, const PGresult *r, int row)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "id", pg_get(r, row, ID));
    jsonw_str(w, "query_set", pg_get(r, row, QUERY_SET));
    jsonw_str(w, "judgments", pg_get(r, row, JUDGMENTS));
    jsonw_raw(w, "searches", pg_get(r, row, CONFIGS));
    jsonw_raw(w, "metrics", pg_get(r, row, METRICS));
    jsonw_i64(w, "queries", pg_get_i64(r, row, QUERIES));
    jsonw_time(w, "created_at", pg_get_i64(r, row, CREATED));
    jsonw_raw(w, "summary", pg_get(r, row, SUMMARY));
    jsonw_close(w);
}

static const struct rows_form form = {
    .write = write_evaluation, .list = "evaluations", .one = "the evaluation", .bytes_max = ANSWER_MAX
};

static void on_list(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    if (err) {
        http_reply_err(wait->req, err);
        return;
    }
    struct rows_page page = { .shown = rows_shown(r, wait->limit) };
    if (PQntuples(r) > page.shown)
        page.next = pg_get(r, page.shown - 1, CREATED);
    rows_reply_page(wait->req, &form, r, &page);
}

void evaluations_list(struct http_request *req, void *arg)
{
    struct wait *wait = wait_new(req, arg);
    struct str behind = { NULL, 0 };
    struct err err;
    uint64_t before = INT64_MAX;
    if (!read_number(req, "limit", 1, PAGE_MAX, &wait->limit, &err)) {
        http_reply_err(req, &err);
        return;
    }
    if (http_query(req, STR("page_token"), &behind) && behind.n &&
        (!parse_u64(behind, &before, NULL) || before > INT64_MAX)) {
        reply_err(req, ERR_INVALID, "query parameter \"page_token\" is none that was given");
        return;
    }
    const char *params[] = { NULL, arena_printf(&req->arena, "%llu", (unsigned long long)before).p,
                             arena_printf(&req->arena, "%u", wait->limit + 1).p };
    pgloop_run(wait->worker->pg, &queries[QUERY_EVALUATIONS], params, on_list, wait);
}

/* False: it is answered. */
static bool found(struct wait *wait, const PGresult *r, const struct err *err)
{
    if (err)
        http_reply_err(wait->req, err);
    else if (PQntuples(r) == 0)
        reply_err(wait->req, ERR_NOT_FOUND, "there is no such evaluation");
    return !err && PQntuples(r) > 0;
}

static void on_one(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    if (found(wait, r, err))
        rows_reply_one(wait->req, &form, 200, r);
}

static void ask_one(struct wait *wait, pgloop_fn then)
{
    const char *params[] = { wait->id, "9223372036854775807", "1" };
    pgloop_run(wait->worker->pg, &queries[QUERY_EVALUATIONS], params, then, wait);
}

void evaluations_get(struct http_request *req, void *arg)
{
    struct wait *wait = wait_new(req, arg);
    if (wait)
        ask_one(wait, on_one);
}

static void on_deleted(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    if (found(wait, r, err))
        http_reply(wait->req, 204, NULL, STR(""));
}

void evaluations_delete(struct http_request *req, void *arg)
{
    struct wait *wait = wait_new(req, arg);
    if (!wait)
        return;
    const char *params[] = { wait->id, arena_cstr(&req->arena, req->key_label) };
    pgloop_run(wait->worker->pg, &queries[QUERY_EVALUATION_DELETE], params, on_deleted, wait);
}

/* ---- query by query: which evaluation it is says what may be asked ---- */

/* [{"doc", "grade"} …] of the two lists of a row. */
static void write_docs(struct jsonw *w, struct str docs_text, struct str grades_text)
{
    struct err err;
    json_auto_t *docs = json_parse(docs_text, &err), *grades = json_parse(grades_text, &err);
    jsonw_open(w, "docs", '[');
    for (size_t i = 0; i < json_array_size(docs); i++) {
        const json_t *doc = json_array_get(docs, i), *grade = json_array_get(grades, i);
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "doc", (struct str){ json_string_value(doc), json_string_length(doc) });
        if (json_is_number(grade))
            jsonw_double(w, "grade", json_number_value(grade));
        else
            jsonw_null(w, "grade");
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_list(struct jsonw *w, const char *key, const PGresult *r, int row, int from)
{
    if (!pg_get(r, row, from).p) {
        jsonw_null(w, key);
        return;
    }
    jsonw_open(w, key, '{');
    write_docs(w, pg_get(r, row, from), pg_get(r, row, from + 1));
    if (pg_get(r, row, from + 2).p)
        jsonw_raw(w, "metrics", pg_get(r, row, from + 2));
    else
        jsonw_null(w, "metrics");
    jsonw_str(w, "error", pg_get(r, row, from + 3));
    jsonw_close(w);
}

static void on_queries(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    struct buf b;
    struct jsonw w;
    if (err) {
        http_reply_err(wait->req, err);
        return;
    }
    int rows = PQntuples(r);
    int64_t total = rows ? pg_get_i64(r, 0, TOTAL) : 0;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_i64(&w, "total", total);
    jsonw_open(&w, "queries", '[');
    for (int i = 0; i < rows; i++) {
        jsonw_open(&w, NULL, '{');
        jsonw_i64(&w, "position", pg_get_i64(r, i, POSITION));
        jsonw_str(&w, "query", pg_get(r, i, QUERY));
        jsonw_double(&w, "weight", pg_get_double(r, i, WEIGHT));
        jsonw_i64(&w, "judged", pg_get_i64(r, i, JUDGED));
        write_list(&w, "a", r, i, LIST_A);
        write_list(&w, "b", r, i, LIST_B);
        jsonw_close(&w);
    }
    jsonw_close(&w);
    int64_t next = (int64_t)wait->offset + rows;
    jsonw_str(&w, "next_page_token",
              rows && next < total ? arena_printf(&wait->req->arena, "%lld", (long long)next)
                                   : (struct str){ NULL, 0 });
    jsonw_close(&w);
    http_reply_buf(wait->req, 200, &b, "the queries");
}

static void write_point(struct jsonw *w, const PGresult *r, int row)
{
    jsonw_open(w, NULL, '{');
    jsonw_i64(w, "position", pg_get_i64(r, row, 0));
    jsonw_str(w, "query", pg_get(r, row, 1));
    jsonw_double(w, "a", pg_get_double(r, row, 2));
    jsonw_double(w, "b", pg_get_double(r, row, 3));
    jsonw_close(w);
}

static void on_points(void *arg, const PGresult *r, const struct err *err)
{
    static const struct rows_form points = {
        .write = write_point, .list = "points", .bytes_max = ANSWER_MAX, .all = "the points"
    };
    struct wait *wait = arg;
    rows_reply_list(wait->req, &points, r, err);
}

/* Where a text stands in a JSON list of texts, from 1; the first when the text is empty; 0: nowhere. */
static int place_of(struct str list_text, struct str wanted, struct arena *arena, struct str *out)
{
    struct err err;
    json_auto_t *list = json_parse(list_text, &err);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        struct str text = { json_string_value(v), json_string_length(v) };
        if (wanted.n == 0 || str_eq(text, wanted)) {
            *out = arena_str(arena, text);
            return (int)i + 1;
        }
    }
    return 0;
}

static bool check_asked(struct wait *wait, const PGresult *r, struct err *err)
{
    struct arena *arena = &wait->req->arena;
    struct str asked = wait->a, metric;
    if (place_of(pg_get(r, 0, CONFIGS), asked, arena, &wait->a) == 0)
        return err_set(err, ERR_INVALID, "query parameter \"a\" is no search of this evaluation");
    if (wait->b.n && place_of(pg_get(r, 0, CONFIGS), wait->b, arena, &wait->b) == 0)
        return err_set(err, ERR_INVALID, "query parameter \"b\" is no search of this evaluation");
    wait->metric_at = place_of(pg_get(r, 0, METRICS), wait->metric, arena, &metric);
    return wait->metric_at || (wait->metric.n == 0) ||
           err_set(err, ERR_INVALID, "query parameter \"metric\" is no metric of this evaluation");
}

static void ask_queries(struct wait *wait)
{
    struct arena *arena = &wait->req->arena;
    const char *params[] = { wait->id,
                             arena_cstr(arena, wait->a),
                             wait->b.n ? arena_cstr(arena, wait->b) : NULL,
                             arena_printf(arena, "%d", wait->metric_at ? wait->metric_at : 1).p,
                             arena_cstr(arena, wait->sort),
                             wait->search.n ? arena_cstr(arena, wait->search) : NULL,
                             arena_printf(arena, "%u", wait->offset).p,
                             arena_printf(arena, "%u", wait->limit).p };
    if (wait->points)
        pgloop_run(wait->worker->pg, &queries[QUERY_EVALUATION_POINTS], params, on_points, wait);
    else
        pgloop_run(wait->worker->pg, &queries[QUERY_EVALUATION_QUERIES], params, on_queries, wait);
}

static void on_known(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    struct err bad;
    if (!found(wait, r, err))
        return;
    if (!check_asked(wait, r, &bad))
        http_reply_err(wait->req, &bad);
    else
        ask_queries(wait);
}

static bool read_asked(struct wait *wait, struct err *err)
{
    static const char *const sorts[] = { "position", "gain", "loss", "low", "holes" };
    struct http_request *req = wait->req;
    (void)http_query(req, STR("a"), &wait->a);
    (void)http_query(req, STR("b"), &wait->b);
    (void)http_query(req, STR("metric"), &wait->metric);
    (void)http_query(req, STR("search"), &wait->search);
    if (!http_query(req, STR("sort"), &wait->sort) || wait->sort.n == 0)
        wait->sort = STR("position");
    bool known = false;
    for (size_t i = 0; i < COUNT_OF(sorts); i++)
        known = known || str_eq_c(wait->sort, sorts[i]);
    if (!known)
        return err_set(err, ERR_INVALID, "query parameter \"sort\" is not position, gain, loss, low or holes");
    return read_number(req, "limit", 1, PAGE_MAX, &wait->limit, err) &&
           read_number(req, "page_token", 0, OFFSET_MAX, &wait->offset, err);
}

static void start(struct http_request *req, void *arg, bool points)
{
    struct wait *wait = wait_new(req, arg);
    struct err err;
    if (!wait)
        return;
    wait->points = points;
    if (read_asked(wait, &err))
        ask_one(wait, on_known);
    else
        http_reply_err(req, &err);
}

void evaluations_queries(struct http_request *req, void *arg)
{
    start(req, arg, false);
}

void evaluations_points(struct http_request *req, void *arg)
{
    start(req, arg, true);
}
