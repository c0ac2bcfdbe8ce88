#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "experimentd/plan/planner.h"
#include "stats/power.h"

/* A mean of 10 and a variance of 25, half of the units in each arm, 1000 new units a day. */
static struct planner_ask ask(enum plan_method method)
{
    struct planner_ask a = { .mean = 10,
                             .variance = 25,
                             .effect = 0.02,
                             .power = 0.8,
                             .treatments = 1,
                             .control = 0.5,
                             .treatment = 0.5,
                             .traffic = { 7, 7000, 1, false },
                             .reached = 1 };
    a.looks = (struct planner_looks){ .method = method, .level = 0.95, .count = 1, .shares = { 1 } };
    if (method == PLAN_SPENDING || method == PLAN_HAYBITTLE_PETO) {
        a.looks.count = 4;
        for (int i = 0; i < 4; i++)
            a.looks.shares[i] = (i + 1) / 4.0;
    }
    return a;
}

static struct planner make(const struct planner_ask *a)
{
    struct planner p;
    struct err err;
    cr_assert(planner_check(a, &err), "%s", err.text);
    planner_make(a, &p);
    return p;
}

Test(planner, one_look_needs_what_students_power_says)
{
    const struct power_design d = { .alpha = 0.05, .sides = 2, .ratio = 1 };
    struct planner_ask a = ask(PLAN_FIXED);
    struct planner p = make(&a);
    struct power_units u;
    struct err err;
    double power, effect;
    cr_assert(power_means_units(&d, 0.2, 5, 0.8, &u, &err));
    cr_assert(eq(dbl, p.alpha, 0.05));
    cr_assert(epsilon_eq(dbl, p.distance, 0.2, 1e-12));
    cr_assert(eq(dbl, p.units.control, u.control));
    cr_assert(eq(dbl, p.units.all, 2 * u.control));
    cr_assert(epsilon_eq(dbl, p.units.days, p.units.all / 1000, 1e-9));
    cr_assert(eq(dbl, p.units.weeks, ceil(p.units.all / 7000)));
    for (size_t i = 0; i < PLANNER_WEEKS; i++) {
        cr_assert(epsilon_eq(dbl, p.weeks[i].units, 7000.0 * (double)(i + 1), 1e-6));
        cr_assert(power_means(&d, 0.2, 5, 3500.0 * (double)(i + 1), &power, &err));
        cr_assert(power_means_effect(&d, 5, 3500.0 * (double)(i + 1), 0.8, &effect, &err));
        cr_assert(epsilon_eq(dbl, p.weeks[i].power, power, 1e-9));
        cr_assert(epsilon_eq(dbl, p.weeks[i].detectable, effect / 10, 1e-9));
    }
}

/* The weeks are of one test: with the units that were found, the power that was asked for. */
Test(planner, a_quantile_needs_more_units_than_a_mean_of_its_variance)
{
    static const enum plan_method methods[] = { PLAN_FIXED, PLAN_SPENDING };
    for (size_t i = 0; i < 2; i++) {
        struct planner_ask a = ask(methods[i]);
        struct planner mean = make(&a);
        a.rank_sd = 0.5;
        struct planner p = make(&a);
        cr_assert(gt(dbl, p.units.control, mean.units.control * 1.01));
        cr_assert(lt(dbl, p.units.control, mean.units.control * 1.03));
        a.traffic = (struct traffic){ 7, p.units.all, 1, false };
        p = make(&a);
        cr_assert(epsilon_eq(dbl, p.weeks[0].power, 0.8, 1e-3));
        cr_assert(epsilon_eq(dbl, p.weeks[0].detectable, a.effect, 1e-4));
    }
}

Test(planner, looks_cost_units_and_save_them_on_average)
{
    double fixed = 0, all[PLAN_METHOD_COUNT];
    for (int method = 0; method < PLAN_METHOD_COUNT; method++) {
        struct planner_ask a = ask((enum plan_method)method);
        struct planner p = make(&a);
        all[method] = p.units.all;
        fixed = method == PLAN_FIXED ? p.units.all : fixed;
        cr_assert(epsilon_eq(dbl, p.units.all, fixed * p.units.inflation, 1e-3 * fixed), "%s",
                  plan_method_names[method]);
        cr_assert(method == PLAN_FIXED ? p.units.expected == 1 : p.units.expected < 1);
    }
    cr_assert(gt(dbl, all[PLAN_ANY_TIME], all[PLAN_SPENDING]));
    cr_assert(gt(dbl, all[PLAN_SPENDING], all[PLAN_HAYBITTLE_PETO]));
    cr_assert(gt(dbl, all[PLAN_HAYBITTLE_PETO], all[PLAN_FIXED]));
}

