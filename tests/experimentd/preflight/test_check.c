#include "tests/experimentd/preflight/config.h"

TestSuite(preflight_check, .init = config_begin, .fini = config_end);

static const int64_t now_us = INT64_C(1780000000000000);

static struct preflight_findings check(const struct snapshot_experiment *e)
{
    struct preflight_findings f = { .n = 0 };
    struct snapshot_experiment placed;
    preflight_check(e, &snapshot, now_us, &arena, &f, &placed);
    cr_assert(eq(int, placed.status, EXPERIMENT_RUNNING));
    return f;
}

static void expect(const struct snapshot_experiment *e, bool is_error, const char *field, const char *text)
{
    struct preflight_findings f = check(e);
    cr_assert(eq(sz, f.n, 1));
    cr_assert(eq(int, f.p[0].is_error, is_error));
    cr_assert(eq(sz, f.errors, is_error ? 1 : 0));
    expect_text(f.p[0].field, field);
    expect_text(f.p[0].text.p, text);
}

Test(preflight_check, a_sound_experiment_has_no_finding)
{
    struct snapshot_experiment *e = config_add(EXPERIMENT_DRAFT, "{\"key\":\"x\"," AB "}");
    cr_assert(eq(sz, check(e).n, 0));
}

Test(preflight_check, weights_must_sum_to_one)
{
    struct snapshot_experiment *e = config_add(EXPERIMENT_DRAFT, "{\"key\":\"x\"," AB "}");
    e->variants[1].weight = 0.4;
    expect(e, true, "variants", "the weights sum to 0.9, not 1");
    e->variants[1].weight = NAN;
    expect(e, true, "variants", "the weights sum to nan, not 1");
    e->live_weights = (double[]){ 0.3, 0.7 }; /* of a bandit: these count */
    cr_assert(eq(sz, check(e).n, 0));
}

Test(preflight_check, one_variant_is_no_experiment)
{
    struct snapshot_experiment *e = config_add(EXPERIMENT_DRAFT, "{\"key\":\"x\"," AB "}");
    e->variants_count = 1;
    e->variants[0].weight = 1;
    expect(e, true, "variants", "there are 1 variants: nothing to compare");
}

static struct snapshot_experiment *with_values(const char *a, const char *b, const char *c)
{
    char document[500];
    (void)snprintf(document, sizeof document,
                   "{\"key\":\"x\",\"variants\":[{\"key\":\"a\",\"value\":%s},{\"key\":\"b\",\"value\":%s},"
                   "{\"key\":\"c\",\"value\":%s}]," METRICS "}",
                   a, b, c);
    snapshot.experiments_count = 0;
    return config_add(EXPERIMENT_DRAFT, document);
}

Test(preflight_check, values_are_of_one_type_and_null_goes_with_any)
{
    static const char *const same[][3] = {
        { "1", "2.5", "-3" },        { "\"x\"", "null", "\"y\"" },  { "{}", "{\"k\":1}", "null" },
        { "true", "false", "null" }, { "[]", "[1]", "{\"k\":[]}" },
    };
    for (size_t i = 0; i < COUNT_OF(same); i++)
        cr_assert(eq(sz, check(with_values(same[i][0], same[i][1], same[i][2])).n, 0), "%s", same[i][0]);
    expect(with_values("\"x\"", "null", "{\"k\":1}"), true, "variants",
           "the value of variant \"a\" is a string, that of \"c\" is an object");
    expect(with_values("null", "true", "1"), true, "variants",
           "the value of variant \"b\" is true or false, that of \"c\" is a number");
}

Test(preflight_check, the_same_value_twice_is_warned_of)
{
    expect(with_values("1", "2", "1"), false, "variants", "variants \"a\" and \"c\" have the same value");
}

Test(preflight_check, rankings_that_are_merged_have_no_values)
{
    struct snapshot_experiment *e = config_add(
        EXPERIMENT_DRAFT, "{\"key\":\"x\",\"kind\":\"interleave\",\"variants\":[{\"key\":\"a\",\"value\":1},{\"key\":"
                          "\"b\",\"value\":\"1\"}]," METRICS "}");
    cr_assert(eq(sz, check(e).n, 0));
}

Test(preflight_check, metrics_are_known_and_one_is_primary)
{
    struct snapshot_experiment *e = config_add(
        EXPERIMENT_DRAFT, "{\"key\":\"x\",\"metrics\":[\"ctr\",\"gone\"],\"variants\":[{\"key\":\"a\"},"
                          "{\"key\":\"b\"}]}");
    expect(e, true, "metrics", "metric \"gone\" is not known");
    e->metrics_count = 1;
    e->metrics[0].role = STR("guardrail");
    expect(e, false, "metrics", "no metric is primary: there will be no verdict");
}

