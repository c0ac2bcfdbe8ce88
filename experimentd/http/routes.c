/* Finding a route: segments compared one by one over the table. The table is ordered by nothing, so a look-up is a scan of some
 * twenty short patterns (measured: 0.1 µs); the first route of the table is tried first, so hot routes stand first. */
#include "experimentd/http/routes.h"

#include <assert.h>
#include <sodium.h>

#include "base/buf.h"
#include "experimentd/config/snapshot.h"
#include "experimentd/http/cors.h"

const char *const key_scope_names[] = {
    [SCOPE_NONE] = "none",       [SCOPE_CLIENT] = "client", [SCOPE_QA] = "qa",
    [SCOPE_ANALYST] = "analyst", [SCOPE_ADMIN] = "admin",
};
static_assert(sizeof key_scope_names / sizeof *key_scope_names == SCOPE_COUNT, "a name for every scope");
static const char *const method_names[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS" };
static_assert(sizeof method_names / sizeof *method_names == HTTP_METHOD_COUNT, "a name for every method");

enum key_scope key_scope_of(struct str name)
{
    for (int scope = SCOPE_NONE + 1; scope < SCOPE_COUNT; scope++)
        if (str_eq_c(name, key_scope_names[scope]))
            return (enum key_scope)scope;
    return SCOPE_NONE;
}

static bool open_page;

void routes_set_open_page(bool open)
{
    open_page = open;
}

/* Compares path with pattern; raw parameters go to out. "{*}" takes the rest. */
static bool matches(const char *pattern, struct str path, struct str out[4], size_t *out_count)
{
    const char *p = pattern, *at = path.p, *end = path.p + path.n;
    size_t count = 0;
    while (*p) {
        if (*p != '{') {
            if (at == end || *at != *p)
                return false;
            at++;
            p++;
            continue;
        }
        bool rest = p[1] == '*';
        const char *slash = rest ? end : memchr(at, '/', (size_t)(end - at));
        if (!slash)
            slash = end;
        if (slash == at || count == 4)
            return false;
        out[count++] = (struct str){ at, (size_t)(slash - at) };
        at = slash;
        p = strchr(p, '}') + 1;
    }
    *out_count = count;
    return at == end;
}

static struct str presented_key(struct http_request *req)
{
    struct str header = http_header(req, STR("authorization")), key = http_header(req, STR("x-api-key"));
    if (header.n > 7 && str_eq_nocase((struct str){ header.p, 7 }, STR("bearer ")))
        return str_trim((struct str){ header.p + 7, header.n - 7 });
    if (header.n > 6 && str_eq_nocase((struct str){ header.p, 6 }, STR("basic "))) {
        unsigned char *plain = arena_alloc(&req->arena, header.n);
        size_t n;
        if (sodium_base642bin(plain, header.n, header.p + 6, header.n - 6, " ", &n, NULL,
                              sodium_base64_VARIANT_ORIGINAL) == 0) {
            struct str text = { (const char *)plain, n }, user;
            (void)str_split(&text, ':', &user);
            return user;
        }
    }
    return key;
}

/* GrowthBook's clients and EventSource send no header: their key stands in the path, and their protocol has its own words of refusal. */
static bool key_in_path(const struct route *r)
{
    return strstr(r->pattern, "{client_key}") != NULL;
}

static bool needs_no_key(const struct route *r, enum http_method method)
{
    bool reads = method == HTTP_GET_ || method == HTTP_HEAD_;
    return r->scope == SCOPE_NONE || (open_page && reads && r->scope == SCOPE_ANALYST);
}

static void refuse(struct http_request *req, const struct route *r)
{
    struct err err;
    err_set(&err, ERR_DENIED, "this key has scope %s; %s %s needs %s", key_scope_names[req->scope],
            method_names[req->method], r->pattern, key_scope_names[r->scope]);
    http_reply_err(req, &err);
}

/* A key in the address or the body: one that may do more than a page may does not belong there, and the browser did not ask first. */
static bool admit_outside_headers(struct http_request *req)
{
    struct err err;
    if (req->scope > SCOPE_CLIENT)
        err_set(
            &err, ERR_DENIED,
            "this key has scope %s; outside of the headers Authorization and X-API-Key only a key of scope client is "
            "taken: addresses and bodies end up in logs",
            key_scope_names[req->scope]);
    else if (!cors_may_send(req))
        err_set(&err, ERR_DENIED, "pages of \"%.100s\" may not send: setting \"cors.origins\" does not name them",
                arena_cstr(&req->arena, http_header(req, STR("origin"))));
    else
        return true;
    http_reply_err(req, &err);
    return false;
}

/* Answers and returns false when this key may not call this route. */
static bool admit(struct http_request *req, const struct route *r)
{
    struct str key = key_in_path(r) ? req->params[0] : presented_key(req);
    const struct snapshot *s = snapshot_get();
    bool outside = !key.n && r->key;
    if (outside)
        key = r->key(req);
    req->key = key;
    req->scope = key.n && s ? snapshot_key_scope(s, key, &req->key_label) : SCOPE_NONE;
    if (outside && req->scope != SCOPE_NONE)
        return admit_outside_headers(req);
    if (needs_no_key(r, req->method) || key_in_path(r) || req->scope >= r->scope)
        return true;
    if (req->scope != SCOPE_NONE) {
        refuse(req, r);
        return false;
    }
    http_reply_header(req, STR("WWW-Authenticate"), STR("Bearer realm=\"experimentd\""));
    http_reply_problem(req, 401,
                       key.n ? "this key is not known or was revoked"
                             : "a key is needed: send \"Authorization: Bearer KEY\" (or X-API-Key)");
    return false;
}

static bool decode_params(struct http_request *req, const struct str raw[4], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!http_percent_decode(&req->arena, raw[i], false, &req->params[i]) || !str_is_utf8(req->params[i]))
            return false;
    return true;
}

