/* What people do: rules of their own, changes, reviews. The checks that need the table are in its functions (migration 0022). */
#include "base/json.h"
#include "base/pgloop.h"
#include "experimentd/http/asks.h"
#include "experimentd/queries.h"
#include "experimentd/resources/rows.h"
#include "experimentd/rewrites/handlers.h"
#include "experimentd/rewrites/parts.h"
#include "experimentd/worker.h"

enum { DOCUMENT_BYTES = 64 << 10, BULK_BYTES = 64 << 20, ID_MAX = 24 };

/* What an edit waits with. */
struct wait {
    struct http_request *req;
    struct worker *worker;
    const char *id, *expected;
    json_t *patch; /* freed by whoever takes it up */
    bool single, deletes;
    int status;
};

static struct wait *wait_new(struct http_request *req, struct worker *worker)
{
    struct wait *wait = arena_zalloc(&req->arena, sizeof *wait);
    *wait = (struct wait){ .req = req, .worker = worker, .status = 200 };
    return wait;
}

static void not_known(struct http_request *req, const char *id)
{
    struct err err;
    (void)err_set(&err, ERR_NOT_FOUND, "rewrite \"%.40s\" is not known", id);
    http_reply_err(req, &err);
}

/* NULL, and the request is answered: there is none of this id. */
static struct wait *wait_for(struct http_request *req, struct worker *worker)
{
    struct wait *wait = wait_new(req, worker);
    uint64_t id;
    wait->id = arena_cstr(&req->arena, req->params[0]);
    if (parse_u64(req->params[0], &id, NULL) && id <= INT64_MAX)
        return wait;
    not_known(req, wait->id);
    return NULL;
}

static const char *who(const struct wait *wait)
{
    return arena_cstr(&wait->req->arena, wait->req->key_label);
}

/* ---- one ---- */

static void on_one(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    struct http_request *req = wait->req;
    if (err) {
        http_reply_err(req, err);
        return;
    }
    if (PQntuples(r) == 0) {
        not_known(req, wait->id);
        return;
    }
    rows_etag(req, pg_get(r, 0, RC_VERSION));
    if (wait->status == 201)
        http_reply_header(req, STR("Location"), arena_printf(&req->arena, "/v1/rewrites/%s", wait->id));
    rows_reply_one(req, &rewrites_form, wait->status, r);
}

static void reply_one(struct wait *wait)
{
    const char *params[] = { wait->id };
    pgloop_run(wait->worker->pg, &queries[QUERY_REWRITE], params, on_one, wait);
}

void rewrites_get(struct http_request *req, void *arg)
{
    struct wait *wait = wait_for(req, arg);
    if (wait)
        reply_one(wait);
}

/* ---- rules of people ---- */

/* [{"id", "result"}] → the one, or how many became what and which were there already. */
static void reply_many(struct wait *wait, json_t *results)
{
    struct buf b;
    struct jsonw w;
    int64_t created = 0, replaced = 0;
    size_t i;
    json_t *one;
    buf_init(&b, REWRITES_ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, "exists", '[');
    json_array_foreach(results, i, one)
    {
        const char *result = json_string_value(json_object_get(one, "result"));
        created += strcmp(result, "created") == 0;
        replaced += strcmp(result, "replaced") == 0;
        if (strcmp(result, "exists") != 0)
            continue;
        jsonw_open(&w, NULL, '{');
        jsonw_i64(&w, "index", (int64_t)i);
        jsonw_i64(&w, "id", json_integer_value(json_object_get(one, "id")));
        jsonw_close(&w);
    }
    jsonw_close(&w);
    jsonw_i64(&w, "created", created);
    jsonw_i64(&w, "replaced", replaced);
    jsonw_close(&w);
    http_reply_buf(wait->req, 200, &b, "the answer");
}

