#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

#include "draw.h"
#include "stats/bandit.h"
#include "stats/ratio.h"
#include "stats/special/special.h"

static struct best chances(enum best_family family, const struct best_arm *arms, size_t n)
{
    struct best out;
    struct err err;
    cr_assert(best_chances(family, arms, n, &out, &err), "%s", err.text);
    return out;
}

static struct bandit_beliefs believed(enum metric_kind kind, const struct moments2 *cells, size_t periods, size_t n)
{
    struct bandit_beliefs out;
    struct err err;
    cr_assert(bandit_believe(kind, cells, periods, n, false, &out, &err), "%s", err.text);
    return out;
}

static struct moments2 clicks(int64_t n, int64_t yes)
{
    double p = (double)yes / (double)n;
    return (struct moments2){ .n = n, .mean_x = p, .m2_x = (double)n * p * (1 - p) };
}

/* P(B > A) of two normal arms is Φ of their difference over its standard deviation, at any distance. */
Test(best, two_normal_arms_have_the_closed_form)
{
    const double gaps[] = { 0, 0.5, 3, 12, 60, 1000, 1e4 }, sds[] = { 1e-6, 0.02, 1, 3 };
    for (size_t g = 0; g < 7; g++) {
        for (size_t s = 0; s < 4; s++) {
            struct best b = chances(BEST_NORMAL, (const struct best_arm[]){ { 5 - gaps[g], sds[s] }, { 5, 1 } }, 2);
            double expected = special_log_normal_q(gaps[g] / hypot(sds[s], 1));
            cr_assert(epsilon_eq(dbl, b.log_p[0], expected, 1e-9 * (1 + fabs(expected))), "gap %g, sd %g: %.12g",
                      gaps[g], sds[s], b.log_p[0]);
            cr_assert(epsilon_eq(dbl, b.second[0], b.p[1], 1e-9));
        }
    }
}

/* P(U > X) = 1 - E X for U uniform on 0 to 1. */
Test(best, a_uniform_arm_has_the_closed_form)
{
    for (int i = 0; i < 8; i++) {
        double n = pow(9, i);
        struct best b = chances(BEST_BETA, (const struct best_arm[]){ { n, 3 * n }, { 1, 1 } }, 2);
        cr_assert(epsilon_eq(dbl, b.p[1], 0.75, 1e-11), "n %g: %.15g", n, b.p[1]);
    }
}

Test(best, arms_in_another_order_have_the_same_probabilities)
{
    struct draw d = { 3 };
    for (int round = 0; round < 40; round++) {
        struct best_arm arms[6], turned[6];
        for (size_t i = 0; i < 6; i++)
            arms[i] = (struct best_arm){ draw_normal(&d), exp(2 * draw_normal(&d)) };
        for (size_t i = 0; i < 6; i++)
            turned[i] = (struct best_arm){ 7 + 3 * arms[5 - i].a, 3 * arms[5 - i].b };
        struct best a = chances(BEST_NORMAL, arms, 6), b = chances(BEST_NORMAL, turned, 6);
        double best = 0, second = 0;
        for (size_t i = 0; i < 6; i++) {
            cr_assert(epsilon_eq(dbl, a.p[i], b.p[5 - i], 1e-12));
            cr_assert(epsilon_eq(dbl, a.second[i], b.second[5 - i], 1e-12));
            best += a.p[i];
            second += a.second[i];
        }
        cr_assert(epsilon_eq(dbl, best, 1, 1e-14));
        cr_assert(epsilon_eq(dbl, second, 1, 1e-10));
    }
}

Test(best, what_cannot_be_answered_is_refused_and_no_nan_leaves)
{
    struct draw d = { 4 };
    struct best out;
    struct err err;
    for (int round = 0; round < 2000; round++) {
        struct best_arm arms[3];
        enum best_family family = round % 2 ? BEST_BETA : BEST_NORMAL;
        for (size_t i = 0; i < 3; i++)
            arms[i] = (struct best_arm){ exp(8 * draw_normal(&d)), exp(8 * draw_normal(&d)) };
        if (!best_chances(family, arms, 3, &out, &err)) {
            cr_assert(eq(int, err.kind, ERR_INVALID), "%s", err.text);
            continue;
        }
        for (size_t i = 0; i < 3; i++) {
            cr_assert(out.p[i] >= 0 && out.p[i] <= 1 && out.log_p[i] <= 0, "%zu: %g %g", i, out.p[i], out.log_p[i]);
            cr_assert(out.second[i] >= 0 && out.second[i] <= 1 + 1e-9, "round %d: %.17g %g,%g %g,%g %g,%g", round,
                      out.second[i], arms[0].a, arms[0].b, arms[1].a, arms[1].b, arms[2].a, arms[2].b);
        }
    }
    const struct best_arm arms[] = { { 0, 1 }, { NAN, 1 }, { 1, 0 } };
    cr_assert(not(best_chances(BEST_NORMAL, arms, 2, &out, &err)));
    cr_assert(not(best_chances(BEST_NORMAL, arms + 1, 2, &out, &err)));
    cr_assert(not(best_chances(BEST_NORMAL, arms, 1, &out, &err)));
    cr_assert(not(best_chances(BEST_BETA, (const struct best_arm[]){ { 1e14, 1 }, { 1, 1 } }, 2, &out, &err)));
}

