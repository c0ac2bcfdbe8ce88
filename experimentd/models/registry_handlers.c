/* Models and their versions: list, one, change, delete. */
#include "base/json.h"
#include "base/pgloop.h"
#include "experimentd/http/asks.h"
#include "experimentd/models/handlers.h"
#include "experimentd/models/model_json.h"
#include "experimentd/models/parts.h"
#include "experimentd/queries.h"
#include "experimentd/resources/rows.h"

enum { ANSWER_MAX = 64 << 20, PAGE = 50, PAGE_MAX = 500, NAME_SHOWN = 64, DESCRIPTION_MAX = 4000, TAGS_MAX = 16 << 10 };

/* ---- what handlers wait with ---- */

struct model_wait *model_wait_new(struct http_request *req, struct worker *worker)
{
    struct model_wait *wait = arena_zalloc(&req->arena, sizeof *wait);
    *wait = (struct model_wait){ .req = req, .worker = worker, .status = 200 };
    wait->model = req->params[0].p ? arena_cstr(&req->arena, req->params[0]) : NULL;
    return wait;
}

bool version_is_text(struct str s)
{
    uint32_t number;
    return (s.n > 1 && s.p[0] == '@') || (parse_u32(s, &number, NULL) && number > 0 && number <= INT32_MAX);
}

struct model_wait *model_wait_version(struct http_request *req, struct worker *worker)
{
    struct model_wait *wait = model_wait_new(req, worker);
    wait->version = arena_cstr(&req->arena, req->params[1]);
    if (version_is_text(req->params[1]))
        return wait;
    model_not_known(wait);
    return NULL;
}

void model_not_known(struct model_wait *wait)
{
    struct err err;
    if (wait->version)
        (void)err_set(&err, ERR_NOT_FOUND, "model \"%.64s\" has no version \"%.64s\"", wait->model, wait->version);
    else
        (void)err_set(&err, ERR_NOT_FOUND, "model \"%.64s\" is not known", wait->model);
    http_reply_err(wait->req, &err);
}

const char *model_actor(struct http_request *req)
{
    return arena_cstr(&req->arena, req->key_label);
}

/* ---- answers ---- */

static const struct rows_form models_form = {
    .write = model_write, .list = "models", .one = "the answer", .bytes_max = ANSWER_MAX
};
static const struct rows_form versions_form = {
    .write = version_write, .list = "versions", .one = "the answer", .bytes_max = ANSWER_MAX
};

static void on_models(void *arg, const PGresult *r, const struct err *err)
{
    rows_reply_list(arg, &models_form, r, err);
}

void models_list(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    const char *params[] = { NULL };
    pgloop_run(worker->pg, &queries[QUERY_MODELS], params, on_models, req);
}

/* One row of either statement. */
static void reply_row(struct model_wait *wait, const struct rows_form *form, int edit_column, const PGresult *r,
                      const struct err *err)
{
    if (err) {
        http_reply_err(wait->req, err);
    } else if (PQntuples(r) == 0) {
        model_not_known(wait);
    } else {
        rows_etag(wait->req, pg_get(r, 0, edit_column));
        rows_reply_one(wait->req, form, wait->status, r);
    }
}

static void on_model(void *arg, const PGresult *r, const struct err *err)
{
    reply_row(arg, &models_form, MODEL_EDIT_COLUMN, r, err);
}

static void on_version(void *arg, const PGresult *r, const struct err *err)
{
    reply_row(arg, &versions_form, VERSION_EDIT_COLUMN, r, err);
}

static void reply_one(struct model_wait *wait)
{
    const char *model[] = { wait->model }, *version[] = { wait->model, wait->version, "2147483647", "1", "true" };
    if (wait->version)
        pgloop_run(wait->worker->pg, &queries[QUERY_MODEL_VERSIONS], version, on_version, wait);
    else
        pgloop_run(wait->worker->pg, &queries[QUERY_MODELS], model, on_model, wait);
}

void models_get(struct http_request *req, void *arg)
{
    reply_one(model_wait_new(req, arg));
}

void model_versions_get(struct http_request *req, void *arg)
{
    struct model_wait *wait = model_wait_version(req, arg);
    if (wait)
        reply_one(wait);
}

/* ---- the list of versions ---- */

struct page {
    struct model_wait *wait;
    uint32_t size;
    const char *params[5];
};

static void on_model_of_list(void *arg, const PGresult *r, const struct err *err)
{
    struct model_wait *wait = arg;
    if (err)
        http_reply_err(wait->req, err);
    else if (PQntuples(r) == 0)
        model_not_known(wait);
    else
        http_reply_json(wait->req, 200, STR("{\"versions\":[]}"));
}

static void on_versions(void *arg, const PGresult *r, const struct err *err)
{
    struct page *page = arg;
    struct model_wait *wait = page->wait;
    if (err) {
        http_reply_err(wait->req, err);
        return;
    }
    if (PQntuples(r) == 0) { /* a model without versions, or none */
        pgloop_run(wait->worker->pg, &queries[QUERY_MODELS], &wait->model, on_model_of_list, wait);
        return;
    }
    struct rows_page answer = { .shown = rows_shown(r, page->size), .last_without = true };
    if (PQntuples(r) > answer.shown)
        answer.next = pg_get(r, answer.shown - 1, VERSION_COLUMN);
    rows_reply_page(wait->req, &versions_form, r, &answer);
}

