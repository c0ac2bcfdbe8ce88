/* Suite = module, test = the sentence it proves. The results are built by hand, without a database. */
#include "experimentd/results/analysis.h"

#include <math.h>

#include "made.h"
#include "metric/metric.h"
#include "stats/compare.h"

TestSuite(analysis, .init = made_setup, .fini = made_teardown);
TestSuite(families, .init = made_setup, .fini = made_teardown);
TestSuite(margins, .init = made_setup, .fini = made_teardown);
TestSuite(belief, .init = made_setup, .fini = made_teardown);
TestSuite(bandit, .init = made_setup, .fini = made_teardown);

static const struct moments2 none;

/* Units whose value before explains the share rho² of what came. */
static struct cross before(const struct moments2 *m, double mean_before, double rho)
{
    struct cross c = cross_none(2);
    c.n = m->n;
    c.mean[0] = m->mean_x;
    c.mean[1] = mean_before;
    c.m2[0][0] = c.m2[1][1] = m->m2_x;
    c.m2[0][1] = c.m2[1][0] = rho * m->m2_x;
    return c;
}

static struct result means(double difference)
{
    struct result r = made_result();
    (void)made_add(&r, &made_revenue, "primary", mean(5000, 10, 4), mean(5000, 10 + difference, 4), none);
    return r;
}

Test(analysis, what_units_did_before_narrows_the_interval_and_the_plain_one_stands_beside)
{
    struct result r = means(0.1);
    struct result_arm *arms = r.metrics[0].days[0].arms;
    struct cross pre[2] = { before(&arms[0].m, 9, 0.8), before(&arms[1].m, 9, 0.8) };
    arms[0].pre = &pre[0];
    arms[1].pre = &pre[1];
    struct analysis a = made_analysis(&r);
    const struct analysed *c = analysis_of(&a, 0, 1);
    cr_assert(c->compared);
    cr_assert(eq(int, c->effect.by, EFFECT_CUPED));
    cr_assert(epsilon_eq(dbl, c->effect.variance_reduction, 0.64, 1e-9));
    cr_assert(c->has_plain);
    cr_assert(epsilon_eq(dbl, c->c.se, 0.6 * c->plain.se, 1e-9));
    cr_assert(epsilon_eq(dbl, c->c.difference, 0.1, 1e-9));
    cr_assert(eq(int, c->outcome, OUTCOME_BETTER));
    cr_assert(gt(dbl, c->plain.p, 0.05));
    experiment.adjustment = ADJUSTMENT_NONE;
    a = made_analysis(&r);
    cr_assert(eq(int, analysis_of(&a, 0, 1)->outcome, OUTCOME_NO_DIFFERENCE));
}

Test(analysis, a_metric_that_asks_for_more_units_says_nothing_before)
{
    struct metric_def def = { .min_units = 5001, .quantile = NAN };
    struct snapshot_metric asks = made_revenue;
    struct result r = made_result();
    asks.def = &def;
    (void)made_add(&r, &asks, "primary", mean(5000, 10, 4), mean(5001, 11, 4), none);
    struct analysis a = made_analysis(&r);
    cr_assert(not(analysis_of(&a, 0, 1)->compared));
    cr_assert(strstr(analysis_of(&a, 0, 1)->reason.p, "too early to look: the metric asks for 5001 units") != NULL);
    def.min_units = 5000;
    a = made_analysis(&r);
    cr_assert(analysis_of(&a, 0, 1)->compared);
}

Test(analysis, without_anything_before_it_says_so_and_compares_plainly)
{
    struct result r = means(0.5);
    struct analysis a = made_analysis(&r);
    const struct analysed *c = analysis_of(&a, 0, 1);
    cr_assert(eq(int, c->effect.by, EFFECT_PLAIN));
    cr_assert(not(c->has_plain));
    cr_assert(strstr(c->not_adjusted.p, "was not kept") != NULL, "%s", c->not_adjusted.p);
}

