#include "base/buf.h"

#include <endian.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

void buf_init(struct buf *b, size_t limit_bytes)
{
    *b = (struct buf){ .limit_bytes = limit_bytes };
}

void buf_release(struct buf *b)
{
    mem_free(b->p);
    *b = (struct buf){ .limit_bytes = b->limit_bytes };
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->failed = false;
    if (b->p)
        b->p[0] = '\0';
}

bool buf_ok(const struct buf *b, const char *what, struct err *err)
{
    if (b->failed)
        return err_set(err, ERR_TOO_LARGE, "%s is larger than %zu bytes", what, b->limit_bytes);
    return true;
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (b->failed || n > b->limit_bytes - b->n) {
        b->failed = true;
        return NULL;
    }
    if (b->n + n + 1 > b->room) {
        size_t room = b->room ? b->room * 2 : 256;
        if (room < b->n + n + 1)
            room = b->n + n + 1;
        if (room > b->limit_bytes + 1)
            room = b->limit_bytes + 1;
        b->p = mem_realloc(b->p, room);
        b->room = room;
    }
    return b->p + b->n;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    char *to = buf_reserve(b, n);
    if (!to)
        return;
    if (n)
        memcpy(to, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}

void buf_add_str(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
}

void buf_add_c(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_add_byte(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    va_list ap2;
    va_copy(ap2, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *to = n < 0 ? NULL : buf_reserve(b, (size_t)n);
    if (to) {
        (void)vsnprintf(to, (size_t)n + 1, fmt, ap2);
        b->n += (size_t)n;
    }
    va_end(ap2);
}

void buf_add_u64(struct buf *b, uint64_t v)
{
    char text[20];
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_add(b, text + at, sizeof text - at);
}

static void add_escaped(struct buf *b, unsigned char c)
{
    static const char short_forms[] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };
    if (c == '"' || c == '\\') {
        buf_add_byte(b, '\\');
        buf_add_byte(b, (char)c);
    } else if (c < sizeof short_forms && short_forms[c]) {
        buf_add_byte(b, '\\');
        buf_add_byte(b, short_forms[c]);
    } else {
        buf_addf(b, "\\u%04x", c);
    }
}

void buf_add_json_str(struct buf *b, struct str s)
{
    buf_add_byte(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(b, s.p + from, i - from);
        add_escaped(b, c);
        from = i + 1;
    }
    if (from < s.n) /* of no text there is no place to add to */
        buf_add(b, s.p + from, s.n - from);
    buf_add_byte(b, '"');
}

void buf_add_json_double(struct buf *b, double v)
{
    char text[NUMBER_TEXT_MAX];
    if (isfinite(v))
        buf_add(b, text, number_text(v, text));
    else
        buf_add_c(b, "null");
}

void buf_add_be16(struct buf *b, uint16_t v)
{
    v = htobe16(v);
    buf_add(b, &v, sizeof v);
}

void buf_add_be32(struct buf *b, uint32_t v)
{
    v = htobe32(v);
    buf_add(b, &v, sizeof v);
}

void buf_add_be64(struct buf *b, uint64_t v)
{
    v = htobe64(v);
    buf_add(b, &v, sizeof v);
}

void buf_consume(struct buf *b, size_t n)
{
    b->n -= n;
    memmove(b->p, b->p + n, b->n + 1);
}
