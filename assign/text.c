#include "assign/text.h"

#include "assign/arena.h"
#include "assign/lower.h"

enum { REPLACEMENT = 0xFFFD };

size_t assign_decode(const char *text, size_t n, uint32_t *out)
{
    const unsigned char *p = (const unsigned char *)text;
    static const unsigned char lead_mask[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t len = p[0] < 0x80                    ? 1
                 : p[0] >= 0xC2 && p[0] <= 0xDF ? 2
                 : (p[0] & 0xF0) == 0xE0        ? 3
                 : p[0] >= 0xF0 && p[0] <= 0xF4 ? 4
                                                : 0;
    *out = REPLACEMENT;
    if (len == 0 || n < len)
        return 1;
    uint32_t cp = p[0] & lead_mask[len];
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 1;
        cp = cp << 6 | (p[i] & 0x3F);
    }
    if (cp < least[len] || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
        return 1;
    *out = cp;
    return len;
}

size_t assign_encode(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    size_t len = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    for (size_t i = len - 1; i > 0; i--, cp >>= 6)
        out[i] = (char)(0x80 | (cp & 0x3F));
    out[0] = (char)(lead[len] | cp);
    return len;
}

/* The order of UTF-8's bytes is that of the code points; UTF-16's differs where one text has U+E000…U+FFFF (lead bytes EE, EF) and the
 * other a code point above U+FFFF (lead byte F0 or more), which begins with a surrogate. */
int assign_text_compare(struct assign_text a, struct assign_text b)
{
    size_t n = a.n < b.n ? a.n : b.n, i = 0;
    while (i < n && a.p[i] == b.p[i])
        i++;
    if (i == n)
        return a.n < b.n ? -1 : a.n > b.n;
    unsigned char x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];
    if (x >= 0xEE && y >= 0xEE && (x < 0xF0) != (y < 0xF0))
        return x < 0xF0 ? 1 : -1;
    return x < y ? -1 : 1;
}

size_t assign_text_units(struct assign_text text, uint16_t *out)
{
    size_t count = 0;
    for (size_t i = 0; i < text.n;) {
        uint32_t cp;
        i += assign_decode(text.p + i, text.n - i, &cp);
        if (cp >= 0x10000) {
            out[count++] = (uint16_t)(0xD800 + ((cp - 0x10000) >> 10));
            cp = 0xDC00 + ((cp - 0x10000) & 0x3FF);
        }
        out[count++] = (uint16_t)cp;
    }
    return count;
}

uint32_t assign_lower(uint32_t cp)
{
    if (cp < 0x80)
        return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
    size_t lo = 0, hi = assign_lower_count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (assign_lower_rows[mid].last < cp)
            lo = mid + 1;
        else
            hi = mid;
    }
    const struct assign_lower_row *r = &assign_lower_rows[lo];
    bool hit = lo < assign_lower_count && cp >= r->first && (cp - r->first) % r->step == 0;
    return hit ? (uint32_t)((int32_t)cp + r->by) : cp;
}

bool assign_text_lower(struct assign_text text, struct assign_arena *a, struct assign_text *out)
{
    char *p = assign_alloc(a, text.n * 3 + 1);
    size_t n = 0;
    if (!p)
        return false;
    for (size_t i = 0; i < text.n;) {
        uint32_t cp;
        i += assign_decode(text.p + i, text.n - i, &cp);
        n += assign_encode(cp == 0x130 ? 'i' : assign_lower(cp), p + n);
        if (cp == 0x130) /* which becomes two code points, the second a dot above */
            n += assign_encode(0x307, p + n);
    }
    *out = (struct assign_text){ p, n };
    return true;
}

bool assign_text_join(const struct assign_text *parts, size_t count, struct assign_arena *a, struct assign_text *out)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += parts[i].n;
    char *p = assign_alloc(a, n + 1), *at = p;
    if (!p)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].n)
            memcpy(at, parts[i].p, parts[i].n);
        at += parts[i].n;
    }
    *at = '\0';
    *out = (struct assign_text){ p, n };
    return true;
}

bool assign_text_copy(struct assign_text text, struct assign_arena *a, struct assign_text *out)
{
    return assign_text_join(&text, 1, a, out);
}

/* Eight bytes a step, multiplied and folded; the length goes in first. */
uint32_t assign_text_hash(struct assign_text text)
{
    const uint64_t k = 0x9E3779B97F4A7C15u;
    uint64_t h = text.n * k, w;
    const char *p = text.p;
    size_t n = text.n;
    for (; n >= 8; n -= 8, p += 8) {
        memcpy(&w, p, 8);
        h = (h ^ w) * k;
        h ^= h >> 32;
    }
    w = 0;
    if (n)
        memcpy(&w, p, n);
    h = (h ^ w) * k;
    return (uint32_t)(h >> 32) ^ (uint32_t)h;
}
