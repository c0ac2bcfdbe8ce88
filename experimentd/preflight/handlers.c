#include "experimentd/preflight/handlers.h"

#include "experimentd/preflight/gather.h"

enum { PROBLEM_MAX = (1 << 20) + 4096 };

static void reply(struct preflight_report *r)
{
    if (r->json.p)
        http_reply_json(r->req, 200, r->json);
    else
        http_reply_err(r->req, &r->error);
}

void preflight_dry_run(struct http_request *req, void *arg)
{
    preflight_gather(req, arg, req->params[0], reply);
}

void preflight_refuse(const struct preflight_report *r)
{
    struct buf b;
    struct jsonw w;
    if (!r->json.p) {
        http_reply_err(r->req, &r->error);
        return;
    }
    buf_init(&b, PROBLEM_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "type", "urn:experimentd:preflight");
    jsonw_text(&w, "title", "Conflict");
    jsonw_i64(&w, "status", http_status_of(ERR_CONFLICT));
    jsonw_str(
        &w, "detail",
        arena_printf(&r->req->arena, "cannot start experiment \"" STR_FMT "\": %s", STR_ARG(r->key), r->error.text));
    jsonw_raw(&w, "preflight", r->json);
    jsonw_close(&w);
    http_reply(r->req, http_status_of(ERR_CONFLICT), "application/problem+json", buf_str(&b));
    buf_release(&b);
}
