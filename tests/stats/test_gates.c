#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/multiple/gates.h"

static const double four[] = { 0.01, 0.02, 0.03, 0.2 };

static void logs(const double *p, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = log(p[i]);
}

Test(gates, weights_share_alpha)
{
    const double weights[] = { 4, 2, 1, 1 }, holm_of[] = { 0.02, 0.04, 0.06, 0.2 },
                 bonferroni_of[] = { 0.02, 0.08, 0.24, 1 };
    struct family_rank ranks[4];
    struct err err;
    double log_p[4], holm[4], bonferroni[4];
    logs(four, 4, log_p);
    cr_assert(gates_weighted(log_p, weights, 4, ranks, holm, bonferroni, &err));
    for (int i = 0; i < 4; i++) {
        cr_assert(epsilon_eq(dbl, exp(holm[i]), holm_of[i], 1e-15));
        cr_assert(epsilon_eq(dbl, exp(bonferroni[i]), bonferroni_of[i], 1e-15));
    }
}

Test(gates, equal_weights_are_none_and_a_weight_of_zero_never_rejects)
{
    struct family_rank ranks[4];
    struct err err;
    double log_p[4], plain[4], holm[4], bonferroni[4];
    logs(four, 4, log_p);
    family_rank(log_p, 4, ranks);
    family_p(FAMILY_HOLM, ranks, 4, plain);
    cr_assert(gates_weighted(log_p, (const double[]){ 7, 7, 7, 7 }, 4, ranks, holm, bonferroni, &err));
    for (int i = 0; i < 4; i++)
        cr_assert(epsilon_eq(dbl, holm[i], plain[i], 1e-14));
    cr_assert(gates_weighted(log_p, (const double[]){ 0, 1, 1, 0 }, 4, ranks, holm, bonferroni, &err));
    cr_assert(eq(dbl, holm[0], 0));
    cr_assert(eq(dbl, bonferroni[0], 0));
    cr_assert(epsilon_eq(dbl, exp(holm[1]), 0.04, 1e-15));
    cr_assert(epsilon_eq(dbl, exp(holm[2]), 0.04, 1e-15));
}

Test(gates, a_family_waits_for_those_before)
{
    double first[2], second[3], third[1], before = -INFINITY;
    struct family_rank ranks[3];
    logs((const double[]){ 0.01, 0.02 }, 2, first);
    logs((const double[]){ 0.03, 0.001, 0.2 }, 3, second);
    logs((const double[]){ 0.04 }, 1, third);
    family_rank(first, 2, ranks);
    before = gates_family(ranks, 2, before, first);
    family_rank(second, 3, ranks);
    before = gates_family(ranks, 3, before, second);
    family_rank(third, 1, ranks);
    before = gates_family(ranks, 1, before, third);
    cr_assert(epsilon_eq(dbl, exp(first[0]), 0.02, 1e-15));
    cr_assert(epsilon_eq(dbl, exp(second[0]), 0.06, 1e-15));
    cr_assert(epsilon_eq(dbl, exp(second[1]), 0.02, 1e-15)); /* not below the primary's */
    cr_assert(epsilon_eq(dbl, exp(third[0]), 0.2, 1e-15));   /* the secondary failed: nothing after it is asked */
    cr_assert(eq(dbl, before, third[0]));
}

Test(gates, a_sequence_ends_at_the_first_that_fails)
{
    double p[4];
    logs((const double[]){ 0.01, 0.04, 0.03, 0.2 }, 4, p);
    gates_sequence(p, 4, p);
    cr_assert(epsilon_eq(dbl, exp(p[2]), 0.04, 1e-15));
}

Test(gates, e_values_reject_together)
{
    struct family_rank ranks[5];
    int64_t rejected[5];
    cr_assert(eq(sz, gates_e_bh((const double[]){ 0, 3.69, 1000, 4, 3.7 }, 5, 0.1, ranks, rejected), 4));
    cr_assert(eq(i64, rejected[0], 0));
    for (int i = 1; i < 5; i++)
        cr_assert(eq(i64, rejected[i], 1));
    cr_assert(eq(sz, gates_e_bh((const double[]){ 3.9, 0 }, 2, 0.05, ranks, rejected), 1));
    cr_assert(eq(sz, gates_e_bh((const double[]){ 3.6, 0 }, 2, 0.05, ranks, rejected), 0));
    cr_assert(eq(sz, gates_e_bh(NULL, 0, 0.05, ranks, rejected), 0));
}

Test(gates, refusals_say_why)
{
    struct family_rank ranks[2];
    struct err err;
    double holm[2], bonferroni[2], p[] = { -1, -2 };
    cr_assert(not(gates_weighted(p, (const double[]){ 0, 0 }, 2, ranks, holm, bonferroni, &err)));
    cr_assert(eq(str, err.text, "the weights sum to 0, not to a number above 0"));
    cr_assert(not(gates_weighted(p, (const double[]){ 1, -1 }, 2, ranks, holm, bonferroni, &err)));
    cr_assert(eq(str, err.text, "weight 2 is -1, not a number from 0"));
}
