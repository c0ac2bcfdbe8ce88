/* What came more often lately: classic figures by hand, planted rises among many things without one, what does not count. */
#include "trainer/kernels/trending/trend.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "tests/stats/draw.h"

Test(trend, classic_figures)
{
    double f[TREND_FIGURES];
    /* 21 days of 60 hits, 7 days of 50: 20 a week before. */
    cr_assert(trend_figures(&(struct trend_counts){ 60, 50, 0, 0 }, 3, f));
    cr_assert(epsilon_eq(dbl, f[TREND_AVERAGE_WEEKLY_VOL], 20, 1e-12));
    cr_assert(epsilon_eq(dbl, f[TREND_VOL_DIFF], 30, 1e-12));
    cr_assert(epsilon_eq(dbl, f[TREND_HIT_VOL_RATIO], 2.5, 1e-12));
    cr_assert(epsilon_eq(dbl, f[TREND_VOL_DIFF_RATIO], 1.5, 1e-12));
    cr_assert(epsilon_eq(dbl, f[TREND_COMBINE_SCORE], 75, 1e-12));
    cr_assert(epsilon_eq(dbl, f[TREND_REF_WT_VOL_DIFF_RATIO], 90, 1e-12));
    cr_assert(epsilon_eq(dbl, f[TREND_VOL_DIFF_WT_VOL_DIFF_RATIO], 45, 1e-12));
    cr_assert(epsilon_eq(dbl, f[TREND_LOG_DIFF_WT_RATIO], 2.5 + log(30), 1e-12));
    cr_assert(eq(int, trend_figures(&(struct trend_counts){ 0, 50, 0, 0 }, 3, f), 0));
    cr_assert(eq(int, trend_figures(&(struct trend_counts){ 60, 20, 0, 0 }, 3, f), 0));
}

enum { THINGS = 3000, MEAN = 12 };
static struct trend_counts counts[THINGS];
static struct trend found[2 * THINGS];
static const struct trend_rules rules = { .min_unit_days = 5, .level = 0.9, .max_q = 0.05 };

static uint64_t poisson(struct draw *d, double mean)
{
    uint64_t n = 0;
    for (double at = draw_exponential(d); at <= mean; at += draw_exponential(d))
        n++;
    return n;
}

/* Nobody changes; more of everything lately. */
static void make(uint64_t seed)
{
    struct draw d = { seed };
    for (int i = 0; i < THINGS; i++) {
        double rate = MEAN * draw_exponential(&d);
        counts[i].ref_unit_days = counts[i].ref_hits = poisson(&d, 3 * rate);
        counts[i].trgt_unit_days = counts[i].trgt_hits = poisson(&d, 1.7 * rate);
    }
}

Test(trend, nothing_is_found_where_nothing_changed)
{
    double shape;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        make(seed);
        cr_assert(le(sz, trends_find(counts, THINGS, &rules, found, &shape), 1));
        cr_assert(gt(dbl, shape, 50));
    }
}

Test(trend, planted_changes_are_found_by_their_size)
{
    double shape;
    make(9);
    counts[17].trgt_unit_days = counts[17].ref_unit_days = 400;
    counts[18] = (struct trend_counts){ 20, 90, 20, 90 };
    counts[19] = (struct trend_counts){ 600, 20, 600, 20 };
    counts[20] = (struct trend_counts){ 0, 4, 0, 4 };     /* too few */
    counts[21] = (struct trend_counts){ 10, 900, 10, 7 }; /* one unit's hits */
    size_t n = trends_find(counts, THINGS, &rules, found, &shape);
    cr_assert(ge(sz, n, 3));
    cr_assert(le(sz, n, 5));
    cr_assert(eq(u32, found[0].thing, 18));
    cr_assert(eq(u32, found[1].thing, 17));
    cr_assert(eq(u32, found[n - 1].thing, 19));
    cr_assert(eq(int, found[n - 1].rose, 0));
    for (size_t i = 0; i < n; i++) {
        cr_assert(gt(dbl, found[i].score, 1));
        cr_assert(ne(u32, found[i].thing, 20));
        cr_assert(ne(u32, found[i].thing, 21));
    }
}

Test(trend, ranks_are_of_hits)
{
    const struct trend_counts few[] = { { 5, 9, 5, 900 }, { 7, 9, 700, 9 }, { 7, 1, 7, 1 } };
    const struct trend_rules all = { .min_unit_days = 1, .shape = 1, .level = 0.9, .max_q = 0.99 };
    double shape;
    size_t n = trends_find(few, 3, &all, found, &shape);
    cr_assert(ge(sz, n, 2));
    cr_assert(eq(dbl, shape, 1));
    for (size_t i = 0; i < n; i++) {
        static const uint32_t ref[] = { 3, 1, 2 }, trgt[] = { 1, 2, 3 };
        cr_assert(eq(u32, found[i].ref_rank, ref[found[i].thing]));
        cr_assert(eq(u32, found[i].trgt_rank, trgt[found[i].thing]));
    }
}

Test(trend, an_empty_window_finds_nothing)
{
    const struct trend_counts few[] = { { 5, 0, 5, 0 }, { 7, 0, 7, 0 } };
    double shape;
    cr_assert(eq(sz, trends_find(few, 2, &rules, found, &shape), 0));
}