/* So many units as are needed have the power that was asked for, at the end that they were planned for. */
Test(planner, units_and_weeks_agree)
{
    for (int method = 0; method < PLAN_METHOD_COUNT; method++) {
        struct planner_ask a = ask((enum plan_method)method);
        struct planner p = make(&a);
        a.traffic = (struct traffic){ 7 * PLANNER_WEEKS, p.units.all, 1, false };
        if (method == PLAN_SPENDING || method == PLAN_HAYBITTLE_PETO)
            a.looks.planned_units = p.units.all;
        if (method == PLAN_ANY_TIME)
            a.looks.planned_units = p.units.all;
        p = make(&a);
        const struct planner_week *last = &p.weeks[PLANNER_WEEKS - 1];
        cr_assert(epsilon_eq(dbl, last->power, 0.8, 1e-3), "%s: %g", plan_method_names[method], last->power);
        cr_assert(epsilon_eq(dbl, last->detectable, 0.02, 1e-4), "%s: %g", plan_method_names[method], last->detectable);
    }
}

Test(planner, between_planned_looks_nothing_is_learnt)
{
    struct planner_ask a = ask(PLAN_SPENDING);
    a.looks.planned_units = 28000; /* a look a fortnight's half: weeks 1, 2, 3, 4 have 7000, 14000, … */
    struct planner p = make(&a);
    cr_assert(lt(dbl, p.weeks[0].power, p.weeks[1].power));
    cr_assert(eq(dbl, p.weeks[3].power, p.weeks[7].power)); /* it has ended */
    a.looks.planned_units = 56000;
    p = make(&a);
    cr_assert(eq(dbl, p.weeks[0].power, 0));
    cr_assert(isnan(p.weeks[0].detectable));
    cr_assert(eq(dbl, p.weeks[1].power, p.weeks[2].power));
}

Test(planner, treatments_share_alpha_and_the_smallest_counts)
{
    struct planner_ask a = ask(PLAN_FIXED);
    struct power_units u;
    struct err err;
    a.treatments = 4;
    a.control = 0.4;
    a.treatment = 0.1;
    struct planner p = make(&a);
    cr_assert(eq(dbl, p.alpha, 0.0125));
    cr_assert(
        power_means_units(&(struct power_design){ .alpha = 0.0125, .sides = 2, .ratio = 0.25 }, 0.2, 5, 0.8, &u, &err));
    cr_assert(eq(dbl, p.units.control, u.control));
    cr_assert(epsilon_eq(dbl, p.units.all, u.control / 0.4, 1));
    cr_assert(epsilon_eq(dbl, p.units.treatment, u.control / 4, 1));
}

Test(planner, covariates_save_their_share_of_the_units)
{
    struct planner_ask a = ask(PLAN_SPENDING);
    double without = make(&a).units.all;
    a.reduction = 0.4;
    struct planner p = make(&a);
    cr_assert(epsilon_eq(dbl, p.units.all, 0.6 * without, 4));
    cr_assert(eq(dbl, p.units.unadjusted, without));
}

/* The variance of a treatment's share is its own. */
Test(planner, a_share_brings_its_own_variance)
{
    struct planner_ask a = ask(PLAN_FIXED);
    struct power_units u;
    struct err err;
    a.mean = 0.1;
    a.variance = 0.09;
    a.effect = 0.2;
    a.is_share = true;
    struct planner p = make(&a);
    cr_assert(power_rates_units(&(struct power_design){ .alpha = 0.05, .sides = 2, .ratio = 1 },
                                &(struct power_rates){ 0.1, 0.12, false }, 0.8, &u, &err));
    cr_assert(epsilon_eq(dbl, p.units.control, u.control, 2));
}