Test(preflight_check, a_prerequisite_runs_or_has_been_rolled_out)
{
    struct snapshot_experiment *base = config_add(EXPERIMENT_DRAFT, "{\"key\":\"base\"," AB "}");
    struct snapshot_experiment *e = config_add(
        EXPERIMENT_DRAFT, "{\"key\":\"x\",\"prerequisites\":[{\"experiment\":\"base\",\"variants\":[\"b\"]}]," AB "}");
    expect(e, true, "prerequisites", "experiment \"base\" does not run (it is a draft): nobody would be in");
    base->status = EXPERIMENT_STOPPED;
    expect(e, true, "prerequisites", "experiment \"base\" does not run (it is stopped): nobody would be in");
    base->status = EXPERIMENT_RUNNING;
    cr_assert(eq(sz, check(e).n, 0));
    base->status = EXPERIMENT_CONCLUDED;
    base->winner = STR("b");
    cr_assert(eq(sz, check(e).errors, 1));
    base->rollout = true;
    cr_assert(eq(sz, check(e).n, 0));
    base->winner = STR("a");
    cr_assert(eq(sz, check(e).errors, 1));
}

Test(preflight_check, what_it_names_must_be_there)
{
    struct snapshot_experiment *e = config_add(EXPERIMENT_DRAFT, "{\"key\":\"x\",\"layer\":\"ranking\"," AB "}");
    expect(e, true, "layer", "experiment: field \"layer\": layer \"ranking\" is not known");
    e->layer.n = 0;
    e->segments = (struct str_list){ &STR("staff"), 1 };
    expect(e, true, "segments, prerequisites", "experiment: field \"segments\": segment \"staff\" is not known");
}

Test(preflight_check, nobody_in_and_nothing_left_of_its_time)
{
    expect(config_add(EXPERIMENT_DRAFT, "{\"key\":\"x\",\"coverage\":0," AB "}"), true, "coverage",
           "is 0: nobody would be in");
    struct snapshot_experiment *e = config_add(EXPERIMENT_DRAFT, "{\"key\":\"y\"," AB "}");
    e->stop_at_us = now_us;
    expect(e, true, "schedule", "\"stop_at\" is in the past: it would stop at once");
    e->stop_at_us = now_us + 1;
    cr_assert(eq(sz, check(e).n, 0));
}

Test(preflight_check, a_layer_has_room_for_it)
{
    struct slot_range taken = { 0, 7000 };
    struct snapshot_experiment placed;
    struct preflight_findings f = { .n = 0 };
    config_add_layer("ranking", "ranking");
    struct snapshot_experiment *first = config_add(
        EXPERIMENT_RUNNING, "{\"key\":\"first\",\"layer\":\"ranking\",\"layer_share\":0.7," AB "}");
    first->slots = (struct slot_ranges){ &taken, 1 };
    struct snapshot_experiment *e = config_add(EXPERIMENT_DRAFT,
                                               "{\"key\":\"second\",\"layer\":\"ranking\",\"layer_share\":0.4," AB "}");
    expect(e, true, "layer_share",
           "layer \"ranking\" has 0.3 of its traffic free, 0.4 is asked for; the rest belongs to first");
    e->layer_share = 0.3;
    preflight_check(e, &snapshot, now_us, &arena, &f, &placed);
    cr_assert(eq(sz, f.n, 0));
    cr_assert(eq(int, placed.slots.p[0].lo, 7000));
    cr_assert(eq(sz, e->slots.n, 0)); /* only as it would run */
}

Test(preflight_check, the_parameter_is_nobody_elses)
{
    config_add(EXPERIMENT_RUNNING, "{\"key\":\"first\",\"parameter\":\"k1\"," AB "}");
    struct snapshot_experiment *e = config_add(EXPERIMENT_DRAFT, "{\"key\":\"second\",\"parameter\":\"k1\"," AB "}");
    struct preflight_findings f = check(e);
    cr_assert(eq(sz, f.n, 1));
    expect_text(f.p[0].field, "parameter");
}

Test(preflight_check, findings_beyond_the_limit_are_counted_not_told)
{
    struct preflight_findings f = { .n = 0 };
    for (size_t i = 0; i < PREFLIGHT_FINDINGS_MAX + 5; i++)
        preflight_add(&f, true, "variants", STR("again"));
    cr_assert(eq(sz, f.n, PREFLIGHT_FINDINGS_MAX));
    cr_assert(eq(sz, f.errors, PREFLIGHT_FINDINGS_MAX + 5));
}