static bool read_page(struct http_request *req, struct page *page, struct err *err)
{
    struct str text;
    uint32_t before;
    bool deleted = false;
    page->size = PAGE;
    page->params[2] = "2147483647";
    if (http_query(req, STR("page_size"), &text) &&
        (!parse_u32(text, &page->size, NULL) || !page->size || page->size > PAGE_MAX))
        return err_set(err, ERR_INVALID, "query string: field \"page_size\" is not 1 to %d", PAGE_MAX);
    if (http_query(req, STR("deleted"), &text) && !parse_bool(text, &deleted, NULL))
        return err_set(err, ERR_INVALID, "query string: field \"deleted\" is neither true nor false");
    if (http_query(req, STR("page_token"), &text) && text.n) {
        if (!parse_u32(text, &before, NULL) || before > INT32_MAX)
            return err_set(err, ERR_INVALID, "query string: field \"page_token\" is none that was given");
        page->params[2] = arena_cstr(&req->arena, text);
    }
    page->params[3] = arena_printf(&req->arena, "%u", page->size + 1).p;
    page->params[4] = deleted ? "true" : "false";
    return true;
}

void model_versions_list(struct http_request *req, void *arg)
{
    struct page *page = arena_zalloc(&req->arena, sizeof *page);
    struct err err;
    page->wait = model_wait_new(req, arg);
    page->params[0] = page->wait->model;
    if (read_page(req, page, &err))
        pgloop_run(page->wait->worker->pg, &queries[QUERY_MODEL_VERSIONS], page->params, on_versions, page);
    else
        http_reply_err(req, &err);
}

/* ---- changes ---- */

struct change {
    const char *expected, *description, *tags; /* NULL: any; stays */
};

static bool read_tags(struct json_reader *in, struct arena *arena, const char **out)
{
    json_t *tags = NULL, *v;
    const char *key;
    struct buf b;
    if (!json_get_object(in, "tags", JSON_OPTIONAL, &tags))
        return true;
    json_object_foreach(tags, key, v) if (!json_is_string(v)) return json_fail(
        in, "tags", "has a member \"%.40s\" that is no text", key);
    buf_init(&b, TAGS_MAX);
    json_write(&b, tags);
    bool fits = !b.failed;
    *out = arena_cstr(arena, buf_str(&b));
    buf_release(&b);
    return fits || json_fail(in, "tags", "is longer than %d bytes", TAGS_MAX);
}

static bool read_change(struct http_request *req, struct change *out, struct err *err)
{
    struct json_reader in;
    struct str description;
    *out = (struct change){ .expected = NULL };
    if (!http_if_match(req, NULL, &out->expected, err))
        return false;
    json_auto_t *root = json_parse(req->body, err);
    if (!root)
        return false;
    json_reader_open(&in, root, "change");
    if (json_get_str(&in, "description", JSON_OPTIONAL, &description, &req->arena)) {
        if (description.n > DESCRIPTION_MAX)
            (void)json_fail(&in, "description", "is longer than %d bytes", DESCRIPTION_MAX);
        out->description = description.p;
    }
    (void)read_tags(&in, &req->arena, &out->tags);
    return json_reader_close(&in, err);
}

static void on_changed(void *arg, const PGresult *r, const struct err *err)
{
    struct model_wait *wait = arg;
    if (err)
        http_reply_err(wait->req, err);
    else if (PQntuples(r) == 0)
        model_not_known(wait);
    else if (PQgetisnull(r, 0, 1))
        http_reply_problem(wait->req, 412,
                           arena_printf(&wait->req->arena, "If-Match is not the ETag, which is \"%lld\"",
                                        (long long)pg_get_i64(r, 0, 0))
                               .p);
    else
        reply_one(wait);
}

void models_patch(struct http_request *req, void *arg)
{
    struct model_wait *wait = model_wait_new(req, arg);
    struct change c;
    struct err err;
    if (!read_change(req, &c, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { wait->model, c.expected, c.description, c.tags, model_actor(req) };
    pgloop_run(wait->worker->pg, &queries[QUERY_MODEL_EDIT], params, on_changed, wait);
}

void model_versions_patch(struct http_request *req, void *arg)
{
    struct model_wait *wait = model_wait_version(req, arg);
    struct change c;
    struct err err;
    if (!wait)
        return;
    if (!read_change(req, &c, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { wait->model, wait->version, c.expected, c.description, c.tags, model_actor(req) };
    pgloop_run(wait->worker->pg, &queries[QUERY_MODEL_VERSION_EDIT], params, on_changed, wait);
}

/* ---- deleting ---- */

/* What an alias points to is served. */
static void on_deleted(void *arg, const PGresult *r, const struct err *err)
{
    struct model_wait *wait = arg;
    struct err used;
    if (err) {
        http_reply_err(wait->req, err);
    } else if (PQntuples(r) == 0) {
        model_not_known(wait);
    } else if (PQgetisnull(r, 0, 0)) {
        http_reply(wait->req, 204, NULL, STR(""));
    } else {
        (void)err_set(&used, ERR_CONFLICT, "%s \"%.64s\" cannot be deleted: alias \"%.64s\" points to it",
                      wait->version ? "version" : "model", wait->version ? wait->version : wait->model,
                      PQgetvalue(r, 0, 0));
        http_reply_err(wait->req, &used);
    }
}

void models_delete(struct http_request *req, void *arg)
{
    struct model_wait *wait = model_wait_new(req, arg);
    const char *params[] = { wait->model, model_actor(req) };
    pgloop_run(wait->worker->pg, &queries[QUERY_MODEL_DELETE], params, on_deleted, wait);
}

void model_versions_delete(struct http_request *req, void *arg)
{
    struct model_wait *wait = model_wait_version(req, arg);
    if (!wait)
        return;
    const char *params[] = { wait->model, wait->version, model_actor(req) };
    pgloop_run(wait->worker->pg, &queries[QUERY_MODEL_VERSION_DELETE], params, on_deleted, wait);
}
