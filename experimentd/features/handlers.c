#include "experimentd/features/handlers.h"

#include "base/json.h"
#include "base/jsonw.h"
#include "experimentd/features/parts.h"
#include "experimentd/queries.h"

enum { ANSWER_MAX = 64 << 20, NAME_MAX_BYTES = 64 };

struct feature_wait feature_wait_of(struct http_request *req, void *worker)
{
    return (struct feature_wait){ .req = req, .worker = worker, .name = arena_cstr(&req->arena, req->params[0]) };
}

static struct feature_wait *wait_new(struct http_request *req, void *worker)
{
    struct feature_wait *w = arena_zalloc(&req->arena, sizeof *w);
    *w = feature_wait_of(req, worker);
    return w;
}

void feature_set_unknown(struct feature_wait *w)
{
    struct err err;
    (void)err_set(&err, ERR_NOT_FOUND, "there is no feature set \"%.80s\"", w->name);
    http_reply_err(w->req, &err);
}

bool feature_set_name_check(struct str s, struct err *err)
{
    bool ok = s.n > 0 && s.n <= NAME_MAX_BYTES;
    for (size_t i = 0; ok && i < s.n; i++)
        ok = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || (i > 0 && strchr("_.-", s.p[i]));
    return ok || err_set(err, ERR_INVALID,
                         "the name of a feature set has small letters, digits and _ . - behind the first, at most %d",
                         NAME_MAX_BYTES);
}

bool feature_flag(struct http_request *req, const char *name, bool *out, struct err *err)
{
    struct str text;
    *out = false;
    return !http_query(req, str_of(name), &text) || parse_bool(text, out, NULL) ||
           err_set(err, ERR_INVALID, "query parameter \"%s\" is \"" STR_FMT "\", neither true nor false", name,
                   STR_ARG(str_cut(text, 60)));
}

/* ---- answers ---- */

static void write_one(struct jsonw *w, const PGresult *r, int row)
{
    struct err err;
    json_auto_t *spec = json_parse(pg_get(r, row, SET_SPEC), &err);
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "name", pg_get(r, row, SET_NAME));
    jsonw_str(w, "description", pg_get(r, row, SET_DESCRIPTION));
    AUTO(buf_release) struct buf features;
    buf_init(&features, FEATURE_SPEC_BYTES_MAX);
    json_write(&features, json_object_get(spec, "features"));
    jsonw_raw(w, "features", buf_str(&features));
    jsonw_i64(w, "rows", pg_get_i64(r, row, SET_ROWS));
    jsonw_i64(w, "version", pg_get_i64(r, row, SET_VERSION));
    jsonw_time(w, "created_at", pg_get_i64(r, row, SET_CREATED));
    jsonw_time(w, "updated_at", pg_get_i64(r, row, SET_UPDATED));
    jsonw_time(w, "rows_at", PQgetisnull(r, row, SET_ROWS_AT) ? 0 : pg_get_i64(r, row, SET_ROWS_AT));
    jsonw_str(w, "updated_by", pg_get(r, row, SET_BY));
    jsonw_close(w);
}

static void on_one(void *arg, const PGresult *r, const struct err *err)
{
    struct feature_wait *wait = arg;
    struct http_request *req = wait->req;
    struct buf b;
    struct jsonw w;
    if (err) {
        http_reply_err(req, err);
        return;
    }
    if (PQntuples(r) == 0) {
        feature_set_unknown(wait);
        return;
    }
    http_reply_header(req, STR("ETag"),
                      arena_printf(&req->arena, "\"%lld\"", (long long)pg_get_i64(r, 0, SET_VERSION)));
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    write_one(&w, r, 0);
    http_reply_buf(req, wait->created ? 201 : 200, &b, "the feature set");
}

static void read_one(struct feature_wait *wait)
{
    const char *params[] = { wait->name };
    pgloop_run(wait->worker->pg, &queries[QUERY_FEATURE_SETS], params, on_one, wait);
}

void feature_sets_get(struct http_request *req, void *arg)
{
    read_one(wait_new(req, arg));
}

static void on_list(void *arg, const PGresult *r, const struct err *err)
{
    struct http_request *req = arg;
    struct buf b;
    struct jsonw w;
    if (err) {
        http_reply_err(req, err);
        return;
    }
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_open(&w, "feature_sets", '[');
    for (int i = 0; i < PQntuples(r); i++)
        write_one(&w, r, i);
    jsonw_close(&w);
    jsonw_close(&w);
    http_reply_buf(req, 200, &b, "the list");
}

