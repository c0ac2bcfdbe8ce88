#include "experimentd/config/experiment.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "base/buf.h"

static struct arena arena;
static struct snapshot_metric metrics[6];
static const struct snapshot snapshot = { .metrics = metrics, .metrics_count = COUNT_OF(metrics) };

static void set_up(void)
{
    static const char *const keys[] = { "ctr", "clicks_per_unit",     "clicks_per_query",
                                        "mrr", "time_to_first_click", "zero_result_rate" };
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        metrics[i].key = str_of(keys[i]);
    arena_init(&arena, 4096);
}

static void tear_down(void)
{
    arena_release(&arena);
}

TestSuite(experiment, .init = set_up, .fini = tear_down);

static bool parse(struct str body, struct str *out_json, struct err *err)
{
    struct snapshot_experiment e;
    json_auto_t *root = json_parse(body, err);
    return root && experiment_read(root, &arena, &e, err) && experiment_check(&e, &snapshot, err) &&
           experiment_spec(&e, &arena, out_json, err);
}

#define AB "\"variants\":[{\"key\":\"a\"},{\"key\":\"b\"}]"
#define USUAL_METRICS                                                                                                 \
    "\"metrics\":[{\"metric\":\"ctr\",\"role\":\"primary\"},{\"metric\":\"clicks_per_unit\",\"role\":\"secondary\"}," \
    "{\"metric\":\"clicks_per_query\",\"role\":\"secondary\"},{\"metric\":\"mrr\",\"role\":\"secondary\"},"           \
    "{\"metric\":\"time_to_first_click\",\"role\":\"secondary\"},{\"metric\":\"zero_result_rate\",\"role\":"          \
    "\"guardrail\"}]"

#define USUAL_DECISION                                                                                      \
    "\"mde\":0.05,\"target_effect\":0,\"minimum_days\":7,\"multiplicity\":\"hierarchical\",\"adjustment\":" \
    "\"cuped\""

static void expect_refusals(const char *const cases[][2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct err err = { 0 };
        struct str json = STR("untouched");
        cr_expect(not(parse(str_of(cases[i][0]), &json, &err)), "%s", cases[i][0]);
        cr_expect(eq(int, (int)err.kind, (int)ERR_INVALID), "%s", cases[i][0]);
        cr_expect(eq(int, strcmp(err.text, cases[i][1]), 0), "%s\n got: %s\nwant: %s", cases[i][0], err.text,
                  cases[i][1]);
        cr_expect(str_eq(json, STR("untouched")));
    }
}

