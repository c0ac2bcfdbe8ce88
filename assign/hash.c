/* FNV-1a over UTF-16 code units, fed with UTF-8. Source: GrowthBook SDK specification 0.8.0, "hash". */
#include "assign/hash.h"

#include "assign/text.h"

enum { LANES = 8, DIGITS = 10 };

static uint32_t step(uint32_t h, uint32_t unit)
{
    return (h ^ unit) * ASSIGN_FNV_PRIME;
}

uint32_t assign_fnv(uint32_t h, const char *text, size_t n)
{
    size_t i = 0;
    while (i < n) {
        if ((unsigned char)text[i] < 0x80) {
            h = step(h, (unsigned char)text[i++]);
            continue;
        }
        uint32_t cp;
        i += assign_decode(text + i, n - i, &cp);
        if (cp >= 0x10000) {
            h = step(h, 0xD800 + ((cp - 0x10000) >> 10));
            cp = 0xDC00 + ((cp - 0x10000) & 0x3FF);
        }
        h = step(h, cp);
    }
    return h;
}

uint32_t assign_fnv_decimal(uint32_t h, uint32_t v)
{
    char digits[DIGITS];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    for (; at < sizeof digits; at++)
        h = step(h, (unsigned char)digits[at]);
    return h;
}

/* Ten digits of each lane, leading zeros too; a lane's own digits start at from[i]. Chains of different lanes overlap in the processor,
 * which is where the speed comes from: one chain alone waits for each multiplication. */
static void decimal_lanes(const uint32_t v[LANES], uint32_t h[LANES])
{
    unsigned char digits[DIGITS][LANES];
    uint32_t rest[LANES], started[LANES] = { 0 };
    memcpy(rest, v, sizeof rest);
    for (size_t d = DIGITS; d-- > 0;) {
        for (size_t i = 0; i < LANES; i++) {
            uint32_t tenth = (uint32_t)(rest[i] * (uint64_t)0xCCCCCCCDu >> 35); /* rest / 10 */
            digits[d][i] = (unsigned char)(rest[i] - tenth * 10);
            rest[i] = tenth;
        }
    }
    for (size_t i = 0; i < LANES; i++)
        h[i] = ASSIGN_FNV_BASIS;
    for (size_t d = 0; d < DIGITS; d++) {
        for (size_t i = 0; i < LANES; i++) {
            started[i] |= digits[d][i] | (d + 1 == DIGITS);
            uint32_t next = step(h[i], '0' + (uint32_t)digits[d][i]);
            h[i] = started[i] ? next : h[i];
        }
    }
}

static void hash_lanes(const uint32_t states[LANES], const uint16_t *units, size_t units_n, uint32_t h[LANES])
{
    uint32_t inner[LANES];
    memcpy(inner, states, sizeof inner);
    for (size_t k = 0; k < units_n; k++)
        for (size_t i = 0; i < LANES; i++)
            inner[i] = step(inner[i], units[k]);
    decimal_lanes(inner, h);
}

void assign_hash_many(const uint32_t *states, size_t count, const uint16_t *units, size_t units_n, uint16_t *out)
{
    uint32_t h[LANES], some[LANES] = { 0 };
    for (size_t from = 0; from < count; from += LANES) {
        size_t n = count - from < LANES ? count - from : LANES;
        memcpy(some, states + from, n * sizeof *some);
        hash_lanes(some, units, units_n, h);
        for (size_t i = 0; i < n; i++)
            out[from + i] = (uint16_t)(h[i] % ASSIGN_SCALE_V2);
    }
}

bool assign_hash(const char *seed, size_t seed_n, const char *value, size_t value_n, int version, double *out_n)
{
    if (version == 1) {
        uint32_t h = assign_fnv(assign_fnv(ASSIGN_FNV_BASIS, value, value_n), seed, seed_n);
        *out_n = (h % ASSIGN_SCALE_V1) / (double)ASSIGN_SCALE_V1;
        return true;
    }
    if (version == 2) {
        uint32_t inner = assign_fnv(assign_fnv(ASSIGN_FNV_BASIS, seed, seed_n), value, value_n);
        *out_n = (assign_fnv_decimal(ASSIGN_FNV_BASIS, inner) % ASSIGN_SCALE_V2) / (double)ASSIGN_SCALE_V2;
        return true;
    }
    return false;
}
