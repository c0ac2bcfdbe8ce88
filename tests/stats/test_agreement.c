/* Agreement of judges: values of SciPy's kendalltau and of the definition in NumPy, and what there is nothing to say of. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "stats/ranking/agreement.h"

Test(agreement, kappa_of_a_table)
{
    const uint64_t counts[] = { 11, 3, 1, 0, 2, 7, 4, 1, 0, 3, 9, 5, 1, 0, 2, 14 };
    double k;
    cr_assert(agreement_kappa(counts, 4, &k));
    cr_assert(epsilon_eq(dbl, k, 0.7777777777777778, 1e-15));
}

Test(agreement, kappa_is_one_when_they_agree_and_less_than_none_when_they_do_the_contrary)
{
    const uint64_t same[] = { 5, 0, 0, 5 }, opposite[] = { 0, 5, 5, 0 }, chance[] = { 4, 4, 4, 4 };
    double k;
    cr_assert(agreement_kappa(same, 2, &k));
    cr_assert(eq(dbl, k, 1));
    cr_assert(agreement_kappa(opposite, 2, &k));
    cr_assert(eq(dbl, k, -1));
    cr_assert(agreement_kappa(chance, 2, &k));
    cr_assert(eq(dbl, k, 0));
}

Test(agreement, kappa_says_nothing_of_one_grade_or_no_judgment)
{
    const uint64_t one[] = { 0, 0, 0, 9 }, none[] = { 0, 0, 0, 0 };
    double k;
    cr_assert(not(agreement_kappa(one, 2, &k)));
    cr_assert(not(agreement_kappa(none, 2, &k)));
}

Test(agreement, tau_b_counts_ties_of_one_side_and_pairs_within_queries)
{
    const double x[] = { 0, 1, 1, 2, 3, 3, 2, 0 }, y[] = { .1, .4, .4, .3, .9, .8, .4, .1 };
    struct order_agreement a = { 0 };
    double tau;
    agreement_add(&a, x, y, 8);
    cr_assert(agreement_tau(&a, &tau));
    cr_assert(epsilon_eq(dbl, tau, 0.75, 1e-12));
    struct order_agreement b = { 0 };
    agreement_add(&b, x, y, 4);
    agreement_add(&b, x + 4, y + 4, 4);
    cr_assert(
        eq(u64, b.concordant + b.discordant + b.tied_x + b.tied_y, 11)); /* of 12 pairs one is tied on both sides */
    struct order_agreement none = { 0 };
    const double same[] = { 2, 2 };
    agreement_add(&none, same, y, 2);
    cr_assert(not(agreement_tau(&none, &tau)));
}