Test(experiment, every_refusal_names_field_and_reason)
{
    static const char *const cases[][2] = {
        { "[]", "experiment is a list, not an object" },
        { "{}", "experiment: field \"key\" is missing" },
        { "{\"key\":\"x\"}", "experiment: field \"variants\" is missing" },
        { "{\"key\":7," AB "}", "experiment: field \"key\" is a number, not a string" },
        { "{\"key\":\"\"," AB "}", "experiment: field \"key\" is \"\": must be 1 to 100 of a-z, 0-9, \"_\", \".\", "
                                   "\"-\" and start with a letter or digit" },
        { "{\"key\":\"Ranker\"," AB "}", "experiment: field \"key\" is \"Ranker\": must be 1 to 100 of a-z, 0-9, "
                                         "\"_\", \".\", \"-\" and start with a letter or digit" },
        { "{\"key\":\"-x\"," AB "}", "experiment: field \"key\" is \"-x\": must be 1 to 100 of a-z, 0-9, \"_\", \".\", "
                                     "\"-\" and start with a letter or digit" },
        { "{\"key\":\"x\",\"variant\":[]," AB "}",
          "experiment: unknown field \"variant\" (did you mean \"variants\"?)" },
        { "{\"key\":\"x\",\"variants\":{}}", "experiment: field \"variants\" is an object, not a list" },
        { "{\"key\":\"x\",\"variants\":[{\"key\":\"a\"}]}",
          "experiment: field \"variants\" has 1 elements, must have 2 to 100" },
        { "{\"key\":\"x\",\"variants\":[{\"key\":\"a\"},\"b\"]}", "variants[1] is a string, not an object" },
        { "{\"key\":\"x\",\"variants\":[{\"key\":\"a\"},{}]}", "variants[1]: field \"key\" is missing" },
        { "{\"key\":\"x\",\"variants\":[{\"key\":\"a b\"},{\"key\":\"c\"}]}",
          "variants[0]: field \"key\" is \"a b\": must be 1 to 100 of a-z, A-Z, 0-9, \"_\", \".\", \"-\" and start "
          "with a letter or digit" },
        { "{\"key\":\"x\",\"variants\":[{\"key\":\"a\"},{\"key\":\"a\"}]}",
          "variants[1]: field \"key\" \"a\" is there twice" },
        { "{\"key\":\"x\",\"variants\":[{\"key\":\"a\",\"weight\":\"1\"},{\"key\":\"b\"}]}",
          "variants[0]: field \"weight\" is a string, not a number" },
        { "{\"key\":\"x\",\"variants\":[{\"key\":\"a\",\"weight\":-0.5},{\"key\":\"b\",\"weight\":1.5}]}",
          "variants[0]: field \"weight\" is -0.5, outside 0 to 1" },
        { "{\"key\":\"x\",\"variants\":[{\"key\":\"a\",\"weight\":1},{\"key\":\"b\"}]}",
          "experiment: 1 of 2 variants have a field \"weight\": give all of them or none" },
        { "{\"key\":\"x\",\"variants\":[{\"key\":\"a\",\"weight\":0.5},{\"key\":\"b\",\"weight\":0.4}]}",
          "experiment \"x\": weights sum to 0.9, not 1" },
        { "{\"key\":\"x\",\"variants\":[{\"key\":\"a\",\"weight\":0.5},{\"key\":\"b\",\"weight\":0.500002}]}",
          "experiment \"x\": weights sum to 1.000002, not 1" },
        { "{\"key\":\"x\",\"coverage\":1.5," AB "}", "experiment: field \"coverage\" is 1.5, outside 0 to 1" },
        { "{\"key\":\"x\",\"coverage\":-0.1," AB "}", "experiment: field \"coverage\" is -0.1, outside 0 to 1" },
        { "{\"key\":\"x\",\"hash_version\":3," AB "}", "experiment: field \"hash_version\" is 3, must be 1 or 2" },
        { "{\"key\":\"x\",\"hash_attribute\":\"\"," AB "}", "experiment: field \"hash_attribute\" is empty" },
        { "{\"key\":\"x\",\"origin\":\"elsewhere\"," AB "}",
          "experiment: field \"origin\" must be \"live\" or \"simulated\"" },
        { "{\"key\":\"x\",\"metrics\":[]," AB "}", "experiment: field \"metrics\" has 0 elements, must have 1 to 50" },
        { "{\"key\":\"x\",\"metrics\":[\"ctrr\"]," AB "}",
          "experiment: field \"metrics\": metric \"ctrr\" is not known" },
        { "{\"key\":\"x\",\"metrics\":[\"ctr\",\"ctr\"]," AB "}",
          "experiment: field \"metrics\": metric \"ctr\" is there twice" },
        { "{\"key\":\"x\",\"metrics\":[{\"metric\":\"ctr\",\"role\":\"main\"}]," AB "}",
          "experiment: field \"metrics\": role \"main\" is not primary, secondary or guardrail" },
        { "{\"key\":\"x\",\"metrics\":[{\"metric\":\"ctr\",\"role\":\"secondary\"}]," AB "}",
          "experiment: field \"metrics\": none has the role primary" },
        { "{\"key\":\"x\",\"metrics\":[{\"metric\":\"ctr\",\"rule\":1}]," AB "}",
          "metrics[0]: unknown field \"rule\" (did you mean \"role\"?)" },
        { "{\"key\":\"x\",\"metrics\":[7]," AB "}", "metrics[0] is a number, not an object" },
    };
    expect_refusals(cases, COUNT_OF(cases));
}

