/* FNV-1a over UTF-16 code units, fed with UTF-8. Source: GrowthBook SDK specification 0.8.0, "hash". */
#include "assign/assign.h"
#include "assign/fnv.h"

/* Length of the well-formed sequence at p and its code point; 1 and U+FFFD for a byte that starts none. */
static size_t decode(const unsigned char *p, size_t n, uint32_t *out)
{
    size_t len = p[0] < 0x80                    ? 1
                 : p[0] >= 0xC2 && p[0] <= 0xDF ? 2
                 : (p[0] & 0xF0) == 0xE0        ? 3
                 : p[0] >= 0xF0 && p[0] <= 0xF4 ? 4
                                                : 0;
    static const unsigned char lead_mask[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    *out = 0xFFFD;
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

static uint32_t step(uint32_t h, uint32_t unit)
{
    return (h ^ unit) * FNV_PRIME;
}

uint32_t fnv_add(uint32_t h, const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t i = 0;
    while (i < n) {
        if (p[i] < 0x80) {
            h = step(h, p[i++]);
            continue;
        }
        uint32_t cp;
        i += decode(p + i, n - i, &cp);
        if (cp >= 0x10000) {
            h = step(h, 0xD800 + ((cp - 0x10000) >> 10));
            cp = 0xDC00 + ((cp - 0x10000) & 0x3FF);
        }
        h = step(h, cp);
    }
    return h;
}

uint32_t fnv_add_decimal(uint32_t h, uint32_t v)
{
    char digits[10];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    for (; at < sizeof digits; at++)
        h = step(h, (unsigned char)digits[at]);
    return h;
}

bool assign_hash(const char *seed, size_t seed_n, const char *value, size_t value_n, int version, double *out_n)
{
    if (version == 1) {
        *out_n = (fnv_add(fnv_add(FNV_BASIS, value, value_n), seed, seed_n) % 1000) / 1000.0;
        return true;
    }
    if (version == 2) {
        uint32_t inner = fnv_add(fnv_add(FNV_BASIS, seed, seed_n), value, value_n);
        *out_n = (fnv_add_decimal(FNV_BASIS, inner) % 10000) / 10000.0;
        return true;
    }
    return false;
}
