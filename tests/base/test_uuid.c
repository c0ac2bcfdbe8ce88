#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "base/pg.h"

Test(uuid, formats_and_parses_back)
{
    static const char text[] = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    unsigned char id[16];
    char again[UUID_TEXT_MAX];
    cr_assert(uuid_parse(STR("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"), id));
    uuid_format(id, again);
    cr_assert(eq(str, again, text));
    cr_assert(uuid_parse(STR("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"), id));
    uuid_format(id, again);
    cr_assert(eq(str, again, text));
}

Test(uuid, refuses_what_is_none)
{
    static const char *const bad[] = {
        "",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398ff",
        "017f22e279b0-7cc3-98c4-dc0c0c07398f0",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "{17f22e2-79b0-7cc3-98c4-dc0c0c07398}",
    };
    unsigned char id[16];
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        cr_assert(not(uuid_parse(str_of(bad[i]), id)), "%s", bad[i]);
}

/* RFC 9562, appendix A.6: 2022-02-22T19:22:22.00Z is 0x017F22E279B0. */
Test(uuid, version_7_holds_the_time_of_the_standards_example)
{
    unsigned char id[16];
    char text[UUID_TEXT_MAX];
    uuid_v7(id, INT64_C(1645557742000000));
    uuid_format(id, text);
    cr_assert(eq(int, strncmp(text, "017f22e2-79b0-7", 15), 0), "%s", text);
    cr_assert(eq(int, id[8] & 0xc0, 0x80));
}

Test(uuid, version_7_sorts_by_microsecond_and_never_repeats)
{
    unsigned char last[16] = { 0 }, id[16];
    for (int64_t us = INT64_C(1645557742000000); us < INT64_C(1645557742003000); us++) {
        uuid_v7(id, us);
        cr_assert(lt(int, memcmp(last, id, 16), 0));
        memcpy(last, id, 16);
    }
    uuid_v7(id, INT64_C(1645557742002999));
    cr_assert(ne(int, memcmp(last, id, 16), 0));
}
