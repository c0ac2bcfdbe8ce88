#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/exact.h"
#include "stats/proportion.h"
#include "stats/score.h"

#define Z 1.959963984540054

static struct proportions failures_of(const struct proportions *c)
{
    return (struct proportions){ c->n_c - c->x_c, c->n_c, c->n_t - c->x_t, c->n_t };
}

static const struct proportions tables[] = {
    { 15, 120, 24, 118 }, { 0, 25, 4, 30 },         { 1, 5, 4, 6 },
    { 48, 50, 49, 50 },   { 700, 1000, 740, 1010 }, { 999990, 1000000, 999997, 1000000 },
};
enum { TABLES = sizeof tables / sizeof *tables };

Test(proportion, wilsons_ends_are_where_the_score_test_is_critical)
{
    for (double x = 0; x <= 40; x++) {
        struct interval i = proportion_wilson(x / 40, 40, Z);
        if (x > 0)
            cr_assert(epsilon_eq(dbl, (x / 40 - i.lo) / sqrt(i.lo * (1 - i.lo) / 40), Z, 1e-10));
        else
            cr_assert(eq(dbl, i.lo, 0));
        if (x < 40)
            cr_assert(epsilon_eq(dbl, (i.hi - x / 40) / sqrt(i.hi * (1 - i.hi) / 40), Z, 1e-10));
        else
            cr_assert(eq(dbl, i.hi, 1));
    }
}

Test(proportion, a_difference_at_1e12_units_is_exact)
{
    struct proportions c = { INT64_C(100000000000), INT64_C(1000000000000), INT64_C(100000000001),
                             INT64_C(1000000000000) };
    cr_assert(eq(dbl, proportion_difference(&c), 1e-12)); /* 0.100000000001 - 0.1 has four digits */
}

Test(proportion, counting_failures_mirrors_the_intervals)
{
    for (int i = 0; i < TABLES; i++) {
        struct proportions f = failures_of(&tables[i]);
        struct interval a = proportion_newcombe(&tables[i], Z), b = proportion_newcombe(&f, Z);
        cr_assert(epsilon_eq(dbl, a.lo, -b.hi, 1e-14));
        a = score_miettinen_nurminen(&tables[i], Z);
        b = score_miettinen_nurminen(&f, Z);
        cr_assert(epsilon_eq(dbl, a.lo, -b.hi, 1e-12));
        cr_assert(epsilon_eq(dbl, a.hi, -b.lo, 1e-12));
        cr_assert(epsilon_eq(dbl, proportion_g(&tables[i]), proportion_g(&f), 1e-9));
        cr_assert(epsilon_eq(dbl, proportion_se_pooled(&tables[i]), proportion_se_pooled(&f), 1e-15));
    }
}

/* Mee's interval and the pooled z are the same test at a difference of 0: one excludes 0 when the other rejects. */
Test(proportion, mees_interval_agrees_with_the_pooled_test)
{
    for (int64_t x = 0; x <= 60; x++) {
        struct proportions c = { 20, 60, x, 60 };
        struct interval i = score_mee(&c, Z);
        bool rejected = fabs(proportion_difference(&c)) > Z * proportion_se_pooled(&c);
        cr_assert(eq(int, i.lo > 0 || i.hi < 0, rejected), "%d of 60", (int)x);
        cr_assert(i.lo >= -1 && i.hi <= 1 && i.lo <= proportion_difference(&c) && i.hi >= proportion_difference(&c));
    }
}

Test(proportion, koopmans_interval_agrees_with_the_pooled_test)
{
    for (int64_t x = 1; x <= 60; x++) {
        struct proportions c = { 20, 60, x, 60 };
        struct interval i;
        cr_assert(score_koopman(&c, Z, &i));
        bool rejected = fabs(proportion_difference(&c)) > Z * proportion_se_pooled(&c);
        cr_assert(eq(int, i.lo > 1 || i.hi < 1, rejected), "%d of 60", (int)x);
    }
}

Test(proportion, koopmans_interval_of_swapped_arms_is_the_inverse)
{
    for (int i = 0; i < TABLES; i++) {
        struct proportions s = { tables[i].x_t, tables[i].n_t, tables[i].x_c, tables[i].n_c };
        struct interval a, b;
        cr_assert(score_koopman(&tables[i], Z, &a));
        cr_assert(score_koopman(&s, Z, &b));
        if (a.lo > 0 && isfinite(b.hi))
            cr_assert(epsilon_eq(dbl, a.lo * b.hi, 1, 1e-9));
        if (isfinite(a.hi))
            cr_assert(epsilon_eq(dbl, a.hi * b.lo, 1, 1e-9));
        else
            cr_assert(eq(dbl, b.lo, 0));
    }
}

Test(proportion, without_successes_there_is_no_ratio)
{
    struct proportions none = { 0, 10, 0, 10 }, one_sided = { 0, 10, 3, 10 };
    struct interval i;
    cr_assert(not(score_koopman(&none, Z, &i)));
    cr_assert(not(proportion_katz(&none, Z, &i)));
    cr_assert(not(proportion_katz(&one_sided, Z, &i)));
    cr_assert(score_koopman(&one_sided, Z, &i));
    cr_assert(isinf(i.hi) && i.lo > 0);
}

Test(proportion, clopper_and_pearsons_ends_have_exact_tails)
{
    for (int64_t x = 0; x <= 30; x++) {
        struct interval i = exact_clopper_pearson(x, 30, 0.05);
        double upper = 0, lower = 0;
        for (int64_t k = 0; k <= 30; k++) {
            double choose = exp(lgamma(31) - lgamma((double)k + 1) - lgamma(31 - (double)k));
            upper += k >= x ? choose * pow(i.lo, (double)k) * pow(1 - i.lo, (double)(30 - k)) : 0;
            lower += k <= x ? choose * pow(i.hi, (double)k) * pow(1 - i.hi, (double)(30 - k)) : 0;
        }
        cr_assert(epsilon_eq(dbl, upper, x == 0 ? 1 : 0.025, 1e-12));
        cr_assert(epsilon_eq(dbl, lower, x == 30 ? 1 : 0.025, 1e-12));
    }
}

Test(proportion, fisher_drinks_tea)
{
    struct proportions tea = { 1, 4, 3, 4 };
    double p;
    cr_assert(exact_fisher_p(&tea, &p));
    cr_assert(epsilon_eq(dbl, p, 34.0 / 70, 1e-14));
    struct proportions huge = { 1 << 26, 1 << 28, 1 << 26, 1 << 28 };
    cr_assert(not(exact_fisher_p(&huge, &p)));
}

Test(proportion, refusals_say_why)
{
    struct err err;
    cr_assert(not(proportion_check(&(struct proportions){ 0, 0, 1, 5 }, &err)));
    cr_assert(eq(str, err.text, "control: the variant has no units"));
    cr_assert(not(proportion_check(&(struct proportions){ 1, 5, 6, 5 }, &err)));
    cr_assert(eq(str, err.text, "treatment: more successes than units"));
    cr_assert(not(proportion_check(&(struct proportions){ -1, 5, 1, 5 }, &err)));
    cr_assert(not(proportion_check(&(struct proportions){ 1, INT64_MAX, 1, 5 }, &err)));
}
