#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "base/mem.h"
#include "base/nearest.h"
#include "base/str.h"

Test(str, split_gives_every_part_and_then_stops)
{
    struct str rest = STR("a,,bc,"), part;
    static const char *const expected[] = { "a", "", "bc", "" };
    for (size_t i = 0; i < 4; i++) {
        cr_assert(str_split(&rest, ',', &part));
        cr_assert(str_eq_c(part, expected[i]));
    }
    cr_assert(not(str_split(&rest, ',', &part)));
}

Test(str, trim_case_and_prefix)
{
    cr_assert(str_eq_c(str_trim(STR(" \t a b\r\n")), "a b"));
    cr_assert(str_eq_c(str_trim(STR(" \n")), ""));
    cr_assert(str_eq_nocase(STR("Content-TYPE"), STR("content-type")));
    cr_assert(not(str_eq_nocase(STR("a["), STR("a{"))));
    cr_assert(str_starts(STR("abc"), STR("ab")));
    cr_assert(not(str_starts(STR("a"), STR("ab"))));
}

Test(parse, whole_numbers_at_their_limits)
{
    uint32_t u32;
    uint64_t u64;
    int64_t i64;
    cr_assert(parse_u32(STR("4294967295"), &u32, NULL) && u32 == UINT32_MAX);
    cr_assert(not(parse_u32(STR("4294967296"), &u32, NULL)));
    cr_assert(parse_u64(STR("18446744073709551615"), &u64, NULL) && u64 == UINT64_MAX);
    cr_assert(not(parse_u64(STR("18446744073709551616"), &u64, NULL)));
    cr_assert(parse_i64(STR("9223372036854775807"), &i64, NULL) && i64 == INT64_MAX);
    cr_assert(parse_i64(STR("-9223372036854775808"), &i64, NULL) && i64 == INT64_MIN);
    cr_assert(not(parse_i64(STR("9223372036854775808"), &i64, NULL)));
    cr_assert(not(parse_i64(STR("-9223372036854775809"), &i64, NULL)));
}

Test(parse, refuses_what_is_no_number)
{
    static const char *const bad[] = { "", " 1", "1 ", "+1", "0x10", "1e3", "--1", "-", "١" };
    uint64_t u64;
    int64_t i64;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        cr_assert(not(parse_u64(str_of(bad[i]), &u64, NULL)), "%s", bad[i]);
        cr_assert(not(parse_i64(str_of(bad[i]), &i64, NULL)), "%s", bad[i]);
    }
    cr_assert(not(parse_u64(STR("-1"), &u64, NULL)));
}

Test(parse, doubles_are_finite_decimal_numbers)
{
    static const char *const bad[] = { "", "nan", "inf", "-inf", "0x1p3", "1e999", "1,5", "1e", "e5", ".", "1.2.3" };
    double d;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        cr_assert(not(parse_double(str_of(bad[i]), &d, NULL)), "%s", bad[i]);
    cr_assert(not(parse_double((struct str){ "1\0x", 3 }, &d, NULL)), "a NUL within");
    cr_assert(not(parse_double((struct str){ "\0", 1 }, &d, NULL)), "a NUL");
    cr_assert(parse_double(STR("-1.5e-3"), &d, NULL) && d == -1.5e-3);
    cr_assert(parse_double((struct str){ "1.55", 3 }, &d, NULL) && d == 1.5);
}

Test(parse, sizes_and_booleans)
{
    uint64_t n;
    bool b;
    cr_assert(parse_size(STR("10"), &n, NULL) && n == 10);
    cr_assert(parse_size(STR("3K"), &n, NULL) && n == 3072);
    cr_assert(parse_size(STR("2g"), &n, NULL) && n == UINT64_C(2) << 30);
    cr_assert(not(parse_size(STR("k"), &n, NULL)));
    cr_assert(not(parse_size(STR("99999999999g"), &n, NULL)));
    cr_assert(parse_bool(STR("on"), &b, NULL) && b);
    cr_assert(parse_bool(STR("0"), &b, NULL) && !b);
    cr_assert(not(parse_bool(STR("TRUE!"), &b, NULL)));
}

Test(str, utf8_by_the_table_of_the_standard)
{
    static const char *const good[] = { "", "a", "ß", "€", "𝄞", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf", "\xee\x80\x80" };
    static const char *const bad[] = { "\x80",         "\xc0\xaf",         "\xc3",         "\xe0\x80\x80",
                                       "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80", "\xe2\x82" };
    for (size_t i = 0; i < COUNT_OF(good); i++)
        cr_assert(str_is_utf8(str_of(good[i])), "%zu", i);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        cr_assert(not(str_is_utf8(str_of(bad[i]))), "%zu", i);
    cr_assert(not(str_is_utf8((struct str){ "a\0b", 3 })));
}

Test(nearest, finds_what_was_meant)
{
    static const char *const names[] = { "coverage", "key", NULL, "variants", "hash_version" };
    static const struct {
        const char *given, *meant;
    } cases[] = {
        { "coverge", "coverage" },          { "covreage", "coverage" },  { "kye", "key" }, { "variant", "variants" },
        { "hash-version", "hash_version" }, { "completely_else", NULL }, { "", NULL },     { "x", NULL },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *found = nearest_name(str_of(cases[i].given), names, COUNT_OF(names));
        cr_assert(found == cases[i].meant || (found && cases[i].meant && strcmp(found, cases[i].meant) == 0), "%s: %s",
                  cases[i].given, found ? found : "none");
    }
}

Test(str, cut_keeps_characters_whole)
{
    static const struct {
        const char *text;
        size_t max, kept;
    } cases[] = { { "abc", 5, 3 },  { "abc", 3, 3 },  { "abc", 2, 2 }, { "aé", 2, 1 },
                  { "用户", 5, 3 }, { "🦄", 3, 0 }, { "", 0, 0 },    { "é", 0, 0 } };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        cr_assert(eq(sz, str_cut(str_of(cases[i].text), cases[i].max).n, cases[i].kept), "%s", cases[i].text);
}
