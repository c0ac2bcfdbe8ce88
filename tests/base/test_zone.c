#include "base/zone.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

static const char *const names[] = {
    "Europe/Berlin",        "America/New_York", "Australia/Lord_Howe", "America/Santiago",
    "Africa/Casablanca",    "Asia/Kathmandu",   "Pacific/Apia",        "Europe/Dublin",
    "America/Sao_Paulo",    "Asia/Tehran",      "Antarctica/Troll",    "Pacific/Chatham",
    "America/Scoresbysund", "Etc/GMT+5",        "Asia/Gaza",           "UTC"
};

/* Against the C library, which reads the same files by code of its own: every 14 hours or so from 1970 to 2100. */
Test(zone, offsets_are_those_of_the_c_library)
{
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct zone *z = zone_load(str_of(names[i]), NULL);
        cr_assert(z != NULL, "%s", names[i]);
        (void)setenv("TZ", names[i], 1);
        tzset();
        for (int64_t t = 0; t < INT64_C(4102444800); t += 50021) {
            time_t at = (time_t)t;
            struct tm tm;
            (void)localtime_r(&at, &tm);
            cr_assert(eq(i64, zone_offset(z, t), tm.tm_gmtoff), "%s at %lld", names[i], (long long)t);
        }
        zone_free(z);
    }
}

/* A wall's instant shows that wall, unless it is left out; and later walls are never earlier. */
Test(zone, instants_are_those_of_the_wall)
{
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct zone *z = zone_load(str_of(names[i]), NULL);
        int64_t last = INT64_MIN;
        for (int64_t wall = INT64_C(1767225600); wall < INT64_C(1767225600) + 3 * 366 * INT64_C(86400); wall += 600) {
            int64_t t = zone_instant(z, wall);
            bool shown = t + zone_offset(z, t) == wall, left_out = t - 1 + zone_offset(z, t - 1) < wall;
            cr_assert(shown || (left_out && t + zone_offset(z, t) > wall), "%s %lld", names[i], (long long)wall);
            cr_assert(t >= last, "%s %lld", names[i], (long long)wall);
            last = t;
        }
        zone_free(z);
    }
}

Test(zone, a_wall_that_comes_twice_is_its_first)
{
    struct zone *z = zone_load(STR("Europe/Berlin"), NULL);
    int64_t wall, first;
    cr_assert(clock_parse(STR("2026-10-25T02:30:00Z"), &wall, NULL));
    cr_assert(clock_parse(STR("2026-10-25T00:30:00Z"), &first, NULL));
    cr_assert(eq(i64, zone_instant(z, wall / US_PER_SECOND), first / US_PER_SECOND));
    zone_free(z);
}

Test(zone, refuses_what_is_no_zone)
{
    static const char *const bad[] = { "",       "Mars/Olympus", "../../../etc/passwd", "/etc/localtime",
                                       "Europe", "tzdata.zi",    "Europe/Berlin\n",     "zone.tab" };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct err err = { 0 };
        cr_assert(zone_load(str_of(bad[i]), &err) == NULL, "%s", bad[i]);
        cr_assert(strstr(err.text, "is not known") != NULL, "%s", err.text);
    }
}

Test(zone, refuses_files_that_are_cut_or_damaged)
{
    char bytes[8192];
    FILE *f = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    size_t n = fread(bytes, 1, sizeof bytes, f);
    (void)fclose(f);
    struct zone *whole = zone_parse((struct str){ bytes, n }, NULL);
    cr_assert(whole != NULL);
    zone_free(whole);
    for (size_t cut = 0; cut < n; cut++)
        cr_assert(zone_parse((struct str){ bytes, cut }, NULL) == NULL, "%zu bytes", cut);
}
