#include "experimentd/results/handlers.h"

#include <assert.h>

#include "base/pgloop.h"
#include "experimentd/health/health.h"
#include "experimentd/ingest/load/loader.h"
#include "experimentd/queries.h"
#include "experimentd/results/drawn.h"
#include "experimentd/results/export.h"
#include "experimentd/results/json.h"
#include "experimentd/results/preference.h"
#include "experimentd/server.h"
#include "experimentd/worker.h"

enum { RESULT_JSON_MAX = 32 << 20, LIST_PAGE_DEFAULT = 50, LIST_PAGE_MAX = 200, DIMENSION_MAX = 100 };

/* What a handler needs again when the rows arrive. The snapshot is read anew then: the one of the request may be gone. */
struct wait {
    struct http_request *req;
    const struct worker *worker;
    struct str key; /* of one experiment, or the first of the page */
    bool one;
    struct str dimension;       /* of its segments */
    struct str metric;          /* that alone is wanted of them; {NULL, 0}: all */
    enum result_part_kind kind; /* of its periods */
    size_t limit;
    struct health_input health;       /* of one result: its first exposures, which come before its rows */
    const struct result_drawn *drawn; /* so do these */
    size_t drawn_count;
    struct preferences_list preferences; /* of those of kind interleave, which come before the rows, too */
    struct err failed;                   /* reading them */
    void (*write)(struct wait *wait, struct jsonw *w, const struct snapshot *s, const PGresult *rows);
};

static void reply_unknown(struct http_request *req, struct str key)
{
    struct err err;
    err_set(&err, ERR_NOT_FOUND, "experiment \"" STR_FMT "\" is not known", STR_ARG(key));
    http_reply_err(req, &err);
}

/* False: answered already, with the statement's failure, or because the experiment (a draft) was deleted meanwhile. */
static bool still_there(const struct wait *wait, const struct err *err)
{
    if (err) {
        http_reply_err(wait->req, err);
        return false;
    }
    if (wait->one && !snapshot_experiment(snapshot_get(), wait->key)) {
        reply_unknown(wait->req, wait->key);
        return false;
    }
    return true;
}

static void on_rows(void *arg, const PGresult *rows, const struct err *err)
{
    struct wait *wait = arg;
    if (!still_there(wait, err ? err : wait->failed.kind ? &wait->failed : NULL))
        return;
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
    r.drawn = wait->drawn;
    r.drawn_count = wait->drawn_count;
    r.preferences = preferences_of(&wait->preferences, r.experiment);
    health_tell(&wait->health, &r, &wait->req->arena);
    result_write(w, &r, l.lag_us, &wait->req->arena);
}

static void write_segments(struct wait *wait, struct jsonw *w, const struct snapshot *s, const PGresult *rows)
{
    struct result r;
    result_read(&r, s, snapshot_experiment(s, wait->key), rows, &wait->req->arena);
    result_write_segments(w, &r, wait->dimension, wait->metric, &wait->req->arena);
}

static void write_days(struct wait *wait, struct jsonw *w, const struct snapshot *s, const PGresult *rows)
{
    struct result r;
    result_read(&r, s, snapshot_experiment(s, wait->key), rows, &wait->req->arena);
    result_write_timeseries(w, &r, &wait->req->arena);
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
    *wait = (struct wait){ .req = req, .worker = worker, .key = key, .one = true, .write = write };
    return wait;
}

/* NULL: answered already. */
static const struct snapshot_experiment *known(struct http_request *req)
{
    const struct snapshot_experiment *e = snapshot_experiment(snapshot_get(), req->params[0]);
    if (!e)
        reply_unknown(req, req->params[0]);
    return e;
}

static const char *list_of_one(struct http_request *req, struct str key)
{
    return arena_printf(&req->arena, "{" STR_FMT "}", STR_ARG(key)).p;
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
        return result_wanted_parts(e, &req->arena);
    if (check_dimension(*dimension, &err))
        return arena_printf(&req->arena, "{" STR_FMT "=}", STR_ARG(*dimension)).p;
    http_reply_err(req, &err);
    return NULL;
}

