/* The URL parser. Source: WHATWG URL Standard, "URL parsing", in one pass a part instead of its state machine. */
#include "assign/url.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "assign/arena.h"
#include "assign/text.h"

enum { PORT_MAX = 65535, HOST_MAX = 4096, GROWTH = 3, SLACK = 64 };

struct scheme {
    const char *name;
    int port;
};
static const struct scheme specials[] = {
    { "http", 80 }, { "https", 443 }, { "ws", 80 }, { "wss", 443 }, { "ftp", 21 }
};

struct url_parser {
    struct assign_text in; /* what is left */
    char *href;
    size_t n;
    const struct scheme *special; /* NULL: a scheme that browsers do not know */
    bool opaque;                  /* no "//": no host */
};

static void put(struct url_parser *p, const char *text, size_t n)
{
    memcpy(p->href + p->n, text, n);
    p->n += n;
}

static void put_char(struct url_parser *p, char c)
{
    p->href[p->n++] = c;
}

/* Percent-encodes what is a control, no ASCII, or in `set`. */
static void put_encoded(struct url_parser *p, struct assign_text text, const char *set)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c > 0x1F && c < 0x7F && !strchr(set, c)) {
            put_char(p, (char)c);
            continue;
        }
        put_char(p, '%');
        put_char(p, hex[c >> 4]);
        put_char(p, hex[c & 15]);
    }
}

/* ---- what is cut off first ---- */

static bool clean(struct assign_text text, struct assign_arena *a, struct assign_text *out)
{
    while (text.n && (unsigned char)text.p[0] <= ' ')
        text = (struct assign_text){ text.p + 1, text.n - 1 };
    while (text.n && (unsigned char)text.p[text.n - 1] <= ' ')
        text.n--;
    char *p = assign_alloc(a, text.n + 1);
    if (!p)
        return false;
    *out = (struct assign_text){ p, 0 };
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != '\t' && text.p[i] != '\n' && text.p[i] != '\r')
            p[out->n++] = text.p[i];
    return true;
}

static struct assign_text cut(struct assign_text *text, char at)
{
    const char *p = text->n ? memchr(text->p, at, text->n) : NULL;
    struct assign_text rest = { NULL, 0 };
    if (p) {
        rest = (struct assign_text){ p, text->n - (size_t)(p - text->p) };
        text->n = (size_t)(p - text->p);
    }
    return rest;
}

/* The length of "scheme:", or 0. */
static size_t scheme_length(struct assign_text t)
{
    for (size_t i = 0; i < t.n; i++) {
        char c = t.p[i], low = c | 32;
        bool letter = low >= 'a' && low <= 'z', more = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        if (i && c == ':')
            return i + 1;
        if (!letter && !(i && more))
            return 0;
    }
    return 0;
}

static const struct scheme *special_scheme(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        if (strlen(specials[i].name) == n && memcmp(specials[i].name, name, n) == 0)
            return &specials[i];
    return NULL;
}

static bool is_slash(const struct url_parser *p, char c)
{
    return c == '/' || (c == '\\' && p->special);
}

/* ---- hosts ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static size_t percent_decode(struct assign_text text, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        bool escape = text.p[i] == '%' && i + 2 < text.n && hex_digit(text.p[i + 1]) >= 0 &&
                      hex_digit(text.p[i + 2]) >= 0;
        if (escape) {
            out[n++] = (char)(hex_digit(text.p[i + 1]) << 4 | hex_digit(text.p[i + 2]));
            i += 2;
        } else {
            out[n++] = text.p[i];
        }
    }
    return n;
}

/* A part of an IPv4 address: decimal, 0x hexadecimal, 0 octal. False: it is none. */
static bool ipv4_part(const char *p, size_t n, double *out)
{
    int radix = n >= 2 && p[0] == '0' && (p[1] | 32) == 'x' ? 16 : n >= 2 && p[0] == '0' ? 8 : 10;
    size_t i = radix == 16 ? 2 : radix == 8 ? 1 : 0;
    *out = 0;
    for (; i < n; i++) {
        int d = hex_digit(p[i]);
        if (d < 0 || d >= radix)
            return false;
        *out = *out * radix + d;
    }
    return n > 0;
}