/* What is offered at a path, by method. */
struct offer {
    bool allowed[HTTP_METHOD_COUNT], to_pages[HTTP_METHOD_COUNT];
    bool any;
};

static void add_offer(struct offer *o, const struct route *r)
{
    o->any = o->allowed[r->method] = true;
    o->to_pages[r->method] = cors_covers(r);
}

static struct str method_list(struct http_request *req, const bool which[HTTP_METHOD_COUNT])
{
    struct str list = STR("");
    for (int m = 0; m < HTTP_METHOD_COUNT; m++)
        if (which[m])
            list = arena_printf(&req->arena, "%s%s%s", list.p, list.n ? ", " : "", method_names[m]);
    return list;
}

static void answer_options(struct http_request *req, const struct offer *o)
{
    struct str to_pages = method_list(req, o->to_pages);
    if (to_pages.n)
        cors_preflight(req, to_pages);
    http_reply(req, 204, NULL, STR(""));
}

static void answer_no_route(struct http_request *req, const struct offer *o)
{
    if (!o->any) {
        struct str text = arena_printf(&req->arena, "there is nothing at \"" STR_FMT "\"", STR_ARG(req->path));
        struct err err;
        err_set(&err, ERR_NOT_FOUND, "%s", text.p);
        http_reply_err(req, &err);
        return;
    }
    struct str list = arena_printf(&req->arena, "%s, OPTIONS", method_list(req, o->allowed).p);
    http_reply_header(req, STR("Allow"), list);
    if (req->method == HTTP_OPTIONS_)
        answer_options(req, o);
    else
        http_reply_problem(
            req, 405,
            arena_printf(&req->arena, "%s is not offered here; allowed: %s", method_names[req->method], list.p).p);
}

static void call(struct http_request *req, const struct route *r, const struct str raw[4], size_t count, void *worker)
{
    req->route = r;
    if (cors_covers(r))
        cors_allow(req);
    if (!decode_params(req, raw, count))
        http_reply_problem(req, 400, "the path holds a bad percent escape or bytes that are not UTF-8");
    else if (admit(req, r))
        r->handler(req, worker);
}

void routes_dispatch(struct http_request *req, void *worker)
{
    enum http_method wanted = req->method == HTTP_HEAD_ ? HTTP_GET_ : req->method;
    struct offer offer = { 0 };
    struct str raw[4];
    size_t count;
    for (size_t i = 0; i < routes_count; i++) {
        const struct route *r = &routes[i];
        if (!matches(r->pattern, req->path, raw, &count))
            continue;
        bool page = strcmp(r->pattern, "/{*}") == 0; /* matches everything: says nothing of other methods */
        if (r->method != wanted && !page)
            add_offer(&offer, r);
        if (r->method != wanted)
            continue;
        if (page && offer.any)
            break;
        call(req, r, raw, count, worker);
        return;
    }
    answer_no_route(req, &offer);
}