Test(experiment, a_bandit_that_cannot_work_is_refused)
{
    static const char *const cases[][2] = {
        { "{\"key\":\"x\",\"kind\":\"bandit\",\"bandit\":{\"policy\":\"ucb\"}," AB "}",
          "bandit: field \"policy\" is \"ucb\", not thompson, top_two or epsilon_greedy" },
        { "{\"key\":\"x\",\"kind\":\"bandit\",\"bandit\":{\"floor\":0}," AB "}",
          "bandit: field \"floor\" is 0, outside 0 to 0.5: an arm that gets no unit is never learnt about" },
        { "{\"key\":\"x\",\"kind\":\"bandit\",\"bandit\":{\"epsilon\":2}," AB "}",
          "bandit: field \"epsilon\" is 2, outside 0 to 1" },
        { "{\"key\":\"x\",\"kind\":\"bandit\",\"bandit\":{\"beta\":0}," AB "}",
          "bandit: field \"beta\" is 0, outside 0 to 1" },
        { "{\"key\":\"x\",\"kind\":\"bandit\",\"bandit\":{\"burn_in_units\":1}," AB "}",
          "bandit: field \"burn_in_units\" is 1, less than 2" },
        { "{\"key\":\"x\",\"kind\":\"bandit\",\"bandit\":{\"metric\":\"revenue\"}," AB "}",
          "experiment: bandit: field \"metric\": \"revenue\" is not one of the experiment's metrics" },
        { "{\"key\":\"x\",\"kind\":\"bandit\",\"bandit\":{\"temperature\":1}," AB "}",
          "bandit: unknown field \"temperature\"" },
        { "{\"key\":\"x\",\"kind\":\"bandit\",\"bandit\":{\"floor\":0.4},\"variants\":[{\"key\":\"a\"},{\"key\":\"b\"},"
          "{\"key\":\"c\"}]}",
          "experiment: bandit: field \"floor\" is 0.4: more than 1 for 3 variants together" },
        { "{\"key\":\"x\",\"analysis\":{\"method\":\"bayes\"}," AB "}",
          "analysis: field \"method\" is \"bayes\", not any_time, group_sequential or fixed" },
        { "{\"key\":\"x\",\"analysis\":{\"planned_units\":199}," AB "}",
          "analysis: field \"planned_units\" is 199, outside 200 to 1e12" },
        { "{\"key\":\"x\",\"kind\":\"bandit\",\"analysis\":{\"method\":\"any_time\"}," AB "}",
          "analysis: field \"method\" is \"any_time\", which is not for a bandit: its weights follow its data" },
        { "{\"key\":\"x\",\"bandit\":{}," AB "}",
          "experiment: field \"bandit\" is only for kind \"bandit\", not \"ab\"" },
    };
    expect_refusals(cases, COUNT_OF(cases));
}

static void expect_json(const char *body, const char *wanted)
{
    struct err err = { 0 };
    struct str json = { "", 0 };
    cr_expect(parse(str_of(body), &json, &err), "%s", err.text);
    cr_expect(eq(int, strcmp(json.p, wanted), 0), "%s\n got: %s\nwant: %s", body, json.p, wanted);
}

Test(experiment, defaults_are_filled_in)
{
    expect_json("{\"key\":\"x\"," AB "}",
                "{\"key\":\"x\",\"name\":\"x\",\"hypothesis\":\"\",\"kind\":\"ab\",\"hash_attribute\":\"id\",\"hash_"
                "version\":2,"
                "\"seed\":\"x\",\"coverage\":1,"
                "\"origin\":\"live\",\"variants\":[{\"key\":\"a\",\"name\":\"\",\"weight\":0.5,\"value\":\"a\"},"
                "{\"key\":\"b\",\"name\":\"\",\"weight\":0.5,\"value\":\"b\"}]," USUAL_METRICS
                ",\"analysis\":{\"method\":\"any_time\",\"level\":0.95,\"planned_units\":10000}," USUAL_DECISION "}");
}