static bool ends_in_number(const char *host, size_t n)
{
    double ignored;
    if (n && host[n - 1] == '.')
        n--;
    size_t from = n;
    bool digits = n > 0;
    while (from && host[from - 1] != '.') {
        from--;
        digits = digits && host[from] >= '0' && host[from] <= '9';
    }
    return n > from && (digits || ipv4_part(host + from, n - from, &ignored));
}

static bool put_ipv4(struct url_parser *p, const char *host, size_t n)
{
    double parts[4], address = 0;
    size_t count = 0;
    if (n && host[n - 1] == '.')
        n--;
    for (size_t from = 0, to; from <= n; from = to + 1) {
        for (to = from; to < n && host[to] != '.';)
            to++;
        if (count == 4 || !ipv4_part(host + from, to - from, &parts[count++]))
            return false;
    }
    double last = 1;
    for (size_t i = count - 1; i < 4; i++)
        last *= 256;
    for (size_t i = 0; i < count; i++) {
        double scale = 16777216;
        for (size_t k = 0; k < i; k++)
            scale /= 256;
        if (i + 1 < count ? parts[i] > 255 : parts[i] >= last)
            return false;
        address += i + 1 < count ? parts[i] * scale : parts[i];
    }
    uint32_t v = (uint32_t)address;
    p->n += (size_t)snprintf(p->href + p->n, SLACK, "%u.%u.%u.%u", v >> 24, v >> 16 & 255, v >> 8 & 255, v & 255);
    return true;
}

static bool put_ipv6(struct url_parser *p, struct assign_text host)
{
    char text[INET6_ADDRSTRLEN + 1];
    struct in6_addr address;
    if (host.n < 4 || host.n - 2 >= sizeof text || host.p[host.n - 1] != ']')
        return false;
    memcpy(text, host.p + 1, host.n - 2);
    text[host.n - 2] = '\0';
    if (inet_pton(AF_INET6, text, &address) != 1 || !inet_ntop(AF_INET6, &address, text, sizeof text))
        return false;
    put_char(p, '[');
    put(p, text, strlen(text));
    put_char(p, ']');
    return true;
}

/* Of a scheme that browsers know: decoded, in small letters, ASCII only. */
static bool put_domain(struct url_parser *p, struct assign_text host)
{
    static const char forbidden[] = " #/:<>?@[\\]^|%";
    char *out = p->href + p->n;
    size_t n = host.n <= HOST_MAX ? percent_decode(host, out) : 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)out[i];
        if (c <= 0x1F || c >= 0x7F || strchr(forbidden, c))
            return false;
        out[i] = (char)(c >= 'A' && c <= 'Z' ? c | 32 : c);
    }
    if (n == 0)
        return false;
    if (ends_in_number(out, n)) {
        char copy[HOST_MAX];
        memcpy(copy, out, n);
        return put_ipv4(p, copy, n);
    }
    p->n += n;
    return true;
}

static bool put_opaque_host(struct url_parser *p, struct assign_text host)
{
    static const char forbidden[] = " #/:<>?@[\\]^|";
    for (size_t i = 0; i < host.n; i++)
        if (host.p[i] == '\0' || strchr(forbidden, host.p[i]))
            return false;
    put_encoded(p, host, "");
    return true;
}

static bool put_port(struct url_parser *p, struct assign_text port)
{
    int v = 0;
    for (size_t i = 0; i < port.n; i++) {
        if (port.p[i] < '0' || port.p[i] > '9')
            return false;
        v = v * 10 + (port.p[i] - '0');
        if (v > PORT_MAX)
            return false;
    }
    if (port.n && !(p->special && p->special->port == v))
        p->n += (size_t)snprintf(p->href + p->n, SLACK, ":%d", v);
    return true;
}

