/* Suite = module, test = the sentence it proves. The results are built by hand, without a database. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>

#include "experimentd/results/json.h"
#include "experimentd/results/verdict.h"
#include "made.h"

static const struct moments2 none;

static struct result result_of(struct moments2 a, struct moments2 b)
{
    struct result r = made_result();
    (void)made_add(&r, &made_ctr, "primary", a, b, none);
    return r;
}

static struct verdict verdict_of(struct result r)
{
    struct verdict v;
    struct analysis a = made_analysis(&r);
    verdict_make(&v, &a, &arena);
    return v;
}

TestSuite(verdict, .init = made_setup, .fini = made_teardown);

Test(verdict, a_higher_share_of_a_metric_to_increase_is_better)
{
    struct verdict v = verdict_of(result_of(share(10000, 1000), share(10000, 1200)));
    cr_assert(eq(int, v.state, VERDICT_BETTER));
    cr_assert(str_eq(v.variant, STR("b")));
    cr_assert(strstr(v.text.p, "\"New ranker\" is better than \"a\"") != NULL, "%s", v.text.p);
    cr_assert(strstr(v.text.p, "+20.00 %") != NULL, "%s", v.text.p);
}

Test(verdict, a_lower_share_of_a_metric_to_increase_is_worse)
{
    cr_assert(eq(int, verdict_of(result_of(share(10000, 1200), share(10000, 1000))).state, VERDICT_WORSE));
}

Test(verdict, equal_shares_show_no_difference)
{
    cr_assert(eq(int, verdict_of(result_of(share(10000, 1000), share(10000, 1001))).state, VERDICT_NO_DIFFERENCE));
}

Test(verdict, a_sample_ratio_mismatch_overrules_the_metrics)
{
    struct verdict v = verdict_of(result_of(share(10000, 1000), share(9000, 2000)));
    cr_assert(eq(int, v.state, VERDICT_UNHEALTHY));
    cr_assert(strstr(v.text.p, "Do not trust") != NULL, "%s", v.text.p);
}

Test(verdict, one_unit_is_no_data_and_says_why)
{
    struct verdict v = verdict_of(result_of(share(1, 1), share(1, 0)));
    cr_assert(eq(int, v.state, VERDICT_NO_DATA));
    cr_assert(strstr(v.text.p, "unit") != NULL, "%s", v.text.p);
}

Test(verdict, without_an_aggregation_it_says_how_to_start_one)
{
    struct result r = { .experiment = &experiment };
    struct verdict v = verdict_of(r);
    cr_assert(eq(int, v.state, VERDICT_NO_DATA));
    cr_assert(strstr(v.text.p, "trainer run metrics") != NULL, "%s", v.text.p);
}

Test(verdict, a_guardrail_that_got_worse_is_named)
{
    struct result r = result_of(share(10000, 1000), share(10000, 1200));
    (void)made_add(&r, &made_zero, "guardrail", rate(10000, 0.1), rate(10000, 0.2), none);
    struct verdict v = verdict_of(r);
    cr_assert(eq(int, v.state, VERDICT_BETTER));
    cr_assert(strstr(v.text.p, "Guardrail \"Zero-result rate\" got worse") != NULL, "%s", v.text.p);
}

Test(verdict, a_fixed_horizon_says_nothing_before_its_end)
{
    experiment.status = EXPERIMENT_RUNNING;
    struct verdict v = verdict_of(result_of(share(10000, 1000), share(10000, 1200)));
    cr_assert(eq(int, v.state, VERDICT_NOT_YET));
    cr_assert(strstr(v.text.p, "decide at the planned end") != NULL, "%s", v.text.p);
    experiment.analysis.planned_units = 20000;
    cr_assert(eq(int, verdict_of(result_of(share(10000, 1000), share(10000, 1200))).state, VERDICT_BETTER));
    experiment.analysis.planned_units = 20001;
    cr_assert(eq(int, verdict_of(result_of(share(10000, 1000), share(10000, 1200))).state, VERDICT_NOT_YET));
}

Test(verdict, one_that_may_be_looked_at_any_time_is_told_so_and_needs_more_evidence)
{
    struct moments2 a = share(10000, 1000), b = share(10000, 1100); /* p = 0.02 at one look */
    cr_assert(eq(int, verdict_of(result_of(a, b)).state, VERDICT_BETTER));
    experiment.status = EXPERIMENT_RUNNING;
    experiment.analysis.method = ANALYSIS_ANY_TIME;
    experiment.analysis.planned_units = 10000;
    struct verdict v = verdict_of(result_of(a, b));
    cr_assert(eq(int, v.state, VERDICT_NO_DIFFERENCE));
    cr_assert(strstr(v.text.p, "the interval holds at every look") != NULL, "%s", v.text.p);
    cr_assert(eq(int, verdict_of(result_of(a, share(10000, 1200))).state, VERDICT_BETTER));
    v = verdict_of(result_of(share(99, 10), share(101, 12)));
    cr_assert(eq(int, v.state, VERDICT_NO_DATA));
    cr_assert(strstr(v.text.p, "too early to look: a variant has fewer than 100 units") != NULL, "%s", v.text.p);
}

