#include "base/str.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && memcmp(s.p, prefix.p, prefix.n) == 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_cut(struct str s, size_t max)
{
    if (s.n <= max)
        return s;
    while (max > 0 && ((unsigned char)s.p[max] & 0xC0) == 0x80)
        max--;
    return (struct str){ s.p, max };
}

struct str str_trim(struct str s)
{
    while (s.n && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool str_split(struct str *rest, char sep, struct str *out_part)
{
    if (!rest->p)
        return false;
    const char *hit = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
    if (!hit) {
        *out_part = *rest;
        *rest = (struct str){ NULL, 0 };
        return true;
    }
    *out_part = (struct str){ rest->p, (size_t)(hit - rest->p) };
    rest->n -= out_part->n + 1;
    rest->p = hit + 1;
    return true;
}

static bool not_a(struct err *err, struct str s, const char *what)
{
    return err_set(err, ERR_INVALID, "\"%.*s\" is not %s", s.n > 60 ? 60 : (int)s.n, s.p ? s.p : "", what);
}

bool parse_u64(struct str s, uint64_t *out, struct err *err)
{
    uint64_t v = 0;
    if (s.n == 0 || s.n > 20)
        return not_a(err, s, "a whole number");
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return not_a(err, s, "a whole number");
        if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return not_a(err, s, "a number that fits 64 bits");
    }
    *out = v;
    return true;
}

bool parse_u32(struct str s, uint32_t *out, struct err *err)
{
    uint64_t v;
    if (!parse_u64(s, &v, err))
        return false;
    if (v > UINT32_MAX)
        return not_a(err, s, "a number that fits 32 bits");
    *out = (uint32_t)v;
    return true;
}

bool parse_i64(struct str s, int64_t *out, struct err *err)
{
    bool minus = s.n > 0 && s.p[0] == '-';
    uint64_t v;
    if (!parse_u64(minus ? (struct str){ s.p + 1, s.n - 1 } : s, &v, err))
        return false;
    if (v > (uint64_t)INT64_MAX + minus)
        return not_a(err, s, "a number that fits 64 bits");
    *out = (int64_t)(minus ? 0 - v : v);
    return true;
}

bool parse_double(struct str s, double *out, struct err *err)
{
    char text[64];
    if (s.n == 0 || s.n >= sizeof text || !strchr("+-.0123456789", s.p[0]))
        return not_a(err, s, "a number");
    for (size_t i = 0; i < s.n; i++)
        if (!strchr("+-.0123456789eE", s.p[i]))
            return not_a(err, s, "a number");
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    char *end;
    double v = strtod(text, &end);
    if (end != text + s.n || !isfinite(v)) /* a NUL ends it, too */
        return not_a(err, s, "a finite number");
    *out = v;
    return true;
}

bool parse_bool(struct str s, bool *out, struct err *err)
{
    static const char *const yes[] = { "true", "on", "yes", "1" };
    static const char *const no[] = { "false", "off", "no", "0" };
    for (size_t i = 0; i < 4; i++) {
        if (str_eq_c(s, yes[i]) || str_eq_c(s, no[i])) {
            *out = str_eq_c(s, yes[i]);
            return true;
        }
    }
    return not_a(err, s, "true or false");
}

bool parse_size(struct str s, uint64_t *out, struct err *err)
{
    unsigned shift = 0;
    struct str digits = s;
    if (s.n) {
        char c = lower(s.p[s.n - 1]);
        shift = c == 'k' ? 10 : c == 'm' ? 20 : c == 'g' ? 30 : 0;
        if (shift)
            digits.n--;
    }
    uint64_t v;
    if (!parse_u64(digits, &v, NULL) || v > UINT64_MAX >> shift)
        return not_a(err, s, "a size (a number, then k, m or g)");
    *out = v << shift;
    return true;
}

/* Length of the valid sequence that starts at p, or 0. Table 3-7 of the Unicode standard. */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
    if (p[0] < 0x80)
        return p[0] ? 1 : 0;
    size_t len = p[0] >= 0xC2 && p[0] <= 0xDF ? 2 : (p[0] & 0xF0) == 0xE0 ? 3 : p[0] >= 0xF0 && p[0] <= 0xF4 ? 4 : 0;
    if (len == 0 || n < len)
        return 0;
    unsigned lo = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : 0x80;
    unsigned hi = p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < lo || p[1] > hi)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

/* Eight bytes of ASCII, none of them NUL. */
static bool plain_eight(const char *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    uint64_t eight;
    memcpy(&eight, p, sizeof eight);
    return ((eight | (eight - ones)) & highs) == 0;
}

bool str_is_utf8(struct str s)
{
    for (size_t i = 0; i < s.n;) {
        if (s.n - i >= 8 &&
            plain_eight(s.p + i)) { /* nearly all that comes: a fifth of the CPU of a signal otherwise, measured */
            i += 8;
            continue;
        }
        if (s.p[i] > 0) {
            i++;
            continue;
        }
        size_t len = utf8_sequence((const unsigned char *)s.p + i, s.n - i);
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}