/* user:password@host:port; the host with its port is out->host. */
static bool put_authority(struct url_parser *p, struct assign_text text, struct assign_url *out)
{
    static const char userinfo_set[] = " \"#<>?`{}/:;=@[\\]^|";
    size_t at = text.n;
    while (at && text.p[at - 1] != '@')
        at--;
    put(p, "//", 2);
    size_t scheme_end = p->n;
    if (at) {
        struct assign_text user = { text.p, at - 1 }, password = cut(&user, ':');
        put_encoded(p, user, userinfo_set);
        if (password.n > 1) {
            put_char(p, ':');
            put_encoded(p, (struct assign_text){ password.p + 1, password.n - 1 }, userinfo_set);
        }
        if (user.n || password.n > 1)
            put_char(p, '@');
    }
    struct assign_text host = { text.p + at, text.n - at }, port = { NULL, 0 };
    size_t colon = host.n;
    while (colon && host.p[colon - 1] != ':' && host.p[colon - 1] != ']')
        colon--;
    if (colon && host.p[colon - 1] == ':') {
        port = (struct assign_text){ host.p + colon, host.n - colon };
        host.n = colon - 1;
    }
    size_t from = p->n;
    bool ok = host.n && host.p[0] == '[' ? put_ipv6(p, host)
              : p->special               ? put_domain(p, host)
                                         : put_opaque_host(p, host);
    if (!ok || !put_port(p, port))
        return false;
    out->host = (struct assign_text){ p->href + from, p->n - from };
    out->origin_n = p->special ? scheme_end + out->host.n : strlen("null");
    return true;
}

/* ---- paths ---- */

/* 1: ".", 2: "..", in any spelling; 0: a name. */
static int dots(struct assign_text s)
{
    int n = 0;
    for (size_t i = 0; i < s.n && n < 3; n++) {
        if (s.p[i] == '.')
            i++;
        else if (s.n - i >= 3 && s.p[i] == '%' && s.p[i + 1] == '2' && (s.p[i + 2] | 32) == 'e')
            i += 3;
        else
            return 0;
    }
    return n < 3 ? n : 0;
}

/* Segments, each after its slash; the first one's slash may have been read. */
static void put_path(struct url_parser *p, struct assign_text text)
{
    size_t from = p->n;
    if (text.n && is_slash(p, text.p[0]))
        text = (struct assign_text){ text.p + 1, text.n - 1 };
    for (bool last = false; !last;) {
        size_t n = 0;
        while (n < text.n && !is_slash(p, text.p[n]))
            n++;
        struct assign_text segment = { text.p, n };
        last = n == text.n;
        int up = dots(segment);
        if (up == 2)
            while (p->n > from && p->href[--p->n] != '/') {
            }
        if (!up || last)
            put_char(p, '/');
        if (!up)
            put_encoded(p, segment, " \"#<>?`{}");
        if (!last)
            text = (struct assign_text){ text.p + n + 1, text.n - n - 1 };
    }
}

/* ---- the whole ---- */

static size_t slashes(const struct url_parser *p)
{
    size_t n = 0;
    while (n < p->in.n && is_slash(p, p->in.p[n]))
        n++;
    return n;
}

static void skip(struct url_parser *p, size_t n)
{
    p->in = (struct assign_text){ p->in.p + n, p->in.n - n };
}

/* The authority and the path, when what is left begins with an authority. */
static bool read_authority(struct url_parser *p, struct assign_url *out)
{
    size_t n = 0;
    while (n < p->in.n && !is_slash(p, p->in.p[n]))
        n++;
    if (!put_authority(p, (struct assign_text){ p->in.p, n }, out))
        return false;
    skip(p, n);
    out->path.p = p->href + p->n;
    if (p->special || p->in.n)
        put_path(p, p->in);
    return true;
}

static bool read_relative(struct url_parser *p, const char *host, struct assign_url *out)
{
    if (slashes(p) >= 2) {
        skip(p, slashes(p));
        return read_authority(p, out);
    }
    if (!put_authority(p, (struct assign_text){ host, strlen(host) }, out))
        return false;
    out->path.p = p->href + p->n;
    put_path(p, p->in);
    return true;
}

static bool read_other_scheme(struct url_parser *p, struct assign_url *out)
{
    if (slashes(p) >= 2) {
        skip(p, 2);
        return read_authority(p, out);
    }
    out->origin_n = strlen("null");
    out->host = (struct assign_text){ p->href + p->n, 0 };
    out->path.p = p->href + p->n;
    p->opaque = slashes(p) == 0;
    if (p->opaque)
        put_encoded(p, p->in, "");
    else
        put_path(p, p->in);
    return true;
}

