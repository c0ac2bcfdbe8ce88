#include "base/cron.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>

#include "base/clock.h"

static int64_t at(const char *text)
{
    int64_t us = 0;
    cr_assert(clock_parse(str_of(text), &us, NULL), "%s", text);
    return us / US_PER_SECOND;
}

static int64_t next(const char *expression, const char *zone, const char *after)
{
    struct cron c;
    struct err err;
    struct zone *z = zone_load(str_of(zone), &err);
    cr_assert(z != NULL, "%s", err.text);
    cr_assert(cron_parse(str_of(expression), &c, &err), "%s", err.text);
    int64_t t = cron_next(&c, z, at(after));
    zone_free(z);
    return t;
}

/* cron.json: croniter in UTC, and every wall time tried around changes of clocks (vectors/cron.py). */
Test(cron, gives_the_instants_of_an_independent_reading)
{
    json_error_t error;
    json_t *cases = json_load_file(EXPERIMENTD_SOURCE_DIR "/tests/base/vectors/cron.json", 0, &error);
    size_t i, k;
    json_t *row, *want;
    cr_assert(json_array_size(cases) > 450);
    json_array_foreach(cases, i, row)
    {
        const char *text = json_string_value(json_object_get(row, "cron"));
        const char *name = json_string_value(json_object_get(row, "zone"));
        struct cron c;
        struct err err = { 0 };
        struct zone *z = zone_load(str_of(name), &err);
        cr_assert(z && cron_parse(str_of(text), &c, &err), "%s in %s: %s", text, name, err.text);
        int64_t t = json_integer_value(json_object_get(row, "after"));
        json_array_foreach(json_object_get(row, "next"), k, want)
        {
            int64_t before = t;
            t = cron_next(&c, z, t);
            cr_assert(eq(i64, t, json_integer_value(want)), "%s in %s after %lld", text, name, (long long)before);
        }
        zone_free(z);
    }
    json_decref(cases);
}

Test(cron, a_time_that_never_comes_runs_when_clocks_are_set_forward)
{
    cr_assert(eq(i64, next("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z"), at("2026-03-29T01:00:00Z")));
    cr_assert(eq(i64, next("30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z"), at("2026-03-30T00:30:00Z")));
    cr_assert(eq(i64, next("*/20 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z"), at("2026-03-30T00:00:00Z")),
              "three times of the hour that is left out are one run");
}

Test(cron, a_time_that_comes_twice_runs_once)
{
    cr_assert(eq(i64, next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z"), at("2026-10-25T00:30:00Z")));
    cr_assert(eq(i64, next("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z"), at("2026-10-26T01:30:00Z")));
    cr_assert(eq(i64, next("*/20 * * * *", "Europe/Berlin", "2026-10-25T00:40:00Z"), at("2026-10-25T02:00:00Z")));
}

Test(cron, the_last_day_and_the_last_friday)
{
    cr_assert(eq(i64, next("0 3 L * *", "UTC", "2028-02-01"), at("2028-02-29T03:00:00Z")));
    cr_assert(eq(i64, next("0 3 * * 5L", "UTC", "2026-11-01"), at("2026-11-27T03:00:00Z")));
    cr_assert(eq(i64, next("0 3 * * friL", "UTC", "2026-11-27T03:00:00Z"), at("2026-12-25T03:00:00Z")));
}

Test(cron, refuses_and_says_which_field)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        { "", "has not 5 or 6 fields" },
        { "* * * *", "has not 5 or 6 fields" },
        { "* * * * * * *", "has not 5 or 6 fields" },
        { "@nightly", "has not 5 or 6 fields" },
        { "60 * * * *", "\"minute\" has 60, outside 0 to 59" },
        { "61 0 * * * *", "\"second\" has 61, outside 0 to 59" },
        { "0 24 * * *", "\"hour\" has 24" },
        { "0 0 0 * *", "\"day of month\" has 0, outside 1 to 31" },
        { "0 0 * 13 *", "\"month\" has 13" },
        { "0 0 * * 8", "\"day of week\" has 8" },
        { "0 0 * * MOO", "\"day of week\" has \"MOO\", neither a number nor a name" },
        { "5-1 * * * *", "\"minute\" has \"5-1\", a range that runs backwards" },
        { "*/0 * * * *", "\"minute\" has \"*/0\", whose step is not 1 to 60" },
        { "1, * * * *", "\"minute\" has \"1,\", a list with nothing in it" },
        { "1,,2 * * * *", "\"minute\" has \"\", not a number" },
        { "+1 * * * *", "\"minute\" has \"+1\", not a number" },
        { "0 0 30 2 *", "names a day that never comes" },
        { "0 0 L-2 * *", "\"day of month\" has \"L\", not a number" },
        { "0 0 15W * *", "\"day of month\" has \"15W\", not a number" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct cron c;
        struct err err = { 0 };
        cr_assert(not(cron_parse(str_of(cases[i].text), &c, &err)), "%s", cases[i].text);
        cr_assert(strstr(err.text, cases[i].says) != NULL, "%s: %s", cases[i].text, err.text);
    }
}

Test(cron, names_that_stand_for_expressions)
{
    cr_assert(eq(i64, next("@Daily", "America/New_York", "2026-07-01T12:00:00Z"), at("2026-07-02T04:00:00Z")));
    cr_assert(eq(i64, next("  0   0 * * ? ", "UTC", "2026-07-01T12:00:00Z"), at("2026-07-02")));
}
