#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "tests/stats/draw.h"

/* What number.h says it is the same as. */
static void plainly(double v, char out[NUMBER_TEXT_MAX])
{
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(out, NUMBER_TEXT_MAX, "%.*g", digits, v);
        if (strtod(out, NULL) == v)
            return;
    }
}

static void same(double v)
{
    char got[NUMBER_TEXT_MAX], wanted[NUMBER_TEXT_MAX];
    plainly(v, wanted);
    size_t n = number_text(v, got);
    cr_assert(strcmp(got, wanted) == 0, "%a: %s, not %s", v, got, wanted);
    cr_assert(eq(sz, n, strlen(wanted)));
}

Test(number, ends_and_simple_numbers)
{
    static const double values[] = { 0.0,
                                     -0.0,
                                     1,
                                     -1,
                                     0.1,
                                     -0.3,
                                     1.0 / 3,
                                     2.0 / 3,
                                     9.5,
                                     0.00001,
                                     0.0001,
                                     123456.789,
                                     1e14,
                                     999999999999999.0,
                                     1e15,
                                     1e15 + 1,
                                     1e16,
                                     1e17,
                                     123456789012345680.0,
                                     9007199254740993.0,
                                     1e22,
                                     1e23,
                                     5e-324,
                                     2.2250738585072014e-308,
                                     2.225073858507201e-308,
                                     1.7976931348623157e308,
                                     9.999999999999999e22,
                                     0.9999999999999999,
                                     99999999999999.95 };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        same(values[i]);
        same(-values[i]);
    }
}

Test(number, any_bits)
{
    struct draw d = { 17 };
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = draw_u64(&d);
        double v;
        memcpy(&v, &bits, sizeof v);
        if (isfinite(v))
            same(v);
    }
}

/* Numbers as results have them, short decimals, and their neighbours. */
Test(number, everyday_numbers)
{
    struct draw d = { 18 };
    for (int i = 0; i < 100000; i++) {
        double v = (draw_uniform(&d) - 0.5) * pow(10, floor(draw_uniform(&d) * 24) - 8);
        double short_one = round(v * 1000) / 1000;
        same(v);
        same(short_one);
        same(nextafter(short_one, INFINITY));
        same(round(v));
    }
}

static void reads(uint64_t m, int exponent)
{
    char text[48];
    double got;
    (void)snprintf(text, sizeof text, "%llue%d", (unsigned long long)m, exponent);
    if (number_of_decimal(m, exponent, &got))
        cr_assert(got == strtod(text, NULL), "%s: %a, not %a", text, got, strtod(text, NULL));
    else
        cr_assert(exponent > 0 || exponent < -27, "%s is within the quick range", text);
}

Test(number, digits_are_read_as_strtod_reads_them)
{
    struct draw d = { 20260301 };
    static const uint64_t ends[] = {
        0, 1, 9007199254740991u, 9007199254740992u, 9007199254740993u, UINT64_MAX, UINT64_MAX - 1
    };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        for (int e = -30; e <= 30; e++)
            reads(ends[i], e);
    for (int i = 0; i < 400000; i++) {
        uint64_t m = draw_u64(&d) >> (draw_u64(&d) % 64);
        reads(m, (int)(draw_u64(&d) % 56) - 30);
    }
    /* halfway between two doubles, and beside it */
    for (uint64_t k = 0; k < 2000; k++)
        for (uint64_t by = 0; by < 3; by++)
            reads((UINT64_C(1) << 53) + 2 * k + by, 0), reads(((UINT64_C(1) << 53) + 2 * k + 1) * 10 + by - 1, -1);
}
