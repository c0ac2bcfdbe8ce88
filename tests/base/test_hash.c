#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

/* The check value of CRC-32C, and the vectors of RFC 3720, B.4. */
Test(hash, crc32c_of_the_standards_vectors)
{
    unsigned char text[32];
    cr_assert(eq(u32, hash_crc32c(0, "123456789", 9), 0xE3069283));
    cr_assert(eq(u32, hash_crc32c(0, "", 0), 0));
    memset(text, 0, sizeof text);
    cr_assert(eq(u32, hash_crc32c(0, text, sizeof text), 0x8A9136AA));
    memset(text, 0xff, sizeof text);
    cr_assert(eq(u32, hash_crc32c(0, text, sizeof text), 0x62A8AB43));
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = (unsigned char)i;
    cr_assert(eq(u32, hash_crc32c(0, text, sizeof text), 0x46DD794E));
}

/* The definition, bit by bit. */
static uint32_t crc32c_slow(const unsigned char *p, size_t n)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    }
    return ~crc;
}

Test(hash, crc32c_agrees_with_the_definition_at_every_length_start_and_cut)
{
    unsigned char text[100];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (unsigned char)(i * 167 + 13);
    for (size_t from = 0; from < 9; from++)
        for (size_t n = 0; n + from < sizeof text; n++) {
            uint32_t whole = hash_crc32c(0, text + from, n);
            cr_assert(eq(u32, whole, crc32c_slow(text + from, n)));
            cr_assert(eq(u32, hash_crc32c(hash_crc32c(0, text + from, n / 3), text + from + n / 3, n - n / 3), whole));
        }
}

/* FNV-1a and fmix64, written out again: stored buckets depend on it for ever. */
static uint64_t hash64_slow(const char *s)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
    h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

Test(hash, buckets_are_what_they_always_were)
{
    static const char *const units[] = { "", "a", "user-1", "größe" };
    for (size_t i = 0; i < 4; i++)
        cr_assert(eq(u64, hash64(str_of(units[i])), hash64_slow(units[i])));
}

/* Sequential names over the 4096 buckets: chi-square has 4095 degrees of freedom, mean 4095 and deviation 90.5. */
Test(hash, buckets_are_filled_evenly)
{
    enum { UNITS = 1 << 18 };
    static unsigned counts[BUCKET_COUNT];
    double chi2 = 0, expected = (double)UNITS / BUCKET_COUNT;
    for (int i = 0; i < UNITS; i++) {
        char unit[32];
        int n = snprintf(unit, sizeof unit, "user-%d", i);
        counts[hash_bucket((struct str){ unit, (size_t)n })]++;
    }
    for (int i = 0; i < BUCKET_COUNT; i++)
        chi2 += (counts[i] - expected) * (counts[i] - expected) / expected;
    cr_assert(chi2 > 4095 - 5 * 90.5 && chi2 < 4095 + 5 * 90.5, "chi2 = %g", chi2);
}
