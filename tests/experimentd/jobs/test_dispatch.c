#include "experimentd/jobs/dispatch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "base/mem.h"

static struct dispatch_limits limits_of(const char *types, unsigned at_once)
{
    struct dispatch_limits l;
    struct err err = { 0 };
    cr_assert(dispatch_limits_parse(types, at_once, &l, &err), "%s", err.text);
    return l;
}

static struct dispatch_run waiting(const char *id, const char *job, const char *type)
{
    return (struct dispatch_run){ .id = str_of(id), .job = str_of(job), .type = str_of(type), .ready = true };
}

Test(dispatch, starts_the_oldest_within_the_limit)
{
    struct dispatch_limits l = limits_of("seal=9", 2);
    struct dispatch_run runs[] = { waiting("1", "a", "seal"), waiting("2", "b", "seal"), waiting("3", "c", "seal") };
    dispatch_choose(runs, COUNT_OF(runs), &l);
    cr_assert(runs[0].start && runs[1].start && !runs[2].start);
}

Test(dispatch, never_two_runs_of_one_job)
{
    struct dispatch_limits l = limits_of("seal=9", 5);
    struct dispatch_run runs[] = { waiting("1", "a", "seal"), waiting("2", "a", "seal"), waiting("3", "b", "seal") };
    runs[0].runs = true;
    dispatch_choose(runs, COUNT_OF(runs), &l);
    cr_assert(runs[2].start && !runs[0].start && !runs[1].start);
}

Test(dispatch, keeps_to_the_limit_of_a_type_and_lets_others_pass)
{
    struct dispatch_limits l = limits_of("seal=0", 5);
    struct dispatch_run runs[] = { waiting("1", "a", "metrics"), waiting("2", "b", "metrics"),
                                   waiting("3", "c", "seal"), waiting("4", "d", "sessions") };
    dispatch_choose(runs, COUNT_OF(runs), &l);
    cr_assert(runs[0].start && !runs[1].start && !runs[2].start && runs[3].start);
}

Test(dispatch, what_waits_for_its_time_holds_nobody_up)
{
    struct dispatch_limits l = limits_of("", 1);
    struct dispatch_run runs[] = { waiting("1", "a", "seal"), waiting("2", "b", "seal") };
    runs[0].ready = false;
    dispatch_choose(runs, COUNT_OF(runs), &l);
    cr_assert(runs[1].start && !runs[0].start);
}

Test(dispatch, refuses_limits_that_are_none)
{
    static const char *const bad[] = { "metrics", "metrics=", "metrics=x", "nonsense=1", "metrics=1,,", "=1" };
    struct dispatch_limits l;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        cr_assert(not(dispatch_limits_parse(bad[i], 1, &l, NULL)), "%s", bad[i]);
}
