#include "job/search.h"

#include <assert.h>

const char *const search_engine_names[] = { "solr", "elasticsearch", "opensearch", "json", "run", NULL };
static_assert(COUNT_OF(search_engine_names) == SEARCH_ENGINE_COUNT + 1, "one name each");

#define HITS_BODY "{\"size\":{{k}},\"_source\":false,\"query\":{\"multi_match\":{\"query\":\"{{query}}\"}}}"
/* What an engine has where a configuration says nothing. */
static const struct {
    const char *params, *body, *docs_path, *id_field;
} defaults[SEARCH_ENGINE_COUNT] = {
    [SEARCH_SOLR] = { "q={{query}}&rows={{k}}&fl=id&wt=json", "", "response.docs", "id" },
    [SEARCH_ELASTICSEARCH] = { "", HITS_BODY, "hits.hits", "_id" },
    [SEARCH_OPENSEARCH] = { "", HITS_BODY, "hits.hits", "_id" },
    [SEARCH_JSON] = { "", "", "", "id" },
    [SEARCH_RUN] = { "", "", "", "" },
};
/* Headers that carry a secret stand in a file of the trainer. */
static const char *const secret_headers[] = { "authorization", "proxy-authorization", "cookie", "x-api-key",
                                              "api-key" };

static bool is_token(struct str s)
{
    static const char *const others = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == 0 || !strchr(others, c)))
            return false;
    }
    return s.n > 0;
}

static bool is_printable(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return true;
}

/* ---- reading a configuration ---- */

static bool read_engine(struct json_reader *r, struct search_config *c)
{
    struct str text = STR("");
    if (!json_get_str(r, "engine", JSON_REQUIRED, &text, NULL))
        return false;
    for (int i = 0; i < SEARCH_ENGINE_COUNT; i++)
        if (str_eq_c(text, search_engine_names[i])) {
            c->engine = (enum search_engine)i;
            return true;
        }
    return json_fail(r, "engine", "is \"" STR_FMT "\", not solr, elasticsearch, opensearch, json or run",
                     STR_ARG(str_cut(text, 60)));
}

static void check_url(struct json_reader *r, struct str url)
{
    struct str rest = url, authority;
    if (url.n > SEARCH_URL_MAX || !is_printable(url) || memchr(url.p, ' ', url.n) || memchr(url.p, '?', url.n) ||
        memchr(url.p, '#', url.n)) {
        (void)json_fail(r, "url", "is longer than %d bytes, or has a space, a ? or a #: parameters go to \"params\"",
                        SEARCH_URL_MAX);
        return;
    }
    size_t scheme = str_starts(url, STR("http://")) ? 7 : str_starts(url, STR("https://")) ? 8 : 0;
    rest = (struct str){ url.p + scheme, url.n - scheme };
    (void)str_split(&rest, '/', &authority);
    if (scheme == 0 || authority.n == 0)
        (void)json_fail(r, "url", "does not begin with http://HOST or https://HOST");
    else if (memchr(authority.p, '@', authority.n))
        (void)json_fail(r, "url", "has a user in it: a secret goes to the trainer's file of secrets");
}

static void check_template(struct json_reader *r, const char *key, struct str template)
{
    struct err err = { .kind = ERR_NONE };
    struct str name;
    size_t at = 0;
    while (search_template_next(template, &at, &name, &err))
        ;
    if (err.kind != ERR_NONE)
        (void)json_fail(r, key, "%s", err.text);
}

/* A template as text, or as the object that it is. */
static void read_body(struct json_reader *r, struct arena *arena, struct search_config *c)
{
    json_t *value = NULL;
    if (!json_get_any(r, "body", JSON_OPTIONAL, &value) || json_is_null(value))
        return;
    if (json_is_string(value)) {
        c->body = arena_str(arena, (struct str){ json_string_value(value), json_string_length(value) });
    } else if (json_is_object(value)) {
        AUTO(buf_release) struct buf b;
        buf_init(&b, SEARCH_TEXT_MAX);
        json_write(&b, value);
        if (b.failed)
            (void)json_fail(r, "body", "is longer than %d bytes", SEARCH_TEXT_MAX);
        c->body = arena_str(arena, buf_str(&b));
    } else {
        (void)json_fail(r, "body", "is no text and no object");
    }
}

