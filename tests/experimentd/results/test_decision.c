/* The rule of decision.h, line by line. */
#include "experimentd/results/decision.h"

#include "experimentd/results/looks.h"
#include "made.h"

static const struct moments2 none;

static void setup(void)
{
    made_setup();
    experiment.minimum_days = 7;
}

TestSuite(decision, .init = setup, .fini = made_teardown);

static struct decision decided(const struct result *r)
{
    struct decision d;
    struct analysis a = made_analysis(r);
    decision_make(&d, &a, &arena);
    return d;
}

static struct result better(void)
{
    struct result r = made_result();
    (void)made_add(&r, &made_ctr, "primary", share(10000, 1000), share(10000, 1200), none);
    return r;
}

static const struct condition *condition(const struct decision *d, const char *name)
{
    const struct decided *each = &d->each[d->variant];
    for (size_t i = 0; i < each->conditions_count; i++)
        if (strcmp(each->conditions[i].name, name) == 0)
            return &each->conditions[i];
    cr_fatal("no condition %s", name);
}

Test(decision, what_is_shown_better_ships)
{
    struct result r = better();
    struct decision d = decided(&r);
    cr_assert(eq(int, d.kind, DECISION_SHIP));
    cr_assert(eq(sz, d.variant, 1));
    cr_assert(strstr(d.text.p, "Ship \"New ranker\"") != NULL, "%s", d.text.p);
}

Test(decision, nothing_ships_before_the_minimum_days)
{
    struct result r = better();
    experiment.status = EXPERIMENT_RUNNING;
    experiment.analysis.method = ANALYSIS_ANY_TIME;
    experiment.analysis.planned_units = 20000;
    r.days_seen = 6;
    struct decision d = decided(&r);
    cr_assert(eq(int, d.kind, DECISION_KEEP_RUNNING));
    cr_assert(eq(int, condition(&d, "days")->met, CONDITION_NO));
    cr_assert(strstr(d.text.p, "6 of at least 7 days") != NULL, "%s", d.text.p);
    r.days_seen = 7;
    cr_assert(eq(int, decided(&r).kind, DECISION_SHIP));
}

Test(decision, harm_does_not_wait)
{
    struct result r = made_result();
    (void)made_add(&r, &made_ctr, "primary", share(10000, 1200), share(10000, 1000), none);
    experiment.status = EXPERIMENT_RUNNING;
    experiment.analysis.method = ANALYSIS_ANY_TIME;
    experiment.analysis.planned_units = 50000;
    r.days_seen = 1;
    struct decision d = decided(&r);
    cr_assert(eq(int, d.kind, DECISION_ROLL_BACK));
    cr_assert(strstr(d.text.p, "shown worse: Click-through") != NULL, "%s", d.text.p);
}

Test(decision, a_guardrail_that_got_worse_rolls_back_what_is_better)
{
    struct result r = better();
    (void)made_add(&r, &made_zero, "guardrail", rate(10000, 0.1), rate(10000, 0.2), none);
    cr_assert(eq(int, decided(&r).kind, DECISION_ROLL_BACK));
}

Test(decision, a_guardrail_with_a_margin_must_be_shown_within_it)
{
    struct result r = better();
    (void)made_add(&r, &made_zero, "guardrail", rate(10000, 0.1), rate(10000, 0.1), none);
    experiment.metrics[1].margin = 0.01;
    struct decision d = decided(&r);
    cr_assert(eq(int, d.kind, DECISION_CANNOT_TELL));
    cr_assert(eq(int, condition(&d, "guardrails")->met, CONDITION_NO));
    experiment.metrics[1].margin = 0.2;
    cr_assert(eq(int, decided(&r).kind, DECISION_SHIP));
}

Test(decision, less_than_the_target_does_not_ship)
{
    struct result r = better(); /* a lift of 20 % */
    experiment.target_effect = 0.25;
    struct decision d = decided(&r);
    cr_assert(eq(int, d.kind, DECISION_CANNOT_TELL));
    cr_assert(eq(int, condition(&d, "target")->met, CONDITION_NO));
    experiment.target_effect = 0.15;
    cr_assert(eq(int, decided(&r).kind, DECISION_SHIP));
}

Test(decision, a_secondary_metric_that_got_worse_is_for_a_person_to_weigh)
{
    struct result r = better();
    (void)made_add(&r, &made_revenue, "secondary", mean(10000, 10, 4), mean(10000, 9, 4), none);
    struct decision d = decided(&r);
    cr_assert(eq(int, d.kind, DECISION_CANNOT_TELL));
    cr_assert(strstr(d.text.p, "Revenue") != NULL, "%s", d.text.p);
}

