#include "experimentd/jobs/due.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "base/clock.h"

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)
#define T0 INT64_C(1795564800) /* 2026-11-25T00:00:00Z */

static struct arena arena;
static struct zone *utc;

static void open_suite(void)
{
    arena_init(&arena, 4096);
    utc = zone_load(STR("UTC"), NULL);
}

static void close_suite(void)
{
    arena_release(&arena);
    zone_free(utc);
}

TestSuite(due, .init = open_suite, .fini = close_suite);

static struct job_def job_of(const char *json)
{
    struct job_def d;
    struct err err = { 0 };
    json_t *root = json_parse(str_of(json), &err);
    cr_assert(root && job_def_read(root, STR(""), &arena, &d, &err), "%s", err.text);
    json_decref(root);
    return d;
}

static struct job_def nightly(const char *catch_up)
{
    char json[300];
    (void)snprintf(json, sizeof json,
                   "{\"id\":\"n\",\"type\":\"seal\",\"catch_up\":\"%s\",\"triggers\":[{\"type\":\"cron\",\"value\":\"0 "
                   "2 * * *\"}]}",
                   catch_up);
    return job_of(json);
}

static struct due_plan plan_of(const struct job_def *d, int64_t since_s, int64_t now_s)
{
    struct due_plan p;
    due_make(d, utc, since_s, now_s, &p);
    return p;
}

Test(due, nothing_before_its_time)
{
    struct job_def d = nightly("once");
    struct due_plan p = plan_of(&d, T0, T0 + 2 * HOUR - 1);
    cr_assert(eq(sz, p.count, 0));
    cr_assert(eq(i64, p.scheduled_s, T0));
}

Test(due, on_time_it_is_one_run_whatever_catch_up_says)
{
    static const char *const all[] = { "skip", "once", "all" };
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct job_def d = nightly(all[i]);
        struct due_plan p = plan_of(&d, T0, T0 + 2 * HOUR + DUE_LATE_S);
        cr_assert(eq(sz, p.count, 1));
        cr_assert(eq(i64, p.runs[0].at_s, T0 + 2 * HOUR));
        cr_assert(not(p.runs[0].skipped || p.runs[0].waits || p.runs[0].note[0]));
        cr_assert(eq(i64, p.scheduled_s, T0 + 2 * HOUR));
        cr_assert(eq(sz, plan_of(&d, p.scheduled_s, T0 + 3 * HOUR).count, 0));
    }
}

Test(due, missed_nights_are_left_out_and_it_is_said)
{
    struct job_def d = nightly("skip");
    struct due_plan p = plan_of(&d, T0, T0 + 3 * DAY + HOUR);
    cr_assert(eq(sz, p.count, 1));
    cr_assert(p.runs[0].skipped);
    cr_assert(eq(str, p.runs[0].note, "3 missed, not caught up with"));
    cr_assert(eq(i64, p.runs[0].at_s, T0 + 2 * DAY + 2 * HOUR));
}

Test(due, missed_nights_are_caught_up_with_once)
{
    struct job_def d = nightly("once");
    struct due_plan p = plan_of(&d, T0, T0 + 3 * DAY + HOUR);
    cr_assert(eq(sz, p.count, 1));
    cr_assert(not(p.runs[0].skipped));
    cr_assert(eq(str, p.runs[0].note, "caught up with: 3 missed, run once"));
}

Test(due, a_run_on_time_stands_for_those_that_were_missed)
{
    struct job_def d = nightly("once");
    struct due_plan p = plan_of(&d, T0, T0 + 3 * DAY + 2 * HOUR + 5);
    cr_assert(eq(sz, p.count, 1));
    cr_assert(eq(str, p.runs[0].note, "also for 3 that were missed"));
    cr_assert(eq(i64, p.runs[0].at_s, T0 + 3 * DAY + 2 * HOUR));
    struct job_def skip = nightly("skip");
    p = plan_of(&skip, T0, T0 + 3 * DAY + 2 * HOUR + 5);
    cr_assert(eq(sz, p.count, 2));
    cr_assert(p.runs[0].skipped && !p.runs[1].skipped);
}

