/* Rows of a unit together: one row a unit is what replay.h says; the same rows twice in a unit are no more evidence. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "stats/offpolicy/replay_units.h"

enum { ROWS = 400 };
static const struct replay_tuning tuning = { 2, 1.5, 4 };
static double reward[2 * ROWS], pscore[2 * ROWS], target[2 * ROWS], q[2 * ROWS], q_target[2 * ROWS];
static struct replay_sums units[ROWS], all;

static struct replay_log make(size_t times)
{
    struct draw d = { 7 };
    for (size_t i = 0; i < ROWS; i++)
        for (size_t k = 0; k < times; k++) {
            const size_t at = i * times + k;
            reward[at] = k ? reward[at - 1] : draw_uniform(&d) < 0.3;
            pscore[at] = k ? pscore[at - 1] : 0.1 + 0.9 * draw_uniform(&d);
            target[at] = k ? target[at - 1] : draw_uniform(&d);
            q[at] = 0.25;
            q_target[at] = k ? q_target[at - 1] : 0.5 * draw_uniform(&d);
        }
    return (struct replay_log){ ROWS * times, reward, pscore, target, q, q_target };
}

static void sum(const struct replay_log *log, size_t times)
{
    all = (struct replay_sums){ 0 };
    for (size_t i = 0; i < ROWS; i++) {
        units[i] = (struct replay_sums){ 0 };
        for (size_t k = 0; k < times; k++)
            replay_sums_add(&units[i], log, i * times + k, &tuning);
        replay_sums_merge(&all, &units[i], 1);
    }
}

Test(replay_units, one_row_a_unit_is_what_replay_says)
{
    const struct replay_log log = make(1);
    struct replay r;
    struct err err;
    cr_assert(replay_estimate(&log, &tuning, &r, &err), "%s", err.text);
    sum(&log, 1);
    const double values[] = { r.ips, r.snips, r.clipped, r.dm, r.dr, r.sndr, r.switch_dr, r.dr_os };
    for (int k = 0; k < REPLAY_KIND_COUNT; k++)
        cr_assert(epsilon_eq(dbl, replay_units_value((enum replay_kind)k, &all, false), values[k], 1e-13));
    cr_assert(epsilon_eq(dbl, replay_units_se(REPLAY_IPS, units, ROWS, &all, false), r.ips_se, 1e-14));
    cr_assert(epsilon_eq(dbl, replay_units_se(REPLAY_DR, units, ROWS, &all, false), r.dr_se, 1e-14));
    cr_assert(epsilon_eq(dbl, replay_units_se(REPLAY_SNIPS, units, ROWS, &all, false),
                         r.snips_se * sqrt(ROWS / (ROWS - 1.0)), 1e-14));
}

Test(replay_units, the_same_twice_is_no_more_evidence)
{
    double ses[REPLAY_KIND_COUNT][2];
    for (size_t times = 1; times <= 2; times++) {
        const struct replay_log log = make(times);
        sum(&log, times);
        for (int k = 0; k < REPLAY_KIND_COUNT; k++)
            ses[k][times - 1] = replay_units_se((enum replay_kind)k, units, ROWS, &all, true);
    }
    for (int k = 0; k < REPLAY_KIND_COUNT; k++)
        cr_assert(epsilon_eq(dbl, ses[k][0], ses[k][1], 1e-13));
}

Test(replay_units, the_served_policy_is_no_better_than_itself)
{
    struct replay_log log = make(1);
    log.target = log.pscore;
    sum(&log, 1);
    cr_assert(epsilon_eq(dbl, replay_units_value(REPLAY_SNIPS, &all, true), 0, 1e-13));
    cr_assert(epsilon_eq(dbl, replay_units_se(REPLAY_SNIPS, units, ROWS, &all, true), 0, 1e-13));
    cr_assert(epsilon_eq(dbl, replay_units_weight_se(units, ROWS, &all), 0, 1e-13));
    cr_assert(eq(dbl, replay_units_se(REPLAY_IPS, units, 1, &all, false), 0));
}
