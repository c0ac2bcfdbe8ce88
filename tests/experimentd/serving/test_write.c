#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "experimentd/serving/write.h"

static const char *score(double v, char out[64])
{
    struct buf b;
    buf_init(&b, 64);
    write_score(&b, v);
    (void)snprintf(out, 64, "%s", b.p);
    buf_release(&b);
    return out;
}

Test(write, a_score_has_six_significant_digits_and_no_more)
{
    static const struct {
        double v;
        const char *text;
    } cases[] = {
        { 0, "0" },
        { 1, "1" },
        { -1, "-1" },
        { 9.5, "9.5" },
        { 0.1, "0.1" },
        { 12.345678, "12.3457" },
        { 999999, "999999" },
        { 99999.96, "100000" },
        { 0.000123456, "0.000123456" },
        { -0.5, "-0.5" },
        { 1e9, "1e+09" },
        { 123456789, "1.23457e+08" },
        { 1e-7, "1e-07" },
        { 0.0123456789, "0.0123457" },
        { 2.5e5, "250000" },
        { 0.9999999, "1" },
        { (double)INFINITY, "null" },
        { (double)NAN, "null" },
    };
    char text[64];
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        cr_assert(eq(str, (char *)(uintptr_t)score(cases[i].v, text), (char *)(uintptr_t)cases[i].text));
}

Test(write, a_score_reads_back_within_a_millionth)
{
    char text[64];
    uint64_t state = 1;
    for (int i = 0; i < 200000; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        double v = ldexp((double)(int64_t)(state >> 11) / 9007199254740992.0 - 0.5, (int)(state % 60) - 30);
        double back = strtod(score(v, text), NULL);
        cr_assert(le(dbl, fabs(back - v), fabs(v) * 5.1e-6), "%.17g became %s", v, text);
    }
}

Test(write, a_float_reads_back_as_the_same_float)
{
    uint32_t state = 2463534242;
    for (int i = 0; i < 200000; i++) {
        struct buf b;
        float v;
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        uint32_t bits = i % 2 ? state : (state & 0x07ffffffu) + 0x3a000000u; /* any; of the sizes that scores have */
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
            continue;
        buf_init(&b, 64);
        write_float(&b, v);
        cr_assert(eq(flt, strtof(b.p, NULL), v), "%a is written as %s", (double)v, b.p);
        buf_release(&b);
    }
}
