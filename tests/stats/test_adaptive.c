#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/offpolicy/adaptive.h"

static struct adaptive_cell cell(double prob, int64_t n, double mean)
{
    return (struct adaptive_cell){ prob, { n, mean, (double)n * mean * (1 - mean) } };
}

static void values(const struct adaptive_cell *cells, const int64_t *totals, size_t periods, struct adaptive_value *out)
{
    struct err err;
    cr_assert(adaptive_values(cells, totals, periods, 2, out, &err), "%s", err.text);
}

/* Both arms are nearly alike on either day, the second day is three times as good, and arm 2 has most of it. */
Test(adaptive, a_better_day_is_no_better_arm)
{
    const struct adaptive_cell cells[] = { cell(0.9, 900, 0.1), cell(0.1, 100, 0.11), cell(0.1, 100, 0.3),
                                           cell(0.9, 900, 0.31) };
    struct adaptive_value v[2];
    values(cells, (const int64_t[]){ 1000, 1000 }, 2, v);
    cr_assert(epsilon_eq(dbl, v[0].naive, 0.12, 1e-15));
    cr_assert(epsilon_eq(dbl, v[1].naive, 0.29, 1e-15)); /* more than twice as good, it seems */
    for (int arm = 0; arm < 2; arm++) {
        double truth = 0.2 + 0.01 * arm;
        cr_assert(epsilon_eq(dbl, v[arm].stratified, truth, 1e-15));
        cr_assert(epsilon_eq(dbl, v[arm].ipw, truth, 1e-15));
        cr_assert(epsilon_eq(dbl, v[arm].hajek, truth, 1e-15));
    }
    cr_assert(epsilon_eq(dbl, v[0].stratified_se, sqrt(0.25 * (0.09 / 899 + 0.21 / 99)), 1e-15));
}

Test(adaptive, one_period_is_a_plain_mean)
{
    const struct adaptive_cell cells[] = { cell(0.5, 480, 0.1), cell(0.5, 520, 0.2) };
    struct adaptive_value v[2];
    values(cells, (const int64_t[]){ 1000 }, 1, v);
    for (int arm = 0; arm < 2; arm++) {
        cr_assert(epsilon_eq(dbl, v[arm].naive, v[arm].stratified, 1e-15));
        cr_assert(epsilon_eq(dbl, v[arm].naive, v[arm].hajek, 1e-15));
    }
    cr_assert(epsilon_eq(dbl, v[0].ipw, 0.096, 1e-15)); /* 48 / 0.5 of 1000: fewer came than should have */
}

Test(adaptive, an_arm_that_missed_a_period_has_no_value_by_period)
{
    const struct adaptive_cell cells[] = { cell(0.5, 10, 0.1), cell(0.5, 12, 0.2), cell(0.01, 0, 0),
                                           cell(0.99, 1, 0.5) };
    struct adaptive_value v[2];
    values(cells, (const int64_t[]){ 22, 1 }, 2, v);
    cr_assert(not(v[0].has_stratified));
    cr_assert(v[0].has_units);
    cr_assert(v[1].has_stratified);
    cr_assert(not(v[1].has_se));
    cr_assert(eq(dbl, v[0].stratified, 0));
}

Test(adaptive, refusals_say_why)
{
    struct adaptive_cell cells[] = { cell(0.5, 10, 0.1), cell(0, 10, 0.1) };
    struct adaptive_value v[2];
    struct err err;
    cr_assert(not(adaptive_values(cells, (const int64_t[]){ 20 }, 1, 2, v, &err)));
    cr_assert(eq(str, err.text, "period 1, arm 2: prob is 0, not above 0 and up to 1"));
    cells[1].prob = 0.5;
    cr_assert(not(adaptive_values(cells, (const int64_t[]){ 5 }, 1, 2, v, &err)));
    cr_assert(eq(str, err.text, "period 1, arm 1 has more units than the period"));
    cr_assert(not(adaptive_values(cells, (const int64_t[]){ 0 }, 1, 2, v, &err)));
    cr_assert(not(adaptive_values(cells, NULL, 0, 2, v, &err)));
    cells[0].m.m2 = -1;
    cr_assert(not(adaptive_values(cells, (const int64_t[]){ 20 }, 1, 2, v, &err)));
    cr_assert(eq(str, err.text, "period 1, arm 1: no data have such a count and moments"));
}
