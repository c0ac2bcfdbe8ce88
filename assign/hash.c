/* FNV-1a over UTF-16 code units, fed with UTF-8. Source: GrowthBook SDK specification 0.8.0, "hash". */
#include "assign/hash.h"

#include "assign/text.h"

enum { LANES = 4, DIGITS = 10 };

static uint32_t step(uint32_t h, uint32_t unit)
{
    return (h ^ unit) * ASSIGN_FNV_PRIME;
}

uint32_t assign_fnv(uint32_t h, const char *text, size_t n)
{
    size_t i = 0;
    for (uint64_t eight; n - i >= 8; i += 8) { /* ASCII, as ids are: all at once */
        memcpy(&eight, text + i, 8);
        if (eight & UINT64_C(0x8080808080808080))
            break;
        for (int k = 0; k < 8; k++)
            h = step(h, (unsigned char)text[i + (size_t)k]);
    }
    for (; i < n && (unsigned char)text[i] < 0x80; i++)
        h = step(h, (unsigned char)text[i]);
    while (i < n) {
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

static uint32_t step_pair(uint32_t h, uint32_t pair)
{
    uint32_t ten = pair * 103 >> 10; /* pair / 10, right below 179 */
    return step(step(h, '0' + ten), '0' + pair - ten * 10);
}

/* Below 10^8: from the last digit to the first, which is where hashing begins. */
static __attribute__((noinline)) uint32_t short_decimal(uint32_t h, uint32_t v)
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

/* Most hashes have nine or ten digits. As a fixed-point fraction (v / 10^8 with 32 bits behind the point) they come from the first to the
 * last, two at a time, so that the next pair is ready while this one is hashed. Source: J. Anhalt's itoa. */
uint32_t assign_fnv_decimal(uint32_t h, uint32_t v)
{
    const uint64_t scale = 1441151881; /* 2^57 / 10^8, rounded up */
    if (v < 100000000)
        return short_decimal(h, v);
    uint64_t rest = (v * scale >> 25) + 1; /* above the fraction by less than 10^-8: no digit is wrong */
    uint32_t pair = (uint32_t)(rest >> 32);
    uint32_t tens = pair * 103 >> 10,
             ten_digits = 0u - (tens > 0); /* a mask: to guess would go wrong each fourth time */
    h = (step(h, '0' + tens) & ten_digits) | (h & ~ten_digits);
    h = step(h, '0' + pair - tens * 10);
    for (int i = 0; i < 4; i++) {
        rest = (rest & UINT32_MAX) * 100;
        h = step_pair(h, (uint32_t)(rest >> 32));
    }
    return h;
}

/* The chains of different seeds overlap in the processor, which is where the speed comes from: one alone waits for each multiplication. */
static void hash_lanes(const uint32_t *states, const uint16_t *units, size_t units_n, uint16_t *out)
{
    uint32_t a = states[0], b = states[1], c = states[2], d = states[3];
    for (size_t k = 0; k < units_n; k++) {
        a = step(a, units[k]);
        b = step(b, units[k]);
        c = step(c, units[k]);
        d = step(d, units[k]);
    }
    out[0] = (uint16_t)(assign_fnv_decimal(ASSIGN_FNV_BASIS, a) % ASSIGN_SCALE_V2);
    out[1] = (uint16_t)(assign_fnv_decimal(ASSIGN_FNV_BASIS, b) % ASSIGN_SCALE_V2);
    out[2] = (uint16_t)(assign_fnv_decimal(ASSIGN_FNV_BASIS, c) % ASSIGN_SCALE_V2);
    out[3] = (uint16_t)(assign_fnv_decimal(ASSIGN_FNV_BASIS, d) % ASSIGN_SCALE_V2);
}

void assign_hash_many(const uint32_t *states, size_t count, const uint16_t *units, size_t units_n, uint16_t *out)
{
    uint32_t last[LANES] = { 0 };
    uint16_t hashed[LANES];
    size_t at = 0;
    for (; at + LANES <= count; at += LANES)
        hash_lanes(states + at, units, units_n, out + at);
    if (at == count)
        return;
    memcpy(last, states + at, (count - at) * sizeof *last);
    hash_lanes(last, units, units_n, hashed);
    memcpy(out + at, hashed, (count - at) * sizeof *out);
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
