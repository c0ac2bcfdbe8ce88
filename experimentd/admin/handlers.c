#include "experimentd/admin/handlers.h"

#include <libpq-fe.h>

#include "base/buf.h"
#include "base/jsonw.h"
#include "experimentd/config/snapshot.h"
#include "experimentd/http/routes.h"
#include "experimentd/ingest/journal/journal.h"
#include "experimentd/server.h"

enum { ANSWER_MAX = 1 << 20 };

/* Alive: this thread turns its loop. Nothing else is asked, or a sick database would have the daemon restarted. */
void admin_healthz(struct http_request *req, void *arg)
{
    (void)arg;
    http_reply_json(req, 200, STR("{\"status\":\"ok\"}"));
}

/* Ready: assignments can be answered and signals be made durable. PostgreSQL may be away (the journal bridges it). */
void admin_readyz(struct http_request *req, void *arg)
{
    struct worker *worker = arg;
    struct err err = { 0 };
    bool stopping = worker->server->stop_asked_us != 0, starting = !stopping && !atomic_load(&worker->server->ready);
    bool ok = !stopping && !starting && snapshot_get() && journal_ready(worker->journal, &err);
    struct buf b;
    struct jsonw w;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "status", ok ? "ready" : "not ready");
    jsonw_text(&w, "reason",
               ok         ? NULL
               : stopping ? "stopping"
               : starting ? "starting"
               : err.kind ? err.text
                          : "no configuration yet");
    jsonw_text(&w, "database", atomic_load(&worker->server->database_up) ? "connected" : "away");
    jsonw_close(&w);
    http_reply_json(req, ok ? 200 : 503, buf_str(&b));
    buf_release(&b);
}

void admin_version(struct http_request *req, void *arg)
{
    (void)arg;
    struct str body = arena_printf(&req->arena, "{\"name\":\"experimentd\",\"version\":\"%s\",\"libpq\":%d}",
                                   EXPERIMENTD_VERSION, PQlibVersion());
    http_reply_json(req, 200, body);
}

/* ---- the API document, from the table of routes ---- */

static const char *const method_keys[HTTP_METHOD_COUNT] = {
    [HTTP_GET_] = "get",       [HTTP_HEAD_] = "head",   [HTTP_POST_] = "post",       [HTTP_PUT_] = "put",
    [HTTP_DELETE_] = "delete", [HTTP_PATCH_] = "patch", [HTTP_OPTIONS_] = "options",
};

static void write_operation(struct jsonw *w, const struct route *r)
{
    jsonw_open(w, method_keys[r->method], '{');
    jsonw_text(w, "summary", r->summary);
    jsonw_text(w, "x-scope", key_scope_names[r->scope]);
    if (r->scope != SCOPE_NONE)
        jsonw_raw(w, "security", STR("[{\"bearer\":[]},{\"key\":[]}]"));
    jsonw_raw(w, "responses",
              STR("{\"200\":{\"description\":\"OK\"},\"default\":{\"description\":\"a problem\",\"content\":"
                  "{\"application/problem+json\":{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}}"));
    jsonw_close(w);
}

static bool first_of_pattern(size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(routes[k].pattern, routes[i].pattern) == 0)
            return false;
    return true;
}

static void write_paths(struct jsonw *w)
{
    jsonw_open(w, "paths", '{');
    for (size_t i = 0; i < routes_count; i++) {
        if (!first_of_pattern(i))
            continue;
        jsonw_open(w, routes[i].pattern, '{');
        for (size_t k = i; k < routes_count; k++)
            if (strcmp(routes[k].pattern, routes[i].pattern) == 0)
                write_operation(w, &routes[k]);
        jsonw_close(w);
    }
    jsonw_close(w);
}

void admin_openapi(struct http_request *req, void *arg)
{
    (void)arg;
    struct buf b;
    struct jsonw w;
    buf_init(&b, ANSWER_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "openapi", "3.1.0");
    jsonw_raw(&w, "info", STR("{\"title\":\"experimentd\",\"version\":\"" EXPERIMENTD_VERSION "\"}"));
    write_paths(&w);
    jsonw_raw(&w, "components",
              STR("{\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
                  "\"key\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"X-API-Key\"}},\"schemas\":{\"Problem\":"
                  "{\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\"},\"title\":{\"type\":\"string\"},"
                  "\"status\":{\"type\":\"integer\"},\"detail\":{\"type\":\"string\"}}}}}"));
    jsonw_close(&w);
    http_reply_json(req, 200, buf_str(&b));
    buf_release(&b);
}