Test(analysis, any_time_and_an_adjustment_go_together)
{
    struct result r = means(0.3);
    struct result_arm *arms = r.metrics[0].days[0].arms;
    struct cross pre[2] = { before(&arms[0].m, 9, 0.8), before(&arms[1].m, 9, 0.8) };
    experiment.analysis.method = ANALYSIS_ANY_TIME;
    experiment.analysis.planned_units = 10000;
    struct analysis plain = made_analysis(&r);
    arms[0].pre = &pre[0];
    arms[1].pre = &pre[1];
    struct analysis a = made_analysis(&r);
    const struct analysed *c = analysis_of(&a, 0, 1), *p = analysis_of(&plain, 0, 1);
    cr_assert(epsilon_eq(dbl, c->c.ci_hi - c->c.ci_lo, 0.6 * (p->c.ci_hi - p->c.ci_lo), 1e-9));
    cr_assert(eq(int, c->outcome, OUTCOME_BETTER));
}

/* Two countries with other shares in the arms, no effect in either. */
Test(analysis, strata_take_away_what_their_mix_does)
{
    struct result r = made_result();
    struct moments2 a = mean(3000, 5, 2), b = mean(2000, 5, 2), a2 = mean(2000, 9, 2), b2 = mean(3000, 9, 2);
    struct moments2 all_a = a, all_b = b;
    moments2_merge(&all_a, &a2);
    moments2_merge(&all_b, &b2);
    struct result_metric *m = made_add(&r, &made_revenue, "primary", all_a, all_b, none);
    struct result_arm de[2] = { { .m = a }, { .m = b } }, at[2] = { { .m = a2 }, { .m = b2 } };
    struct result_part parts[2] = { { .dimension = STR("country"), .value = STR("AT"), .arms = at },
                                    { .dimension = STR("country"), .value = STR("DE"), .arms = de } };
    experiment.adjustment = ADJUSTMENT_STRATA;
    experiment.stratify_by = STR("country");
    struct analysis plain = made_analysis(&r);
    cr_assert(strstr(analysis_of(&plain, 0, 1)->not_adjusted.p, "nothing is known by dimension \"country\"") != NULL);
    cr_assert(eq(int, analysis_of(&plain, 0, 1)->outcome, OUTCOME_BETTER));
    m->parts[RESULT_SEGMENT].p = parts;
    m->parts[RESULT_SEGMENT].n = 2;
    struct analysis strata = made_analysis(&r);
    cr_assert(eq(int, analysis_of(&strata, 0, 1)->effect.by, EFFECT_STRATA));
    cr_assert(epsilon_eq(dbl, analysis_of(&strata, 0, 1)->c.difference, 0, 1e-9));
    cr_assert(eq(int, analysis_of(&strata, 0, 1)->outcome, OUTCOME_NO_DIFFERENCE));
    de[0].m.n--; /* a unit of no stratum */
    struct analysis fewer = made_analysis(&r);
    cr_assert(strstr(analysis_of(&fewer, 0, 1)->not_adjusted.p, "are not all units") != NULL);
}

Test(analysis, shares_of_few_go_by_the_score_test_at_one_look_only)
{
    struct result r = made_result();
    (void)made_add(&r, &made_ctr, "primary", share(500, 0), share(500, 9), none);
    struct analysis a = made_analysis(&r);
    const struct analysed *c = analysis_of(&a, 0, 1);
    cr_assert(c->compared);
    cr_assert(not(c->has_effect));
    cr_assert(eq(int, c->outcome, OUTCOME_BETTER));
    cr_assert(strstr(c->method, "score test") != NULL, "%s", c->method);
    cr_assert(epsilon_eq(dbl, exp(c->log_p_exact), 0.0037669617595309, 1e-12));
    cr_assert(c->has_belief);
    cr_assert(gt(dbl, c->belief.win, 0.99));
    experiment.analysis.method = ANALYSIS_ANY_TIME;
    experiment.analysis.planned_units = 1000;
    a = made_analysis(&r);
    cr_assert(analysis_of(&a, 0, 1)->has_effect);
}

/* Two values of each unit, spread evenly from `low` on; the quantile's moments as the trainer has them. */
static void quantile_arm(struct result_arm *a, double low, double q)
{
    struct sketch *sketch = arena_zalloc(&arena, sizeof *sketch);
    struct err err;
    double below = low + 100 * q;
    sketch_init(sketch);
    for (int i = 0; i < 2000; i++) {
        double values[2] = { low + (i * 37) % 2000 * 0.05, low + (i * 91) % 2000 * 0.05 };
        moments2_add(&a->m, (values[0] <= below) + (values[1] <= below), 2);
        cr_assert(sketch_add_unit(sketch, values, 2, &err), "%s", err.text);
    }
    a->sketch = sketch;
}