Test(bandit, a_share_of_units_is_a_beta_posterior_from_the_uniform_prior)
{
    struct moments2 cells[] = { clicks(100, 7), clicks(90, 0), clicks(50, 50) };
    struct bandit_beliefs b = believed(METRIC_PROPORTION, cells, 1, 3), mirrored;
    const double shapes[3][2] = { { 8, 94 }, { 1, 91 }, { 51, 1 } };
    struct err err;
    cr_assert(bandit_believe(METRIC_PROPORTION, cells, 1, 3, true, &mirrored, &err));
    cr_assert(eq(int, b.family, BEST_BETA));
    for (size_t i = 0; i < 3; i++) {
        cr_assert(epsilon_eq(dbl, b.arms[i].a, shapes[i][0], 1e-9));
        cr_assert(epsilon_eq(dbl, b.arms[i].b, shapes[i][1], 1e-9));
        cr_assert(epsilon_eq(dbl, mirrored.arms[i].a, shapes[i][1], 1e-9));
        cr_assert(eq(dbl, mirrored.values[i], b.values[i]));
    }
}

Test(bandit, a_million_units_switch_from_beta_to_normal_without_a_jump)
{
    struct moments2 below[] = { clicks(19000000, 999000), clicks(19000000, 999900) };
    struct moments2 above[] = { clicks(19040000, 1001100), clicks(19040000, 1002001) };
    struct bandit_beliefs b = believed(METRIC_PROPORTION, below, 1, 2), n = believed(METRIC_PROPORTION, above, 1, 2);
    cr_assert(eq(int, b.family, BEST_BETA));
    cr_assert(eq(int, n.family, BEST_NORMAL));
    cr_assert(epsilon_eq(dbl, chances(b.family, b.arms, 2).p[0], chances(n.family, n.arms, 2).p[0], 1e-3));
}

/* Buyers come in the second period, in which arm 0 got nearly all units: pooled it looks better, within each period it is worse. */
Test(bandit, periods_keep_a_moving_baseline_out)
{
    struct moments2 cells[] = { clicks(1000, 100), clicks(9000, 990), clicks(9000, 3600), clicks(1000, 420) };
    struct moments2 pooled[] = { cells[0], cells[1] };
    moments2_merge(&pooled[0], &cells[2]);
    moments2_merge(&pooled[1], &cells[3]);
    struct bandit_beliefs by_period = believed(METRIC_PROPORTION, cells, 2, 2),
                          all = believed(METRIC_PROPORTION, pooled, 1, 2);
    cr_assert(gt(dbl, all.values[0], all.values[1]));
    cr_assert(epsilon_eq(dbl, by_period.values[0], 0.25, 1e-12));
    cr_assert(epsilon_eq(dbl, by_period.values[1], 0.265, 1e-12));
    cr_assert(eq(sz, by_period.periods, 2));
    cr_assert(lt(dbl, chances(by_period.family, by_period.arms, 2).p[0], 0.1));
    cr_assert(gt(dbl, chances(all.family, all.arms, 2).p[0], 0.99));
}

Test(bandit, periods_with_few_units_go_together)
{
    struct moments2 cells[] = { clicks(5, 1),  clicks(500, 50), clicks(5, 2),  clicks(400, 44), clicks(30, 3),
                                clicks(90, 9), clicks(40, 9),   clicks(60, 8), clicks(3, 1),    clicks(3, 0) };
    struct bandit_beliefs b = believed(METRIC_PROPORTION, cells, 5, 2);
    cr_assert(eq(sz, b.periods, 2)); /* 1 to 3, 4 and 5 */
    cr_assert(eq(i64, b.units[0], 83));
    double late = (100.0 + 6) / 1136, early = 1 - late;
    cr_assert(epsilon_eq(dbl, b.values[0], early * 6 / 40 + late * 10 / 43, 1e-12));
    cr_assert(epsilon_eq(dbl, b.values[1], early * 103 / 990 + late * 8 / 63, 1e-12));
    cr_assert(eq(sz, believed(METRIC_PROPORTION, cells, 2, 2).periods, 1)); /* never enough: all is one */
}