Test(experiment, what_is_given_is_kept)
{
    expect_json("{\"key\":\"9.x_-\",\"name\":\"N\",\"hypothesis\":\"H\",\"hash_attribute\":\"device\",\"hash_version\":"
                "1,\"seed\":\"S\","
                "\"coverage\":0.1,\"origin\":\"simulated\",\"metrics\":[\"mrr\",{\"metric\":\"ctr\"},{\"metric\":"
                "\"zero_result_rate\",\"role\":\"guardrail\"}],"
                "\"variants\":[{\"key\":\"A\",\"name\":\"Old\",\"weight\":0.3,\"value\":{\"z\":0.1,\"a\":[1,null]}},"
                "{\"key\":\"B\",\"weight\":0.7,\"value\":null}]}",
                "{\"key\":\"9.x_-\",\"name\":\"N\",\"hypothesis\":\"H\",\"kind\":\"ab\",\"hash_attribute\":\"device\","
                "\"hash_version\":"
                "1,\"seed\":\"S\","
                "\"coverage\":0.1,\"origin\":\"simulated\",\"variants\":[{\"key\":\"A\",\"name\":\"Old\",\"weight\":0."
                "3,\"value\":{\"z\":0.1,\"a\":[1,null]}},"
                "{\"key\":\"B\",\"name\":\"\",\"weight\":0.7,\"value\":null}],"
                "\"metrics\":[{\"metric\":\"mrr\",\"role\":\"primary\"},{\"metric\":\"ctr\",\"role\":\"secondary\"},"
                "{\"metric\":\"zero_result_rate\",\"role\":\"guardrail\"}],\"analysis\":{\"method\":\"any_time\","
                "\"level\":0.95,\"planned_units\":10000}," USUAL_DECISION "}");
}

Test(experiment, a_bandit_says_how_its_weights_are_set)
{
    expect_json(
        "{\"key\":\"x\",\"kind\":\"bandit\",\"metrics\":[\"ctr\",\"mrr\"],\"bandit\":{\"policy\":\"top_two\",\"floor\":"
        "0.05,"
        "\"metric\":\"mrr\"}," AB "}",
        "{\"key\":\"x\",\"name\":\"x\",\"hypothesis\":\"\",\"kind\":\"bandit\",\"hash_attribute\":\"id\",\"hash_"
        "version\":2,"
        "\"seed\":\"x\",\"coverage\":1,\"origin\":\"live\",\"variants\":[{\"key\":\"a\",\"name\":\"\",\"weight\":0.5,"
        "\"value\":\"a\"},"
        "{\"key\":\"b\",\"name\":\"\",\"weight\":0.5,\"value\":\"b\"}],\"metrics\":[{\"metric\":\"ctr\",\"role\":"
        "\"primary\"},"
        "{\"metric\":\"mrr\",\"role\":\"secondary\"}],\"analysis\":{\"method\":\"fixed\",\"level\":0.95}"
        "," USUAL_DECISION ",\"bandit\":{"
        "\"policy\":\"top_two\",\"floor\":0.05,"
        "\"epsilon\":0.1,\"beta\":0.5,\"burn_in_units\":100,\"metric\":\"mrr\"}}");
}

static struct snapshot_experiment read_or_fail(const char *body)
{
    struct err err = { 0 };
    struct snapshot_experiment e;
    json_auto_t *root = json_parse(str_of(body), &err);
    cr_assert(root && experiment_read(root, &arena, &e, &err), "%s", err.text);
    return e;
}