/* Of segments one metric may be asked for alone. False: answered with what is wrong with the question. */
static bool wanted_metric(struct http_request *req, const struct snapshot_experiment *e, struct str dimension,
                          struct str *metric)
{
    struct err err;
    if (!http_query(req, STR("metric"), metric))
        return true;
    if (!dimension.p) {
        err_set(&err, ERR_INVALID, "query parameter \"metric\" is one of segments: it needs \"segment\" beside it");
    } else {
        for (size_t i = 0; i < e->metrics_count; i++)
            if (str_eq(e->metrics[i].metric, *metric))
                return true;
        err_set(&err, ERR_INVALID, "query parameter \"metric\" is \"%.*s\", no metric of experiment \"" STR_FMT "\"",
                STR_ARG(str_cut(*metric, DIMENSION_MAX)), STR_ARG(e->key));
    }
    http_reply_err(req, &err);
    return false;
}

/* What is not known of them says so in the health report; it keeps no result back. */
static void on_counts(void *arg, const PGresult *rows, const struct err *err)
{
    struct wait *wait = arg;
    const struct snapshot_experiment *e = snapshot_experiment(snapshot_get(), wait->key);
    if (!err && e)
        health_read_counts(&wait->health, e, rows, &wait->req->arena);
}

/* Without them a result has its formulas still. */
static void on_drawn(void *arg, const PGresult *rows, const struct err *err)
{
    struct wait *wait = arg;
    if (!err)
        wait->drawn = drawn_read(rows, &wait->req->arena, &wait->drawn_count);
}

static void on_preferences(void *arg, const PGresult *rows, const struct err *err)
{
    struct wait *wait = arg;
    if (err)
        wait->failed = *err;
    else
        preferences_read(&wait->preferences, snapshot_get(), rows, &wait->req->arena);
}

void results_get(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    struct str dimension = { NULL, 0 }, metric = { NULL, 0 };
    const struct snapshot_experiment *e = known(req);
    const char *parts = e ? wanted_parts(req, e, &dimension) : NULL;
    if (!parts || !wanted_metric(req, e, dimension, &metric))
        return;
    const char *params[] = { list_of_one(req, e->key), parts };
    struct wait *wait = wait_for(req, worker, req->params[0], dimension.p ? write_segments : write_one);
    const char *keyed[] = { arena_cstr(&req->arena, e->key) };
    wait->dimension = dimension;
    wait->metric = metric;
    pgloop_run(worker->pg, &queries[QUERY_HEALTH_COUNTS], keyed, on_counts, wait);
    if (!dimension.p)
        pgloop_run(worker->pg, &queries[QUERY_RESULTS_BOOTSTRAP], keyed, on_drawn, wait);
    const char *all_days[] = { params[0], "true" };
    if (e->kind == EXPERIMENT_INTERLEAVE)
        pgloop_run(worker->pg, &queries[QUERY_PREFERENCES], all_days, on_preferences, wait);
    pgloop_run(worker->pg, &queries[QUERY_RESULTS_LATEST], params, on_rows, wait);
}

static void write_periods(struct wait *wait, struct jsonw *w, const struct snapshot *s, const PGresult *rows)
{
    struct result r;
    result_read(&r, s, snapshot_experiment(s, wait->key), rows, &wait->req->arena);
    result_write_periods(w, &r, wait->kind, &wait->req->arena);
}

/* What timeseries?by= can be; "day" is another statement. */
static const struct {
    struct str name;
    enum result_part_kind kind;
    const char *parts;
} periods[] = {
    { STR("since_exposure"), RESULT_SINCE, "{since:}" },
    { STR("cohort"), RESULT_COHORT, "{:first_day}" },
};

static void series_by_period(struct http_request *req, struct worker *worker, struct str by)
{
    struct err err;
    for (size_t i = 0; i < COUNT_OF(periods); i++) {
        if (!str_eq(by, periods[i].name))
            continue;
        const char *params[] = { list_of_one(req, req->params[0]), periods[i].parts };
        struct wait *wait = wait_for(req, worker, req->params[0], write_periods);
        wait->kind = periods[i].kind;
        pgloop_run(worker->pg, &queries[QUERY_RESULTS_LATEST], params, on_rows, wait);
        return;
    }
    err_set(&err, ERR_INVALID, "query parameter \"by\" is \"%.*s\", not day, since_exposure or cohort",
            STR_ARG(str_cut(by, DIMENSION_MAX)));
    http_reply_err(req, &err);
}

