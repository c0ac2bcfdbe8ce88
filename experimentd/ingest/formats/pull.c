#include "experimentd/ingest/formats/pull.h"

#include <endian.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

enum { PULL_NUMBER_MAX = 64, DIGITS_EXACT = 19, EXPONENT_MAX = 9999 }; /* so many digits a uint64_t holds */

void pull_init(struct pull *p, struct str text, struct arena *arena)
{
    *p = (struct pull){ .at = text.p, .end = text.p + text.n, .arena = arena };
}

bool pull_ok(const struct pull *p)
{
    return p->err.kind == ERR_NONE;
}

bool pull_fail(struct pull *p, const char *fmt, ...)
{
    if (!pull_ok(p))
        return false;
    va_list ap;
    va_start(ap, fmt);
    p->err.kind = ERR_INVALID;
    (void)vsnprintf(p->err.text, sizeof p->err.text, fmt, ap);
    va_end(ap);
    return false;
}

static inline void spaces(struct pull *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
        p->at++;
}

bool pull_at_end(struct pull *p)
{
    spaces(p);
    return p->at == p->end;
}

enum pull_type pull_peek(struct pull *p)
{
    spaces(p);
    if (p->at == p->end)
        return PULL_NONE;
    switch (*p->at) {
    case '{':
        return PULL_OBJECT;
    case '[':
        return PULL_ARRAY;
    case '"':
        return PULL_STRING;
    case 't':
        return PULL_TRUE;
    case 'f':
        return PULL_FALSE;
    case 'n':
        return PULL_NULL;
    default:
        return *p->at == '-' || (*p->at >= '0' && *p->at <= '9') ? PULL_NUMBER : PULL_NONE;
    }
}

static bool expect(struct pull *p, char c)
{
    spaces(p);
    if (p->at == p->end)
        return pull_fail(p, "the JSON ends where \"%c\" is expected", c);
    if (*p->at != c)
        return pull_fail(p, "the JSON has byte 0x%02x where \"%c\" is expected", (unsigned char)*p->at, c);
    p->at++;
    return true;
}

/* ---- strings ---- */

static int hex4(const char *p, const char *end)
{
    int v = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int c = p[i] >= '0' && p[i] <= '9'                 ? p[i] - '0'
                : (p[i] | 32) >= 'a' && (p[i] | 32) <= 'f' ? (p[i] | 32) - 'a' + 10
                                                           : -1;
        if (c < 0)
            return -1;
        v = v << 4 | c;
    }
    return v;
}