Test(experiment, looks_are_even_unless_they_are_listed)
{
    struct snapshot_experiment e = read_or_fail("{\"key\":\"x\",\"analysis\":{\"method\":\"group_sequential\","
                                                "\"planned_units\":5000,\"looks\":4,\"spending\":\"hsd\"}," AB "}");
    cr_assert(eq(int, e.analysis.method, ANALYSIS_GROUP_SEQUENTIAL));
    cr_assert(eq(sz, e.analysis.looks_count, 4));
    cr_assert(eq(dbl, e.analysis.looks[1], 0.5));
    cr_assert(eq(dbl, e.analysis.spending_parameter, -4));
    e = read_or_fail("{\"key\":\"x\",\"analysis\":{\"method\":\"group_sequential\",\"looks\":[0.3,1]}," AB "}");
    cr_assert(eq(sz, e.analysis.looks_count, 2));
    cr_assert(eq(int, (int)e.analysis.planned_units, 10000));
    expect_json(
        "{\"key\":\"x\",\"analysis\":{\"method\":\"group_sequential\",\"looks\":[0.25,1],\"level\":0.9}," AB
        ",\"metrics\":[\"ctr\",{\"metric\":\"mrr\",\"role\":\"guardrail\",\"margin\":0.02}],\"target_effect\":0.01,"
        "\"minimum_days\":14,\"multiplicity\":\"bh\",\"adjustment\":\"both\",\"stratify_by\":\"country\"}",
        "{\"key\":\"x\",\"name\":\"x\",\"hypothesis\":\"\",\"kind\":\"ab\",\"hash_attribute\":\"id\",\"hash_"
        "version\":2,\"seed\":\"x\",\"coverage\":1,\"origin\":\"live\",\"variants\":[{\"key\":\"a\",\"name\":"
        "\"\",\"weight\":0.5,\"value\":\"a\"},{\"key\":\"b\",\"name\":\"\",\"weight\":0.5,\"value\":\"b\"}],"
        "\"metrics\":[{\"metric\":\"ctr\",\"role\":\"primary\"},{\"metric\":\"mrr\",\"role\":\"guardrail\","
        "\"margin\":0.02}],\"analysis\":{\"method\":\"group_sequential\",\"level\":0.9,\"planned_units\":10000,"
        "\"looks\":[0.25,1],\"spending\":\"obrien_fleming\"},\"mde\":0.05,\"target_effect\":0.01,"
        "\"minimum_days\":14,\"multiplicity\":\"bh\",\"adjustment\":\"both\",\"stratify_by\":\"country\"}");
}

