/* Planned looks: when one is due, what is kept of it, and what it says. */
#include "experimentd/results/looks.h"

#include <math.h>

#include "made.h"

static const struct moments2 none;
static struct experiment_look kept[5];

static void setup(void)
{
    made_setup();
    experiment.status = EXPERIMENT_RUNNING;
    experiment.analysis = (struct experiment_analysis){ .method = ANALYSIS_GROUP_SEQUENTIAL,
                                                        .level = 0.95,
                                                        .planned_units = 20000,
                                                        .looks = { 0.25, 0.5, 0.75, 1 },
                                                        .looks_count = 4 };
    experiment.looks = kept;
}

TestSuite(planned_looks, .init = setup, .fini = made_teardown);

static struct result at(int64_t n, double share_b)
{
    struct result r = made_result();
    (void)made_add(&r, &made_ctr, "primary", share(n, n / 10), share(n, (int64_t)((double)n * share_b)), none);
    return r;
}

/* Takes the look that is due. */
static void take(const struct result *r)
{
    double share = looks_due(r);
    cr_assert(gt(dbl, share, 0));
    looks_take(&kept[experiment.looks_count], r, share, &arena);
    experiment.looks_count++;
}

static struct verdict verdict_of(const struct result *r)
{
    struct verdict v;
    struct analysis a = made_analysis(r);
    verdict_make(&v, &a, &arena);
    return v;
}

Test(planned_looks, a_look_is_due_when_its_units_are_there)
{
    struct result r = at(2499, 0.1);
    cr_assert(eq(dbl, looks_due(&r), 0));
    r = at(2500, 0.1);
    cr_assert(epsilon_eq(dbl, looks_due(&r), 0.25, 1e-12));
    r = at(3600, 0.1); /* late: a look at what there is, and the next is the next one that was planned */
    cr_assert(epsilon_eq(dbl, looks_due(&r), 0.36, 1e-12));
    take(&r);
    cr_assert(eq(i64, looks_next(&experiment).units, 10000));
    cr_assert(eq(dbl, looks_due(&r), 0));
    r = at(15000, 0.1); /* more than was planned is all of it */
    cr_assert(eq(dbl, looks_due(&r), 1));
    take(&r);
    cr_assert(not(looks_next(&experiment).any));
}

Test(planned_looks, one_that_is_stopped_early_has_a_last_look)
{
    struct result r = at(3000, 0.1);
    experiment.status = EXPERIMENT_STOPPED;
    experiment.stopped_us = r.published_us;
    cr_assert(eq(dbl, looks_due(&r), 0)); /* what came until the stop is not counted yet */
    r.published_us++;
    cr_assert(epsilon_eq(dbl, looks_due(&r), 0.3, 1e-12));
}

/* Days say when, units how much is known; the last day is the end, with what has come. */
Test(planned_looks, by_days_they_come_when_the_days_have_passed)
{
    const int64_t day = INT64_C(86400000000);
    struct result r = at(2000, 0.1);
    experiment.analysis.planned_days = 28;
    r.published_us = r.as_of_us = 7 * day - 1;
    cr_assert(eq(dbl, looks_due(&r), 0));
    cr_assert(eq(i64, looks_next(&experiment).at_us, 7 * day));
    r.published_us = r.as_of_us = 7 * day;
    cr_assert(epsilon_eq(dbl, looks_due(&r), 0.2, 1e-12)); /* 4000 of 20000 units */
    take(&r);
    cr_assert(eq(dbl, looks_due(&r), 0));
    cr_assert(eq(i64, looks_next(&experiment).at_us, 14 * day));
    r = at(6000, 0.1);
    r.published_us = r.as_of_us = 28 * day;
    cr_assert(eq(dbl, looks_due(&r), 1));
    take(&r);
    cr_assert(not(looks_next(&experiment).any));
    struct analysis a = made_analysis(&r);
    cr_assert(lt(dbl, analysis_of(&a, 0, 1)->looks.bound, 2));
}

Test(planned_looks, before_the_first_one_nothing_is_said)
{
    struct result r = at(1000, 0.2);
    struct verdict v = verdict_of(&r);
    cr_assert(eq(int, v.state, VERDICT_NOT_YET));
    cr_assert(strstr(v.text.p, "the first look is at 5000 units") != NULL, "%s", v.text.p);
}

/* What a look saw stays, whatever comes later. */
Test(planned_looks, between_looks_the_last_one_speaks)
{
    struct result r = at(2500, 0.1);
    take(&r);
    r = at(4000, 0.2);
    struct analysis a = made_analysis(&r);
    const struct analysed *c = analysis_of(&a, 0, 1);
    cr_assert(c->has_looks);
    cr_assert(epsilon_eq(dbl, c->c.difference, 0, 1e-12));
    cr_assert(eq(int, c->outcome, OUTCOME_NO_DIFFERENCE));
    cr_assert(gt(dbl, c->looks.bound, 4)); /* O'Brien and Fleming's at a quarter */
}

Test(planned_looks, beyond_the_bound_it_is_shown_and_the_stop_says_less_than_was_seen)
{
    struct result r = at(2500, 0.102);
    take(&r);
    r = at(5000, 0.125);
    take(&r);
    struct analysis a = made_analysis(&r);
    const struct analysed *c = analysis_of(&a, 0, 1);
    cr_assert(eq(int, c->outcome, OUTCOME_BETTER));
    cr_assert(eq(sz, c->looks.stop, 2));
    cr_assert(c->looks.has_stopped);
    double said = c->looks.stopped.estimate * c->looks.scale;
    cr_assert(lt(dbl, said, c->c.difference));
    cr_assert(gt(dbl, said, 0.5 * c->c.difference));
    cr_assert(epsilon_eq(dbl, c->looks.stopped.naive * c->looks.scale, c->c.difference, 1e-9));
    cr_assert(gt(dbl, c->c.ci_lo, 0));
    cr_assert(lt(dbl, c->adjusted.p, 0.05));
    cr_assert(eq(int, verdict_of(&r).state, VERDICT_BETTER));
}

Test(planned_looks, a_second_treatment_needs_more_evidence)
{
    double weights[] = { 0.5, 0.5, 0.5 };
    struct result r = made_result();
    experiment.variants_count = 3;
    for (size_t i = 0; i < 3; i++)
        experiment.variants[i].weight = weights[i] / 1.5;
    (void)made_add(&r, &made_ctr, "primary", share(4000, 400), share(4000, 450), share(4000, 400));
    take(&r);
    struct analysis a = made_analysis(&r);
    const struct analysed *c = analysis_of(&a, 0, 1);
    cr_assert(epsilon_eq(dbl, c->log_p_adjusted, fmin(0, c->c.log_p + log(2)), 1e-12));
    cr_assert(gt(dbl, c->adjusted.ci_hi, c->c.ci_hi));
}

Test(planned_looks, every_way_to_spend_has_its_bounds)
{
    double before = INFINITY;
    static const enum analysis_spending by_caution[] = { ANALYSIS_OBRIEN_FLEMING, ANALYSIS_HAYBITTLE_PETO,
                                                         ANALYSIS_POCOCK };
    struct result r = at(5000, 0.11);
    take(&r);
    for (size_t i = 0; i < COUNT_OF(by_caution); i++) {
        experiment.analysis.spending = by_caution[i];
        struct analysis a = made_analysis(&r);
        double bound = analysis_of(&a, 0, 1)->looks.bound;
        if (i != 1)
            cr_assert(lt(dbl, bound, before));
        else
            cr_assert(epsilon_eq(dbl, bound, 3.2905, 1e-3));
        before = i == 0 ? bound : before;
    }
}
