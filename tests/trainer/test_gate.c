#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "trainer/models/gate.h"

static const struct gate_rules better = { .rule = GATE_BETTER, .metric = "ndcg@10", .level = 0.95, .min_value = NAN };

/* n units: the candidate's value is base + d ± spread, the champion's base ± spread, base going from 0 to 1. */
static struct gate_metric metric(int n, double d, double spread)
{
    struct gate_metric m = { .name = "ndcg@10" };
    for (int i = 0; i < n; i++) {
        double base = (double)i / n, wobble = i % 2 ? spread : -spread;
        moments2_add(&m.m, base + d + wobble, base - wobble);
    }
    return m;
}

static struct gate_outcome decide(const struct gate_rules *r, struct gate_metric m, const struct gate_bound *bounds,
                                  size_t n, int champion)
{
    struct gate_outcome o;
    gate_decide(r, &m, 1, bounds, n, champion, &o);
    return o;
}

/* By the textbook: values of each unit, their mean and variance. */
Test(gate, the_difference_is_the_paired_one)
{
    struct gate_metric m = metric(50, 0.01, 0.02);
    struct gate_interval d;
    double sum = 0, squares = 0;
    cr_assert(gate_difference(&m.m, 0.95, &d));
    for (int i = 0; i < 50; i++)
        sum += 0.01 + (i % 2 ? 0.04 : -0.04);
    for (int i = 0; i < 50; i++)
        squares += pow(0.01 + (i % 2 ? 0.04 : -0.04) - sum / 50, 2);
    double half = 1.959963984540054 * sqrt(squares / 49 / 50);
    cr_assert(epsilon_eq(dbl, d.value, 0.01, 1e-12));
    cr_assert(epsilon_eq(dbl, d.low, 0.01 - half, 1e-12));
    cr_assert(epsilon_eq(dbl, d.high, 0.01 + half, 1e-12));
    cr_assert(gate_difference(&m.m, 0.5, &d));
    cr_assert(epsilon_eq(dbl, d.high, 0.01 + 0.674489750196082 * sqrt(squares / 49 / 50), 1e-12));
    m.m.n = 1;
    cr_assert(not(gate_difference(&m.m, 0.95, &d)));
}

Test(gate, each_rule_asks_for_its_own)
{
    const struct {
        enum gate_rule rule;
        double d, margin;
        bool passed;
    } cases[] = {
        { GATE_BETTER, 0.001, 0, true },     { GATE_BETTER, 0, 0, false },
        { GATE_BETTER, -0.001, 0, false },   { GATE_SUPERIOR, 0.001, 0, false },
        { GATE_SUPERIOR, 0.05, 0, true },    { GATE_NOT_WORSE, -0.001, 0.05, true },
        { GATE_NOT_WORSE, 0, 0.001, false }, { GATE_NOT_WORSE, -0.06, 0.05, false },
        { GATE_NONE, -0.5, 0, true },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct gate_rules r = better;
        r.rule = cases[i].rule, r.margin = cases[i].margin;
        struct gate_outcome o = decide(&r, metric(40, cases[i].d, 0.05), NULL, 0, 3);
        cr_assert(eq(int, o.passed, cases[i].passed), "case %zu: %s", i, o.reason);
        cr_assert(eq(str, o.rule, o.passed ? gate_rule_name(r.rule) : "gate"));
    }
}

Test(gate, a_refusal_says_both_values_and_the_interval)
{
    struct gate_outcome o = decide(&better, metric(50, -0.01, 0), NULL, 0, 7);
    cr_assert(eq(str, o.reason,
                 "ndcg@10 0.48, of version 7 0.49: difference -0.01 (95%: -0.01 to -0.01), above 0 is asked for"));
    cr_assert(eq(int, o.champion, 7));
}

Test(gate, a_first_version_passes_unless_a_bound_is_broken)
{
    struct gate_rules r = better;
    struct gate_outcome o = decide(&r, metric(50, 0, 0), NULL, 0, 0);
    cr_assert(o.passed);
    cr_assert(eq(str, o.rule, "first"));
    r.min_value = 0.6;
    o = decide(&r, metric(50, 0, 0), NULL, 0, 0);
    cr_assert(not(o.passed));
    cr_assert(eq(str, o.rule, "min_value"));
    cr_assert(eq(str, o.reason, "ndcg@10 is 0.49, at least 0.6 is asked for"));
}

