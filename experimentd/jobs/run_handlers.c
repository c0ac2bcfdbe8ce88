/* Runs: start, list, one, cancel, retry. */
#include "base/clock.h"
#include "base/json.h"
#include "base/pgloop.h"
#include "experimentd/jobs/handlers.h"
#include "experimentd/jobs/run_json.h"
#include "experimentd/queries.h"
#include "experimentd/resources/rows.h"
#include "experimentd/worker.h"
#include "job/params.h"

enum { ANSWER_MAX = 16 << 20, PAGE = 50, PAGE_MAX = 500, STATES_MAX = 200 };

struct wait {
    struct http_request *req;
    struct worker *worker;
    const char *job, *run; /* job NULL: any */
    const char *params, *trigger;
    int status;
    uint32_t page_size;
};

static struct wait *wait_new(struct http_request *req, struct worker *worker)
{
    struct wait *wait = arena_zalloc(&req->arena, sizeof *wait);
    *wait = (struct wait){ .req = req, .worker = worker };
    return wait;
}

/* The path's names: /v1/jobs/{id}/runs/{run} or /v1/runs/{run}. */
static struct wait *wait_for_run(struct http_request *req, struct worker *worker)
{
    struct wait *wait = wait_new(req, worker);
    bool of_job = req->params[1].n > 0;
    unsigned char id[16];
    struct err err;
    wait->job = of_job ? arena_cstr(&req->arena, req->params[0]) : NULL;
    wait->run = arena_cstr(&req->arena, req->params[of_job]);
    if (uuid_parse(req->params[of_job], id))
        return wait;
    (void)err_set(&err, ERR_NOT_FOUND, "run \"" STR_FMT "\" is not known", STR_ARG(str_cut(req->params[of_job], 40)));
    http_reply_err(req, &err);
    return NULL;
}

static void not_known(struct wait *wait)
{
    struct err err;
    if (wait->run)
        (void)err_set(&err, ERR_NOT_FOUND, "run \"%.40s\"%s%.64s is not known", wait->run, wait->job ? " of job " : "",
                      wait->job ? wait->job : "");
    else
        (void)err_set(&err, ERR_NOT_FOUND, "job \"%.64s\" is not known", wait->job);
    http_reply_err(wait->req, &err);
}

static void refuse(struct wait *wait, const char *text)
{
    struct err err;
    (void)err_set(&err, ERR_CONFLICT, "%s", text);
    http_reply_err(wait->req, &err);
}

static const char *new_id(struct wait *wait)
{
    unsigned char id[16];
    char text[UUID_TEXT_MAX];
    uuid_v7(id, clock_now_us());
    uuid_format(id, text);
    return arena_cstr(&wait->req->arena, str_of(text));
}

static const char *who(struct wait *wait)
{
    return arena_cstr(&wait->req->arena, wait->req->key_label);
}

/* ---- one ---- */

static void on_run(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    struct buf b;
    struct jsonw w;
    if (err) {
        http_reply_err(wait->req, err);
        return;
    }
    if (PQntuples(r) == 0) {
        not_known(wait);
        return;
    }
    if (wait->status == 202 && !PQgetisnull(r, 0, 1))
        http_reply_header(wait->req, STR("Location"),
                          arena_printf(&wait->req->arena, "/v1/jobs/" STR_FMT "/runs/" STR_FMT,
                                       STR_ARG(pg_get(r, 0, 1)), STR_ARG(pg_get(r, 0, 0))));
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    run_write(&w, NULL, r, 0, 0, true);
    http_reply_buf(wait->req, wait->status, &b, "the run");
}

static void reply_run(struct wait *wait, int status)
{
    const char *params[] = { wait->run, wait->job };
    wait->status = status;
    pgloop_run(wait->worker->pg, &queries[QUERY_RUN], params, on_run, wait);
}

void runs_get(struct http_request *req, void *arg)
{
    struct wait *wait = wait_for_run(req, arg);
    if (wait)
        reply_run(wait, 200);
}

/* ---- lists ---- */

static void write_run(struct jsonw *w, const PGresult *r, int row)
{
    run_write(w, NULL, r, row, 0, false);
}