static size_t put_utf8(char *to, uint32_t cp)
{
    if (cp < 0x80) {
        to[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        to[0] = (char)(0xC0 | cp >> 6);
        to[1] = (char)(0x80 | (cp & 63));
        return 2;
    }
    if (cp < 0x10000) {
        to[0] = (char)(0xE0 | cp >> 12);
        to[1] = (char)(0x80 | (cp >> 6 & 63));
        to[2] = (char)(0x80 | (cp & 63));
        return 3;
    }
    to[0] = (char)(0xF0 | cp >> 18);
    to[1] = (char)(0x80 | (cp >> 12 & 63));
    to[2] = (char)(0x80 | (cp >> 6 & 63));
    to[3] = (char)(0x80 | (cp & 63));
    return 4;
}

/* \uXXXX, and its second half where it is a surrogate; p->at stands behind the "u". */
static bool escape_unicode(struct pull *p, uint32_t *out)
{
    int hi = hex4(p->at, p->end);
    if (hi < 0)
        return pull_fail(p, "a string holds a bad \\u escape");
    p->at += 4;
    *out = (uint32_t)hi;
    if (hi == 0)
        return pull_fail(p, "a string holds \\u0000");
    if (hi < 0xD800 || hi > 0xDFFF)
        return true;
    int lo = hi < 0xDC00 && p->end - p->at >= 6 && p->at[0] == '\\' && p->at[1] == 'u' ? hex4(p->at + 2, p->end) : -1;
    if (lo < 0xDC00 || lo > 0xDFFF)
        return pull_fail(p, "a string holds half a surrogate pair");
    p->at += 6;
    *out = 0x10000 + ((uint32_t)(hi - 0xD800) << 10) + (uint32_t)(lo - 0xDC00);
    return true;
}

static bool escape(struct pull *p, uint32_t *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (p->at == p->end)
        return pull_fail(p, "the JSON ends inside a string");
    char c = *p->at++;
    const char *hit = c ? strchr(from, c) : NULL;
    if (hit) {
        *out = (unsigned char)to[hit - from];
        return true;
    }
    return c == 'u' ? escape_unicode(p, out) : pull_fail(p, "a string holds the unknown escape \\%c", c);
}

/* How many bytes from here on are ASCII that stands for itself: no quote, no backslash, no control character. Eight at a time. */
static size_t plain_run(const char *at, const char *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    const char *from = at;
    for (uint64_t eight; end - at >= 8; at += 8) {
        memcpy(&eight, at, sizeof eight);
        eight = le64toh(eight);
        uint64_t quotes = eight ^ ones * '"', slashes = eight ^ ones * '\\';
        uint64_t special = (eight | (eight - ones * ' ') | ((quotes - ones) & ~quotes) |
                            ((slashes - ones) & ~slashes)) &
                           highs;
        if (special) /* the lowest is right; above it, borrows may have made more */
            return (size_t)(at - from) + (size_t)__builtin_ctzll(special) / 8;
    }
    return (size_t)(at - from);
}

/* Walks a string; the unescaped text goes to `to` when it is not NULL. */
static bool walk_string(struct pull *p, char *to, size_t *out_n, bool *out_escaped)
{
    size_t n = 0;
    bool ascii = true;
    const char *from = p->at;
    while (p->at < p->end) {
        size_t plain = plain_run(p->at, p->end);
        if (plain && to)
            memcpy(to + n, p->at, plain);
        n += plain;
        p->at += plain;
        if (p->at == p->end || *p->at == '"')
            break;
        uint32_t cp = (unsigned char)*p->at++;
        if (cp < 0x20)
            return pull_fail(p, "a string holds the control character 0x%02x", cp);
        if (cp != '\\') {
            ascii = ascii && cp < 0x80;
            if (to)
                to[n] = (char)cp;
            n++;
            continue;
        }
        char piece[4];
        *out_escaped = true;
        if (!escape(p, &cp))
            return false;
        n += put_utf8(to ? to + n : piece, cp);
    }
    if (p->at == p->end)
        return pull_fail(p, "the JSON ends inside a string");
    if (!ascii && !str_is_utf8((struct str){ from, (size_t)(p->at - from) }))
        return pull_fail(p, "a string is not UTF-8");
    p->at++;
    *out_n = n;
    return true;
}

bool pull_string(struct pull *p, struct str *out)
{
    bool escaped = false;
    size_t n;
    if (!pull_ok(p) || !expect(p, '"'))
        return false;
    const char *from = p->at;
    if (!walk_string(p, NULL, &n, &escaped))
        return false;
    if (!escaped) {
        *out = (struct str){ from, n };
        return true;
    }
    char *to = arena_alloc(p->arena, n + 4);
    p->at = from;
    (void)walk_string(p, to, &n, &escaped);
    *out = (struct str){ to, n };
    return true;
}

/* ---- numbers ---- */

/* How many digits stand here; they are added to *m, which wraps when there are too many. */
static inline size_t digits(const char **at, const char *end, uint64_t *m)
{
    const char *from = *at;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++)
        *m = *m * 10 + (uint64_t)(**at - '0');
    return (size_t)(*at - from);
}

/* Behind the "e". */
static bool exponent(const char **at, const char *end, int *out)
{
    uint64_t m = 0;
    bool minus = *at < end && **at == '-';
    if (*at < end && (**at == '+' || **at == '-'))
        (*at)++;
    size_t n = digits(at, end, &m);
    int size = n > DIGITS_EXACT || m > EXPONENT_MAX ? EXPONENT_MAX : (int)m;
    *out = minus ? -size : size;
    return n > 0;
}

static bool slow_number(struct pull *p, size_t n, double *out)
{
    char text[PULL_NUMBER_MAX + 1];
    memcpy(text, p->at, n);
    text[n] = '\0';
    *out = strtod(text, NULL);
    return isfinite(*out) || pull_fail(p, "the number %s does not fit a double", text);
}

bool pull_number(struct pull *p, double *out)
{
    static const double signs[] = { 1, -1 };
    uint64_t m = 0;
    size_t behind = 0;
    int ten = 0;
    spaces(p);
    const char *from = p->at, *at = p->at;
    bool minus = at < p->end && *at == '-';
    at += minus;
    bool zero = at < p->end && *at == '0';
    size_t whole = digits(&at, p->end, &m);
    bool ok = whole == 1 || (whole > 1 && !zero);
    if (ok && at < p->end && *at == '.') {
        at++;
        behind = digits(&at, p->end, &m);
        ok = behind > 0;
    }
    if (ok && at < p->end && (*at == 'e' || *at == 'E')) {
        at++;
        ok = exponent(&at, p->end, &ten);
    }
    size_t n = (size_t)(at - from);
    if (!ok || n > PULL_NUMBER_MAX)
        return pull_fail(p, ok ? "a number has more than 64 characters" : "a number is not well formed");
    if (whole + behind > DIGITS_EXACT || !number_of_decimal(m, ten - (int)behind, out)) {
        if (!slow_number(p, n, out))
            return false;
    } else {
        *out *= signs[minus]; /* no branch: signs are not to be guessed */
    }
    p->at = at;
    return true;
}