Test(bandit, one_period_of_a_ratio_is_the_delta_method)
{
    struct draw d = { 6 };
    struct moments2 cells[2] = { 0 };
    for (int i = 0; i < 400; i++) {
        double queries = 1 + draw_geometric(&d, 0.4);
        moments2_add(&cells[i % 2], floor(queries * draw_uniform(&d)), queries);
    }
    struct bandit_beliefs b = believed(METRIC_RATIO, cells, 1, 2);
    for (size_t i = 0; i < 2; i++) {
        struct estimate e;
        cr_assert(ratio_estimate(&cells[i], &e, NULL));
        cr_assert(epsilon_eq(dbl, b.values[i], e.value, 1e-13));
        cr_assert(epsilon_eq(dbl, b.sd[i], sqrt(e.variance), 1e-13));
    }
}

Test(bandit, an_arm_whose_units_are_alike_borrows_their_spread)
{
    struct moments2 cells[] = { { .n = 100 }, { .n = 300, .mean_x = 1, .m2_x = 299 } };
    struct bandit_beliefs b = believed(METRIC_MEAN, cells, 1, 2), out;
    struct err err;
    cr_assert(epsilon_eq(dbl, b.sd[1], sqrt(1 / 300.0), 1e-12));
    cr_assert(epsilon_eq(dbl, b.sd[0], sqrt(300 / 400.0 / 100), 1e-12));
    cells[1].m2_x = 0;
    cr_assert(not(bandit_believe(METRIC_MEAN, cells, 1, 2, false, &out, &err)));
    cr_assert(strstr(err.text, "nothing to learn from") != NULL, "%s", err.text);
    cells[0].n = 1;
    cr_assert(not(bandit_believe(METRIC_MEAN, cells, 1, 2, false, &out, &err)));
}

Test(bandit, smaller_is_better_for_latency)
{
    struct moments2 cells[] = { { .n = 50, .mean_x = 3, .m2_x = 49 }, { .n = 50, .mean_x = 2, .m2_x = 49 } };
    struct bandit_beliefs b;
    struct bandit_decision d;
    struct err err;
    cr_assert(bandit_believe(METRIC_MEAN, cells, 1, 2, true, &b, &err));
    for (int policy = 0; policy < BANDIT_POLICY_COUNT; policy++) {
        struct bandit_rule rule = { (enum bandit_policy)policy, 0.05, 0.1, 0.9 };
        cr_assert(bandit_decide(&rule, &b, &d, &err));
        cr_assert(gt(dbl, d.weights[1], 0.75), "%s", bandit_policy_names[policy]);
    }
}

/* Whatever the weights and the floor: whole steps, a sum of exactly 10000 of them, no arm below the floor, the order kept. */
Test(bandit, rounding_keeps_the_sum_the_floor_and_the_order)
{
    struct draw d = { 9 };
    for (int round = 0; round < 20000; round++) {
        size_t n = 2 + (size_t)(draw_uniform(&d) * 18);
        double w[20], before[20], sum = 0, floor = draw_uniform(&d) / (double)n;
        int steps = 0;
        for (size_t i = 0; i < n; i++)
            sum += w[i] = pow(draw_uniform(&d), 20);
        for (size_t i = 0; i < n; i++)
            w[i] /= sum;
        bandit_floor(w, n, floor);
        memcpy(before, w, sizeof w);
        bandit_round(w, n, floor);
        for (size_t i = 0; i < n; i++) {
            int whole = (int)lround(w[i] * BANDIT_STEPS);
            steps += whole;
            cr_assert(eq(dbl, w[i], (double)whole / BANDIT_STEPS));
            cr_assert(whole >= BANDIT_STEPS / (int)n || whole >= floor * BANDIT_STEPS - 1e-6);
            cr_assert(w[i] - before[i] <= 1.0001 / BANDIT_STEPS);
            cr_assert(before[i] - w[i] <= 1.0001 * n / BANDIT_STEPS); /* when all others are raised to the floor */
            for (size_t j = 0; j < i; j++)
                cr_assert(ge(dbl, (before[i] - before[j]) * (w[i] - w[j]), 0));
        }
        cr_assert(eq(int, steps, BANDIT_STEPS));
    }
}

Test(bandit, top_two_is_a_distribution_also_when_one_arm_has_all)
{
    const double gaps[] = { 0, 1, 10, 100, 1e5 };
    for (size_t g = 0; g < 5; g++) {
        struct best b = chances(BEST_NORMAL, (const struct best_arm[]){ { 0, 1 }, { gaps[g], 1 }, { -gaps[g], 1 } }, 3);
        double w[3];
        bandit_top_two(&b, 0.5, w);
        cr_assert(epsilon_eq(dbl, w[0] + w[1] + w[2], 1, 1e-12));
        cr_assert(g < 3 || fabs(w[1] - 0.5) < 1e-12); /* the leader half of the time, its first rival the other */
    }
}
