#include "experimentd/features/handlers.h"

#include "base/json.h"
#include "experimentd/features/parts.h"
#include "experimentd/http/asks.h"
#include "experimentd/queries.h"

enum { ANSWER_MAX = 64 << 20 };

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

static const struct resource_refusal refusals[] = {
    { "columns", 409, "feature set \"",
      "\" has rows: features can be added behind those that it has, and these stay; delete its rows first" },
    { NULL, 0, NULL, NULL },
};

const struct resource_kind feature_set_kind = {
    .what = "feature set",
    .name_shown = 80,
    .form = { .write = write_one, .list = "feature_sets", .one = "the feature set", .bytes_max = ANSWER_MAX },
    .read = QUERY_FEATURE_SETS,
    .remove = QUERY_FEATURE_SET_DELETE,
    .version_column = SET_VERSION,
    .refusals = refusals
};

void feature_sets_get(struct http_request *req, void *arg)
{
    resource_get(req, arg, &feature_set_kind);
}

void feature_sets_list(struct http_request *req, void *arg)
{
    resource_list(req, arg, &feature_set_kind);
}

void feature_sets_delete(struct http_request *req, void *arg)
{
    resource_delete(req, arg, &feature_set_kind);
}

static void store(struct resource_wait *wait, const struct feature_spec *spec, const char *expected)
{
    struct arena *arena = &wait->req->arena;
    const char *params[] = { wait->name, arena_cstr(arena, spec->description), spec->stored.p, expected,
                             resource_actor(wait->req) };
    resource_change(wait, QUERY_FEATURE_SET_PUT, params);
}

void feature_sets_put(struct http_request *req, void *arg)
{
    struct resource_wait *wait = resource_wait_new(req, arg, &feature_set_kind);
    struct feature_spec spec;
    const char *expected;
    bool only_checked;
    struct err err;
    bool ok = http_name_check(req->params[0], "the name of a feature set", &err) &&
              http_if_match(req, "feature set", &expected, &err) &&
              http_query_flag(req, STR("dry_run"), &only_checked, &err);
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
