#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

Test(clock, formats_as_rfc_3339)
{
    char text[CLOCK_TEXT_MAX];
    cr_assert(eq(str, clock_format(0, text), "1970-01-01T00:00:00Z"));
    cr_assert(eq(str, clock_format(INT64_C(1795521600123456), text), "2026-11-24T12:00:00.123456Z"));
    cr_assert(eq(str, clock_format(-1, text), "1969-12-31T23:59:59.999999Z"));
    cr_assert(eq(str, clock_format_day(-1, text), "1969-12-31"));
}

Test(clock, parses_the_standard_and_what_is_met_in_the_wild)
{
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        { "2026-11-24T12:00:00Z", INT64_C(1795521600000000) },
        { "2026-11-24 12:00:00", INT64_C(1795521600000000) },
        { "2026-11-24T12:00:00.1234567Z", INT64_C(1795521600123456) },
        { "2026-11-24T13:30:00+0130", INT64_C(1795521600000000) },
        { "2026-11-24T11:30:00-00:30", INT64_C(1795521600000000) },
        { "2026-11-24", INT64_C(1795478400000000) },
        { "2026-11-24 12:00:00+00", INT64_C(1795521600000000) },
        { "2024-02-29T00:00:00Z", INT64_C(1709164800000000) },
        { "1969-12-31T23:59:59.999999Z", -1 },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t us = 42;
        cr_assert(clock_parse(str_of(cases[i].text), &us, NULL), "%s", cases[i].text);
        cr_assert(eq(i64, us, cases[i].us), "%s", cases[i].text);
    }
}

Test(clock, refuses_impossible_times)
{
    static const char *const bad[] = { "",
                                       "yesterday",
                                       "2026-13-01",
                                       "2026-02-29",
                                       "2026-11-31",
                                       "2026-11-24T25:00:00",
                                       "2026-11-24T12:60:00",
                                       "2026-11-24T12:00:00X",
                                       "2026-11-24T12:00:00+24:00",
                                       "20261124",
                                       "2026-11-24T",
                                       "2026-11-24T12:00:00.Z" };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        int64_t us;
        cr_assert(not(clock_parse(str_of(bad[i]), &us, NULL)), "%s", bad[i]);
    cr_assert(not(clock_parse(STR("2026-11-28\00001:02:03Z"), &us, NULL)), "a NUL where T stands");
    }
}

/* Against the C library, every hour and a bit from 1900 to 2200. */
Test(clock, days_agree_with_gmtime)
{
    for (int64_t s = -INT64_C(2208988800); s < INT64_C(7258118400); s += 97 * 3661) {
        struct tm tm;
        char text[CLOCK_TEXT_MAX], expected[CLOCK_TEXT_MAX];
        time_t t = (time_t)s;
        int64_t again;
        cr_assert(gmtime_r(&t, &tm) != NULL);
        (void)strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%SZ", &tm);
        cr_assert(eq(str, (char *)(uintptr_t)clock_format(s * US_PER_SECOND, text), expected));
        cr_assert(clock_parse(str_of(text), &again, NULL) && again == s * US_PER_SECOND, "%s", text);
        cr_assert(eq(i32, clock_day(s * US_PER_SECOND),
                     clock_day_of(tm.tm_year + 1900, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday)));
    }
}

Test(clock, numbers_of_the_wire_are_seconds_milliseconds_or_microseconds)
{
    int64_t us;
    cr_assert(clock_from_number(1795521600.5, &us, NULL) && us == INT64_C(1795521600500000));
    cr_assert(clock_from_number(1795521600500.0, &us, NULL) && us == INT64_C(1795521600500000));
    cr_assert(clock_from_number(1795521600500000.0, &us, NULL) && us == INT64_C(1795521600500000));
    cr_assert(not(clock_from_number(1e300, &us, NULL)));
    cr_assert(not(clock_from_number(0.0 / (double)(us * 0), &us, NULL)));
}

Test(clock, can_stand_still)
{
    clock_freeze(123);
    cr_assert(eq(i64, clock_now_us(), 123));
    clock_freeze(0);
    cr_assert(gt(i64, clock_now_us(), INT64_C(1700000000000000)));
    int64_t before = clock_mono_us();
    cr_assert(ge(i64, clock_mono_us(), before));
}
