#include "experimentd/evaluate/exposure_filter.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "base/clock.h"

#define HOUR_US (3600 * US_PER_SECOND)
#define START_US (INT64_C(490000) * HOUR_US)

static struct exposure_filter *filter;

static void set_up(void)
{
    filter = exposure_filter_new();
}

static void tear_down(void)
{
    exposure_filter_free(filter);
}

TestSuite(exposure_filter, .init = set_up, .fini = tear_down);

Test(exposure_filter, once_an_hour)
{
    cr_expect(exposure_filter_pass(filter, 1, STR("u"), START_US));
    cr_expect(not(exposure_filter_pass(filter, 1, STR("u"), START_US)));
    cr_expect(not(exposure_filter_pass(filter, 1, STR("u"), START_US + HOUR_US - 1)));
    cr_expect(exposure_filter_pass(filter, 1, STR("u"), START_US + HOUR_US));
}

Test(exposure_filter, an_older_one_always_passes)
{
    cr_expect(exposure_filter_pass(filter, 1, STR("u"), START_US + 5));
    cr_expect(exposure_filter_pass(filter, 1, STR("u"), START_US + 4));
    cr_expect(exposure_filter_pass(filter, 1, STR("u"), START_US + 4));
    cr_expect(not(exposure_filter_pass(filter, 1, STR("u"), START_US + 5)));
}

/* A second variant must be seen: it makes the unit a multiple exposure. */
Test(exposure_filter, other_units_variants_and_experiments_pass)
{
    cr_expect(exposure_filter_pass(filter, 1, STR("u"), START_US));
    cr_expect(exposure_filter_pass(filter, 2, STR("u"), START_US));
    cr_expect(exposure_filter_pass(filter, 1, STR("v"), START_US));
    cr_expect(exposure_filter_pass(filter, 1, STR(""), START_US));
}

Test(exposure_filter, what_could_not_be_recorded_passes_again)
{
    cr_expect(exposure_filter_pass(filter, 1, STR("u"), START_US));
    exposure_filter_forget(filter, 1, STR("u"), START_US);
    exposure_filter_forget(filter, 1, STR("never seen"), START_US);
    cr_expect(exposure_filter_pass(filter, 1, STR("u"), START_US));
    cr_expect(not(exposure_filter_pass(filter, 1, STR("u"), START_US)));
}

/* Forgetting costs a row more; taking one unit for another would lose one. */
Test(exposure_filter, no_unit_is_taken_for_another)
{
    for (unsigned i = 0; i < 300000; i++) {
        char unit[32];
        int n = snprintf(unit, sizeof unit, "user-%u", i);
        cr_assert(exposure_filter_pass(filter, 1 + i % 3, (struct str){ unit, (size_t)n }, START_US), "%s", unit);
    }
}
