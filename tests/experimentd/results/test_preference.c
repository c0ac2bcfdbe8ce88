/* Preferences built by hand: when they are read, which pair speaks, what many pairs do to p, and what is said where nothing can be tested. */
#include "experimentd/results/preference.h"

#include <math.h>

#include "base/clock.h"
#include "tests/experimentd/results/made.h"

TestSuite(preference, .init = made_setup, .fini = made_teardown);

/* n units of 4 queries each, whose mean scores have this mean and standard deviation. */
static struct preference_day day_of(size_t a, size_t b, int32_t day, int64_t n, double mean, double sd)
{
    double rest = (double)(n - 1) * sd * sd;
    struct preference_day d = { .a = a, .b = b, .day = day };
    d.counts = (struct preference_counts){ 2 * n + (int64_t)(2 * mean * (double)n),
                                           2 * n - (int64_t)(2 * mean * (double)n), 0 };
    d.means = (struct moments){ n, mean, rest };
    d.sums = (struct moments2){ .n = n, .mean_x = 4 * mean, .m2_x = 16 * rest, .mean_y = 4 };
    return d;
}

static struct preferred_pairs test_of(struct result *r, struct preference_day *days, size_t n)
{
    struct preferences *p = arena_alloc(&arena, sizeof *p);
    struct preferred_pairs pairs;
    *p = (struct preferences){
        .as_of_us = 10 * US_PER_DAY, .published_us = 10 * US_PER_DAY, .days = days, .days_count = n
    };
    experiment.kind = EXPERIMENT_INTERLEAVE;
    r->preferences = p;
    preferences_test(&pairs, r, &arena);
    return pairs;
}

static enum outcome outcome_of_one(struct result *r)
{
    struct preference_day d = day_of(1, 0, 9, 400, 0.2, 0.5);
    return test_of(r, &d, 1).p[0].outcome;
}

Test(preference, a_fixed_horizon_is_read_at_its_end)
{
    struct result r = made_result();
    cr_assert(eq(int, outcome_of_one(&r), OUTCOME_BETTER), "stopped");
    experiment.status = EXPERIMENT_RUNNING;
    cr_assert(eq(int, outcome_of_one(&r), OUTCOME_NOT_YET), "no end was planned");
    experiment.analysis.planned_units = 401;
    cr_assert(eq(int, outcome_of_one(&r), OUTCOME_NOT_YET));
    experiment.analysis.planned_units = 400;
    cr_assert(eq(int, outcome_of_one(&r), OUTCOME_BETTER),
              "units are those that searched, whatever the other aggregation has");
    experiment.analysis = (struct experiment_analysis){ .method = ANALYSIS_FIXED, .level = 0.95, .planned_days = 10 };
    cr_assert(eq(int, outcome_of_one(&r), OUTCOME_BETTER), "ten days after the start");
    experiment.phase_started_us = 1;
    cr_assert(eq(int, outcome_of_one(&r), OUTCOME_NOT_YET));
}

Test(preference, at_any_time_it_is_read_while_it_runs_and_wider)
{
    struct result r = made_result();
    struct preference_day d = day_of(1, 0, 9, 400, -0.2, 0.5);
    struct preferred fixed = test_of(&r, &d, 1).p[0];
    experiment.status = EXPERIMENT_RUNNING;
    experiment.analysis.method = ANALYSIS_ANY_TIME;
    experiment.analysis.planned_units = 400;
    struct preferred any = test_of(&r, &d, 1).p[0];
    cr_assert(eq(int, any.outcome, OUTCOME_WORSE));
    cr_assert(epsilon_eq(dbl, any.test.delta, -0.1, 1e-15), "half a score");
    cr_assert(lt(dbl, any.test.lo, fixed.test.lo));
    cr_assert(gt(dbl, any.test.hi, fixed.test.hi));
    cr_assert(gt(dbl, any.test.log_p, fixed.test.log_p));
    cr_assert(epsilon_eq(dbl, fixed.test.users.se, 0.5 / 20, 1e-12));
}

Test(preference, the_clearest_pair_with_the_control_speaks)
{
    struct result r = made_result();
    struct preference_day days[] = { day_of(1, 0, 8, 100, 0.9, 0.1), day_of(1, 0, 9, 400, 0.05, 0.5),
                                     day_of(2, 0, 9, 400, -0.07, 0.5), day_of(2, 1, 9, 400, 0.5, 0.5) };
    experiment.variants_count = 3;
    struct preferred_pairs pairs = test_of(&r, days, COUNT_OF(days));
    struct verdict v;
    struct analysis a = made_analysis(&r);
    cr_assert(eq(sz, pairs.n, 3));
    cr_assert(eq(sz, pairs.p[0].days_count, 2), "the last day is the result");
    cr_assert(eq(sz, preferences_strongest(&pairs)->last->a, 2));
    verdict_make(&v, &a, &arena);
    cr_assert(eq(int, v.state, VERDICT_WORSE));
    cr_assert(str_starts(v.text, STR("\"c\" is less liked than \"a\": delta -3.50 % (95 % interval ")), STR_FMT,
              STR_ARG(v.text));
}

/* Holm by hand: three p in ascending order, times 3, 2, 1. */
Test(preference, pairs_are_read_together_unless_that_was_declined)
{
    struct result r = made_result();
    struct preference_day days[] = { day_of(1, 0, 9, 400, 0.05, 0.5), day_of(2, 0, 9, 400, 0.02, 0.5),
                                     day_of(2, 1, 9, 400, 0.1, 0.5) };
    experiment.variants_count = 3;
    struct preferred_pairs pairs = test_of(&r, days, 3);
    cr_assert(pairs.adjusted);
    cr_assert(epsilon_eq(dbl, pairs.p[2].log_p_adjusted, pairs.p[2].test.log_p + log(3), 1e-12));
    cr_assert(epsilon_eq(dbl, pairs.p[0].log_p_adjusted, pairs.p[0].test.log_p + log(2), 1e-12));
    cr_assert(epsilon_eq(dbl, pairs.p[1].log_p_adjusted, pairs.p[1].test.log_p, 1e-12));
    cr_assert(eq(int, pairs.p[0].outcome, OUTCOME_NO_DIFFERENCE), "0.046 alone, twice that together");
    experiment.multiplicity = MULTIPLICITY_NONE;
    pairs = test_of(&r, days, 3);
    cr_assert(not(pairs.adjusted));
    cr_assert(eq(int, pairs.p[0].outcome, OUTCOME_BETTER));
}

Test(preference, what_cannot_be_tested_says_why)
{
    struct result r = made_result();
    struct preference_day one = day_of(1, 0, 9, 1, 1, 0), alike = day_of(1, 0, 9, 5, 0, 0);
    struct preferred_pairs pairs = test_of(&r, &one, 1);
    cr_assert(not(pairs.p[0].tested));
    cr_assert(eq(int, pairs.p[0].outcome, OUTCOME_NONE));
    cr_assert(str_eq_c(pairs.p[0].reason, "1 units, at least 2 are needed"), STR_FMT, STR_ARG(pairs.p[0].reason));
    pairs = test_of(&r, &alike, 1);
    cr_assert(str_eq_c(pairs.p[0].reason, "all 5 units have the same mean score"));
    cr_assert(preferences_strongest(&pairs) == NULL);
}