static void read_headers(struct json_reader *r, struct arena *arena, struct search_config *c)
{
    json_t *headers = NULL, *value;
    const char *name;
    if (!json_get_object(r, "headers", JSON_OPTIONAL, &headers))
        return;
    json_object_foreach(headers, name, value)
    {
        struct str n = str_of(name), v = { json_string_value(value), json_string_length(value) };
        if (!is_token(n) || !json_is_string(value) || !is_printable(v)) {
            (void)json_fail(r, "headers", "has no text that a header may have under \"%.60s\"", name);
            return;
        }
        for (size_t i = 0; i < COUNT_OF(secret_headers); i++)
            if (str_eq_nocase(n, str_of(secret_headers[i]))) {
                (void)json_fail(r, "headers", "has \"%s\": it goes to the trainer's file of secrets", name);
                return;
            }
        if (c->headers_count == SEARCH_HEADERS_MAX) {
            (void)json_fail(r, "headers", "has more than %d", SEARCH_HEADERS_MAX);
            return;
        }
        c->headers[c->headers_count++] = (struct search_header){ arena_str(arena, n), arena_str(arena, v) };
    }
}

static void fill_in(struct search_config *c)
{
    if (c->params.n == 0 && c->body.n == 0) {
        c->params = str_of(defaults[c->engine].params);
        c->body = str_of(defaults[c->engine].body);
    }
    if (!c->docs_path.p)
        c->docs_path = str_of(defaults[c->engine].docs_path);
    if (!c->id_field.p)
        c->id_field = str_of(defaults[c->engine].id_field);
}

static void check_asked(struct json_reader *r, const struct search_config *c)
{
    check_url(r, c->url);
    check_template(r, "params", c->params);
    check_template(r, "body", c->body);
    if (c->params.n == 0 && c->body.n == 0)
        (void)json_fail(r, "params", "is missing, and so is \"body\": nothing says what to ask");
    if (c->params.n > SEARCH_TEXT_MAX || c->body.n > SEARCH_TEXT_MAX || !is_printable(c->params))
        (void)json_fail(r, "params", "or \"body\" is longer than %d bytes, or has control characters", SEARCH_TEXT_MAX);
    if (c->secret.n && !is_token(c->secret))
        (void)json_fail(r, "secret", "is no name of a secret");
    if (c->docs_path.n > 200 || c->id_field.n > 200)
        (void)json_fail(r, "docs_path", "or \"id_field\" is longer than 200 bytes");
}

bool search_config_read(json_t *spec, struct arena *arena, struct search_config *out, struct err *err)
{
    struct json_reader r;
    struct search_config c = { .verify = true };
    json_reader_open(&r, spec, "search");
    if (read_engine(&r, &c) && c.engine != SEARCH_RUN) {
        (void)json_get_str(&r, "url", JSON_REQUIRED, &c.url, arena);
        (void)json_get_str(&r, "params", JSON_OPTIONAL, &c.params, arena);
        read_body(&r, arena, &c);
        (void)json_get_str(&r, "docs_path", JSON_OPTIONAL, &c.docs_path, arena);
        (void)json_get_str(&r, "id_field", JSON_OPTIONAL, &c.id_field, arena);
        read_headers(&r, arena, &c);
        (void)json_get_str(&r, "secret", JSON_OPTIONAL, &c.secret, arena);
        (void)json_get_bool(&r, "verify", JSON_OPTIONAL, &c.verify);
        fill_in(&c);
        if (r.err.kind == ERR_NONE)
            check_asked(&r, &c);
    }
    if (!json_reader_close(&r, err))
        return false;
    *out = c;
    return true;
}

void search_config_write(struct jsonw *w, const char *key, const struct search_config *c)
{
    jsonw_open(w, key, '{');
    jsonw_text(w, "engine", search_engine_names[c->engine]);
    if (c->engine != SEARCH_RUN) {
        jsonw_str(w, "url", c->url);
        if (c->params.n)
            jsonw_str(w, "params", c->params);
        if (c->body.n)
            jsonw_str(w, "body", c->body);
        jsonw_str(w, "docs_path", c->docs_path);
        jsonw_str(w, "id_field", c->id_field);
        if (c->headers_count)
            jsonw_open(w, "headers", '{');
        for (size_t i = 0; i < c->headers_count; i++) {
            char name[128];
            (void)snprintf(name, sizeof name, STR_FMT, STR_ARG(str_cut(c->headers[i].name, sizeof name - 1)));
            jsonw_str(w, name, c->headers[i].value);
        }
        if (c->headers_count)
            jsonw_close(w);
        if (c->secret.n)
            jsonw_str(w, "secret", c->secret);
        if (!c->verify)
            jsonw_bool(w, "verify", false);
    }
    jsonw_close(w);
}
