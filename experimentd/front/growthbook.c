#include "experimentd/front/growthbook.h"

#include "base/buf.h"
#include "experimentd/config/snapshot.h"
#include "experimentd/front/feeds.h"
#include "experimentd/http/cors.h"
#include "experimentd/worker.h"

enum { REFUSAL_BYTES = 4096 };

void growthbook_refuse(struct http_request *req, int status, const char *why)
{
    struct buf b;
    buf_init(&b, REFUSAL_BYTES);
    buf_addf(&b, "{\"status\":%d,\"error\":", status);
    buf_add_json_str(&b, str_is_utf8(str_of(why)) ? str_of(why) : STR("the request holds bytes that are not UTF-8"));
    buf_add_byte(&b, '}');
    http_reply_json(req, status, buf_str(&b));
    buf_release(&b);
}

bool growthbook_admit(struct http_request *req)
{
    if (req->scope >= SCOPE_CLIENT)
        return true;
    http_reply_header(req, STR("x-unrecoverable"), STR("1"));
    growthbook_refuse(req, 400, "the client key in the path is not known or was revoked");
    return false;
}

void growthbook_features(struct http_request *req, void *arg)
{
    const struct snapshot *s = snapshot_get();
    (void)arg;
    cors_allow_cached(req);
    if (!growthbook_admit(req))
        return;
    http_reply_header(req, STR("Cache-Control"),
                      STR("public, max-age=30, stale-while-revalidate=3600, stale-if-error=36000"));
    http_reply_header(req, STR("x-sse-support"), STR("enabled"));
    http_reply_header(req, STR("ETag"), s->payload_etag);
    if (http_etag_matches(req, s->payload_etag))
        http_reply(req, 304, NULL, STR(""));
    else
        http_reply_json(req, 200, snapshot_body(s));
}

static void stream(struct http_request *req, struct worker *w, enum feed which)
{
    if (growthbook_admit(req))
        feeds_answer(w->feeds, which, req);
}

void growthbook_sub(struct http_request *req, void *arg)
{
    stream(req, arg, FEED_FEATURES);
}

void growthbook_sub_remote(struct http_request *req, void *arg)
{
    stream(req, arg, FEED_UPDATED);
}