static void on_added(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    struct err bad;
    if (err) {
        http_reply_err(wait->req, err);
        return;
    }
    json_auto_t *results = json_parse(pg_get(r, 0, 0), &bad);
    if (!wait->single) {
        reply_many(wait, results);
        return;
    }
    json_t *one = json_array_get(results, 0);
    const char *result = json_string_value(json_object_get(one, "result"));
    long long id = json_integer_value(json_object_get(one, "id"));
    wait->id = arena_printf(&wait->req->arena, "%lld", id).p;
    wait->status = strcmp(result, "created") == 0 ? 201 : 200;
    if (strcmp(result, "exists") != 0) {
        reply_one(wait);
        return;
    }
    (void)err_set(&bad, ERR_CONFLICT, "rewrite \"%lld\" has this type, input and output already", id);
    http_reply_err(wait->req, &bad);
}

static bool write_docs(json_t *root, struct arena *arena, struct jsonw *w, struct err *err)
{
    size_t n = json_is_array(root) ? json_array_size(root) : 1;
    if (n > REWRITES_BULK_MAX)
        return err_set(err, ERR_TOO_LARGE, "%zu rewrites, more than %d at once", n, REWRITES_BULK_MAX);
    jsonw_open(w, NULL, '[');
    for (size_t i = 0; i < n; i++) {
        struct rewrite_doc d;
        json_t *one = json_is_array(root) ? json_array_get(root, i) : root;
        if (!rewrite_doc_read(one, arena, &d, err))
            return json_is_array(root) ? err_prefix(err, "element %zu: ", i) : false;
        rewrite_doc_write(w, &d);
    }
    jsonw_close(w);
    return true;
}

