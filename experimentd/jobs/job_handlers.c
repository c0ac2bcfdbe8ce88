/* Definitions: list, make, read, put, delete. The database checks what concerns several jobs (job_edit, migration 0019). */
#include "base/clock.h"
#include "base/pgloop.h"
#include "experimentd/http/asks.h"
#include "experimentd/jobs/definition.h"
#include "experimentd/jobs/handlers.h"
#include "experimentd/jobs/run_json.h"
#include "experimentd/queries.h"
#include "experimentd/resources/rows.h"
#include "experimentd/worker.h"
#include "job/schema.h"

enum {
    ANSWER_MAX = 16 << 20,
    NEXT_SHOWN = 5,
    DOCUMENT = 0,
    VERSION,
    PREDEFINED,
    RUNNING,
    QUEUED,
    CREATED,
    UPDATED,
    BY,
    RUN
};

/* What an edit waits with. */
struct wait {
    struct http_request *req;
    struct worker *worker;
    const char *id, *action;
    int status;
};

void job_types_list(struct http_request *req, void *arg)
{
    struct buf b, one;
    (void)arg;
    buf_init(&b, ANSWER_MAX);
    buf_init(&one, JOB_SCHEMA_BYTES);
    buf_add_c(&b, "{\"job_types\":[");
    for (size_t i = 0; i < job_types_count; i++) {
        buf_clear(&one);
        job_type_json(&job_types[i], &one);
        if (i)
            buf_add_byte(&b, ',');
        buf_add_str(&b, buf_str(&one));
    }
    buf_add_c(&b, "]}");
    buf_release(&one);
    http_reply_buf(req, 200, &b, "the list");
}

/* ---- answers ---- */

static void write_next(struct jsonw *w, const struct job_def *d)
{
    struct zone *z = d->enabled ? zone_load(d->timezone, NULL) : NULL;
    int64_t at[NEXT_SHOWN], t = clock_now_us() / US_PER_SECOND;
    size_t n = 0;
    while (z && n < NEXT_SHOWN && (t = job_def_next(d, z, t)) != INT64_MAX)
        at[n++] = t * US_PER_SECOND;
    zone_free(z);
    jsonw_time(w, "next_run_at", n ? at[0] : 0);
    jsonw_open(w, "next_runs_at", '[');
    for (size_t i = 0; i < n; i++)
        jsonw_time(w, NULL, at[i]);
    jsonw_close(w);
}

/* A job that this server's build no longer knows how to read is shown as it was written, with the reason. */
static void write_document(struct jsonw *w, struct str document, struct arena *arena)
{
    struct err err;
    struct job_def d;
    json_auto_t *root = json_parse(document, &err);
    if (root && job_def_read(root, STR(""), arena, &d, &err)) {
        job_def_write(w, &d);
        jsonw_text(w, "summary", d.type->summary);
        write_next(w, &d);
        return;
    }
    static const char *const members[] = { "id", "type", "name" };
    for (size_t i = 0; i < COUNT_OF(members); i++)
        jsonw_text(w, members[i], json_string_value(json_object_get(root, members[i])));
    jsonw_bool(w, "enabled", false);
    jsonw_raw(w, "triggers", STR("[]"));
    jsonw_text(w, "problem", err.text);
}

static void write_job(struct jsonw *w, const PGresult *r, int row)
{
    struct arena arena;
    arena_init(&arena, 4096);
    jsonw_open(w, NULL, '{');
    write_document(w, pg_get(r, row, DOCUMENT), &arena);
    arena_release(&arena);
    jsonw_bool(w, "predefined", pg_get_bool(r, row, PREDEFINED));
    if (PQgetisnull(r, row, RUN))
        jsonw_null(w, "last_run");
    else
        run_write(w, "last_run", r, row, RUN, false);
    jsonw_i64(w, "running", pg_get_i64(r, row, RUNNING));
    jsonw_i64(w, "queued", pg_get_i64(r, row, QUEUED));
    jsonw_i64(w, "version", pg_get_i64(r, row, VERSION));
    jsonw_time(w, "created_at", pg_get_i64(r, row, CREATED));
    jsonw_time(w, "updated_at", pg_get_i64(r, row, UPDATED));
    jsonw_str(w, "updated_by", pg_get(r, row, BY));
    jsonw_close(w);
}

static const struct rows_form form = { .write = write_job, .list = "jobs", .one = "the job", .bytes_max = ANSWER_MAX };

static void not_known(struct http_request *req, struct str id)
{
    struct err err;
    (void)err_set(&err, ERR_NOT_FOUND, "job \"" STR_FMT "\" is not known", STR_ARG(str_cut(id, JOB_ID_MAX)));
    http_reply_err(req, &err);
}

static void on_list(void *arg, const PGresult *r, const struct err *err)
{
    rows_reply_list(arg, &form, r, err);
}

void jobs_list(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    const char *params[] = { NULL };
    pgloop_run(worker->pg, &queries[QUERY_JOBS], params, on_list, req);
}

static void on_one(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    struct http_request *req = wait->req;
    if (err || PQntuples(r) == 0) {
        if (err)
            http_reply_err(req, err);
        else
            not_known(req, str_of(wait->id));
        return;
    }
    rows_etag(req, pg_get(r, 0, VERSION));
    if (wait->status == 201)
        http_reply_header(req, STR("Location"), arena_printf(&req->arena, "/v1/jobs/%s", wait->id));
    rows_reply_one(req, &form, wait->status, r);
}

static void reply_one(struct wait *wait, int status)
{
    const char *params[] = { wait->id };
    wait->status = status;
    pgloop_run(wait->worker->pg, &queries[QUERY_JOBS], params, on_one, wait);
}