static void on_runs(void *arg, const PGresult *r, const struct err *err)
{
    static const struct rows_form form = { .write = write_run, .list = "runs", .bytes_max = ANSWER_MAX };
    struct wait *wait = arg;
    if (err) {
        http_reply_err(wait->req, err);
        return;
    }
    struct rows_page page = { .shown = rows_shown(r, wait->page_size), .last_without = true };
    if (PQntuples(r) > page.shown) /* queued_at and id of the last one */
        page.next = arena_printf(&wait->req->arena, "%lld.%s", (long long)pg_get_i64(r, page.shown - 1, 9),
                                 pg_get(r, page.shown - 1, 0).p);
    rows_reply_page(wait->req, &form, r, &page);
}

static bool read_page(struct wait *wait, const char *params[6], struct err *err)
{
    struct http_request *req = wait->req;
    struct str text, at;
    int64_t us;
    unsigned char id[16];
    wait->page_size = PAGE;
    if (http_query(req, STR("page_size"), &text) &&
        (!parse_u32(text, &wait->page_size, NULL) || !wait->page_size || wait->page_size > PAGE_MAX))
        return err_set(err, ERR_INVALID, "query string: field \"page_size\" is not 1 to %d", PAGE_MAX);
    params[5] = arena_printf(&req->arena, "%u", wait->page_size + 1).p;
    if (!http_query(req, STR("page_token"), &text) || !text.n)
        return true;
    (void)str_split(&text, '.', &at);
    if (!parse_i64(at, &us, NULL) || !uuid_parse(text, id))
        return err_set(err, ERR_INVALID, "query string: field \"page_token\" is none that was given");
    params[3] = arena_cstr(&req->arena, at);
    params[4] = arena_cstr(&req->arena, text);
    return true;
}

static bool read_filter(struct http_request *req, const char *params[6], struct err *err)
{
    static const char *const states[] = { "queued",    "running", "publishing", "success", "failed",
                                          "cancelled", "timeout", "skipped",    "lost" };
    struct str text, part, rest;
    unsigned char id[16];
    if (http_query(req, STR("job"), &text) && text.n)
        params[0] = arena_cstr(&req->arena, text);
    if (http_query(req, STR("state"), &text) && text.n) {
        for (rest = text; str_split(&rest, ',', &part);) {
            size_t i = 0;
            while (i < COUNT_OF(states) && !str_eq_c(part, states[i]))
                i++;
            if (i == COUNT_OF(states))
                return err_set(err, ERR_INVALID, "query string: field \"state\" has \"" STR_FMT "\", no state of a run",
                               STR_ARG(str_cut(part, 40)));
        }
        params[1] = arena_printf(&req->arena, "{" STR_FMT "}", STR_ARG(text)).p;
    }
    if (!http_query(req, STR("triggered_by"), &text) || !text.n)
        return true;
    if (!uuid_parse(text, id))
        return err_set(err, ERR_INVALID, "query string: field \"triggered_by\" is no run");
    params[2] = arena_cstr(&req->arena, text);
    return true;
}

static void list(struct wait *wait, const char *params[6])
{
    struct err err;
    if (read_filter(wait->req, params, &err) && read_page(wait, params, &err))
        pgloop_run(wait->worker->pg, &queries[QUERY_RUNS], params, on_runs, wait);
    else
        http_reply_err(wait->req, &err);
}

void runs_list(struct http_request *req, void *arg)
{
    const char *params[6] = { NULL };
    list(wait_new(req, arg), params);
}

/* ---- a job's ---- */

static void on_type_of_list(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    const char *params[6] = { wait->job };
    if (err)
        http_reply_err(wait->req, err);
    else if (PQntuples(r) == 0)
        not_known(wait);
    else
        list(wait, params);
}

static void ask_type(struct http_request *req, struct worker *worker, pgloop_fn fn)
{
    struct wait *wait = wait_new(req, worker);
    wait->job = arena_cstr(&req->arena, req->params[0]);
    const char *params[] = { wait->job };
    pgloop_run(worker->pg, &queries[QUERY_JOB_TYPE], params, fn, wait);
}

void runs_of_job(struct http_request *req, void *arg)
{
    ask_type(req, arg, on_type_of_list);
}

/* ---- starting ---- */

