#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "stats/compare.h"

#include "stats/sequential/confseq.h"

/* An arm of `n` units of which `x` have the event. */
static struct arm share(int64_t x, int64_t n)
{
    struct arm a = { .kind = METRIC_PROPORTION };
    for (int64_t i = 0; i < n; i++)
        moments2_add(&a.m, i < x, 0);
    return a;
}

static const struct compare_plan once = { 0.95, 0 };

static struct comparison compared(struct arm c, struct arm t)
{
    struct comparison out;
    struct err err;
    cr_assert(stats_compare(&c, &t, &once, &out, &err), "%s", err.text);
    return out;
}

static struct arm_value value_of(struct arm a)
{
    struct arm_value out;
    struct err err;
    cr_assert(stats_arm_value(&a, 0.95, &out, &err), "%s", err.text);
    return out;
}

static void refused(bool answered, const struct err *err, const char *text)
{
    cr_assert(not(answered));
    cr_assert(eq(str, err->text, text));
}

Test(compare, a_share_is_counted_and_has_wilsons_interval)
{
    struct arm_value v = value_of(share(15, 120));
    cr_assert(epsilon_eq(dbl, v.value, 0.125, 1e-14));
    cr_assert(epsilon_eq(dbl, v.numerator, 15, 1e-10));
    cr_assert(eq(dbl, v.denominator, 120));
    cr_assert(epsilon_eq(dbl, v.ci_lo, 0.07723497273395374, 1e-12)); /* scipy.stats.binomtest(15, 120), method wilson */
    cr_assert(epsilon_eq(dbl, v.ci_hi, 0.1960294020800739, 1e-12));
    cr_assert(eq(str, v.method, "Wilson score interval"));
    cr_assert(eq(dbl, value_of(share(0, 50)).ci_lo, 0));
    cr_assert(eq(dbl, value_of(share(50, 50)).ci_hi, 1));
}

Test(compare, a_ratio_divides_the_sums)
{
    struct arm a = { .kind = METRIC_RATIO };
    struct draw d = { 8 };
    double x_sum = 0, y_sum = 0;
    for (int i = 0; i < 200; i++) {
        double y = 1 + draw_geometric(&d, 0.4), x = floor(y * draw_uniform(&d));
        moments2_add(&a.m, x, y);
        x_sum += x;
        y_sum += y;
    }
    struct arm_value v = value_of(a);
    cr_assert(epsilon_eq(dbl, v.value, x_sum / y_sum, 1e-13));
    cr_assert(epsilon_eq(dbl, v.numerator, x_sum, 1e-9));
    cr_assert(epsilon_eq(dbl, v.denominator, y_sum, 1e-9));
    cr_assert(v.ci_lo < v.value && v.value < v.ci_hi && v.se > 0);
}

Test(compare, a_mean_over_one_per_unit_equals_the_ratio_over_one)
{
    struct draw d = { 9 };
    struct arm mean[2] = { { .kind = METRIC_MEAN }, { .kind = METRIC_MEAN } }, ratio[2];
    for (int i = 0; i < 300; i++)
        moments2_add(&mean[i % 2].m, draw_exponential(&d) + i % 2, 1);
    for (int i = 0; i < 2; i++)
        ratio[i] = (struct arm){ .kind = METRIC_RATIO, .m = mean[i].m };
    struct comparison a = compared(mean[0], mean[1]), b = compared(ratio[0], ratio[1]);
    cr_assert(epsilon_eq(dbl, a.statistic, b.statistic, 1e-11));
    cr_assert(epsilon_eq(dbl, a.df, b.df, 1e-9));
    cr_assert(epsilon_eq(dbl, a.lift_lo, b.lift_lo, 1e-12));
}

Test(compare, lift_interval_difference_interval_and_p_always_agree)
{
    for (int64_t x = 0; x <= 60; x++) {
        struct comparison c = compared(share(25, 100), share(x, 90));
        bool rejected = c.p < 0.05;
        cr_assert(eq(int, rejected, c.ci_lo > 0 || c.ci_hi < 0));
        cr_assert(eq(int, (int)c.lift_kind, LIFT_BOUNDED));
        cr_assert(eq(int, rejected, c.lift_lo > 0 || c.lift_hi < 0), "%d of 90", (int)x);
        cr_assert(c.lift_lo <= c.lift && c.lift <= c.lift_hi);
        cr_assert(epsilon_eq(dbl, c.p, exp(c.log_p), 1e-15));
    }
}

Test(compare, a_control_that_may_be_zero_has_an_unbounded_lift)
{
    struct comparison c = compared(share(1, 40), share(9, 40));
    cr_assert(ne(int, (int)c.lift_kind, LIFT_BOUNDED));
    c = compared(share(0, 40), share(9, 40));
    cr_assert(eq(int, (int)c.lift_kind, LIFT_NONE));
    cr_assert(eq(dbl, c.lift, 0));
    cr_assert(c.p < 0.01);
}