Test(gate, bounds_hold_whatever_the_rule_says)
{
    const struct gate_bound bounds[] = { { "coverage", 0.2, NAN, NAN, 0.1 }, { "concentration", 0.9, 0.1, NAN, 0.5 } };
    struct gate_bound b[] = { bounds[0], bounds[1] };
    b[0].min = 0.1, b[0].max = NAN;
    struct gate_rules r = better;
    struct gate_outcome o = decide(&r, metric(50, 0.1, 0), b, 2,
                                   2); /* better on all units, yet one item is everywhere */
    cr_assert(not(o.passed));
    cr_assert(eq(str, o.rule, "max_concentration"));
    cr_assert(eq(str, o.reason, "concentration is 0.9, at most 0.5 is allowed"));
    cr_assert(eq(sz, o.checks_count, 3));
    cr_assert(o.checks[0].passed);
    cr_assert(o.checks[2].passed, "the rule is checked, too");
    r.rule = GATE_NONE;
    cr_assert(not(decide(&r, metric(50, 0.1, 0), b, 2, 2).passed));
    b[1].value = 0.5;
    cr_assert(decide(&r, metric(50, 0.1, 0), b, 2, 2).passed, "the bound itself is allowed");
}

Test(gate, too_few_units_judge_nothing)
{
    struct gate_rules r = better;
    r.min_units = 30;
    struct gate_outcome o = decide(&r, metric(29, 0.2, 0), NULL, 0, 2);
    cr_assert(eq(str, o.rule, "gate_min_units"));
    cr_assert(eq(str, o.reason, "29 units in the later window, 30 are asked for"));
    r.min_units = 0;
    o = decide(&r, metric(1, 0.2, 0), NULL, 0, 2);
    cr_assert(eq(str, o.reason, "ndcg@10: 1 units are too few to compare with version 2"));
    cr_assert(not(decide(&r, metric(0, 0, 0), NULL, 0, 2).passed));
}

Test(gate, what_was_not_evaluated_passes_and_says_so)
{
    struct gate_outcome o;
    gate_unevaluated(4, &o);
    cr_assert(o.passed);
    cr_assert(eq(str, o.reason, "nothing was evaluated: holdout_days is 0"));
}

Test(gate, json_says_level_method_and_each_check)
{
    struct buf b;
    struct gate_metric m = metric(4, 0.5, 0);
    const struct gate_bound bound = { "coverage", 0.25, 0.5, 0.1, NAN };
    buf_init(&b, 1 << 16);
    gate_metrics_json(&better, &m, 1, &bound, 1, true, &b);
    cr_assert(ne(ptr, strstr(b.p, "{\"ndcg@10\":{\"value\":0.875,\"low\":"), NULL), "%s", b.p);
    cr_assert(ne(ptr,
                 strstr(b.p, "\"level\":0.95,\"method\":\"normal, over units\",\"n\":4,\"champion\":0.375,"
                             "\"difference\":{\"value\":0.5,\"low\":0.5,\"high\":0.5,\"level\":0.95,"
                             "\"method\":\"normal, paired by unit\"}},\"coverage\":{\"value\":0.25,\"champion\":0.5}}"),
                 NULL),
              "%s", b.p);
    buf_clear(&b);
    struct gate_outcome o = decide(&better, m, &bound, 1, 2);
    gate_outcome_json(&o, &b);
    cr_assert(
        eq(str, b.p,
           "{\"decision\":\"passed\",\"rule\":\"better\",\"reason\":\"ndcg@10 0.875, of version 2 0.375: difference "
           "0.5 (95%: 0.5 to 0.5), above 0 is asked for\",\"champion\":2,\"checks\":[{\"name\":\"min_coverage\","
           "\"passed\":true,\"text\":\"coverage is 0.25, at least 0.1 is asked for\"},{\"name\":\"gate\",\"passed\":"
           "true,\"text\":\"ndcg@10 0.875, of version 2 0.375: difference 0.5 (95%: 0.5 to 0.5), above 0 is asked "
           "for\"}]}"));
    buf_release(&b);
}