/* ---- structure ---- */

bool pull_enter(struct pull *p, char bracket)
{
    return pull_ok(p) && expect(p, bracket);
}

static bool next(struct pull *p, bool first, char close)
{
    if (!pull_ok(p))
        return false;
    spaces(p);
    if (p->at < p->end && *p->at == close) {
        p->at++;
        return false;
    }
    return first || expect(p, ',');
}

bool pull_member(struct pull *p, bool first, struct str *out_key)
{
    return next(p, first, '}') && pull_string(p, out_key) && expect(p, ':');
}

bool pull_member_is(struct pull *p, bool first, struct str key)
{
    const char *from = p->at;
    spaces(p);
    if (!first && p->at < p->end && *p->at == ',') {
        p->at++;
        spaces(p);
    } else if (!first) {
        p->at = from;
        return false;
    }
    if ((size_t)(p->end - p->at) >= key.n + 2 && *p->at == '"' && p->at[key.n + 1] == '"' &&
        memcmp(p->at + 1, key.p, key.n) == 0) {
        p->at += key.n + 2;
        if (expect(p, ':'))
            return true;
    }
    if (pull_ok(p))
        p->at = from;
    return false;
}

bool pull_element(struct pull *p, bool first)
{
    return next(p, first, ']');
}

static bool word(struct pull *p, const char *w)
{
    size_t n = strlen(w);
    if ((size_t)(p->end - p->at) < n || memcmp(p->at, w, n) != 0)
        return pull_fail(p, "the JSON holds a word that is none of true, false, null");
    p->at += n;
    return true;
}

bool pull_number_or_null(struct pull *p, double *out)
{
    spaces(p);
    if (p->at == p->end || *p->at != 'n')
        return pull_number(p, out);
    *out = NAN;
    return word(p, "null");
}

bool pull_numbers(struct pull *p, double *out, size_t room, size_t *out_n)
{
    size_t n = 0;
    *out_n = 0;
    if (!pull_enter(p, '['))
        return false;
    for (bool first = true; next(p, first, ']'); first = false) {
        if (n == room) {
            *out_n = room + 1;
            return true;
        }
        if (!pull_number_or_null(p, &out[n]))
            break;
        *out_n = ++n;
    }
    return pull_ok(p);
}

static bool skip(struct pull *p, int depth);

/* Says of which member the value is wrong: of the innermost one. */
static bool name_member(struct pull *p, struct str key)
{
    if (!p->named)
        (void)err_prefix(&p->err, "field \"%.*s\": ", STR_ARG(str_cut(key, 60)));
    p->named = true;
    return false;
}

static bool skip_members(struct pull *p, int depth)
{
    struct str key;
    for (bool first = true; pull_member(p, first, &key); first = false)
        if (!skip(p, depth + 1))
            return name_member(p, key);
    return pull_ok(p);
}

static bool skip_elements(struct pull *p, int depth)
{
    for (bool first = true; pull_element(p, first); first = false)
        if (!skip(p, depth + 1))
            return false;
    return pull_ok(p);
}

static bool skip_string(struct pull *p)
{
    size_t n;
    bool escaped = false;
    return expect(p, '"') && walk_string(p, NULL, &n, &escaped);
}

static bool skip(struct pull *p, int depth)
{
    double ignored;
    if (depth > PULL_DEPTH_MAX)
        return pull_fail(p, "the JSON is nested deeper than %d levels", PULL_DEPTH_MAX);
    switch (pull_peek(p)) {
    case PULL_OBJECT:
        return pull_enter(p, '{') && skip_members(p, depth);
    case PULL_ARRAY:
        return pull_enter(p, '[') && skip_elements(p, depth);
    case PULL_STRING:
        return skip_string(p);
    case PULL_NUMBER:
        return pull_number(p, &ignored);
    case PULL_TRUE:
        return word(p, "true");
    case PULL_FALSE:
        return word(p, "false");
    case PULL_NULL:
        return word(p, "null");
    case PULL_NONE:
    default:
        return pull_fail(p, p->at == p->end ? "the JSON ends where a value is expected"
                                            : "the JSON holds a byte that starts no value");
    }
}

bool pull_skip(struct pull *p, struct str *out_text)
{
    if (!pull_ok(p))
        return false;
    spaces(p);
    const char *from = p->at;
    if (!skip(p, 0))
        return false;
    if (out_text)
        *out_text = (struct str){ from, (size_t)(p->at - from) };
    return true;
}