static bool read_hierarchy(struct url_parser *p, const char *relative_to, struct assign_url *out)
{
    size_t scheme = scheme_length(p->in);
    bool https = !scheme;
    for (size_t i = 0; i < scheme; i++)
        put_char(p, (char)(p->in.p[i] >= 'A' && p->in.p[i] <= 'Z' ? p->in.p[i] | 32 : p->in.p[i]));
    if (!scheme && !relative_to)
        return false;
    if (!scheme)
        put(p, "https:", 6);
    p->special = special_scheme(p->href, p->n - 1);
    skip(p, scheme);
    if (p->n == 5 && memcmp(p->href, "file:", 5) == 0)
        return false;
    https = https || (relative_to && p->n == 6 && memcmp(p->href, "https:", 6) == 0 && slashes(p) < 2);
    if (https)
        return read_relative(p, relative_to, out);
    if (!p->special)
        return read_other_scheme(p, out);
    skip(p, slashes(p));
    return read_authority(p, out);
}

static struct assign_text put_part(struct url_parser *p, struct assign_text part, const char *set)
{
    size_t from = p->n;
    if (!part.p)
        return (struct assign_text){ "", 0 };
    put_char(p, part.p[0]);
    put_encoded(p, (struct assign_text){ part.p + 1, part.n - 1 }, set);
    return part.n > 1 ? (struct assign_text){ p->href + from, p->n - from } : (struct assign_text){ "", 0 };
}

bool assign_url_read(struct assign_text text, const char *relative_to, struct assign_arena *a, struct assign_url *out)
{
    struct url_parser p = { 0 };
    memset(out, 0, sizeof *out);
    if (!clean(text, a, &p.in) || p.in.n > SIZE_MAX / (GROWTH * 2))
        return false;
    p.href = assign_alloc(a, p.in.n * GROWTH + SLACK * 4);
    struct assign_text hash = cut(&p.in, '#'), query = cut(&p.in, '?');
    if (!p.href || !read_hierarchy(&p, relative_to, out))
        return false;
    out->path.n = (size_t)(p.href + p.n - out->path.p);
    out->before_query = (struct assign_text){ p.href, p.n };
    out->query = put_part(&p, query, p.special ? " \"#<>'" : " \"#<>");
    out->hash = put_part(&p, hash, " \"<>`");
    out->href = (struct assign_text){ p.href, p.n };
    return true;
}

/* ---- parameters ---- */

static bool decode_form(struct assign_text text, struct assign_arena *a, struct assign_text *out)
{
    char *spaced = assign_alloc(a, text.n + 1), *plain = assign_alloc(a, text.n + 1);
    if (!spaced || !plain)
        return false;
    for (size_t i = 0; i < text.n; i++)
        spaced[i] = text.p[i] == '+' ? ' ' : text.p[i];
    size_t n = percent_decode((struct assign_text){ spaced, text.n }, plain);
    char *clean_text = assign_alloc(a, n * GROWTH + 1);
    if (!clean_text)
        return false;
    *out = (struct assign_text){ clean_text, 0 };
    for (size_t i = 0; i < n;) { /* bytes that are no UTF-8 become U+FFFD */
        uint32_t cp;
        i += assign_decode(plain + i, n - i, &cp);
        out->n += assign_encode(cp, clean_text + out->n);
    }
    return true;
}

bool assign_url_parameter(struct assign_text query, size_t *at, struct assign_arena *a, struct assign_text *key,
                          struct assign_text *value)
{
    if (*at == 0)
        *at = 1; /* the "?" */
    while (*at < query.n) {
        struct assign_text one = { query.p + *at, query.n - *at };
        (void)cut(&one, '&');
        *at += one.n + 1;
        if (one.n == 0)
            continue;
        struct assign_text rest = cut(&one, '=');
        if (rest.n)
            rest = (struct assign_text){ rest.p + 1, rest.n - 1 };
        return decode_form(one, a, key) && decode_form(rest, a, value);
    }
    return false;
}

size_t assign_url_encode(struct assign_text text, char *out)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (c && strchr("*-._", c))) {
            out[n++] = (char)c;
        } else if (c == ' ') {
            out[n++] = '+';
        } else {
            out[n++] = '%';
            out[n++] = hex[c >> 4];
            out[n++] = hex[c & 15];
        }
    }
    return n;
}
