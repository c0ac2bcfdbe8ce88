#include "assign/hash.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "assign/assign.h"
#include "assign/text.h"

/* The definition, one code unit after the other. */
static uint32_t plain_fnv(uint32_t h, const uint16_t *units, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ units[i]) * ASSIGN_FNV_PRIME;
    return h;
}

static uint32_t plain_decimal(uint32_t h, uint32_t v)
{
    char text[16];
    int n = snprintf(text, sizeof text, "%u", v);
    for (int i = 0; i < n; i++)
        h = (h ^ (unsigned char)text[i]) * ASSIGN_FNV_PRIME;
    return h;
}

static void check_decimal(uint32_t v)
{
    cr_assert(eq(u32, assign_fnv_decimal(ASSIGN_FNV_BASIS, v), plain_decimal(ASSIGN_FNV_BASIS, v)), "%u", v);
}

Test(hash, decimal_digits_are_those_that_are_printed)
{
    check_decimal(0);
    check_decimal(UINT32_MAX);
    for (uint64_t power = 10; power <= 10000000000u; power *= 10)
        for (uint64_t times = 1; times < 10; times++)
            for (uint64_t v = power * times < 3 ? 0 : power * times - 3; v <= power * times + 3 && v <= UINT32_MAX; v++)
                check_decimal((uint32_t)v);
    for (uint32_t i = 0, v = 1; i < 1000000; i++, v = v * 1664525 + 1013904223)
        check_decimal(v);
}

Test(hash, a_text_is_hashed_by_its_code_units_wherever_they_stop_being_ascii)
{
    for (size_t n = 0; n < 40; n++) {
        for (size_t at = 0; at <= n; at++) { /* at n: ASCII alone */
            char text[64] = "";
            uint16_t units[64];
            for (size_t i = 0; i < n; i++)
                (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s", i == at ? "\xe7\x94\xa8" : "k");
            size_t count = assign_text_units((struct assign_text){ text, strlen(text) }, units);
            cr_assert(eq(sz, count, n));
            cr_assert(eq(u32, assign_fnv(7, text, strlen(text)), plain_fnv(7, units, count)), "%zu of %zu", at, n);
        }
    }
}

Test(hash, many_seeds_at_once_are_each_alone)
{
    const uint16_t units[] = { 'u', 's', 'e', 'r', '-', 0x7528, '7' };
    uint32_t states[11];
    for (uint32_t i = 0; i < 11; i++)
        states[i] = (i + 1) * 2654435761u;
    for (size_t count = 0; count <= 11; count++) {
        uint16_t out[12];
        memset(out, 0xFF, sizeof out);
        assign_hash_many(states, count, units, 7, out);
        for (size_t i = 0; i < count; i++)
            cr_assert(
                eq(u16, out[i], (uint16_t)(plain_decimal(ASSIGN_FNV_BASIS, plain_fnv(states[i], units, 7)) % 10000)));
        cr_assert(eq(u16, out[count], UINT16_MAX), "nothing is written behind the last");
    }
}
