#include "experimentd/health/handlers.h"

#include "experimentd/health/gather.h"

enum { HEALTH_JSON_MAX = 8 << 20 };

static void reply(struct health_report *r)
{
    struct buf b;
    struct jsonw w;
    if (r->error.kind != ERR_NONE) {
        http_reply_err(r->req, &r->error);
        return;
    }
    buf_init(&b, HEALTH_JSON_MAX);
    jsonw_init(&w, &b);
    health_write(&w, &r->input, &r->health);
    http_reply_buf(r->req, 200, &b, "the answer");
}

void health_get(struct http_request *req, void *arg)
{
    health_gather(req, arg, req->params[0], reply, NULL);
}
