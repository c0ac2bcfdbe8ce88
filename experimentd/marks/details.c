/* Works on the text. A key is found by its opening quote: of a quote, a known name, a quote and a colon, valid JSON has no other reading
 * (inside a string the second quote would have a backslash before it). So nothing is parsed when no such key is there, as mostly. A key may
 * also be written with escapes ("\u0069p"), which no client does by itself: such a text is written anew, without them, first. */
#include "experimentd/marks/details.h"

#include <jansson.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/net.h"

enum detail { ADDRESS, AGENT, SAID_BOT, SAID_INTERNAL };
static const struct {
    struct str name;
    enum detail what;
} known[] = {
#define ROW(text, what)                  \
    {                                    \
        { text, sizeof(text) - 1 }, what \
    }
    ROW("ip", ADDRESS),
    ROW("ip_address", ADDRESS),
    ROW("ipAddress", ADDRESS),
    ROW("client_ip", ADDRESS),
    ROW("clientIp", ADDRESS),
    ROW("clientIP", ADDRESS),
    ROW("remote_ip", ADDRESS),
    ROW("remoteIp", ADDRESS),
    ROW("remote_addr", ADDRESS),
    ROW("remoteAddr", ADDRESS),
    ROW("x_forwarded_for", ADDRESS),
    ROW("xForwardedFor", ADDRESS),
    ROW("user_agent", AGENT),
    ROW("userAgent", AGENT),
    ROW("bot", SAID_BOT),
    ROW("internal", SAID_INTERNAL),
#undef ROW
};

static size_t spaces(struct str s, size_t at)
{
    while (at < s.n && (s.p[at] == ' ' || (s.p[at] >= '\t' && s.p[at] <= '\r')))
        at++;
    return at;
}

/* Behind the string whose opening quote is at `at`. */
static size_t string_end(struct str s, size_t at)
{
    for (at++; at < s.n && s.p[at] != '"'; at++)
        at += s.p[at] == '\\';
    return at < s.n ? at + 1 : s.n;
}

/* Behind the value that begins at `at`. */
static size_t value_end(struct str s, size_t at)
{
    unsigned depth = 0;
    while (at < s.n) {
        char c = s.p[at];
        if (c == '"')
            at = string_end(s, at);
        else if ((c == '}' || c == ']' || c == ',') && depth == 0)
            return at;
        else
            at++;
        depth += c == '{' || c == '[';
        depth -= (c == '}' || c == ']') && depth > 0;
        if (depth == 0 && (c == '"' || c == '}' || c == ']'))
            return at;
    }
    return at;
}

/* The known key whose opening quote is at `at`; *out_value: where its value begins. */
static int key_at(struct str s, size_t at, size_t *out_value)
{
    struct str rest = { s.p + at + 1, s.n - at - 1 };
    if (!rest.n || !strchr("icrxub", rest.p[0]))
        return -1;
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        size_t n = known[i].name.n;
        if (rest.n <= n || rest.p[n] != '"' || memcmp(rest.p, known[i].name.p, n) != 0)
            continue;
        size_t colon = spaces(s, at + n + 2);
        if (colon >= s.n || s.p[colon] != ':')
            return -1;
        *out_value = spaces(s, colon + 1);
        return (int)i;
    }
    return -1;
}

/* What is between the quotes; {NULL, 0}: no string. */
static struct str inside(struct str value)
{
    return value.n >= 2 && value.p[0] == '"' ? (struct str){ value.p + 1, value.n - 2 } : (struct str){ NULL, 0 };
}

static void put_address(struct buf *b, struct str value, struct details *out)
{
    char text[NET_TEXT_MAX];
    struct net_address a;
    struct str given = inside(value);
    if (!net_parse(given, &a)) {
        buf_add_c(b, "null");
        return;
    }
    out->address = given;
    net_shorten(&a);
    buf_add_c(b, "\"");
    buf_add_c(b, net_format(&a, text));
    buf_add_c(b, "\"");
}

static void take(enum detail what, struct str value, struct details *out)
{
    if (what == AGENT)
        out->agent = inside(value);
    else if (str_eq(value, STR("true")))
        out->said = what == SAID_BOT ? MARK_BOT : MARK_INTERNAL;
}

static bool has_escapes(struct str s)
{
    static const char escape[] = "\\u00";
    return s.n && memmem(s.p, s.n, escape, sizeof escape - 1);
}

/* It may grow: jansson keeps what is no ASCII as it is, but a number may be written in another way. */
static struct str without_escapes(struct str params, struct arena *arena)
{
    AUTO(buf_release) struct buf b;
    json_auto_t *root = json_loadb(params.p, params.n, 0, NULL);
    buf_init(&b, 8 * params.n + 64);
    if (!root)
        return params;
    json_write(&b, root);
    return b.failed ? params : arena_str(arena, buf_str(&b));
}

struct str details_read(struct str params, struct arena *arena, struct details *out)
{
    AUTO(buf_release) struct buf b;
    size_t copied = 0, value = 0;
    if (has_escapes(params))
        params = without_escapes(params, arena);
    buf_init(&b, 2 * params.n + NET_TEXT_MAX);
    *out = (struct details){ 0 };
    for (const char *quote = params.p; quote && params.p + params.n > quote; quote++) {
        quote = memchr(quote, '"', (size_t)(params.p + params.n - quote));
        if (!quote)
            break;
        int k = key_at(params, (size_t)(quote - params.p), &value);
        if (k < 0)
            continue;
        size_t end = value_end(params, value);
        struct str text = str_trim((struct str){ params.p + value, end - value });
        if (known[k].what != ADDRESS) {
            take(known[k].what, text, out);
            quote = params.p + value - 1; /* an address may stand in it */
            continue;
        }
        buf_add(&b, params.p + copied, value - copied);
        put_address(&b, text, out);
        copied = end;
        quote = params.p + end - 1;
    }
    if (!copied)
        return params;
    buf_add(&b, params.p + copied, params.n - copied);
    return arena_str(arena, buf_str(&b));
}