Test(verdict, its_interval_is_at_the_level_that_was_declared)
{
    experiment.analysis.level = 0.9;
    struct verdict v = verdict_of(result_of(share(10000, 1000), share(10000, 1090)));
    cr_assert(eq(int, v.state, VERDICT_BETTER));
    cr_assert(strstr(v.text.p, "(90 % interval") != NULL, "%s", v.text.p);
}

TestSuite(results_json, .init = made_setup, .fini = made_teardown);

static json_t *json_of(struct result *r)
{
    struct buf b;
    struct jsonw w;
    buf_init(&b, 1 << 20);
    jsonw_init(&w, &b);
    result_write(&w, r, 0, &arena);
    json_t *root = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
    buf_release(&b);
    return root;
}

Test(results_json, holds_counts_value_and_comparison)
{
    struct result r = result_of(share(10000, 1000), share(10000, 1200));
    json_auto_t *root = json_of(&r);
    cr_assert(root != NULL);
    json_t *b = json_array_get(json_object_get(json_array_get(json_object_get(root, "metrics"), 0), "variants"), 1);
    json_t *c = json_object_get(b, "comparison");
    cr_assert(epsilon_eq(dbl, json_number_value(json_object_get(b, "value")), 0.12, 1e-12));
    cr_assert(epsilon_eq(dbl, json_number_value(json_object_get(b, "numerator")), 1200, 1e-6));
    cr_assert(epsilon_eq(dbl, json_number_value(json_object_get(c, "lift")), 0.2, 1e-12));
    cr_assert(eq(int, strcmp(json_string_value(json_object_get(c, "outcome")), "better"), 0));
}

Test(results_json, an_empty_arm_has_a_reason_and_no_number)
{
    struct result r = result_of(share(100, 10), (struct moments2){ 0 });
    json_auto_t *root = json_of(&r);
    json_t *b = json_array_get(json_object_get(json_array_get(json_object_get(root, "metrics"), 0), "variants"), 1);
    cr_assert(eq(int, json_is_null(json_object_get(b, "value")), 1));
    cr_assert(eq(int, json_is_string(json_object_get(b, "reason")), 1));
    cr_assert(eq(int, json_is_string(json_object_get(json_object_get(b, "comparison"), "reason")), 1));
}

Test(results_json, every_interval_is_at_the_level_that_was_declared)
{
    experiment.analysis.level = 0.8;
    struct result r = result_of(share(10000, 1000), share(10000, 1200));
    json_auto_t *root = json_of(&r);
    json_t *a = json_array_get(json_object_get(json_array_get(json_object_get(root, "metrics"), 0), "variants"), 0);
    cr_assert(epsilon_eq(dbl, json_number_value(json_object_get(root, "level")), 0.8, 1e-12));
    /* Wilson's, z = 1.281552: of 1000 of 10000 */
    cr_assert(epsilon_eq(dbl, json_number_value(json_array_get(json_object_get(a, "ci"), 0)), 0.0962208, 1e-6));
    cr_assert(epsilon_eq(dbl, json_number_value(json_array_get(json_object_get(a, "ci"), 1)), 0.1039106, 1e-6));
}