static struct wait *wait_new(struct http_request *req, struct worker *worker, const char *action)
{
    struct wait *wait = arena_zalloc(&req->arena, sizeof *wait);
    *wait = (struct wait){ .req = req,
                           .worker = worker,
                           .action = action,
                           .id = arena_cstr(&req->arena, req->params[0].p ? req->params[0] : STR("")) };
    return wait;
}

void jobs_get(struct http_request *req, void *arg)
{
    reply_one(wait_new(req, arg, NULL), 200);
}

/* ---- edits ---- */

/* The answer is `before`, the job's id, `after`, and the detail. */
static const struct {
    const char *refused;
    enum err_kind kind;
    const char *before, *after; /* before NULL: `after` and the detail alone */
} refusals[] = {
    { "exists", ERR_CONFLICT, "job \"", "\" exists already" },
    { "missing", ERR_NOT_FOUND, "job \"", "\" is not known" },
    { "predefined", ERR_CONFLICT, "job \"", "\" is predefined: it can be changed and disabled, not deleted" },
    { "used", ERR_CONFLICT, "cannot delete job \"", "\": another runs after it: " },
    { "busy", ERR_CONFLICT, "cannot delete job \"", "\": a run of it is under way" },
    { "triggers", ERR_INVALID, NULL, "job: field \"triggers\": " },
};

static void refuse(struct wait *wait, const json_t *answer)
{
    const char *refused = json_string_value(json_object_get(answer, "refused"));
    const char *detail = json_string_value(json_object_get(answer, "detail"));
    struct arena *arena = &wait->req->arena;
    if (strcmp(refused, "version") == 0) {
        long long version = json_integer_value(json_object_get(answer, "version"));
        http_reply_problem(
            wait->req, 412,
            arena_printf(arena, "If-Match is not the version of job \"%s\", which is \"%lld\"", wait->id, version).p);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        if (strcmp(refused, refusals[i].refused) != 0)
            continue;
        const char *before = refusals[i].before;
        struct err err;
        (void)err_set(&err, refusals[i].kind, "%s%s%s%s", before ? before : "", before ? wait->id : "",
                      refusals[i].after, detail ? detail : "");
        http_reply_err(wait->req, &err);
        return;
    }
    http_reply_problem(wait->req, 500, refused);
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
    if (json_object_get(answer, "refused"))
        refuse(wait, answer);
    else if (strcmp(wait->action, "delete") == 0)
        http_reply(wait->req, 204, NULL, STR(""));
    else
        reply_one(wait, strcmp(wait->action, "create") == 0 ? 201 : 200);
}

static void edit(struct wait *wait, const char *document)
{
    struct http_request *req = wait->req;
    const char *expected;
    struct err err;
    if (!http_if_match(req, "job", &expected, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { wait->id, wait->action, expected, document, arena_cstr(&req->arena, req->key_label) };
    pgloop_run(wait->worker->pg, &queries[QUERY_JOB_EDIT], params, on_edited, wait);
}

static void edit_whole(struct wait *wait, struct str id)
{
    struct http_request *req = wait->req;
    struct job_def *d = arena_zalloc(&req->arena, sizeof *d);
    struct err err;
    struct buf b;
    struct jsonw w;
    json_auto_t *root = json_parse(req->body, &err);
    if (!root || !job_def_read(root, id, &req->arena, d, &err)) {
        http_reply_err(req, &err);
        return;
    }
    wait->id = arena_cstr(&req->arena, d->id);
    buf_init(&b, 2 * JOB_BYTES_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    job_def_write(&w, d);
    jsonw_bool(&w, "predefined", false); /* a change leaves it as it is */
    jsonw_close(&w);
    if (buf_ok(&b, "the job", &err))
        edit(wait, buf_str(&b).p);
    else
        http_reply_err(req, &err);
    buf_release(&b);
}

void jobs_create(struct http_request *req, void *arg)
{
    edit_whole(wait_new(req, arg, "create"), STR(""));
}

void jobs_put(struct http_request *req, void *arg)
{
    edit_whole(wait_new(req, arg, "change"), req->params[0]);
}

/* What is given takes the place of what stands; the rest stays. */
static void write_given(struct jsonw *w, const json_t *root, const struct job_def *d)
{
    if (json_object_get(root, "enabled"))
        jsonw_bool(w, "enabled", d->enabled);
    if (json_object_get(root, "timezone"))
        jsonw_str(w, "timezone", d->timezone);
    if (json_object_get(root, "concurrency"))
        jsonw_str(w, "concurrency", d->concurrency);
    if (json_object_get(root, "catch_up"))
        jsonw_str(w, "catch_up", d->catch_up);
    if (!json_object_get(root, "triggers"))
        return;
    jsonw_open(w, "triggers", '[');
    for (size_t i = 0; i < d->triggers_count; i++)
        trigger_write(w, &d->triggers[i]);
    jsonw_close(w);
}

void jobs_put_schedule(struct http_request *req, void *arg)
{
    struct job_def *d = arena_zalloc(&req->arena, sizeof *d);
    struct err err;
    struct buf b;
    struct jsonw w;
    json_auto_t *root = json_parse(req->body, &err);
    *d = (struct job_def){
        .enabled = true, .timezone = STR("UTC"), .concurrency = STR("skip"), .catch_up = STR("once")
    };
    if (!root || !job_def_read_schedule(root, &req->arena, d, &err)) {
        http_reply_err(req, &err);
        return;
    }
    buf_init(&b, JOB_BYTES_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    write_given(&w, root, d);
    jsonw_close(&w);
    edit(wait_new(req, arg, "change"), buf_str(&b).p);
    buf_release(&b);
}

void jobs_delete(struct http_request *req, void *arg)
{
    edit(wait_new(req, arg, "delete"), NULL);
}