Test(due, missed_nights_are_caught_up_with_one_by_one)
{
    struct job_def d = nightly("all");
    struct due_plan p = plan_of(&d, T0, T0 + 3 * DAY + 2 * HOUR + 5);
    cr_assert(eq(sz, p.count, 4));
    for (size_t i = 0; i < 4; i++) {
        cr_assert(eq(i64, p.runs[i].at_s, T0 + (int64_t)i * DAY + 2 * HOUR));
        cr_assert(p.runs[i].waits == (i < 3) && !p.runs[i].skipped);
    }
}

Test(due, each_instant_that_is_on_time_is_a_run)
{
    struct job_def d = job_of(
        "{\"id\":\"m\",\"type\":\"metrics\",\"triggers\":[{\"type\":\"cron\",\"value\":\"*/20 * * * * *\"}]}");
    struct due_plan p = plan_of(&d, T0 - 1, T0 + 100);
    cr_assert(eq(sz, p.count, 4));
    cr_assert(eq(i64, p.runs[0].at_s, T0 + 40));
    cr_assert(eq(str, p.runs[0].note, "also for 2 that were missed"));
    cr_assert(eq(str, p.runs[1].note, ""));
    cr_assert(eq(i64, p.scheduled_s, T0 + 100));
}

Test(due, more_than_fit_come_with_the_next_look)
{
    struct job_def d = job_of("{\"id\":\"m\",\"type\":\"metrics\",\"catch_up\":\"all\",\"triggers\":[{\"type\":"
                              "\"interval\",\"every\":1,\"unit\":\"minute\"}]}");
    int64_t since = T0;
    size_t runs = 0, looks = 0;
    for (struct due_plan p; (p = plan_of(&d, since, T0 + 6 * HOUR)).count; since = p.scheduled_s, looks++)
        runs += p.count;
    cr_assert(eq(sz, runs, 360));
    cr_assert(eq(sz, looks, 4));
}

Test(due, several_triggers_on_one_instant_are_one_run)
{
    struct job_def d = job_of(
        "{\"id\":\"m\",\"type\":\"metrics\",\"triggers\":[{\"type\":\"cron\",\"value\":\"0 * * * *\"},"
        "{\"type\":\"interval\",\"every\":30,\"unit\":\"minute\"},{\"type\":\"cron\",\"value\":\"*/30 * * * "
        "*\",\"enabled\":false}]}");
    cr_assert(eq(sz, plan_of(&d, T0 - 1, T0).count, 1));
    cr_assert(eq(i64, job_def_next(&d, utc, T0), T0 + 1800));
}

Test(due, an_interval_keeps_to_its_start_and_end)
{
    struct job_def d = job_of(
        "{\"id\":\"m\",\"type\":\"metrics\",\"triggers\":[{\"type\":\"interval\",\"every\":7,\"unit\":\"minute\","
        "\"start\":\"2026-11-25T00:03:00Z\",\"end\":\"2026-11-25T00:20:00Z\"}]}");
    cr_assert(eq(i64, job_def_next(&d, utc, T0 - DAY), T0 + 180));
    cr_assert(eq(i64, job_def_next(&d, utc, T0 + 180), T0 + 600));
    cr_assert(eq(i64, job_def_next(&d, utc, T0 + 1020), INT64_MAX));
}

Test(due, a_trigger_fires_on_the_ends_it_names)
{
    struct job_def d = job_of(
        "{\"id\":\"m\",\"type\":\"metrics\",\"triggers\":[{\"type\":\"job\",\"job\":\"a\",\"on\":[\"failed\"]}]}");
    static const struct {
        const char *state;
        bool fires;
    } cases[] = { { "success", false }, { "failed", true },     { "timeout", true },
                  { "lost", true },     { "cancelled", false }, { "skipped", false } };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cr_assert(trigger_fires(&d.triggers[0], STR("a"), str_of(cases[i].state)) == cases[i].fires, "%s",
                  cases[i].state);
        cr_assert(not(trigger_fires(&d.triggers[0], STR("b"), str_of(cases[i].state))));
    }
    cr_assert(eq(i64, job_def_next(&d, utc, T0), INT64_MAX));
}