Test(analysis, quantiles_are_compared_by_their_clustered_ranks)
{
    struct result r = made_result();
    struct metric_def def = { .quantile = 0.9 };
    struct snapshot_metric latency = {
        .key = STR("p90"), .name = STR("Latency"), .kind = STR("quantile"), .direction = STR("decrease"), .def = &def
    };
    struct result_metric *m = made_add(&r, &latency, "primary", none, none, none);
    m->kind = METRIC_QUANTILE;
    quantile_arm(&m->days[0].arms[0], 100, 0.9);
    quantile_arm(&m->days[0].arms[1], 90, 0.9);
    struct analysis a = made_analysis(&r);
    const struct analysed *c = analysis_of(&a, 0, 1);
    cr_assert(c->compared, "%.*s", (int)c->reason.n, c->reason.p);
    cr_assert(epsilon_eq(dbl, c->c.difference, -10, 1));
    cr_assert(eq(int, c->outcome, OUTCOME_BETTER));
    cr_assert(strstr(c->method, "quantiles") != NULL, "%s", c->method);
}

/* ---- families ---- */

static struct result three(double d_b, double d_c, double s_b, double s_c)
{
    struct result r = made_result();
    experiment.variants_count = 3;
    (void)made_add(&r, &made_revenue, "primary", mean(5000, 10, 4), mean(5000, 10 + d_b, 4), mean(5000, 10 + d_c, 4));
    (void)made_add(&r, &made_ctr, "secondary", share(5000, 1000), share(5000, (int64_t)(1000 + s_b)),
                   share(5000, (int64_t)(1000 + s_c)));
    (void)made_add(&r, &made_zero, "guardrail", rate(5000, 0.1), rate(5000, 0.1), rate(5000, 0.13));
    return r;
}

Test(families, treatments_share_alpha_and_secondary_metrics_wait_for_primary_ones)
{
    struct result r = three(0.4, 0.02, 200, 200);
    struct analysis a = made_analysis(&r);
    const struct analysed *b = analysis_of(&a, 0, 1), *b2 = analysis_of(&a, 1, 1), *c2 = analysis_of(&a, 1, 2);
    cr_assert(epsilon_eq(dbl, exp(b->log_p_adjusted), 2 * b->c.p, 1e-9));
    cr_assert(eq(int, b->outcome, OUTCOME_BETTER));
    cr_assert(eq(int, b2->outcome, OUTCOME_BETTER));
    cr_assert(lt(dbl, c2->c.p, 1e-4));
    cr_assert(eq(int, c2->outcome, OUTCOME_NO_DIFFERENCE)); /* its primary metric was not shown */
    cr_assert(epsilon_eq(dbl, b->alpha_adjusted, 0.025, 1e-12));
    cr_assert(lt(dbl, b->adjusted.ci_lo, b->c.ci_lo));
}

Test(families, secondary_metrics_wait_for_a_primary_one_that_cannot_be_compared)
{
    struct result r = made_result();
    (void)made_add(&r, &made_revenue, "primary", mean(5000, 10, 0), mean(5000, 10, 0), none);
    (void)made_add(&r, &made_ctr, "secondary", share(5000, 1000), share(5000, 1300), none);
    struct analysis a = made_analysis(&r);
    cr_assert(not(analysis_of(&a, 0, 1)->compared));
    cr_assert(eq(int, analysis_of(&a, 1, 1)->outcome, OUTCOME_NO_DIFFERENCE));
    cr_assert(eq(dbl, analysis_of(&a, 1, 1)->log_p_adjusted, 0));
}

Test(families, guardrails_do_not_wait)
{
    struct result r = three(0, 0, 0, 0);
    struct analysis a = made_analysis(&r);
    cr_assert(eq(int, analysis_of(&a, 2, 2)->outcome, OUTCOME_WORSE));
    cr_assert(eq(int, analysis_of(&a, 2, 2)->family, TEST_GUARDRAIL));
    cr_assert(eq(int, analysis_of(&a, 2, 1)->outcome, OUTCOME_NO_DIFFERENCE));
}

