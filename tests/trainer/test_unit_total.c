/* What is kept of units, and the moments made of it, on records made by hand. test_unit_cells.c compares with a second way of counting. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "program_of.h"
#include "trainer/kernels/unit_cells.h"

enum { EXPERIMENTS = 2 };
static const uint32_t all_metrics[] = { 0, 1, 2, 3, 4, 5 };
static struct program program;
static struct total_experiment experiments[EXPERIMENTS];
static const struct total_rules rules = { &program, experiments, EXPERIMENTS };

static struct unit_totals *totals_new(int32_t last_day)
{
    program = PROGRAM_OF(first_metrics);
    for (int i = 0; i < EXPERIMENTS; i++)
        experiments[i] = (struct total_experiment){ .last_day = last_day,
                                                    .metrics = all_metrics,
                                                    .metrics_count = FIRST_METRICS };
    return unit_totals_new(&rules);
}

static double *sums(double clicks, double queries)
{
    double *s = arena_zalloc(program_arena(), FIRST_FACTS * sizeof *s);
    s[F_CLICKS] = clicks;
    s[F_QUERIES] = queries;
    return s;
}

static struct day_exposure exposure(uint32_t experiment, const char *variant, double clicks)
{
    return (struct day_exposure){ .experiment = experiment, .variant = str_of(variant), .after = sums(clicks, 1) };
}

static void add(struct unit_totals *t, const char *unit, int32_t day, double clicks, struct day_exposure *exposure)
{
    const struct unit_day u = { .unit = str_of(unit),
                                .last_us = 5,
                                .all = sums(clicks, 2),
                                .exposures = exposure,
                                .exposures_count = exposure ? 1 : 0 };
    unit_totals_add(t, &u, day);
}

/* ---- what comes out ---- */

struct kept {
    struct total_cell cells[400];
    size_t count;
};

static bool keep(void *arg, const struct total_cell *c, struct err *err)
{
    struct kept *k = arg;
    (void)err;
    cr_assert(k->count < COUNT_OF(k->cells));
    k->cells[k->count] = *c;
    k->cells[k->count].segment = arena_str(program_arena(), c->segment);
    k->count++;
    return true;
}

static struct cell_pass pass_of(const struct unit_totals *t, int32_t day, struct kept *k)
{
    k->count = 0;
    return (struct cell_pass){ .totals = t, .day = day, .data_end_us = INT64_MAX, .fn = keep, .arg = k };
}

static struct moments2 found(const struct kept *k, uint32_t metric, const char *variant, const char *segment,
                             int32_t day)
{
    for (size_t i = 0; i < k->count; i++) {
        const struct total_cell *c = &k->cells[i];
        if (c->experiment == 0 && c->metric == metric && str_eq_c(c->variant, variant) &&
            str_eq_c(c->segment, segment) && c->day == day)
            return c->m;
    }
    return (struct moments2){ .n = 0 };
}

static struct moments2 at_end_of(const struct unit_totals *t, int32_t day, uint32_t metric, const char *variant)
{
    static struct kept k;
    const struct cell_pass p = pass_of(t, day, &k);
    cr_assert(unit_cells_day(&p, NULL));
    return found(&k, metric, variant, "", day);
}

Test(unit_total, only_what_follows_the_first_exposure_counts)
{
    struct unit_totals *t = totals_new(INT32_MAX);
    struct day_exposure a = exposure(0, "a", 1);
    add(t, "u", 1, 7, NULL);
    add(t, "u", 2, 5, &a);
    add(t, "u", 3, 3, NULL);
    struct moments2 m = at_end_of(t, 3, M_CLICKS_PER_UNIT, "a");
    cr_assert(eq(i64, m.n, 1));
    cr_assert(epsilon_eq(dbl, m.mean_x, 4, 1e-12), "1 on the day of exposure, 3 later");
    unit_totals_free(t);
}

Test(unit_total, a_unit_seen_in_two_variants_is_left_out_and_counted)
{
    struct unit_totals *t = totals_new(INT32_MAX);
    struct day_exposure a = exposure(0, "a", 0), b = exposure(0, "b", 0);
    struct total_counts counts;
    add(t, "u", 1, 1, &a);
    add(t, "u", 2, 1, &b);
    add(t, "v", 2, 1, &b);
    cr_assert(eq(i64, at_end_of(t, 2, M_CTR, "a").n, 0));
    cr_assert(eq(i64, at_end_of(t, 2, M_CTR, "b").n, 1));
    unit_cells_counts(t, 0, &counts);
    cr_assert(eq(i64, counts.units, 1));
    cr_assert(eq(i64, counts.several, 1));
    cr_assert(eq(i64, counts.last_us, 5));
    unit_totals_free(t);
}

