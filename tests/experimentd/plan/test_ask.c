#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "experimentd/plan/ask.h"

static struct arena arena;
static struct snapshot_metric metrics[] = { { .key = STR("ctr"), .kind = STR("proportion") } };
static struct snapshot_variant variants[] = { { .key = STR("a"), .weight = 0.5 },
                                              { .key = STR("b"), .weight = 0.3 },
                                              { .key = STR("c"), .weight = 0.2 } };
static struct snapshot_experiment experiment = { .key = STR("x"),
                                                 .variants = variants,
                                                 .variants_count = 3,
                                                 .coverage = 0.5,
                                                 .mde = 0.07,
                                                 .layer = STR("l"),
                                                 .layer_share = 0.4,
                                                 .analysis = { .method = ANALYSIS_ANY_TIME, .planned_units = 5000 } };
static struct snapshot snapshot = {
    .experiments = &experiment, .experiments_count = 1, .metrics = metrics, .metrics_count = 1
};

static void setup(void)
{
    arena_init(&arena, 4096);
    experiment.metrics = arena_zalloc(&arena, 2 * sizeof *experiment.metrics);
    experiment.metrics[0].metric = STR("other");
    experiment.metrics[0].role = STR("guardrail");
    experiment.metrics[1].metric = STR("ctr");
    experiment.metrics[1].role = STR("primary");
    experiment.metrics_count = 2;
}

static void teardown(void)
{
    arena_release(&arena);
}

TestSuite(ask, .init = setup, .fini = teardown);

static bool read(const char *text, struct ask *out, struct err *err)
{
    json_auto_t *root = json_parse(str_of(text), err);
    cr_assert(ne(ptr, root, NULL), "%s", err->text);
    return ask_read(root, &snapshot, &arena, out, err);
}

static struct ask good(const char *text)
{
    struct ask a;
    struct err err;
    cr_assert(read(text, &a, &err) && ask_finish(&a, &err), "%s", err.text);
    return a;
}

Test(ask, a_share_and_nothing_else_is_a_plan)
{
    struct ask a = good("{\"baseline\":{\"share\":0.2}}");
    cr_assert(eq(dbl, a.plan.mean, 0.2));
    cr_assert(epsilon_eq(dbl, a.plan.variance, 0.16, 1e-15));
    cr_assert(a.plan.is_share);
    cr_assert(eq(int, a.plan.looks.method, PLAN_ANY_TIME)); /* what experiments are unless they say otherwise */
    cr_assert(eq(dbl, a.plan.effect, 0.05));
    cr_assert(eq(dbl, a.plan.control, 0.5));
    cr_assert(eq(sz, a.plan.treatments, 1));
}

Test(ask, every_way_of_looking_can_be_asked_for)
{
    struct ask a = good("{\"baseline\":{\"mean\":2,\"sd\":3},\"analysis\":{\"method\":\"group_sequential\",\"looks\":4,"
                        "\"spending\":\"pocock\",\"planned_units\":9000,\"level\":0.9}}");
    cr_assert(eq(int, a.plan.looks.method, PLAN_SPENDING));
    cr_assert(eq(int, a.plan.looks.spending.kind, SPENDING_POCOCK));
    cr_assert(eq(sz, a.plan.looks.count, 4));
    cr_assert(eq(dbl, a.plan.looks.shares[1], 0.5));
    cr_assert(eq(dbl, a.plan.looks.planned_units, 9000));
    cr_assert(eq(dbl, a.plan.looks.level, 0.9));
    cr_assert(eq(dbl, a.plan.variance, 9));
    a = good("{\"baseline\":{\"mean\":2,\"variance\":3},\"analysis\":{\"method\":\"group_sequential\",\"spending\":"
             "\"haybittle_peto\"}}");
    cr_assert(eq(int, a.plan.looks.method, PLAN_HAYBITTLE_PETO));
    cr_assert(eq(sz, a.plan.looks.count, PLANNER_LOOKS_DEFAULT));
    a = good("{\"baseline\":{\"mean\":2,\"variance\":3},\"analysis\":{\"method\":\"fixed\"},\"weights\":[1,2,1],"
             "\"margin\":0.1}");
    cr_assert(eq(int, a.plan.looks.method, PLAN_FIXED));
    cr_assert(eq(sz, a.plan.treatments, 2));
    cr_assert(eq(dbl, a.plan.treatment, 0.25));
    cr_assert(eq(dbl, a.plan.effect, 0)); /* of a guardrail: no change, unless it is said */
}

Test(ask, an_experiment_says_what_the_request_does_not)
{
    struct ask a;
    struct err err;
    cr_assert(read("{\"experiment\":\"x\",\"power\":0.9}", &a, &err), "%s", err.text);
    cr_assert(str_eq(a.metric, STR("ctr")));
    cr_assert(eq(dbl, a.plan.effect, 0.07));
    cr_assert(eq(dbl, a.plan.treatment, 0.2));
    cr_assert(eq(dbl, a.plan.reached, 0.2));
    cr_assert(eq(dbl, a.plan.looks.planned_units, 5000));
    cr_assert(eq(dbl, a.plan.power, 0.9));
    cr_assert(read("{\"experiment\":\"x\",\"weights\":[1,1],\"effect\":0.01,\"share\":1}", &a, &err), "%s", err.text);
    cr_assert(eq(dbl, a.plan.treatment, 0.5));
    cr_assert(eq(dbl, a.plan.effect, 0.01));
    cr_assert(eq(dbl, a.plan.reached, 1));
}