void results_timeseries(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    struct str by = STR("day");
    if (!known(req))
        return;
    (void)http_query(req, STR("by"), &by);
    if (!str_eq(by, STR("day"))) {
        series_by_period(req, worker, by);
        return;
    }
    const char *params[] = { list_of_one(req, req->params[0]), "{}" };
    pgloop_run(worker->pg, &queries[QUERY_RESULTS_DAYS], params, on_rows,
               wait_for(req, worker, req->params[0], write_days));
}

/* ---- exports: all days, and all values of a dimension when one is asked for ---- */

static void write_json(struct wait *wait, struct jsonw *w, const struct snapshot *s, const PGresult *rows)
{
    struct result r;
    result_read(&r, s, snapshot_experiment(s, wait->key), rows, &wait->req->arena);
    export_json(w, &r);
}

static void on_csv_rows(void *arg, const PGresult *rows, const struct err *err)
{
    struct wait *wait = arg;
    const struct snapshot *s = snapshot_get();
    struct result r;
    struct buf b;
    struct err why;
    if (!still_there(wait, err))
        return;
    result_read(&r, s, snapshot_experiment(s, wait->key), rows, &wait->req->arena);
    buf_init(&b, RESULT_JSON_MAX);
    export_csv(&b, &r);
    if (buf_ok(&b, "the table", &why)) {
        struct str name = arena_printf(&wait->req->arena, "attachment; filename=\"" STR_FMT ".csv\"",
                                       STR_ARG(wait->key));
        http_reply_header(wait->req, STR("Content-Disposition"), name);
        http_reply(wait->req, 200, "text/csv; charset=utf-8", buf_str(&b));
    } else {
        http_reply_err(wait->req, &why);
    }
    buf_release(&b);
}

static void export(struct http_request *req, struct worker *worker, pgloop_fn on_done)
{
    struct str dimension = { NULL, 0 };
    struct err err;
    if (!known(req))
        return;
    bool parts = http_query(req, STR("segment"), &dimension);
    if (parts && !check_dimension(dimension, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { list_of_one(req, req->params[0]),
                             parts ? arena_printf(&req->arena, "{" STR_FMT "=}", STR_ARG(dimension)).p : "{}" };
    pgloop_run(worker->pg, &queries[QUERY_RESULTS_DAYS], params, on_done,
               wait_for(req, worker, req->params[0], write_json));
}

void results_csv(struct http_request *req, void *arg)
{
    export(req, arg, on_csv_rows);
}

void results_json(struct http_request *req, void *arg)
{
    export(req, arg, on_rows);
}

/* ---- the list ---- */

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
        r.preferences = preferences_of(&wait->preferences, r.experiment);
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
    struct buf keys, parts; /* a verdict in the list is the one on its page, so it is made of the same */
    buf_init(&keys, LIST_PAGE_MAX * 128);
    buf_init(&parts, LIST_PAGE_MAX * 256);
    buf_add_byte(&parts, '{');
    size_t from = page_start(s, wait->key);
    bool interleaved = false;
    for (size_t i = from; i < s->experiments_count && i < from + wait->limit; i++) {
        add_key(&keys, s->experiments[i].key);
        interleaved = interleaved || s->experiments[i].kind == EXPERIMENT_INTERLEAVE;
        result_add_parts(&parts, &s->experiments[i]);
    }
    if (keys.n == 0)
        buf_add_byte(&keys, '{');
    buf_add_byte(&keys, '}');
    buf_add_byte(&parts, '}');
    const char *params[] = { keys.p, parts.p }, *last_day[] = { keys.p, "false" };
    if (interleaved)
        pgloop_run(worker->pg, &queries[QUERY_PREFERENCES], last_day, on_preferences, wait);
    pgloop_run(worker->pg, &queries[QUERY_RESULTS_LATEST], params, on_rows, wait);
    buf_release(&keys);
    buf_release(&parts);
}
