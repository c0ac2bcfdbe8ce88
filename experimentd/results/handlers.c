#include "experimentd/results/handlers.h"

#include <assert.h>

#include "base/pgloop.h"
#include "experimentd/ingest/load/loader.h"
#include "experimentd/queries.h"
#include "experimentd/results/json.h"
#include "experimentd/server.h"
#include "experimentd/worker.h"

enum { RESULT_JSON_MAX = 32 << 20, LIST_PAGE_DEFAULT = 50, LIST_PAGE_MAX = 200, DIMENSION_MAX = 100 };

/* What a handler needs again when the rows arrive. The snapshot is read anew then: the one of the request may be gone. */
struct wait {
    struct http_request *req;
    const struct worker *worker;
    struct str key;       /* of one experiment, or the first of the page */
    struct str dimension; /* of its segments */
    size_t limit;
    void (*write)(struct wait *wait, struct jsonw *w, const struct snapshot *s, const PGresult *rows);
};

static void on_rows(void *arg, const PGresult *rows, const struct err *err)
{
    struct wait *wait = arg;
    if (err) {
        http_reply_err(wait->req, err);
        return;
    }
    struct buf b;
    struct jsonw w;
    buf_init(&b, RESULT_JSON_MAX);
    jsonw_init(&w, &b);
    wait->write(wait, &w, snapshot_get(), rows);
    http_reply_buf(wait->req, 200, &b, "the answer");
}

static void write_one(struct wait *wait, struct jsonw *w, const struct snapshot *s, const PGresult *rows)
{
    struct result r;
    struct loader_stats l;
    loader_stats(wait->worker->server->loader, &l);
    result_read(&r, s, snapshot_experiment(s, wait->key), rows, &wait->req->arena);
    result_write(w, &r, l.lag_us, &wait->req->arena);
}

static void write_segments(struct wait *wait, struct jsonw *w, const struct snapshot *s, const PGresult *rows)
{
    struct result r;
    result_read(&r, s, snapshot_experiment(s, wait->key), rows, &wait->req->arena);
    result_write_segments(w, &r, wait->dimension, &wait->req->arena);
}

static void write_days(struct wait *wait, struct jsonw *w, const struct snapshot *s, const PGresult *rows)
{
    struct result r;
    result_read(&r, s, snapshot_experiment(s, wait->key), rows, &wait->req->arena);
    result_write_timeseries(w, &r);
}

/* PostgreSQL's array text of keys; keys hold no character that needs quoting (experiments_key_format). */
static void add_key(struct buf *b, struct str key)
{
    buf_add_byte(b, b->n ? ',' : '{');
    buf_add_str(b, key);
}

static struct wait *wait_for(struct http_request *req, struct worker *worker, struct str key,
                             void (*write)(struct wait *, struct jsonw *, const struct snapshot *, const PGresult *))
{
    struct wait *wait = arena_zalloc(&req->arena, sizeof *wait);
    *wait = (struct wait){ .req = req, .worker = worker, .key = key, .write = write };
    return wait;
}

/* NULL: answered already. */
static const struct snapshot_experiment *known(struct http_request *req)
{
    struct err err;
    const struct snapshot_experiment *e = snapshot_experiment(snapshot_get(), req->params[0]);
    if (e)
        return e;
    err_set(&err, ERR_NOT_FOUND, "experiment \"" STR_FMT "\" is not known", STR_ARG(req->params[0]));
    http_reply_err(req, &err);
    return NULL;
}

static const char *list_of_one(struct http_request *req, struct str key)
{
    return arena_printf(&req->arena, "{" STR_FMT "}", STR_ARG(key)).p;
}

/* Steps of a funnel are part of its result; a bandit's units are compared within the day of their first exposure. */
static const char *latest_parts(const struct snapshot_experiment *e)
{
    return e->kind == EXPERIMENT_BANDIT ? "{step:,:first_day}" : "{step:}";
}

/* The name of a dimension goes into an array's text: nothing that would need quoting. */
static bool check_dimension(struct str name, struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    bool good = name.n > 0 && name.n <= DIMENSION_MAX;
    for (size_t i = 0; good && i < name.n; i++)
        good = memchr(allowed, name.p[i], sizeof allowed - 1) != NULL;
    return good || err_set(err, ERR_INVALID,
                           "query parameter \"segment\" is \"%.*s\", no name of a dimension (letters, digits, _.-)",
                           STR_ARG(str_cut(name, DIMENSION_MAX)));
}

