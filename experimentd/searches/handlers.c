#include "experimentd/searches/handlers.h"

#include "base/json.h"
#include "experimentd/http/asks.h"
#include "experimentd/queries.h"
#include "experimentd/resources/resource.h"
#include "experimentd/searches/run_file.h"
#include "job/search.h"

enum { ANSWER_MAX = 8 << 20, DESCRIPTION_MAX = 1000 };
/* Columns of QUERY_SEARCHES. */
enum column { NAME, DESCRIPTION, SPEC, LISTS, VERSION, CREATED, UPDATED, BY };

/* What stands in the spec stands beside the name: what PUT takes is what GET gives. */
static void write_one(struct jsonw *w, const PGresult *r, int row)
{
    struct err err;
    const char *key;
    json_t *value;
    json_auto_t *spec = json_parse(pg_get(r, row, SPEC), &err);
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "name", pg_get(r, row, NAME));
    jsonw_str(w, "description", pg_get(r, row, DESCRIPTION));
    json_object_foreach(spec, key, value)
    {
        AUTO(buf_release) struct buf b;
        buf_init(&b, ANSWER_MAX);
        json_write(&b, value);
        jsonw_raw(w, key, buf_str(&b));
    }
    jsonw_i64(w, "lists", pg_get_i64(r, row, LISTS));
    jsonw_i64(w, "version", pg_get_i64(r, row, VERSION));
    jsonw_time(w, "created_at", pg_get_i64(r, row, CREATED));
    jsonw_time(w, "updated_at", pg_get_i64(r, row, UPDATED));
    jsonw_str(w, "updated_by", pg_get(r, row, BY));
    jsonw_close(w);
}

static const struct resource_refusal refusals[] = {
    { "lists", 409, NULL, "a search that was given lists stays of engine \"run\"" },
    { "engine", 409, NULL, "only a search of engine \"run\" has lists" },
    { NULL, 0, NULL, NULL },
};

static const struct resource_kind kind = {
    .what = "search",
    .form = { .write = write_one, .list = "searches", .one = "the search", .bytes_max = ANSWER_MAX },
    .read = QUERY_SEARCHES,
    .remove = QUERY_SEARCH_DELETE,
    .version_column = VERSION,
    .refusals = refusals
};

void searches_get(struct http_request *req, void *arg)
{
    resource_get(req, arg, &kind);
}

void searches_list(struct http_request *req, void *arg)
{
    resource_list(req, arg, &kind);
}

void searches_delete(struct http_request *req, void *arg)
{
    resource_delete(req, arg, &kind);
}

/* What GET gives beside the spec may come back: it is not looked at. */
static bool read_document(struct http_request *req, struct str *out_description, struct str *out_spec, struct err *err)
{
    static const char *const shown[] = { "name",       "description", "lists",     "version",
                                         "created_at", "updated_at",  "updated_by" };
    json_auto_t *root = json_parse(req->body, err);
    struct search_config c;
    struct buf b;
    struct jsonw w;
    if (!root)
        return false;
    if (!json_is_object(root))
        return err_set(err, ERR_INVALID, "the body is no JSON object");
    const json_t *description = json_object_get(root, "description");
    if (description && (!json_is_string(description) || json_string_length(description) > DESCRIPTION_MAX))
        return err_set(err, ERR_INVALID, "search: field \"description\" is no text of up to %d bytes", DESCRIPTION_MAX);
    *out_description = arena_str(&req->arena, str_of(description ? json_string_value(description) : ""));
    for (size_t i = 0; i < COUNT_OF(shown); i++)
        (void)json_object_del(root, shown[i]);
    if (!search_config_read(root, &req->arena, &c, err))
        return false;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    search_config_write(&w, NULL, &c);
    *out_spec = arena_str(&req->arena, buf_str(&b));
    buf_release(&b);
    return true;
}

void searches_put(struct http_request *req, void *arg)
{
    struct resource_wait *wait = resource_wait_new(req, arg, &kind);
    const char *expected;
    bool only_checked;
    struct str description, spec;
    struct err err;
    if (!http_name_check(req->params[0], "the name of a search", &err) ||
        !http_if_match(req, "search", &expected, &err) || !http_query_flag(req, STR("dry_run"), &only_checked, &err) ||
        !read_document(req, &description, &spec, &err)) {
        http_reply_err(req, &err);
    } else if (only_checked) {
        http_reply_json(req, 200, spec);
    } else {
        const char *params[] = { wait->name, arena_cstr(&req->arena, description), arena_cstr(&req->arena, spec),
                                 expected, resource_actor(req) };
        resource_change(wait, QUERY_SEARCH_PUT, params);
    }
}

/* ---- lists ---- */

static bool read_format(struct http_request *req, enum run_file_format *out, struct err *err)
{
    struct str text;
    if (!http_query(req, STR("format"), &text))
        return err_set(err, ERR_INVALID, "query parameter \"format\" is missing: trec, csv or jsonl");
    for (int i = 0; i < RUN_FILE_FORMATS; i++)
        if (str_eq_c(text, run_file_formats[i])) {
            *out = (enum run_file_format)i;
            return true;
        }
    return err_set(err, ERR_INVALID, "query parameter \"format\" is \"" STR_FMT "\", not trec, csv or jsonl",
                   STR_ARG(str_cut(text, 60)));
}

void searches_put_lists(struct http_request *req, void *arg)
{
    struct resource_wait *wait = resource_wait_new(req, arg, &kind);
    const char *expected;
    enum run_file_format format;
    struct run_file f;
    struct err err;
    if (!http_if_match(req, "search", &expected, &err) || !read_format(req, &format, &err)) {
        http_reply_err(req, &err);
        return;
    }
    if (!run_file_read(format, req->body, &req->arena, &f, &err)) {
        http_reply_bad_lines(req, 400, &f.bad, &err);
    } else {
        const char *params[] = { wait->name, f.lists.p, expected, resource_actor(req) };
        resource_change(wait, QUERY_SEARCH_LISTS_PUT, params);
    }
    buf_release(&f.lists);
}
