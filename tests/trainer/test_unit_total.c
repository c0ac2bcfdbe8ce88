#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "trainer/kernels/unit_total.h"

static const int32_t no_end[] = { INT32_MAX, INT32_MAX };

static struct unit_day record(const char *unit, double clicks, struct day_exposure *exposure)
{
    return (struct unit_day){ .unit = str_of(unit),
                              .last_us = 5,
                              .all = { .clicks = clicks, .queries = 2 },
                              .exposures = exposure,
                              .exposures_count = exposure ? 1 : 0 };
}

static bool keep(void *arg, const struct total_cell *c, struct err *err)
{
    struct total_cell *cells = arg;
    (void)err;
    cells[str_eq(c->variant, STR("b"))] = *c;
    return true;
}

Test(unit_total, only_what_follows_the_first_exposure_counts)
{
    struct unit_totals *t = unit_totals_new();
    struct total_cell cells[2] = { 0 };
    struct day_exposure e = { .variant = STR("a"), .after = { .clicks = 1 } };
    struct unit_day before = record("u", 7, NULL), first = record("u", 5, &e), later = record("u", 3, NULL);
    unit_totals_add(t, &before, 1, no_end, 2);
    unit_totals_add(t, &first, 2, no_end, 2);
    unit_totals_add(t, &later, 3, no_end, 2);
    cr_assert(unit_totals_day(t, 3, no_end, keep, cells, NULL));
    cr_assert(eq(i64, cells[0].metrics[TOTAL_CLICKS_PER_UNIT].n, 1));
    cr_assert(epsilon_eq(dbl, cells[0].metrics[TOTAL_CLICKS_PER_UNIT].mean_x, 4, 1e-12),
              "1 on the day of exposure, 3 later");
    unit_totals_free(t);
}

Test(unit_total, a_unit_seen_in_two_variants_is_left_out_and_counted)
{
    struct unit_totals *t = unit_totals_new();
    struct total_cell cells[2] = { 0 };
    struct total_counts counts;
    struct day_exposure a = { .variant = STR("a") }, b = { .variant = STR("b") };
    struct unit_day one = record("u", 1, &a), two = record("u", 1, &b), other = record("v", 1, &b);
    unit_totals_add(t, &one, 1, no_end, 2);
    unit_totals_add(t, &two, 2, no_end, 2);
    unit_totals_add(t, &other, 2, no_end, 2);
    cr_assert(unit_totals_day(t, 2, no_end, keep, cells, NULL));
    cr_assert(eq(i64, cells[0].metrics[TOTAL_CTR].n, 0));
    cr_assert(eq(i64, cells[1].metrics[TOTAL_CTR].n, 1));
    unit_totals_counts(t, 0, &counts);
    cr_assert(eq(i64, counts.units, 1));
    cr_assert(eq(i64, counts.several, 1));
    unit_totals_free(t);
}

Test(unit_total, nothing_counts_behind_the_last_day)
{
    static const int32_t last[] = { 2, 2 };
    struct unit_totals *t = unit_totals_new();
    struct total_cell cells[2] = { 0 };
    struct day_exposure a = { .variant = STR("a"), .after = { .clicks = 1 } };
    struct unit_day first = record("u", 1, &a), late = record("u", 9, NULL);
    unit_totals_add(t, &first, 2, last, 2);
    cr_assert(unit_totals_day(t, 2, last, keep, cells, NULL));
    unit_totals_add(t, &late, 3, last, 2);
    struct total_cell behind[2] = { 0 };
    cr_assert(unit_totals_day(t, 3, last, keep, behind, NULL));
    cr_assert(epsilon_eq(dbl, cells[0].metrics[TOTAL_CLICKS_PER_UNIT].mean_x, 1, 1e-12));
    cr_assert(eq(i64, behind[0].metrics[TOTAL_CTR].n, 0), "no cell for a day behind the end");
    unit_totals_free(t);
}

struct cohorts {
    struct total_cell cells[8];
    size_t count;
};

static bool keep_all(void *arg, const struct total_cell *c, struct err *err)
{
    struct cohorts *all = arg;
    (void)err;
    cr_assert(c->cohort);
    all->cells[all->count++] = *c;
    return true;
}