Test(ask, planned_looks_of_an_experiment_are_its_own)
{
    struct ask a;
    struct err err;
    experiment.analysis = (struct experiment_analysis){ .method = ANALYSIS_GROUP_SEQUENTIAL,
                                                        .planned_units = 8000,
                                                        .level = 0.9,
                                                        .spending = ANALYSIS_POCOCK,
                                                        .looks = { 0.4, 1 },
                                                        .looks_count = 2 };
    cr_assert(read("{\"experiment\":\"x\"}", &a, &err), "%s", err.text);
    cr_assert(eq(int, a.plan.looks.method, PLAN_SPENDING));
    cr_assert(eq(int, a.plan.looks.spending.kind, SPENDING_POCOCK));
    cr_assert(eq(sz, a.plan.looks.count, 2));
    cr_assert(eq(dbl, a.plan.looks.shares[0], 0.4));
    cr_assert(eq(dbl, a.plan.looks.planned_units, 8000));
    cr_assert(eq(dbl, a.plan.looks.level, 0.9));
    experiment.analysis.spending = ANALYSIS_HAYBITTLE_PETO;
    cr_assert(read("{\"experiment\":\"x\"}", &a, &err), "%s", err.text);
    cr_assert(eq(int, a.plan.looks.method, PLAN_HAYBITTLE_PETO));
}

Test(ask, traffic_and_reduction_may_be_given)
{
    struct ask a = good("{\"baseline\":{\"share\":0.2},\"traffic\":{\"days\":14,\"units\":5000,\"growth\":0.8},"
                        "\"variance_reduction\":0.3}");
    cr_assert(eq(dbl, a.plan.traffic.days, 14));
    cr_assert(eq(dbl, a.plan.traffic.growth, 0.8));
    cr_assert(eq(dbl, a.plan.reduction, 0.3));
    a = good("{\"baseline\":{\"share\":0.2}}");
    a.baseline.has_reduction = true; /* known from the last measurement */
    a.baseline.reduction = 0.2;
    struct err err;
    cr_assert(ask_finish(&a, &err));
    cr_assert(eq(dbl, a.plan.reduction, 0.2));
}

Test(ask, refusals_name_the_field)
{
    static const char *const bad[][2] = {
        { "{}", "field \"metric\", \"experiment\" or \"baseline\" is needed" },
        { "{\"metric\":\"gone\"}", "metric \"gone\" is not known" },
        { "{\"experiment\":\"gone\"}", "experiment \"gone\" is not known" },
        { "{\"baseline\":{}}", "baseline: field \"mean\"" },
        { "{\"baseline\":{\"mean\":1}}", "baseline: field \"variance\"" },
        { "{\"baseline\":{\"mean\":1,\"sd\":1,\"rank_sd\":-1}}", "field \"rank_sd\" is -1" },
        { "{\"baseline\":{\"share\":1.5}}", "\"baseline\": the variance" },
        { "{\"baseline\":{\"share\":0.5},\"effect\":2}", "field \"effect\" makes a share of 1.5" },
        { "{\"baseline\":{\"share\":0.5},\"bogus\":2}", "field \"bogus\"" },
        { "{\"baseline\":{\"share\":0.5},\"weights\":[1]}", "field \"weights\" has 1 elements" },
        { "{\"baseline\":{\"share\":0.5},\"weights\":[0,1]}", "field \"weights\": control" },
        { "{\"baseline\":{\"share\":0.5},\"weights\":[1,\"x\"]}", "field \"weights\"[1]" },
        { "{\"baseline\":{\"share\":0.5},\"analysis\":{\"method\":\"x\"}}", "analysis: field \"method\" is \"x\"" },
        { "{\"baseline\":{\"share\":0.5},\"analysis\":{\"method\":\"group_sequential\",\"looks\":51}}",
          "analysis: field \"looks\" is 51" },
        { "{\"baseline\":{\"share\":0.5},\"analysis\":{\"method\":\"group_sequential\",\"spending\":\"x\"}}",
          "analysis: field \"spending\"" },
        { "{\"baseline\":{\"share\":0.5},\"analysis\":{\"level\":2}}", "field \"level\" is 2" },
        { "{\"baseline\":{\"share\":0.5},\"traffic\":{\"units\":-1}}", "traffic: field \"units\"" },
        { "{\"baseline\":{\"share\":0.5},\"traffic\":{\"units\":1,\"growth\":2}}", "traffic: field \"growth\"" },
        { "{\"baseline\":{\"share\":0.5},\"traffic\":{\"units\":1,\"days\":0}}", "traffic: field \"days\"" },
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct ask a;
        struct err err = { 0 };
        cr_assert(not(read(bad[i][0], &a, &err) && ask_finish(&a, &err)), "%s", bad[i][0]);
        cr_assert(strstr(err.text, bad[i][1]) != NULL, "%s: %s", bad[i][0], err.text);
    }
}

Test(ask, weights_without_a_control_are_none)
{
    struct planner_ask a;
    cr_assert(not(ask_weights(&a, (const double[]){ 0, 1 }, 2)));
    cr_assert(not(ask_weights(&a, (const double[]){ 1, 0 }, 2)));
    cr_assert(not(ask_weights(&a, (const double[]){ 1 }, 1)));
    cr_assert(ask_weights(&a, (const double[]){ 0.5, 0, 0.5 }, 3));
    cr_assert(eq(sz, a.treatments, 2));
}
