/* Aliases of models: set, take away, roll back. What the rules are stands in the database (model_alias_set, migration 0021), which trainer and daemons share. */
#include "base/json.h"
#include "base/jsonw.h"
#include "base/pgloop.h"
#include "experimentd/models/handlers.h"
#include "experimentd/models/parts.h"
#include "experimentd/queries.h"

enum { ALIAS_MAX = 64, ANSWER_MAX = 4096 };

static bool is_alias(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool letter = s.p[i] >= 'a' && s.p[i] <= 'z', digit = s.p[i] >= '0' && s.p[i] <= '9';
        if (!letter && (i == 0 || !(digit || memchr("._-", s.p[i], 3))))
            return false;
    }
    return s.n > 0 && s.n <= ALIAS_MAX;
}

static struct model_wait *wait_for_alias(struct http_request *req, struct worker *worker)
{
    struct model_wait *wait = model_wait_new(req, worker);
    struct err err;
    wait->alias = arena_cstr(&req->arena, req->params[1]);
    if (is_alias(req->params[1]))
        return wait;
    (void)err_set(&err, ERR_INVALID,
                  "alias \"%.64s\": an alias begins with a small letter, and has these, digits, \".\", \"_\" and "
                  "\"-\", at most %d",
                  wait->alias, ALIAS_MAX);
    http_reply_err(req, &err);
    return NULL;
}

/* ---- answers ---- */

static const struct {
    const char *refused;
    enum err_kind kind;
    const char *text; /* behind: model "x": */
} refusals[] = {
    { "model", ERR_NOT_FOUND, "it is not known" },
    { "version", ERR_NOT_FOUND, "there is no such version" },
    { "alias", ERR_NOT_FOUND, "there is no such alias" },
    { "status", ERR_CONFLICT, "the version is not ready" },
    { "gate", ERR_CONFLICT, "the gate refused this version; \"force\": true sets it nevertheless" },
    { "expected", ERR_CONFLICT, "the alias points to another version" },
    { "before", ERR_CONFLICT, "there is no version before to roll back to" },
};

static void refuse(struct model_wait *wait, const json_t *answer)
{
    const char *refused = json_string_value(json_object_get(answer, "refused"));
    const json_t *detail = json_object_get(answer, "detail");
    struct err err;
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        if (strcmp(refused, refusals[i].refused) != 0)
            continue;
        (void)err_set(&err, refusals[i].kind, "model \"%.64s\", alias \"%.64s\": %s", wait->model, wait->alias,
                      refusals[i].text);
        size_t n = strlen(err.text);
        if (json_is_string(detail))
            (void)snprintf(err.text + n, sizeof err.text - n, " (%s)", json_string_value(detail));
        else if (json_is_integer(detail))
            (void)snprintf(err.text + n, sizeof err.text - n, " (%lld)", (long long)json_integer_value(detail));
        http_reply_err(wait->req, &err);
        return;
    }
    http_reply_problem(wait->req, 500, refused);
}

static void on_set(void *arg, const PGresult *r, const struct err *err)
{
    struct model_wait *wait = arg;
    struct err bad;
    struct buf b;
    struct jsonw w;
    if (err) {
        http_reply_err(wait->req, err);
        return;
    }
    json_auto_t *answer = json_parse(pg_get(r, 0, 0), &bad);
    if (json_object_get(answer, "refused")) {
        refuse(wait, answer);
        return;
    }
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "model", wait->model);
    jsonw_text(&w, "alias", wait->alias);
    jsonw_i64(&w, "version", json_integer_value(json_object_get(answer, "version")));
    if (json_is_integer(json_object_get(answer, "was")))
        jsonw_i64(&w, "was", json_integer_value(json_object_get(answer, "was")));
    else
        jsonw_null(&w, "was");
    jsonw_close(&w);
    http_reply_buf(wait->req, 200, &b, "the alias");
}

/* ---- set ---- */

struct setting_alias {
    const char *version, *expected; /* expected NULL: whatever it points to */
    bool force;
};

static bool read_set(struct http_request *req, struct setting_alias *out, struct err *err)
{
    struct json_reader in;
    json_t *version = NULL;
    int64_t expected;
    json_auto_t *root = json_parse(req->body, err);
    if (!root)
        return false;
    *out = (struct setting_alias){ .force = false };
    json_reader_open(&in, root, "alias");
    if (json_get_any(&in, "version", JSON_REQUIRED, &version)) {
        struct str text = json_is_integer(version)
                              ? arena_printf(&req->arena, "%lld", (long long)json_integer_value(version))
                              : arena_str(&req->arena,
                                          str_of(json_is_string(version) ? json_string_value(version) : ""));
        if (!version_is_text(text))
            (void)json_fail(&in, "version", "is neither a number nor \"@\" and an alias");
        out->version = text.p;
    }
    if (json_get_i64(&in, "expected", JSON_OPTIONAL, &expected)) {
        if (expected < 0 || expected > INT32_MAX)
            (void)json_fail(&in, "expected", "is no version; 0: the alias is not there");
        out->expected = arena_printf(&req->arena, "%lld", (long long)expected).p;
    }
    (void)json_get_bool(&in, "force", JSON_OPTIONAL, &out->force);
    return json_reader_close(&in, err);
}

void model_aliases_put(struct http_request *req, void *arg)
{
    struct model_wait *wait = wait_for_alias(req, arg);
    struct setting_alias set;
    struct err err;
    if (!wait)
        return;
    if (!read_set(req, &set, &err)) {
        http_reply_err(req, &err);
        return;
    }
    const char *params[] = { wait->model, wait->alias, set.version, model_actor(req), set.force ? "true" : "false",
                             set.expected };
    pgloop_run(wait->worker->pg, &queries[QUERY_MODEL_ALIAS_SET], params, on_set, wait);
}

void model_aliases_rollback(struct http_request *req, void *arg)
{
    struct model_wait *wait = wait_for_alias(req, arg);
    if (!wait)
        return;
    const char *params[] = { wait->model, wait->alias, model_actor(req) };
    pgloop_run(wait->worker->pg, &queries[QUERY_MODEL_ALIAS_ROLLBACK], params, on_set, wait);
}

/* ---- take away ---- */

static void on_taken(void *arg, const PGresult *r, const struct err *err)
{
    struct model_wait *wait = arg;
    struct err missing;
    if (err) {
        http_reply_err(wait->req, err);
    } else if (PQntuples(r) == 0) {
        (void)err_set(&missing, ERR_NOT_FOUND, "model \"%.64s\" has no alias \"%.64s\"", wait->model, wait->alias);
        http_reply_err(wait->req, &missing);
    } else {
        http_reply(wait->req, 204, NULL, STR(""));
    }
}

void model_aliases_delete(struct http_request *req, void *arg)
{
    struct model_wait *wait = wait_for_alias(req, arg);
    if (!wait)
        return;
    const char *params[] = { wait->model, wait->alias, model_actor(req) };
    pgloop_run(wait->worker->pg, &queries[QUERY_MODEL_ALIAS_DELETE], params, on_taken, wait);
}