Test(families, holm_and_bh_read_all_metrics_together)
{
    struct result r = three(0.4, 0.02, 200, 200);
    experiment.multiplicity = MULTIPLICITY_HOLM;
    struct analysis holm = made_analysis(&r);
    const struct analysed *b = analysis_of(&holm, 0, 1), *c = analysis_of(&holm, 0, 2);
    cr_assert(eq(sz, b->family_size, 4));
    cr_assert(eq(int, analysis_of(&holm, 1, 2)->outcome, OUTCOME_BETTER));
    cr_assert(epsilon_eq(dbl, exp(c->log_p_adjusted), c->c.p, 1e-9)); /* the largest */
    cr_assert(epsilon_eq(dbl, b->alpha_adjusted, 0.0125, 1e-12));
    experiment.multiplicity = MULTIPLICITY_BH;
    struct analysis bh = made_analysis(&r);
    cr_assert(epsilon_eq(dbl, analysis_of(&bh, 0, 1)->alpha_adjusted, 0.05 * 3 / 4, 1e-12));
    experiment.multiplicity = MULTIPLICITY_NONE;
    struct analysis alone = made_analysis(&r);
    cr_assert(epsilon_eq(dbl, exp(analysis_of(&alone, 0, 1)->log_p_adjusted), b->c.p, 1e-12));
}

/* ---- margins, belief, bandits ---- */

static struct compare_inferiority guarded(double margin, double treatment_rate)
{
    struct result r = means(0.5);
    (void)made_add(&r, &made_zero, "guardrail", rate(20000, 0.1), rate(20000, treatment_rate), none);
    experiment.metrics[1].margin = margin;
    struct analysis a = made_analysis(&r);
    cr_assert(analysis_of(&a, 1, 1)->has_margin);
    return analysis_of(&a, 1, 1)->inferiority;
}

Test(margins, a_guardrail_is_shown_within_beyond_or_neither)
{
    cr_assert(guarded(0.2, 0.1).not_worse);
    struct compare_inferiority near = guarded(0.02, 0.101);
    cr_assert(not(near.not_worse));
    cr_assert(not(near.worse));
    cr_assert(guarded(0.02, 0.12).worse);
}

Test(belief, it_follows_the_metrics_direction)
{
    struct result r = made_result();
    (void)made_add(&r, &made_zero, "primary", rate(5000, 0.12), rate(5000, 0.10), none);
    struct analysis a = made_analysis(&r);
    const struct belief *b = &analysis_of(&a, 0, 1)->belief;
    cr_assert(gt(dbl, b->win, 0.99));
    cr_assert(lt(dbl, b->loss_ship, b->loss_keep));
    cr_assert(lt(dbl, b->hi, 0));
}

/* The better day came to one arm more often: a pooled mean sees an effect that no day has. */
Test(bandit, arms_are_compared_within_days_of_first_exposure)
{
    struct result r = made_result();
    struct moments2 a = mean(4000, 5, 2), b = mean(1000, 5, 2), a2 = mean(1000, 9, 2), b2 = mean(4000, 9, 2);
    struct moments2 all_a = a, all_b = b;
    double weights[2] = { 0.2, 0.8 };
    moments2_merge(&all_a, &a2);
    moments2_merge(&all_b, &b2);
    struct result_metric *m = made_add(&r, &made_revenue, "primary", all_a, all_b, none);
    struct result_arm monday[2] = { { .m = a }, { .m = b } }, sunday[2] = { { .m = a2 }, { .m = b2 } };
    struct result_part parts[2] = { { .number = 1, .arms = monday }, { .number = 2, .arms = sunday } };
    experiment.kind = EXPERIMENT_BANDIT;
    experiment.live_weights = weights;
    m->parts[RESULT_COHORT].p = parts;
    m->parts[RESULT_COHORT].n = 2;
    struct analysis an = made_analysis(&r);
    const struct analysed *c = analysis_of(&an, 0, 1);
    cr_assert(eq(int, c->effect.by, EFFECT_PERIODS));
    cr_assert(epsilon_eq(dbl, c->c.difference, 0, 1e-9));
    cr_assert(gt(dbl, c->plain.difference, 2));
    cr_assert(eq(int, c->outcome, OUTCOME_NO_DIFFERENCE));
}
