/* Rules of a market basket: a table that can be counted by hand, the adjustment, limits and order. */
#include "trainer/kernels/items/rules.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

/* Ten baskets: 0 1 2 in four, 0 1 in two more, 2 alone in one, 0 alone in one, empty of these in two. */
static const uint32_t item_units[] = { 7, 6, 5 };
static const struct pair_sum pairs[] = { { (uint64_t)0 << 32 | 1, 6, 0 },
                                         { (uint64_t)0 << 32 | 2, 4, 0 },
                                         { (uint64_t)1 << 32 | 2, 4, 0 } };
static const struct pair_sum triples[] = { { (uint64_t)0 << 32 | 2, 4, 0 } };
static const struct rule_counts counts = { 10, 4, 3, item_units, pairs, triples, 3, 1 };

Test(rules, measures_by_hand)
{
    struct rule r[9];
    cr_assert(eq(sz, rules_count(&counts), 9));
    rules_make(&counts, r);
    cr_assert(eq(u32, r[0].first, 0));
    cr_assert(eq(u32, r[0].second, RULE_ONE));
    cr_assert(eq(u32, r[0].then, 1));
    cr_assert(epsilon_eq(dbl, r[0].measures[RULE_CONFIDENCE], 6.0 / 7, 1e-15));
    cr_assert(epsilon_eq(dbl, r[0].measures[RULE_LIFT], 60.0 / 42, 1e-15));
    cr_assert(epsilon_eq(dbl, r[0].measures[RULE_LEVERAGE], 0.6 - 0.42, 1e-15));
    cr_assert(epsilon_eq(dbl, r[0].measures[RULE_SUPPORT], 0.6, 1e-15));
    cr_assert(epsilon_eq(dbl, exp(r[0].log_p), 7.0 / 210, 1e-13)); /* all 6 of 7: C(7,6)/C(10,6) */
    cr_assert(epsilon_eq(dbl, r[1].measures[RULE_CONFIDENCE], 1, 1e-15));
    /* 0 and 2, then 1: who has both always has it, as who has 0 does in 6 of 7. */
    const struct rule *t = &r[7];
    cr_assert(eq(u32, t->first, 0));
    cr_assert(eq(u32, t->second, 2));
    cr_assert(eq(u32, t->then, 1));
    cr_assert(epsilon_eq(dbl, t->measures[RULE_CONFIDENCE], 1, 1e-15));
    cr_assert(epsilon_eq(dbl, t->improvement, 1 - 6.0 / 7, 1e-15));
    cr_assert(epsilon_eq(dbl, exp(t->log_p), 15.0 / 210, 1e-13)); /* C(6,4)/C(10,4) */
}

Test(rules, what_could_have_been)
{
    struct rule_counts c = counts;
    cr_assert(eq(dbl, rules_possible(&c), 3 * 2 + 3 * 1));
    c.min_count = 6; /* the third item can be in none */
    cr_assert(eq(dbl, rules_possible(&c), 2 * 1 + 0));
}

Test(rules, adjusted_over_all_that_could_have_been)
{
    struct rule r[4] = { { .log_p = log(0.01) }, { .log_p = log(0.04) }, { .log_p = log(0.03) }, { .log_p = 0 } };
    rules_adjust(r, 4, 4);
    cr_assert(epsilon_eq(dbl, exp(r[0].log_q), 0.04, 1e-15));
    cr_assert(epsilon_eq(dbl, exp(r[1].log_q), 0.04 * 4 / 3, 1e-15));
    cr_assert(epsilon_eq(dbl, exp(r[2].log_q), 0.04 * 4 / 3, 1e-15));
    cr_assert(epsilon_eq(dbl, exp(r[3].log_q), 1, 1e-15));
    rules_adjust(r, 4, 20);
    cr_assert(epsilon_eq(dbl, exp(r[0].log_q), 0.2, 1e-14));
    cr_assert(epsilon_eq(dbl, exp(r[1].log_q), 0.04 * 20 / 3, 1e-14));
    cr_assert(epsilon_eq(dbl, exp(r[3].log_q), 1, 1e-15));
}

static struct rule rule(uint32_t first, uint32_t second, uint32_t then, double confidence, double lift, double q)
{
    return (struct rule){ .first = first,
                          .second = second,
                          .then = then,
                          .measures = { confidence, lift, 0, 0 },
                          .improvement = 0.1,
                          .log_q = log(q) };
}

Test(rules, chosen_and_ordered)
{
    const struct rule_limits limits = { .min_confidence = 0.2, .min_lift = 1, .max_q = 0.05, .by = RULE_CONFIDENCE };
    struct rule r[] = { rule(2, RULE_ONE, 1, 0.5, 2, 0.01), rule(1, 2, 0, 0.9, 2, 0.01),
                        rule(1, RULE_ONE, 0, 0.3, 2, 0.01), rule(1, RULE_ONE, 3, 0.3, 2, 0.01),
                        rule(1, RULE_ONE, 2, 0.4, 2, 0.01), rule(1, RULE_ONE, 4, 0.9, 2, 0.06),
                        rule(1, RULE_ONE, 5, 0.9, 1, 0.01), rule(1, RULE_ONE, 6, 0.1, 2, 0.01),
                        rule(1, 3, 0, 0.9, 2, 0.01) };
    r[8].improvement = 0;
    cr_assert(eq(sz, rules_choose(r, COUNT_OF(r), &limits), 5));
    static const uint32_t want[][3] = {
        { 1, RULE_ONE, 2 }, { 1, RULE_ONE, 0 }, { 1, RULE_ONE, 3 }, { 1, 2, 0 }, { 2, RULE_ONE, 1 }
    };
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        cr_assert(eq(u32, r[i].first, want[i][0]));
        cr_assert(eq(u32, r[i].second, want[i][1]));
        cr_assert(eq(u32, r[i].then, want[i][2]));
    }
}