Test(decision, without_a_difference_it_runs_on_until_the_plan_is_used_up)
{
    struct result r = made_result();
    (void)made_add(&r, &made_ctr, "primary", share(10000, 1000), share(10000, 1010), none);
    experiment.status = EXPERIMENT_RUNNING;
    experiment.analysis.method = ANALYSIS_ANY_TIME;
    experiment.analysis.planned_units = 30000;
    struct decision d = decided(&r);
    cr_assert(eq(int, d.kind, DECISION_KEEP_RUNNING));
    cr_assert(d.has_left);
    cr_assert(eq(int, (int)d.units_left, 10000));
    cr_assert(epsilon_eq(dbl, d.days_left, 7, 1e-6)); /* 20000 units in 14 days */
    experiment.analysis.planned_units = 20000;
    cr_assert(eq(int, decided(&r).kind, DECISION_CANNOT_TELL));
}

Test(decision, the_planner_says_what_the_mde_needs)
{
    struct result r = made_result();
    (void)made_add(&r, &made_ctr, "primary", share(10000, 1000), share(10000, 1010), none);
    struct decision d = decided(&r);
    /* 5 % of a share of 0.1: 2 (1.96 + 0.84)² 0.09/0.005² an arm */
    cr_assert(d.has_needed);
    cr_assert(epsilon_eq(dbl, d.units_needed, 2 * 56512, 100));
    experiment.analysis.method = ANALYSIS_ANY_TIME;
    experiment.analysis.planned_units = 30000;
    cr_assert(gt(dbl, decided(&r).units_needed, d.units_needed));
}

/* Looks ask for a little more than one look: Pocock's for most, Haybittle and Peto's for hardly any. */
Test(decision, the_planner_allows_for_planned_looks)
{
    struct result r = made_result();
    (void)made_add(&r, &made_ctr, "primary", share(10000, 1000), share(10000, 1010), none);
    double once = decided(&r).units_needed, needed[ANALYSIS_SPENDING_COUNT];
    struct experiment_look kept[1];
    experiment.status = EXPERIMENT_RUNNING;
    experiment.analysis = (struct experiment_analysis){ .method = ANALYSIS_GROUP_SEQUENTIAL,
                                                        .level = 0.95,
                                                        .planned_units = 40000 };
    experiment.analysis.looks_count = 2;
    experiment.analysis.looks[0] = 0.5;
    experiment.analysis.looks[1] = 1;
    looks_take(&kept[0], &r, 0.5, &arena);
    experiment.looks = kept;
    experiment.looks_count = 1;
    static const enum analysis_spending ways[] = { ANALYSIS_HAYBITTLE_PETO, ANALYSIS_OBRIEN_FLEMING, ANALYSIS_POCOCK };
    for (size_t i = 0; i < 3; i++) {
        experiment.analysis.spending = ways[i];
        struct decision d = decided(&r);
        cr_assert(d.has_needed);
        needed[i] = d.units_needed;
    }
    cr_assert(gt(dbl, needed[0], once));
    cr_assert(lt(dbl, needed[0], 1.01 * once));
    cr_assert(lt(dbl, needed[1], 1.02 * once));
    cr_assert(gt(dbl, needed[2], 1.05 * once));
    cr_assert(lt(dbl, needed[2], 1.15 * once));
}

Test(decision, a_mismatch_is_unhealthy_whatever_the_metrics_say)
{
    struct result r = made_result();
    (void)made_add(&r, &made_ctr, "primary", share(10000, 1000), share(9000, 2000), none);
    cr_assert(eq(int, decided(&r).kind, DECISION_UNHEALTHY));
}

Test(decision, the_best_of_several_treatments_speaks)
{
    struct result r = made_result();
    experiment.variants_count = 3;
    for (size_t i = 0; i < 3; i++)
        experiment.variants[i].weight = 1.0 / 3;
    (void)made_add(&r, &made_ctr, "primary", share(10000, 1000), share(10000, 800), share(10000, 1200));
    struct decision d = decided(&r);
    cr_assert(eq(int, d.kind, DECISION_SHIP));
    cr_assert(eq(sz, d.variant, 2));
    cr_assert(eq(int, d.each[1].kind, DECISION_ROLL_BACK));
}