void rewrites_create(struct http_request *req, void *arg)
{
    struct wait *wait = wait_new(req, arg);
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    struct err err;
    json_auto_t *root = json_parse(req->body, &err);
    buf_init(&b, BULK_BYTES);
    jsonw_init(&w, &b);
    wait->single = !json_is_array(root);
    if (!root || !write_docs(root, &req->arena, &w, &err) || !buf_ok(&b, "the rewrites", &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { b.p, who(wait) };
    pgloop_run(wait->worker->pg, &queries[QUERY_REWRITES_ADD], params, on_added, wait);
}

/* ---- changes ---- */

static void refuse_edit(struct wait *wait, const json_t *answer)
{
    const char *refused = json_string_value(json_object_get(answer, "refused"));
    const char *detail = json_string_value(json_object_get(answer, "detail"));
    struct err err;
    if (strcmp(refused, "version") == 0) {
        long long version = json_integer_value(json_object_get(answer, "version"));
        http_reply_problem(wait->req, 412,
                           arena_printf(&wait->req->arena,
                                        "If-Match is not the version of rewrite \"%s\", which is \"%lld\"", wait->id,
                                        version)
                               .p);
        return;
    }
    if (strcmp(refused, "missing") == 0)
        (void)err_set(&err, ERR_NOT_FOUND, "rewrite \"%s\" is not known", wait->id);
    else if (strcmp(refused, "exists") == 0)
        (void)err_set(&err, ERR_CONFLICT, "rewrite \"%.20s\" has this type, input and output already", detail);
    else if (detail)
        (void)err_set(&err, ERR_CONFLICT,
                      "field \"%.40s\" of rewrite \"%s\" is what a job found: deny it and make one of your own", detail,
                      wait->id);
    else
        (void)err_set(&err, ERR_CONFLICT, "a job found rewrite \"%s\" and would find it again: deny it", wait->id);
    http_reply_err(wait->req, &err);
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
        refuse_edit(wait, answer);
    else if (wait->deletes)
        http_reply(wait->req, 204, NULL, STR(""));
    else
        reply_one(wait);
}

static void edit(struct wait *wait, const char *document)
{
    const char *params[] = { wait->id, wait->deletes ? "delete" : "change", wait->expected, document, who(wait) };
    pgloop_run(wait->worker->pg, &queries[QUERY_REWRITE_EDIT], params, on_edited, wait);
}

/* A change is checked on what stands; when that is not what the database finds, it refuses the version. */
static bool write_patch(struct wait *wait, const json_t *patch, const PGresult *r, struct buf *b, struct err *err)
{
    struct rewrite_doc d = { .rule = rewrite_row_rule(r, 0),
                             .review = pg_get(r, 0, RC_REVIEW),
                             .note = pg_get(r, 0, RC_NOTE) };
    struct jsonw w;
    bool rule;
    jsonw_init(&w, b);
    jsonw_open(&w, NULL, '{');
    if (!rewrite_patch_read((json_t *)(uintptr_t)patch, &wait->req->arena, &d, &w, &rule, err))
        return false;
    jsonw_close(&w);
    if (rule && !wait->expected)
        wait->expected = arena_cstr(&wait->req->arena, pg_get(r, 0, RC_VERSION));
    return buf_ok(b, "the change", err);
}

static void on_to_patch(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    json_auto_t *patch = TAKE(wait->patch);
    AUTO(buf_release) struct buf b;
    struct err bad;
    buf_init(&b, DOCUMENT_BYTES);
    if (err)
        http_reply_err(wait->req, err);
    else if (PQntuples(r) == 0)
        not_known(wait->req, wait->id);
    else if (!write_patch(wait, patch, r, &b, &bad))
        http_reply_err(wait->req, &bad);
    else
        edit(wait, b.p);
}

void rewrites_patch(struct http_request *req, void *arg)
{
    struct wait *wait = wait_for(req, arg);
    struct err err;
    if (!wait)
        return;
    if (!http_if_match(req, "rewrite", &wait->expected, &err) || !(wait->patch = json_parse(req->body, &err))) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { wait->id };
    pgloop_run(wait->worker->pg, &queries[QUERY_REWRITE], params, on_to_patch, wait);
}

void rewrites_delete(struct http_request *req, void *arg)
{
    struct wait *wait = wait_for(req, arg);
    struct err err;
    if (!wait)
        return;
    wait->deletes = true;
    if (http_if_match(req, "rewrite", &wait->expected, &err))
        edit(wait, NULL);
    else
        http_reply_err(req, &err);
}

/* ---- reviews of many ---- */

static void on_reviewed(void *arg, const PGresult *r, const struct err *err)
{
    struct wait *wait = arg;
    struct err bad;
    if (err) {
        http_reply_err(wait->req, err);
        return;
    }
    json_auto_t *answer = json_parse(pg_get(r, 0, 0), &bad);
    const char *refused = json_string_value(json_object_get(answer, "refused"));
    const char *detail = json_string_value(json_object_get(answer, "detail"));
    if (!refused) {
        http_reply_json(wait->req, 200, pg_get(r, 0, 0));
        return;
    }
    if (strcmp(refused, "missing") == 0)
        (void)err_set(&bad, ERR_NOT_FOUND, "rewrite \"%.20s\" is not known; nothing was changed", detail);
    else
        (void)err_set(&bad, ERR_CONFLICT,
                      "these are %.20s rewrites by now, not as many as \"count\" says; nothing was changed", detail);
    http_reply_err(wait->req, &bad);
}

static const char *ids_text(struct arena *arena, const struct rewrite_review *v)
{
    struct buf b;
    if (!v->ids)
        return NULL;
    buf_init(&b, REWRITES_BULK_MAX * ID_MAX);
    buf_add_byte(&b, '{');
    for (size_t i = 0; i < v->ids_count; i++)
        buf_addf(&b, "%s%lld", i ? "," : "", (long long)v->ids[i]);
    buf_add_byte(&b, '}');
    const char *text = arena_cstr(arena, buf_str(&b));
    buf_release(&b);
    return text;
}

void rewrites_bulk_review(struct http_request *req, void *arg)
{
    struct wait *wait = wait_new(req, arg);
    struct rewrite_review v;
    struct err err;
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    json_auto_t *root = json_parse(req->body, &err);
    buf_init(&b, DOCUMENT_BYTES);
    if (!root || !rewrite_review_read(root, &req->arena, &v, &err)) {
        http_reply_err(req, &err);
        return;
    }
    jsonw_init(&w, &b);
    rewrite_filter_write(&w, &v.filter);
    const char *params[] = { b.p,
                             ids_text(&req->arena, &v),
                             arena_cstr(&req->arena, v.review),
                             v.note.p ? arena_cstr(&req->arena, v.note) : NULL,
                             v.count >= 0 ? arena_printf(&req->arena, "%lld", (long long)v.count).p : NULL,
                             who(wait) };
    pgloop_run(wait->worker->pg, &queries[QUERY_REWRITES_REVIEW], params, on_reviewed, wait);
}
