/* Request targets, percent-encoding, query parameters, headers. */
#include "experimentd/http/conn.h"

void uri_split(struct str target, struct str *out_path, struct str *out_query)
{
    /* absolute-form (RFC 9112, 3.2.2): scheme://authority/path */
    const char *scheme = target.n && target.p[0] != '/' ? memmem(target.p, target.n, "://", 3) : NULL;
    if (scheme) {
        size_t after = (size_t)(scheme - target.p) + 3;
        const char *slash = memchr(target.p + after, '/', target.n - after);
        target = slash ? (struct str){ slash, target.n - (size_t)(slash - target.p) } : STR("/");
    }
    const char *mark = target.n ? memchr(target.p, '?', target.n) : NULL;
    *out_path = (struct str){ target.p, mark ? (size_t)(mark - target.p) : target.n };
    *out_query = mark ? (struct str){ mark + 1, target.n - out_path->n - 1 } : (struct str){ target.p, 0 };
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool http_percent_decode(struct arena *arena, struct str in, bool plus_is_space, struct str *out)
{
    char *to = arena_alloc(arena, in.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        if (c == '%') {
            int hi = i + 2 < in.n ? hex(in.p[i + 1]) : -1, lo = i + 2 < in.n ? hex(in.p[i + 2]) : -1;
            if (hi < 0 || lo < 0 || (hi == 0 && lo == 0))
                return false;
            c = (char)(hi << 4 | lo);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        to[n++] = c;
    }
    to[n] = '\0';
    *out = (struct str){ to, n };
    return true;
}

bool http_query(struct http_request *req, struct str name, struct str *out)
{
    struct str rest = req->query, pair, key, value;
    while (rest.n && str_split(&rest, '&', &pair)) {
        const char *equals = pair.n ? memchr(pair.p, '=', pair.n) : NULL;
        key = (struct str){ pair.p, equals ? (size_t)(equals - pair.p) : pair.n };
        value = equals ? (struct str){ equals + 1, pair.n - key.n - 1 } : (struct str){ pair.p, 0 };
        if (key.n == name.n && str_eq(key, name))
            return http_percent_decode(&req->arena, value, true, out);
    }
    return false;
}

static bool unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

struct str http_percent_encode(struct arena *arena, struct str in)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = arena_alloc(arena, 3 * in.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < in.n; i++) {
        unsigned char c = (unsigned char)in.p[i];
        if (unreserved(in.p[i])) {
            out[n++] = in.p[i];
            continue;
        }
        out[n++] = '%';
        out[n++] = digits[c >> 4];
        out[n++] = digits[c & 15];
    }
    return (struct str){ out, n };
}

static struct str strong(struct str tag)
{
    return str_starts(tag, STR("W/")) ? (struct str){ tag.p + 2, tag.n - 2 } : tag;
}

/* Weak comparison (RFC 9110, 13.1.2). Our tags hold no comma. */
bool http_etag_matches(const struct http_request *req, struct str etag)
{
    struct str rest = http_header(req, STR("if-none-match")), tag;
    while (rest.n && str_split(&rest, ',', &tag)) {
        tag = str_trim(tag);
        if (str_eq(tag, STR("*")) || str_eq(strong(tag), strong(etag)))
            return true;
    }
    return false;
}

struct str http_header(const struct http_request *req, struct str lower_name)
{
    for (size_t i = 0; i < req->headers_count; i++)
        if (str_eq(req->headers[i].name, lower_name))
            return req->headers[i].value;
    return (struct str){ NULL, 0 };
}