Test(planner, a_margin_is_what_has_to_be_seen)
{
    struct planner_ask margin = ask(PLAN_ANY_TIME), effect = ask(PLAN_ANY_TIME);
    margin.effect = 0;
    margin.margin = 0.02;
    cr_assert(eq(dbl, make(&margin).units.all, make(&effect).units.all));
    margin.effect = 0.01; /* in truth it is better: that helps */
    effect.effect = 0.03;
    struct planner p = make(&margin);
    cr_assert(eq(dbl, p.units.all, make(&effect).units.all));
    cr_assert(epsilon_eq(dbl, p.distance, 0.3, 1e-12));
}

Test(planner, only_what_is_reached_comes)
{
    struct planner_ask a = ask(PLAN_FIXED);
    struct planner all = make(&a);
    a.reached = 0.25;
    struct planner p = make(&a);
    cr_assert(eq(dbl, p.units.all, all.units.all));
    cr_assert(epsilon_eq(dbl, p.units.days, 4 * all.units.days, 1e-6));
    cr_assert(epsilon_eq(dbl, p.weeks[3].units, all.weeks[0].units, 1e-6));
}

Test(planner, units_that_never_come_are_said)
{
    struct planner_ask a = ask(PLAN_FIXED);
    a.traffic = (struct traffic){ 7, 100, 0, false };
    struct planner p = make(&a);
    cr_assert(eq(int, strcmp(p.units.no_days, "so many units will never be there"), 0));
    a.traffic.units = 0;
    p = make(&a);
    cr_assert(eq(int, strcmp(p.units.no_days, "no traffic is known"), 0));
    cr_assert(eq(sz, p.weeks_count, 0));
}

Test(planner, too_few_units_for_a_sequence_find_nothing)
{
    struct planner_ask a = ask(PLAN_ANY_TIME);
    a.traffic = (struct traffic){ 7, 100, 1, false };
    a.effect = 5;
    struct planner p = make(&a);
    cr_assert(eq(dbl, p.weeks[0].power, 0)); /* 50 of an arm: results say nothing below 100 */
    cr_assert(gt(dbl, p.weeks[1].power, 0.99));
    cr_assert(eq(dbl, p.units.control, 100));
}

Test(planner, what_no_plan_can_be_made_of_is_refused_by_name)
{
    static const struct {
        double mean, variance, effect, margin, power, level, reached, reduction;
        const char *field;
    } bad[] = {
        { 0, 25, 0.02, 0, 0.8, 0.95, 1, 0, "\"baseline\": the mean" },
        { 10, 0, 0.02, 0, 0.8, 0.95, 1, 0, "\"baseline\": the variance" },
        { 10, NAN, 0.02, 0, 0.8, 0.95, 1, 0, "\"baseline\": the variance" },
        { 10, 25, 0, 0, 0.8, 0.95, 1, 0, "\"effect\"" },
        { 10, 25, NAN, 0, 0.8, 0.95, 1, 0, "\"effect\"" },
        { 10, 25, -0.03, 0.02, 0.8, 0.95, 1, 0, "\"margin\"" },
        { 10, 25, 0.02, 0, 1, 0.95, 1, 0, "\"power\"" },
        { 10, 25, 0.02, 0, 0.04, 0.95, 1, 0, "\"power\"" },
        { 10, 25, 0.02, 0, 0.8, 1, 1, 0, "\"level\"" },
        { 10, 25, 0.02, 0, 0.8, 0.95, 0, 0, "\"share\"" },
        { 10, 25, 0.02, 0, 0.8, 0.95, 1, 1, "\"variance_reduction\"" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct planner_ask a = ask(PLAN_FIXED);
        struct err err;
        a.mean = bad[i].mean, a.variance = bad[i].variance, a.effect = bad[i].effect, a.margin = bad[i].margin;
        a.power = bad[i].power, a.looks.level = bad[i].level, a.reached = bad[i].reached,
        a.reduction = bad[i].reduction;
        cr_assert(not(planner_check(&a, &err)), "%s", bad[i].field);
        cr_assert(strstr(err.text, bad[i].field) != NULL, "%s: %s", bad[i].field, err.text);
    }
}
