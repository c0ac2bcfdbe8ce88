#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "stats/ranking/similar.h"

static struct similar of(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b, double p)
{
    struct similar s;
    struct err err;
    cr_assert(similar_lists(a, n_a, b, n_b, p, &s, &err), "%s", err.text);
    return s;
}

static const uint32_t list[] = { 4, 8, 15, 16, 23, 42 }, other[] = { 1, 2, 3, 5, 6, 7 };

Test(similar, equal_lists_are_1_and_strangers_0)
{
    struct similar same = of(list, 6, list, 6, 0.9), none = of(list, 6, other, 6, 0.9),
                   empty = of(list, 0, list, 0, 0.9);
    cr_assert(epsilon_eq(dbl, same.rbo_truncated, 1, 1e-14));
    cr_assert(epsilon_eq(dbl, same.rbo, 1, 1e-14));
    cr_assert(eq(dbl, same.jaccard, 1));
    cr_assert(eq(dbl, same.overlap, 1));
    cr_assert(eq(sz, same.common, 6));
    cr_assert(eq(dbl, none.rbo_truncated, 0));
    cr_assert(eq(dbl, none.rbo, 0));
    cr_assert(eq(dbl, none.jaccard, 0));
    cr_assert(eq(dbl, empty.rbo, 0));
    cr_assert(eq(dbl, of(list, 6, list, 0, 0.9).rbo, 0));
    cr_assert(eq(dbl, of(list, 6, list, 0, 0.9).jaccard, 0));
}

/* Two documents swapped, p 1/2: agreements 0, 1; truncated (1/2)/(3/4) (0 + 1/2) = 1/3; extrapolated (1/2)(1/2) + 1/4 = 1/2. */
Test(similar, by_hand)
{
    const uint32_t a[] = { 1, 2 }, b[] = { 2, 1 }, c[] = { 1 };
    struct similar s = of(a, 2, b, 2, 0.5), u = of(a, 2, c, 1, 0.5);
    cr_assert(epsilon_eq(dbl, s.rbo_truncated, 1.0 / 3, 1e-15));
    cr_assert(epsilon_eq(dbl, s.rbo, 0.5, 1e-15));
    cr_assert(epsilon_eq(dbl, u.rbo_truncated, 2.0 / 3 * (1 + 0.25), 1e-15));
    /* X_1 = X_2 = 1, s 1, l 2: (1/2)(1 + 1/4 + 1/4) + (0 + 1)/4 */
    cr_assert(epsilon_eq(dbl, u.rbo, 1, 1e-15));
    cr_assert(eq(dbl, u.jaccard, 0.5));
    cr_assert(eq(dbl, u.overlap, 0.5));
}

/* Symmetric, within 0 and 1, and higher when a change is lower in the list. */
Test(similar, symmetric_and_top_weighted)
{
    struct draw d = { 3 };
    for (int round = 0; round < 300; round++) {
        uint32_t a[8], b[6];
        for (uint32_t i = 0; i < 8; i++)
            a[i] = i;
        for (size_t i = 0; i < 6; i++)
            b[i] = (uint32_t)(i * 2 + draw_u64(&d) % 2);
        struct similar x = of(a, 8, b, 6, 0.8), y = of(b, 6, a, 8, 0.8);
        cr_assert(epsilon_eq(dbl, x.rbo, y.rbo, 1e-15));
        cr_assert(epsilon_eq(dbl, x.rbo_truncated, y.rbo_truncated, 1e-15));
        cr_assert(ge(dbl, x.rbo, 0));
        cr_assert(le(dbl, x.rbo, 1 + 1e-15));
        cr_assert(le(dbl, x.rbo_truncated, 1 + 1e-15));
    }
    const uint32_t top[] = { 8, 4, 15, 16, 23, 42 }, low[] = { 4, 8, 15, 16, 42, 23 };
    cr_assert(gt(dbl, of(list, 6, low, 6, 0.9).rbo, of(list, 6, top, 6, 0.9).rbo));
}

Test(similar, a_frequent_item_weighs_more)
{
    const uint64_t a[] = { 8, 2, 0 }, b[] = { 6, 0, 4 };
    cr_assert(epsilon_eq(dbl, similar_frequency(a, b, 3), 0.7, 1e-15)); /* (0.8 + 0.6)/2 of 1 */
    cr_assert(eq(dbl, similar_frequency(a, a, 3), 1));
    cr_assert(eq(dbl, similar_frequency(a, (uint64_t[]){ 0, 0, 0 }, 3), 0));
}

Test(similar, a_persistence_is_between_0_and_1)
{
    struct similar s;
    struct err err;
    cr_assert(not(similar_lists(list, 6, list, 6, 1, &s, &err)));
    cr_assert(eq(str, err.text, "p is 1, not between 0 and 1"));
    cr_assert(not(similar_lists(list, 6, list, 6, NAN, &s, &err)));
}
