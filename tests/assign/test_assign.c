#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "assign/assign.h"

static double hash(const char *seed, const char *value, size_t value_n, int version)
{
    double n = NAN;
    cr_assert(assign_hash(seed, strlen(seed), value, value_n, version, &n));
    return n;
}

static int variant(const struct assign_experiment *e, unsigned unit)
{
    char text[32];
    int n = snprintf(text, sizeof text, "user-%u", unit);
    return assign_variant(e, text, (size_t)n);
}

Test(assign, texts_need_not_end_with_0)
{
    cr_expect(eq(dbl, hash("seed", "abc", 1, 2), hash("seed", "a", 1, 2)));
    cr_expect(eq(dbl, hash("seed", "a", 1, 2), 0.0505));
}

/* Lone bytes, overlong forms, surrogates, beyond U+10FFFF, cut off: each byte counts as U+FFFD, and none is read past the end. */
Test(assign, bytes_that_are_no_utf8_count_as_replacement_characters)
{
    static const char *const bad[] = { "\x80",         "\xff",         "\xc0\xaf",
                                       "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                       "\xf0\x9f\xa6", "\xe7\x94",     "\xc3" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char replaced[32] = "", *exact;
        for (size_t k = 0; k < strlen(bad[i]); k++)
            memcpy(replaced + 3 * k, "\xef\xbf\xbd", 3);
        exact = malloc(strlen(bad[i])); /* ASan sees a read past the end */
        memcpy(exact, bad[i], strlen(bad[i]));
        cr_expect(eq(dbl, hash("s", exact, strlen(bad[i]), 2), hash("s", replaced, strlen(replaced), 2)), "case %zu",
                  i);
        free(exact);
    }
}

Test(assign, unknown_hash_version_is_refused)
{
    struct assign_experiment e;
    double n = 7;
    cr_expect(not(assign_hash("s", 1, "u", 1, 3, &n)));
    cr_expect(eq(dbl, n, 7));
    cr_expect(not(assign_experiment_init(&e, "s", 1, 3, 1, NULL, 2)));
    cr_expect(not(assign_experiment_init(&e, "s", 1, 0, 1, NULL, 2)));
}

Test(assign, variants_are_limited)
{
    struct assign_experiment e;
    cr_expect(not(assign_experiment_init(&e, "s", 1, 2, 1, NULL, ASSIGN_VARIANTS_MAX + 1)));
    cr_assert(assign_experiment_init(&e, "s", 1, 2, 1, NULL, ASSIGN_VARIANTS_MAX));
    int most = 0;
    for (unsigned u = 0; u < 5000; u++) {
        int v = variant(&e, u);
        cr_assert(v >= 0 && v < ASSIGN_VARIANTS_MAX);
        most = v > most ? v : most;
    }
    cr_expect(eq(int, most, ASSIGN_VARIANTS_MAX - 1));
}

Test(assign, no_unit_is_in_no_experiment)
{
    struct assign_experiment e;
    cr_assert(assign_experiment_init(&e, "s", 1, 2, 1, NULL, 2));
    cr_expect(eq(int, assign_variant(&e, "", 0), -1));
}

/* The state kept behind the seed is a shortcut, not another hash. */
Test(assign, a_ready_experiment_answers_as_hash_and_choose_do)
{
    static const char seed[] = "🦄 seed";
    const double weights[] = { 0.2, 0.3, 0.5 };
    for (int version = 1; version <= 2; version++) {
        struct assign_experiment e;
        cr_assert(assign_experiment_init(&e, seed, strlen(seed), version, 0.8, weights, 3));
        for (unsigned u = 0; u < 2000; u++) {
            char unit[32];
            int n = snprintf(unit, sizeof unit, "é%u", u);
            int expected = assign_choose(hash(seed, unit, (size_t)n, version), e.ranges, e.ranges_count);
            cr_assert(eq(int, assign_variant(&e, unit, (size_t)n), expected), "version %d, %s", version, unit);
        }
    }
}

/* Who is in stays in, in the same variant, when the coverage grows: a ramp does not reshuffle. */
Test(assign, raising_the_coverage_moves_no_unit)
{
    const double weights[] = { 0.25, 0.25, 0.5 };
    struct assign_experiment small, large;
    unsigned in = 0, entered = 0;
    cr_assert(assign_experiment_init(&small, "ramp", 4, 2, 0.1, weights, 3));
    cr_assert(assign_experiment_init(&large, "ramp", 4, 2, 0.6, weights, 3));
    for (unsigned u = 0; u < 20000; u++) {
        int before = variant(&small, u), after = variant(&large, u);
        in += before >= 0;
        entered += before < 0 && after >= 0;
        cr_assert(before < 0 || before == after, "user-%u", u);
    }
    cr_expect(in > 1800 && in < 2200, "%u of 20000 in 10 %%", in);
    cr_expect(entered > 9600 && entered < 10400, "%u entered", entered);
}

Test(assign, coverage_is_clamped_and_0_lets_nobody_in)
{
    struct assign_range r[2];
    struct assign_experiment e;
    assign_bucket_ranges(2, 1.5, NULL, 0, r);
    cr_expect(eq(dbl, r[1].hi, 1));
    cr_assert(assign_experiment_init(&e, "s", 1, 2, 0, NULL, 2));
    for (unsigned u = 0; u < 2000; u++)
        cr_assert(eq(int, variant(&e, u), -1));
}

Test(assign, number_text_has_room_for_the_longest)
{
    char text[ASSIGN_NUMBER_TEXT_MAX];
    cr_expect(eq(sz, assign_number_text(-1.2345678901234568e-300, text), strlen("-1.2345678901234568e-300")));
    cr_expect(eq(str, text, "-1.2345678901234568e-300"));
    cr_expect(eq(sz, assign_number_text(-0.0000012345678901234567, text), strlen("-0.0000012345678901234567")));
    cr_expect(eq(str, text, "-0.0000012345678901234567"));
    (void)assign_number_text(INFINITY, text);
    cr_expect(eq(str, text, "Infinity"));
    (void)assign_number_text(NAN, text);
    cr_expect(eq(str, text, "NaN"));
}
