/* What is due at an instant. The rest of the schedule is tested with real daemons: test_schedule_api.py. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "experimentd/schedule/schedule.h"

enum { T = 1000 };

static struct experiment_ramp_step steps[] = { { 0.1, 50 }, { 0.5, 70 }, { 1, 0 } };

static int kind_at(const struct snapshot_experiment *e, int64_t now)
{
    return (int)schedule_due(e, now).kind;
}

Test(schedule, a_draft_starts_when_its_time_has_come)
{
    struct snapshot_experiment e = { .status = EXPERIMENT_DRAFT, .start_at_us = T };
    cr_expect(eq(int, kind_at(&e, T - 1), SCHEDULE_NOTHING));
    cr_expect(eq(int, kind_at(&e, T), SCHEDULE_START));
    cr_expect(eq(i64, schedule_due(&e, T + 9).at_us, T));
    e.start_at_us = 0;
    cr_expect(eq(int, kind_at(&e, T), SCHEDULE_NOTHING));
}

Test(schedule, a_stop_goes_before_a_step_of_the_ramp)
{
    struct snapshot_experiment e = { .status = EXPERIMENT_RUNNING, .stop_at_us = T, .ramp = steps, .ramp_count = 3 };
    e.ramp_since_us = T - 50;
    cr_expect(eq(int, kind_at(&e, T - 1), SCHEDULE_NOTHING));
    cr_expect(eq(int, kind_at(&e, T), SCHEDULE_STOP));
    e.stop_at_us = 0;
    cr_expect(eq(int, kind_at(&e, T), SCHEDULE_RAMP));
    e.ramp_step = 1;
    cr_expect(eq(int, kind_at(&e, T + 19), SCHEDULE_NOTHING));
    cr_expect(eq(int, kind_at(&e, T + 20), SCHEDULE_RAMP));
    e.ramp_step = 2; /* the last */
    cr_expect(eq(int, kind_at(&e, T + 1000), SCHEDULE_NOTHING));
}

Test(schedule, what_has_ended_is_left_alone)
{
    struct snapshot_experiment e = { .status = EXPERIMENT_STOPPED, .start_at_us = T, .stop_at_us = T };
    cr_expect(eq(int, kind_at(&e, T), SCHEDULE_NOTHING));
    e.status = EXPERIMENT_CONCLUDED;
    cr_expect(eq(int, kind_at(&e, T), SCHEDULE_NOTHING));
}

Test(schedule, an_experiment_is_guarded_when_it_runs_and_has_a_guardrail)
{
    struct snapshot_experiment e = { .status = EXPERIMENT_RUNNING, .guardrail_stop = true };
    cr_expect(not(schedule_is_guarded(&e)));
    e.metrics = &(typeof(*e.metrics)){ .metric = { "ctr", 3 }, .role = { "guardrail", 9 } };
    e.metrics_count = 1;
    cr_expect(schedule_is_guarded(&e));
    e.guardrail_stop = false;
    cr_expect(not(schedule_is_guarded(&e)));
}

Test(schedule, planned_looks_are_watched_for_while_some_are_left)
{
    struct experiment_look taken[] = { { .share = 0.5 }, { .share = 1 } };
    struct snapshot_experiment e = { .status = EXPERIMENT_RUNNING,
                                     .analysis = { .method = ANALYSIS_GROUP_SEQUENTIAL,
                                                   .planned_units = 1000,
                                                   .looks = { 0.5, 1 },
                                                   .looks_count = 2 },
                                     .looks = taken };
    cr_expect(schedule_is_watched(&e, T));
    e.looks_count = 2;
    cr_expect(not(schedule_is_watched(&e, T)));
    e.looks_count = 1;
    e.status = EXPERIMENT_STOPPED;
    e.stopped_us = T;
    cr_expect(schedule_is_watched(&e, T + 1));
    cr_expect(not(schedule_is_watched(&e, T + INT64_C(700000) * 1000000)));
    e.analysis.method = ANALYSIS_ANY_TIME;
    cr_expect(not(schedule_is_watched(&e, T + 1)));
}
