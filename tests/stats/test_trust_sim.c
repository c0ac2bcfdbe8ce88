/* Simulations with fixed seeds of what watches over experiments: false alarms in 5 % of the runs, up to the noise that so many
 * runs have, and alarms where there is something. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "nominal.h"
#include "stats/compare.h"
#include "stats/srm.h"
#include "stats/trust/shares.h"
#include "stats/trust/trend.h"
#include "stats/trust/uniform.h"

enum { RUNS = 4000, HISTORY = 60 };
#define ALPHA 0.05

/* The p of an A/A test: two arms of the same normal values, whose variance is divided by `overstated` before it is looked at. */
static double aa_p(struct draw *d, double overstated)
{
    struct arm arms[2] = { { .kind = METRIC_MEAN }, { .kind = METRIC_MEAN } };
    struct comparison c;
    struct err err;
    for (int arm = 0; arm < 2; arm++)
        for (int i = 0; i < 12; i++)
            moments2_add(&arms[arm].m, draw_normal(d), 0);
    for (int arm = 0; arm < 2; arm++)
        arms[arm].m.m2_x /= overstated;
    cr_assert(stats_compare(&arms[0], &arms[1], &(struct compare_plan){ 0.95, 0 }, &c, &err), "%s", err.text);
    return c.p;
}

Test(trust_sim, a_valid_history_of_aa_tests_passes_and_an_invalid_one_does_not)
{
    struct draw d = { 91 };
    int alarms = 0, rejections = 0, found = 0;
    for (int run = 0; run < RUNS; run++) {
        double p[HISTORY];
        struct uniform u;
        struct err err;
        for (int i = 0; i < HISTORY; i++)
            p[i] = aa_p(&d, 1);
        cr_assert(uniform_test(p, HISTORY, &u, &err), "%s", err.text);
        alarms += u.p < ALPHA;
        rejections += exp(u.log_p_rejections) < ALPHA;
        if (run % 10)
            continue;
        for (int i = 0; i < HISTORY; i++)
            p[i] = aa_p(&d, 3);
        cr_assert(uniform_test(p, HISTORY, &u, &err), "%s", err.text);
        found += u.p < ALPHA;
    }
    nominal(alarms, RUNS, ALPHA, 0, "Kolmogorov-Smirnov");
    nominal_at_most(rejections, RUNS, ALPHA, "rejections"); /* a count is discrete: below */
    cr_assert(gt(dbl, (double)found, 0.8 * RUNS / 10));
}

Test(trust_sim, a_steady_effect_has_no_trend_and_a_fading_one_has)
{
    enum { DAYS = 14 };
    struct draw d = { 92 };
    int slopes = 0, changes = 0, differ = 0, fades = 0;
    for (int run = 0; run < RUNS; run++) {
        double steady[DAYS], fading[DAYS], ses[DAYS];
        struct trend t;
        struct err err;
        for (int day = 0; day < DAYS; day++) {
            ses[day] = 0.2 + 0.02 * day; /* fewer units are there for long */
            steady[day] = 1 + ses[day] * draw_normal(&d);
            fading[day] = 0.2 + exp(-day / 4.0) + ses[day] * draw_normal(&d);
        }
        cr_assert(trend_test(steady, ses, NULL, DAYS, 4, &t, &err), "%s", err.text);
        slopes += t.slope_log_p < log(ALPHA);
        changes += t.change_log_p < log(ALPHA);
        differ += t.q_log_p < log(ALPHA);
        cr_assert(trend_test(fading, ses, NULL, DAYS, 4, &t, &err), "%s", err.text);
        fades += trend_kind(&t, ALPHA) == TREND_FADES;
    }
    nominal(slopes, RUNS, ALPHA, 0, "slope");
    nominal(changes, RUNS, ALPHA, 0, "late less early");
    nominal(differ, RUNS, ALPHA, 0, "Cochran's Q");
    cr_assert(gt(int, fades, RUNS / 2));
}

/* 200 units a day for 60 days, looked at every evening; chi-square, which is for one look, is wrong in far more. */
Test(trust_sim, a_split_may_be_watched_daily)
{
    enum { DAYS = 60, DAILY = 200 };
    const double weights[] = { 0.5, 0.5 };
    struct draw d = { 93 };
    int sequential = 0, chi2 = 0, found = 0;
    for (int run = 0; run < RUNS; run++) {
        int64_t even[2] = { 0 }, lost[2] = { 0 };
        bool alarm = false, by_chi2 = false, sees = false;
        for (int day = 0; day < DAYS; day++) {
            struct srm s;
            struct err err;
            for (int i = 0; i < DAILY; i++) {
                int arm = draw_uniform(&d) < 0.5;
                even[arm]++;
                lost[arm] += arm == 0 || i % 10 != 0; /* a tenth of one arm's */
            }
            alarm = alarm || srm_log_bayes_factor(even, weights, 2, 1e4) >= -log(ALPHA);
            sees = sees || srm_log_bayes_factor(lost, weights, 2, 1e4) >= -log(ALPHA);
            cr_assert(srm_test(even, weights, 2, NULL, &s, &err), "%s", err.text);
            by_chi2 = by_chi2 || s.p < ALPHA;
        }
        sequential += alarm;
        chi2 += by_chi2;
        found += sees;
    }
    nominal_at_most(sequential, RUNS, ALPHA, "the split watched for 60 days");
    cr_log_info("chi-square looked at 60 times is wrong: %.4f of %d runs", (double)chi2 / RUNS, RUNS);
    cr_assert(gt(dbl, (double)chi2 / RUNS, 3 * ALPHA));
    cr_assert(gt(dbl, (double)found / RUNS, 0.9));
}

Test(trust_sim, arms_that_agree_about_a_share)
{
    const int64_t units[] = { 1000, 1000, 500 };
    struct draw d = { 94 };
    int alarms = 0;
    for (int run = 0; run < RUNS; run++) {
        int64_t events[3] = { 0 };
        struct shares s;
        struct err err;
        for (int arm = 0; arm < 3; arm++)
            for (int64_t i = 0; i < units[arm]; i++)
                events[arm] += draw_uniform(&d) < 0.03;
        cr_assert(shares_test(events, units, 3, &s, &err), "%s", err.text);
        alarms += s.log_p < log(ALPHA);
    }
    nominal(alarms, RUNS, ALPHA, 0, "shares of three arms");
}