Test(unit_total, nothing_counts_behind_the_last_day)
{
    struct unit_totals *t = totals_new(2);
    static struct kept k;
    struct day_exposure a = exposure(0, "a", 1), late = exposure(0, "b", 1);
    add(t, "u", 2, 1, &a);
    add(t, "u", 3, 9, NULL);
    add(t, "w", 3, 9, &late);
    cr_assert(epsilon_eq(dbl, at_end_of(t, 2, M_CLICKS_PER_UNIT, "a").mean_x, 1, 1e-12));
    cr_assert(eq(i64, at_end_of(t, 3, M_CLICKS_PER_UNIT, "a").n, 0), "no cell for a day behind the end");
    const struct cell_pass p = pass_of(t, 3, &k);
    cr_assert(unit_cells_since(&p, NULL));
    cr_assert(eq(i64, found(&k, M_CLICKS_PER_UNIT, "a", "since:0", 2).n, 1), "the last day is the one that counts");
    cr_assert(eq(i64, found(&k, M_CLICKS_PER_UNIT, "a", "since:1", 2).n, 0));
    unit_totals_free(t);
}

Test(unit_total, a_cohort_has_all_that_its_units_did_since_their_first_day)
{
    struct unit_totals *t = totals_new(INT32_MAX);
    static struct kept k;
    struct day_exposure a = exposure(0, "a", 1), b = exposure(0, "b", 0), other = exposure(1, "a", 0);
    add(t, "u", 1, 1, &a);
    add(t, "x", 1, 1, &a);
    add(t, "y", 1, 1, &other);
    add(t, "u", 2, 6, NULL);
    add(t, "v", 2, 0, &b);
    add(t, "w", 2, 1, &a);
    add(t, "x", 3, 1, &b);
    const struct cell_pass p = pass_of(t, 3, &k);
    cr_assert(unit_cells_cohorts(&p, (const bool[]){ true, false }, NULL));
    cr_assert(eq(sz, k.count, 3 * FIRST_METRICS)); /* day 1: a; day 2: a and b */
    struct moments2 first = found(&k, M_CLICKS_PER_UNIT, "a", CELL_COHORT, 1);
    cr_assert(eq(i64, first.n, 1), "the unit that was seen in both is left out");
    cr_assert(epsilon_eq(dbl, first.mean_x, 7, 1e-12));
    cr_assert(eq(i64, found(&k, M_CTR, "a", CELL_COHORT, 2).n, 1));
    cr_assert(epsilon_eq(dbl, found(&k, M_CTR, "a", CELL_COHORT, 2).mean_x, 1, 1e-12));
    cr_assert(eq(i64, found(&k, M_CTR, "b", CELL_COHORT, 2).n, 1));
    cr_assert(epsilon_eq(dbl, found(&k, M_CTR, "b", CELL_COHORT, 2).mean_x, 0, 1e-12));
    unit_totals_free(t);
}

Test(unit_total, many_units_give_the_moments_of_adding_them_one_by_one)
{
    enum { UNITS = 5000 };
    struct unit_totals *t = totals_new(INT32_MAX);
    struct moments2 want = { 0 };
    for (int i = 0; i < UNITS; i++) {
        char name[24];
        (void)snprintf(name, sizeof name, "unit-%d", i);
        struct day_exposure a = { .variant = STR("a"), .after = sums(i % 7, 1 + i % 3) };
        add(t, name, 1, i % 7, &a);
        moments2_add(&want, i % 7, 1 + i % 3);
    }
    struct moments2 got = at_end_of(t, 1, M_CLICKS_PER_QUERY, "a");
    cr_assert(eq(i64, got.n, want.n));
    cr_assert(eq(dbl, got.m2_x, want.m2_x));
    cr_assert(eq(dbl, got.cxy, want.cxy));
    unit_totals_free(t);
}

Test(unit_total, a_marked_unit_counts_in_no_metric_whatever_it_saw)
{
    struct unit_totals *t = totals_new(INT32_MAX);
    struct day_exposure a = exposure(0, "a", 0), b = exposure(0, "b", 0);
    struct total_counts counts;
    unit_totals_mark(t, STR("u"));
    unit_totals_mark(t, STR("never seen"));
    add(t, "u", 1, 1, &a);
    add(t, "u", 2, 1, &b);
    add(t, "v", 2, 1, &b);
    cr_assert(eq(i64, at_end_of(t, 2, M_CTR, "a").n, 0));
    cr_assert(eq(i64, at_end_of(t, 2, M_CTR, "b").n, 1));
    unit_cells_counts(t, 0, &counts);
    cr_assert(eq(i64, counts.units, 1));
    cr_assert(eq(i64, counts.marked, 1));
    cr_assert(eq(i64, counts.several, 0), "it is counted once");
    unit_totals_free(t);
}

Test(unit_total, an_experiment_gets_the_metrics_it_names_and_no_others)
{
    static const uint32_t one[] = { M_MRR };
    struct unit_totals *t;
    static struct kept k;
    struct day_exposure a = exposure(0, "a", 0);
    unit_totals_free(totals_new(INT32_MAX));
    experiments[0].metrics = one;
    experiments[0].metrics_count = 1;
    t = unit_totals_new(&rules);
    add(t, "u", 1, 1, &a);
    const struct cell_pass p = pass_of(t, 1, &k);
    cr_assert(unit_cells_day(&p, NULL));
    cr_assert(eq(sz, k.count, 1));
    cr_assert(eq(u32, k.cells[0].metric, M_MRR));
    unit_totals_free(t);
}
