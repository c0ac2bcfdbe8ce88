/* The list of origins is read once, before the workers start, and never changes: workers share it without a lock. */
#include "experimentd/http/cors.h"

enum { ORIGINS_MAX = 50 };

static char *text; /* of the setting; the origins point into it */
static struct str origins[ORIGINS_MAX];
static size_t origins_count;
static bool any;

static bool add_origin(struct str origin, struct err *err)
{
    const char *scheme = memmem(origin.p, origin.n, "://", 3);
    size_t host = scheme ? (size_t)(scheme - origin.p) + 3 : 0;
    if (!scheme || host == origin.n || memchr(origin.p + host, '/', origin.n - host))
        return err_set(err, ERR_INVALID,
                       "setting \"cors.origins\": \"%.100s\" is not an origin like https://shop.example",
                       origin.n ? origin.p : "");
    if (origins_count == ORIGINS_MAX)
        return err_set(err, ERR_INVALID, "setting \"cors.origins\" has more than %d origins", ORIGINS_MAX);
    origins[origins_count++] = origin;
    return true;
}

bool cors_set_origins(const char *list, struct err *err)
{
    cors_release();
    text = mem_strdup(list);
    struct str rest = str_trim(str_of(text)), part;
    any = str_eq(rest, STR("*"));
    while (!any && rest.n && str_split(&rest, ',', &part))
        if (!add_origin(str_trim(part), err))
            return false;
    return true;
}

void cors_release(void)
{
    mem_free(text);
    text = NULL;
    origins_count = 0;
    any = false;
}

bool cors_covers(const struct route *r)
{
    return r->scope == SCOPE_CLIENT;
}

static bool allowed(struct str origin)
{
    for (size_t i = 0; i < origins_count; i++)
        if (str_eq(origin, origins[i]))
            return true;
    return false;
}

bool cors_may_send(const struct http_request *req)
{
    struct str origin = http_header(req, STR("origin")), host = http_header(req, STR("host"));
    const char *scheme = origin.n ? memmem(origin.p, origin.n, "://", 3) : NULL;
    struct str own = scheme ? (struct str){ scheme + 3, (size_t)(origin.p + origin.n - scheme) - 3 } : origin;
    return !origin.n || any || allowed(origin) || (scheme && str_eq_nocase(own, host));
}

/* True when the page may read the answer. */
static bool allow(struct http_request *req, bool cached)
{
    struct str origin = http_header(req, STR("origin"));
    if (origins_count) /* caches must keep the answers for each origin apart */
        http_reply_header(req, STR("Vary"), STR("Origin"));
    if (any && (origin.n || cached)) {
        http_reply_header(req, STR("Access-Control-Allow-Origin"), STR("*"));
        return true;
    }
    if (!origin.n || !allowed(origin))
        return false;
    http_reply_header(req, STR("Access-Control-Allow-Origin"), origin);
    return true;
}

static void expose(struct http_request *req, bool cached)
{
    if (allow(req, cached))
        http_reply_header(req, STR("Access-Control-Expose-Headers"),
                          STR("ETag, Retry-After, x-sse-support, x-unrecoverable"));
}

void cors_allow(struct http_request *req)
{
    if (http_header(req, STR("origin")).n)
        expose(req, false);
}

void cors_allow_cached(struct http_request *req)
{
    if (!http_header(req, STR("origin")).n)
        expose(req, true);
}

void cors_preflight(struct http_request *req, struct str methods)
{
    if (!allow(req, false))
        return;
    http_reply_header(req, STR("Access-Control-Allow-Methods"), methods);
    http_reply_header(req, STR("Access-Control-Allow-Headers"),
                      STR("Authorization, Cache-Control, Content-Type, If-None-Match, Last-Event-ID, X-API-Key"));
    http_reply_header(req, STR("Access-Control-Max-Age"), STR("7200")); /* the most that browsers keep it */
}