void feature_sets_list(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    const char *params[] = { NULL };
    pgloop_run(worker->pg, &queries[QUERY_FEATURE_SETS], params, on_list, req);
}

/* ---- edits ---- */

/* NULL: any version. */
static bool read_if_match(struct http_request *req, const char **out, struct err *err)
{
    struct str match = http_header(req, STR("if-match"));
    uint32_t version;
    *out = NULL;
    if (!match.n || str_eq(match, STR("*")))
        return true;
    if (match.n < 3 || match.p[0] != '"' || match.p[match.n - 1] != '"' ||
        !parse_u32((struct str){ match.p + 1, match.n - 2 }, &version, NULL))
        return err_set(err, ERR_INVALID,
                       "header \"If-Match\" must be an ETag of the feature set, like \"3\" with its quotes");
    *out = arena_printf(&req->arena, "%u", version).p;
    return true;
}

static void refuse(struct feature_wait *wait, const json_t *answer)
{
    const char *why = json_string_value(json_object_get(answer, "refused"));
    struct arena *arena = &wait->req->arena;
    if (strcmp(why, "missing") == 0)
        feature_set_unknown(wait);
    else if (strcmp(why, "used") == 0)
        http_reply_problem(wait->req, 409,
                           arena_printf(arena, "feature set \"%s\" is used by job \"%s\"", wait->name,
                                        json_string_value(json_object_get(answer, "detail")))
                               .p);
    else if (strcmp(why, "columns") == 0)
        http_reply_problem(wait->req, 409,
                           arena_printf(arena,
                                        "feature set \"%s\" has rows: features can be added behind those that it has, "
                                        "and these stay; delete its rows first",
                                        wait->name)
                               .p);
    else
        http_reply_problem(wait->req, 412,
                           arena_printf(arena, "If-Match is not the version of feature set \"%s\", which is \"%lld\"",
                                        wait->name, (long long)json_integer_value(json_object_get(answer, "version")))
                               .p);
}

static void on_edited(void *arg, const PGresult *r, const struct err *err)
{
    struct feature_wait *wait = arg;
    struct err bad;
    if (err) {
        http_reply_err(wait->req, err);
        return;
    }
    json_auto_t *answer = json_parse(pg_get(r, 0, 0), &bad);
    if (json_object_get(answer, "refused")) {
        refuse(wait, answer);
    } else if (wait->req->method == HTTP_DELETE_) {
        http_reply(wait->req, 204, NULL, STR(""));
    } else {
        wait->created = json_is_true(json_object_get(answer, "created"));
        read_one(wait);
    }
}

static void store(struct feature_wait *wait, const struct feature_spec *spec, const char *expected)
{
    struct arena *arena = &wait->req->arena;
    const char *params[] = { wait->name, arena_cstr(arena, spec->description), spec->stored.p, expected,
                             arena_cstr(arena, wait->req->key_label) };
    pgloop_run(wait->worker->pg, &queries[QUERY_FEATURE_SET_PUT], params, on_edited, wait);
}

void feature_sets_put(struct http_request *req, void *arg)
{
    struct feature_wait *wait = wait_new(req, arg);
    struct feature_spec spec;
    const char *expected;
    bool only_checked;
    struct err err;
    bool ok = feature_set_name_check(req->params[0], &err) && read_if_match(req, &expected, &err) &&
              feature_flag(req, "dry_run", &only_checked, &err);
    if (!ok) {
        http_reply_err(req, &err);
        return;
    }
    if (!feature_spec_read(req->body, &req->arena, &spec, &err))
        http_reply_err(req, &err);
    else if (only_checked)
        http_reply_json(req, 200, buf_str(&spec.stored));
    else
        store(wait, &spec, expected);
    buf_release(&spec.stored);
}

void feature_sets_delete(struct http_request *req, void *arg)
{
    struct feature_wait *wait = wait_new(req, arg);
    const char *expected;
    struct err err;
    if (!read_if_match(req, &expected, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { wait->name, expected, arena_cstr(&req->arena, req->key_label) };
    pgloop_run(wait->worker->pg, &queries[QUERY_FEATURE_SET_DELETE], params, on_edited, wait);
}