/* {"params": {…}, "trigger": "manual"}: both may be left out, so may all of it. */
static bool read_start(struct wait *wait, struct str type_name, struct err *err)
{
    const struct job_type *type = job_type_find(type_name);
    struct http_request *req = wait->req;
    struct json_reader r;
    struct str trigger = STR("api");
    json_t *params = NULL;
    wait->trigger = "api";
    if (!req->body.n)
        return true;
    json_auto_t *root = json_parse(req->body, err);
    if (!root)
        return false;
    json_reader_open(&r, root, "run");
    (void)json_get_object(&r, "params", JSON_OPTIONAL, &params);
    if (json_get_str(&r, "trigger", JSON_OPTIONAL, &trigger, NULL) && !str_eq(trigger, STR("manual")) &&
        !str_eq(trigger, STR("api")))
        (void)json_fail(&r, "trigger", "is \"" STR_FMT "\", not manual or api", STR_ARG(str_cut(trigger, 40)));
    wait->trigger = str_eq(trigger, STR("manual")) ? "manual" : "api";
    if (!json_reader_close(&r, err))
        return false;
    if (!params)
        return true;
    if (!type)
        return err_set(err, ERR_INVALID, "this server does not know type \"" STR_FMT "\"",
                       STR_ARG(str_cut(type_name, 60)));
    AUTO(buf_release) struct buf given;
    AUTO(buf_release) struct buf checked;
    buf_init(&given, JOB_PARAMS_BYTES);
    buf_init(&checked, JOB_PARAMS_BYTES);
    json_write(&given, params);
    if (!buf_ok(&given, "field \"params\"", err) || !job_params_check(type, buf_str(&given), &checked, err))
        return false;
    wait->params = arena_cstr(&req->arena, buf_str(&checked));
    return true;
}

static void on_queued(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    if (err) {
        http_reply_err(wait->req, err);
    } else if (PQntuples(r) == 0) {
        not_known(wait); /* deleted meanwhile */
    } else if (PQgetisnull(r, 0, 0)) {
        refuse(wait,
               arena_printf(&wait->req->arena,
                            "run %s of job \"%s\" is under way; its runs do not queue (\"concurrency\": \"skip\")",
                            pg_get(r, 0, 1).p, wait->job)
                   .p);
    } else {
        reply_run(wait, 202);
    }
}

static void on_type_of_start(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    struct err bad;
    if (err || PQntuples(r) == 0) {
        if (err)
            http_reply_err(wait->req, err);
        else
            not_known(wait);
        return;
    }
    if (!read_start(wait, pg_get(r, 0, 0), &bad)) {
        http_reply_err(wait->req, &bad);
        return;
    }
    wait->run = new_id(wait);
    const char *params[] = { wait->run, wait->job, wait->trigger, who(wait), wait->params };
    pgloop_run(wait->worker->pg, &queries[QUERY_RUN_QUEUE], params, on_queued, wait);
}

void runs_start(struct http_request *req, void *arg)
{
    ask_type(req, arg, on_type_of_start);
}

/* ---- ending, and once more ---- */

static void on_cancelled(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    if (err)
        http_reply_err(wait->req, err);
    else if (PQntuples(r) == 0)
        not_known(wait);
    else if (PQgetisnull(r, 0, 0))
        refuse(wait, arena_printf(&wait->req->arena, "run %s has ended: %s", wait->run, pg_get(r, 0, 1).p).p);
    else
        reply_run(wait, 202);
}

void runs_cancel(struct http_request *req, void *arg)
{
    struct wait *wait = wait_for_run(req, arg);
    if (!wait)
        return;
    const char *params[] = { wait->run, wait->job, who(wait) };
    pgloop_run(wait->worker->pg, &queries[QUERY_RUN_CANCEL], params, on_cancelled, wait);
}

static void on_retried(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    if (err) {
        http_reply_err(wait->req, err);
    } else if (PQntuples(r) == 0) {
        not_known(wait);
    } else if (PQgetisnull(r, 0, 0)) {
        bool open = str_eq(pg_get(r, 0, 1), STR("queued")) || str_eq(pg_get(r, 0, 1), STR("running")) ||
                    str_eq(pg_get(r, 0, 1), STR("publishing"));
        refuse(
            wait,
            arena_printf(&wait->req->arena, open ? "run %s has not ended" : "run %s was retried already", wait->run).p);
    } else {
        wait->run = arena_cstr(&wait->req->arena, pg_get(r, 0, 0));
        reply_run(wait, 202);
    }
}

void runs_retry(struct http_request *req, void *arg)
{
    struct wait *wait = wait_for_run(req, arg);
    if (!wait)
        return;
    const char *params[] = { new_id(wait), wait->run, wait->job, who(wait) };
    pgloop_run(wait->worker->pg, &queries[QUERY_RUN_RETRY], params, on_retried, wait);
}