/* What is asked for beside the whole, as an array of prefixes; NULL: answered with what is wrong with the question. */
static const char *wanted_parts(struct http_request *req, const struct snapshot_experiment *e, struct str *dimension)
{
    struct err err;
    if (!http_query(req, STR("segment"), dimension))
        return latest_parts(e);
    if (check_dimension(*dimension, &err))
        return arena_printf(&req->arena, "{" STR_FMT "=}", STR_ARG(*dimension)).p;
    http_reply_err(req, &err);
    return NULL;
}

void results_get(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    struct str dimension = { NULL, 0 };
    const struct snapshot_experiment *e = known(req);
    const char *parts = e ? wanted_parts(req, e, &dimension) : NULL;
    if (!parts)
        return;
    const char *params[] = { list_of_one(req, e->key), parts };
    struct wait *wait = wait_for(req, worker, req->params[0], dimension.p ? write_segments : write_one);
    wait->dimension = dimension;
    pgloop_run(worker->pg, &queries[QUERY_RESULTS_LATEST], params, on_rows, wait);
}

void results_timeseries(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    if (!known(req))
        return;
    const char *params[] = { list_of_one(req, req->params[0]) };
    pgloop_run(worker->pg, &queries[QUERY_RESULTS_DAYS], params, on_rows,
               wait_for(req, worker, req->params[0], write_days));
}

/* Experiments of the page: from the first key not below `from`, in the order of keys. */
static size_t page_start(const struct snapshot *s, struct str from)
{
    size_t i = 0;
    while (i < s->experiments_count) {
        struct str key = s->experiments[i].key;
        int order = memcmp(key.p, from.p ? from.p : "", key.n < from.n ? key.n : from.n);
        if (order > 0 || (order == 0 && key.n >= from.n))
            break;
        i++;
    }
    return i;
}

static void write_list(struct wait *wait, struct jsonw *w, const struct snapshot *s, const PGresult *rows)
{
    size_t i = page_start(s, wait->key), end = i + wait->limit;
    jsonw_open(w, NULL, '{');
    jsonw_open(w, "experiments", '[');
    for (; i < s->experiments_count && i < end; i++) {
        struct result r;
        result_read(&r, s, &s->experiments[i], rows, &wait->req->arena);
        result_write_summary(w, &r, &wait->req->arena);
    }
    jsonw_close(w);
    jsonw_str(w, "next_page_token", i < s->experiments_count ? s->experiments[i].key : (struct str){ NULL, 0 });
    jsonw_close(w);
}

static bool page_size(struct http_request *req, size_t *out, struct err *err)
{
    struct str text;
    uint32_t v = LIST_PAGE_DEFAULT;
    if (http_query(req, STR("page_size"), &text) && (!parse_u32(text, &v, err) || v < 1 || v > LIST_PAGE_MAX))
        return err_set(err, ERR_INVALID, "query parameter \"page_size\" must be a whole number from 1 to %d",
                       LIST_PAGE_MAX);
    *out = v;
    return true;
}

void results_list(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    const struct snapshot *s = snapshot_get();
    struct wait *wait = arena_zalloc(&req->arena, sizeof *wait);
    struct err err;
    *wait = (struct wait){ .req = req, .write = write_list };
    (void)http_query(req, STR("page_token"), &wait->key);
    if (!page_size(req, &wait->limit, &err)) {
        http_reply_err(req, &err);
        return;
    }
    struct buf keys;
    buf_init(&keys, LIST_PAGE_MAX * 128);
    size_t from = page_start(s, wait->key);
    for (size_t i = from; i < s->experiments_count && i < from + wait->limit; i++)
        add_key(&keys, s->experiments[i].key);
    if (keys.n == 0)
        buf_add_byte(&keys, '{');
    buf_add_byte(&keys, '}');
    const char *params[] = { keys.p, "{}" };
    pgloop_run(worker->pg, &queries[QUERY_RESULTS_LATEST], params, on_rows, wait);
    buf_release(&keys);
}