Test(unit_total, a_cohort_has_all_that_its_units_did_since_their_first_day)
{
    struct unit_totals *t = unit_totals_new();
    struct cohorts got = { .count = 0 };
    struct day_exposure a = { .variant = STR("a"), .after = { .clicks = 1 } }, b = { .variant = STR("b") },
                        other = { .experiment = 1, .variant = STR("a") };
    struct unit_day one = record("u", 1, &a), again = record("u", 6, NULL), two = record("v", 0, &b),
                    late = record("w", 1, &a), moved = record("x", 1, &a), moved_to = record("x", 1, &b),
                    elsewhere = record("y", 1, &other);
    unit_totals_add(t, &one, 1, no_end, 2);
    unit_totals_add(t, &moved, 1, no_end, 2);
    unit_totals_add(t, &elsewhere, 1, no_end, 2);
    unit_totals_add(t, &again, 2, no_end, 2);
    unit_totals_add(t, &two, 2, no_end, 2);
    unit_totals_add(t, &late, 2, no_end, 2);
    unit_totals_add(t, &moved_to, 3, no_end, 2);
    cr_assert(unit_totals_cohorts(t, (const bool[]){ true, false }, keep_all, &got, NULL));
    cr_assert(eq(sz, got.count, 3)); /* day 1: a; day 2: a and b */
    cr_assert(eq(i32, got.cells[0].day, 1));
    cr_assert(eq(i64, got.cells[0].metrics[TOTAL_CTR].n, 1), "the unit that was seen in both is left out");
    cr_assert(epsilon_eq(dbl, got.cells[0].metrics[TOTAL_CLICKS_PER_UNIT].mean_x, 7, 1e-12));
    for (size_t i = 1; i < 3; i++) {
        bool is_a = str_eq(got.cells[i].variant, STR("a"));
        cr_assert(eq(i32, got.cells[i].day, 2));
        cr_assert(eq(i64, got.cells[i].metrics[TOTAL_CTR].n, 1));
        cr_assert(epsilon_eq(dbl, got.cells[i].metrics[TOTAL_CTR].mean_x, is_a, 1e-12));
    }
    unit_totals_free(t);
}

Test(unit_total, many_units_give_the_moments_of_adding_them_one_by_one)
{
    enum { UNITS = 5000 };
    struct unit_totals *t = unit_totals_new();
    struct total_cell cells[2] = { 0 };
    struct moments2 want = { 0 };
    for (int i = 0; i < UNITS; i++) {
        char name[24];
        (void)snprintf(name, sizeof name, "unit-%d", i);
        struct day_exposure a = { .variant = STR("a"), .after = { .clicks = i % 7, .queries = 1 + i % 3 } };
        struct unit_day u = record(name, i % 7, &a);
        unit_totals_add(t, &u, 1, no_end, 2);
        moments2_add(&want, i % 7, 1 + i % 3);
    }
    cr_assert(unit_totals_day(t, 1, no_end, keep, cells, NULL));
    struct moments2 got = cells[0].metrics[TOTAL_CLICKS_PER_QUERY];
    cr_assert(eq(i64, got.n, want.n));
    cr_assert(epsilon_eq(dbl, got.m2_x, want.m2_x, 1e-9 * want.m2_x));
    cr_assert(epsilon_eq(dbl, got.cxy, want.cxy, 1e-9 * fabs(want.cxy)));
    unit_totals_free(t);
}

Test(unit_total, a_marked_unit_counts_in_no_metric_whatever_it_saw)
{
    struct unit_totals *t = unit_totals_new();
    struct total_cell cells[2] = { 0 };
    struct total_counts counts;
    struct day_exposure a = { .variant = STR("a") }, b = { .variant = STR("b") };
    struct unit_day one = record("u", 1, &a), two = record("u", 1, &b), other = record("v", 1, &b);
    unit_totals_mark(t, STR("u"));
    unit_totals_mark(t, STR("never seen"));
    unit_totals_add(t, &one, 1, no_end, 2);
    unit_totals_add(t, &two, 2, no_end, 2);
    unit_totals_add(t, &other, 2, no_end, 2);
    cr_assert(unit_totals_day(t, 2, no_end, keep, cells, NULL));
    cr_assert(eq(i64, cells[0].metrics[TOTAL_CTR].n, 0));
    cr_assert(eq(i64, cells[1].metrics[TOTAL_CTR].n, 1));
    unit_totals_counts(t, 0, &counts);
    cr_assert(eq(i64, counts.units, 1));
    cr_assert(eq(i64, counts.marked, 1));
    cr_assert(eq(i64, counts.several, 0), "it is counted once");
    unit_totals_free(t);
}