Test(compare, refusals_say_why)
{
    struct comparison c;
    struct arm_value v;
    struct err err;
    struct arm one = share(1, 1), none = share(0, 0), zeros = share(0, 30), some = share(3, 30);
    struct arm no_queries = { .kind = METRIC_RATIO, .m = { .n = 9 } },
               strange = { .kind = METRIC_PROPORTION, .m = { .n = 9, .mean_x = 3 } };
    refused(stats_arm_value(&one, 0.95, &v, &err), &err, "the variant has 1 unit, at least 2 are needed");
    refused(stats_arm_value(&none, 0.95, &v, &err), &err, "the variant has no units, at least 2 are needed");
    refused(stats_arm_value(&no_queries, 0.95, &v, &err), &err,
            "the metric's denominator is 0: nothing that it counts has happened");
    refused(stats_arm_value(&strange, 0.95, &v, &err), &err, "the share 3 is not between 0 and 1");
    refused(stats_arm_value(&some, 1, &v, &err), &err, "level 1 is not between 0 and 1");
    refused(stats_compare(&one, &some, &once, &c, &err), &err,
            "control: the variant has 1 unit, at least 2 are needed");
    refused(stats_compare(&some, &none, &once, &c, &err), &err, "the variant has no units, at least 2 are needed");
    refused(stats_compare(&zeros, &zeros, &once, &c, &err), &err,
            "all units of both variants have the same value: there is no variance to compare with");
    cr_assert(not(stats_compare(&one, &some, &once, &c, NULL)));
}

Test(compare, srm_wants_units)
{
    struct srm s;
    struct err err;
    refused(stats_srm((const int64_t[]){ 0, 0 }, (const double[]){ 0.5, 0.5 }, 2, &s, &err), &err,
            "no unit has been exposed yet");
    cr_assert(stats_srm((const int64_t[]){ 10, 12 }, (const double[]){ 0.5, 0.5 }, 2, &s, &err));
    cr_assert(s.p > 0.5);
}

/* The reference: confseq.h itself, with the effect and standard error of the one look. */
Test(compare, any_time_is_the_confidence_sequence_of_the_same_effect)
{
    const struct compare_plan plan = { 0.95, 10000 };
    struct arm c = { .kind = METRIC_MEAN, .m = { .n = 4000, .mean_x = 2, .m2_x = 4000 * 9.0 } },
               t = { .kind = METRIC_MEAN, .m = { .n = 4200, .mean_x = 2.5, .m2_x = 4200 * 9.5 } };
    struct comparison one, any;
    struct confseq s;
    struct err err;
    double rho;
    cr_assert(stats_compare(&c, &t, &once, &one, &err), "%s", err.text);
    cr_assert(stats_compare(&c, &t, &plan, &any, &err), "%s", err.text);
    cr_assert(confseq_rho_exact(10000, 0.05, CONFSEQ_TWO, &rho, &err) &&
              confseq_asymptotic(one.difference, one.se, 8200, rho, 0.05, CONFSEQ_TWO, &s, &err));
    cr_assert(epsilon_eq(dbl, any.ci_lo, s.lo, 1e-12));
    cr_assert(epsilon_eq(dbl, any.ci_hi, s.hi, 1e-12));
    cr_assert(epsilon_eq(dbl, any.log_p, s.log_p, 1e-12));
    cr_assert(isnan(any.df));
    double wider = (any.ci_hi - any.ci_lo) / (one.ci_hi - one.ci_lo);
    cr_assert(wider > 1.3 && wider < 2, "looking at any time costs: %g times as wide", wider);
}

/* The lift's interval excludes 0 exactly when the test rejects, here as there. */
Test(compare, any_time_lift_and_test_agree)
{
    const struct compare_plan plan = { 0.95, 5000 };
    int rejected = 0;
    for (int i = 0; i < 400; i++) {
        struct arm c = { .kind = METRIC_MEAN, .m = { .n = 3000, .mean_x = 2, .m2_x = 3000 * 9.0 } },
                   t = { .kind = METRIC_MEAN, .m = { .n = 3000, .mean_x = 2 + 0.001 * i, .m2_x = 3000 * 9.0 } };
        struct comparison x;
        struct err err;
        cr_assert(stats_compare(&c, &t, &plan, &x, &err), "%s", err.text);
        bool outside = x.lift_kind == LIFT_BOUNDED && (x.lift_lo > 0 || x.lift_hi < 0);
        cr_assert(eq(int, outside, x.p < 0.05), "at %d: p %g", i, x.p);
        rejected += outside;
    }
    cr_assert(rejected > 50 && rejected < 350, "%d", rejected);
}

Test(compare, any_time_wants_some_units)
{
    const struct compare_plan plan = { 0.95, 10000 };
    struct arm few = { .kind = METRIC_MEAN, .m = { .n = COMPARE_UNITS_MIN - 1, .mean_x = 2, .m2_x = 90 } },
               many = { .kind = METRIC_MEAN, .m = { .n = COMPARE_UNITS_MIN, .mean_x = 2, .m2_x = 90 } };
    struct comparison c;
    struct err err;
    refused(stats_compare(&few, &many, &plan, &c, &err), &err, "too early to look: a variant has fewer than 100 units");
    refused(stats_compare(&many, &few, &plan, &c, &err), &err, "too early to look: a variant has fewer than 100 units");
    cr_assert(stats_compare(&many, &many, &plan, &c, &err));
}