Test(experiment, an_analysis_that_cannot_be_made_is_refused)
{
    static const char *const cases[][2] = {
        { "{\"key\":\"x\",\"analysis\":{\"method\":\"group_sequential\",\"looks\":51}," AB "}",
          "analysis: field \"looks\" is 51, outside 1 to 50" },
        { "{\"key\":\"x\",\"analysis\":{\"method\":\"group_sequential\",\"looks\":[0.5,0.5,1]}," AB "}",
          "analysis: field \"looks\" [1] is not a share of the planned units above 0.5 and up to 1" },
        { "{\"key\":\"x\",\"analysis\":{\"method\":\"group_sequential\",\"looks\":[0.5]}," AB "}",
          "analysis: field \"looks\" ends at 0.5: the last look has all planned units, 1" },
        { "{\"key\":\"x\",\"analysis\":{\"method\":\"group_sequential\",\"spending\":\"fleming\"}," AB "}",
          "analysis: field \"spending\" is \"fleming\", not obrien_fleming, pocock, power, hsd or haybittle_peto" },
        { "{\"key\":\"x\",\"analysis\":{\"method\":\"group_sequential\",\"looks\":50},\"variants\":[{\"key\":\"a\"},{"
          "\"key\":"
          "\"b\"},{\"key\":\"c\"}]}",
          "experiment: field \"analysis\": 50 looks at 6 metrics of 3 variants are 600 comparisons to keep, more than "
          "500: "
          "plan fewer looks" },
        { "{\"key\":\"x\",\"analysis\":{\"level\":95}," AB "}",
          "analysis: field \"level\" is 95, outside 0.5 to 0.9999" },
        { "{\"key\":\"x\",\"adjustment\":\"strata\"," AB "}",
          "experiment: field \"adjustment\" is \"strata\", which needs \"stratify_by\": a dimension of exposures, such "
          "as \"country\"" },
        { "{\"key\":\"x\",\"stratify_by\":\"a,b\"," AB "}",
          "experiment: field \"stratify_by\" is \"a,b\": must be up to "
          "100 of A-Z, a-z, 0-9, \"_\", \".\" and \"-\"" },
        { "{\"key\":\"x\",\"multiplicity\":\"sidak\"," AB "}",
          "experiment: field \"multiplicity\" is \"sidak\", not hierarchical, holm, bh or none" },
        { "{\"key\":\"x\",\"minimum_days\":-1," AB "}", "experiment: field \"minimum_days\" is -1, outside 0 to 3660" },
        { "{\"key\":\"x\",\"target_effect\":-0.1," AB "}",
          "experiment: field \"target_effect\" is -0.1: a relative effect, from 0 to 10" },
        { "{\"key\":\"x\",\"metrics\":[{\"metric\":\"ctr\",\"margin\":0.1}]," AB "}",
          "metrics[0]: field \"margin\" is only for the role guardrail" },
        { "{\"key\":\"x\",\"metrics\":[\"ctr\",{\"metric\":\"mrr\",\"role\":\"guardrail\",\"margin\":0.1,"
          "\"margin_absolute\":1}]," AB "}",
          "metrics[1]: field \"margin\" and \"margin_absolute\" are both given: give one of them" },
        { "{\"key\":\"x\",\"metrics\":[\"ctr\",{\"metric\":\"mrr\",\"role\":\"guardrail\",\"margin\":2}]," AB "}",
          "metrics[1]: field \"margin\" is 2: a share of the control's value, between 0 and 1" },
    };
    expect_refusals(cases, COUNT_OF(cases));
}

/* A body with `count` variants whose values have `value_bytes` each. */
static struct str body_of(size_t count, size_t value_bytes)
{
    struct buf b;
    buf_init(&b, 8 << 20);
    buf_add_c(&b, "{\"key\":\"x\",\"variants\":[");
    for (size_t i = 0; i < count; i++) {
        buf_addf(&b, "%s{\"key\":\"v%zu\",\"value\":\"", i ? "," : "", i);
        for (size_t k = 0; k < value_bytes; k++)
            buf_add_byte(&b, 'x');
        buf_add_c(&b, "\"}");
    }
    buf_add_c(&b, "]}");
    struct str body = arena_str(&arena, buf_str(&b));
    buf_release(&b);
    return body;
}

Test(experiment, limits_are_named)
{
    struct err err = { 0 };
    struct str json;
    cr_expect(parse(body_of(100, 1), &json, &err), "%s", err.text);
    cr_expect(not(parse(body_of(101, 1), &json, &err)));
    cr_expect(eq(int, strcmp(err.text, "experiment: field \"variants\" has 101 elements, must have 2 to 100"), 0), "%s",
              err.text);
    cr_expect(parse(body_of(2, 100000), &json, &err), "%s", err.text);
    cr_expect(not(parse(body_of(3, 100000), &json, &err)));
    cr_expect(eq(int, (int)err.kind, (int)ERR_TOO_LARGE));
    cr_expect(eq(int, strcmp(err.text, "the experiment is larger than 262144 bytes"), 0), "%s", err.text);
}

/* A key is shown up to a length, and cut between characters: the message stays UTF-8. */
Test(experiment, a_long_foreign_key_is_cut_between_characters)
{
    struct err err = { 0 };
    struct str json, key = arena_printf(&arena, "{\"key\":\"a%s%s%s%s\"," AB "}", "用户用户用户用户",
                                        "用户用户用户用户", "用户用户用户用户", "用户用户用户用户");
    cr_expect(not(parse(key, &json, &err)));
    cr_expect(str_is_utf8(str_of(err.text)));
}
