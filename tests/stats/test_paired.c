#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <string.h>

#include "draw.h"
#include "stats/ranking/paired.h"

enum { N = 40 };
static const struct paired_rules rules = { 0.05, 2000, 7 };

static struct paired of(const double *a, const double *b, const double *weights, size_t n, struct paired_rules r)
{
    static double scratch[2 * N + 200000];
    struct paired p;
    struct err err;
    cr_assert(le(sz, paired_room(n, &r), sizeof scratch / sizeof *scratch));
    cr_assert(paired_compare(a, b, weights, n, &r, scratch, &p, &err), "%s", err.text);
    return p;
}

/* Five queries, all better by different amounts: of 32 ways to sign 2 are as far out. */
Test(paired, small_cases_are_exact)
{
    const double a[] = { 0, 0, 0, 0, 0 }, b[] = { .1, .2, .3, .4, .5 };
    struct paired p = of(a, b, NULL, 5, rules);
    cr_assert(p.exact);
    cr_assert(epsilon_eq(dbl, exp(p.log_p_randomisation), 2.0 / 32, 1e-14));
    cr_assert(epsilon_eq(dbl, exp(p.log_p_wilcoxon), 2.0 / 32, 1e-14));
    cr_assert(epsilon_eq(dbl, exp(p.log_p_sign), 2.0 / 32, 1e-14));
    cr_assert(eq(sz, p.wins, 5));
    cr_assert(epsilon_eq(dbl, p.t, 0.3 / sqrt(0.025 / 5), 1e-13));
    cr_assert(eq(dbl, p.ranks_plus, 15));
}

/* Enough differences for the drawn signs: near the exact share of the normal law; and the interval covers what t's does, nearly. */
Test(paired, drawn_signs_agree_with_t)
{
    struct draw d = { 11 };
    double a[N], b[N];
    for (int i = 0; i < N; i++) {
        a[i] = draw_uniform(&d);
        b[i] = a[i] + 0.4 * (draw_uniform(&d) - 0.42);
    }
    struct paired p = of(a, b, NULL, N, (struct paired_rules){ 0.05, 100000, 1 });
    cr_assert(not(p.exact));
    cr_assert(epsilon_eq(dbl, exp(p.log_p_randomisation), exp(p.log_p_t), 0.01));
    cr_assert(epsilon_eq(dbl, p.bootstrap_lo, p.ci_lo, 0.1 * (p.ci_hi - p.ci_lo)));
    cr_assert(epsilon_eq(dbl, p.bootstrap_hi, p.ci_hi, 0.1 * (p.ci_hi - p.ci_lo)));
    struct paired again = of(a, b, NULL, N, (struct paired_rules){ 0.05, 100000, 1 });
    cr_assert(eq(int, memcmp(&p, &again, sizeof p), 0));
}

/* Whichever comes first: differences change their sign, p do not. */
Test(paired, turning_the_pair_round_turns_the_sign)
{
    struct draw d = { 5 };
    double a[N], b[N], w[N];
    for (int i = 0; i < N; i++) {
        a[i] = draw_uniform(&d);
        b[i] = draw_uniform(&d);
        w[i] = 1 + (double)(draw_u64(&d) % 9);
    }
    struct paired x = of(a, b, w, N, rules), y = of(b, a, w, N, rules);
    cr_assert(epsilon_eq(dbl, x.difference, -y.difference, 1e-15));
    cr_assert(epsilon_eq(dbl, x.log_p_t, y.log_p_t, 1e-12));
    cr_assert(eq(dbl, x.log_p_randomisation, y.log_p_randomisation));
    cr_assert(epsilon_eq(dbl, x.log_p_wilcoxon, y.log_p_wilcoxon, 1e-12));
    cr_assert(eq(dbl, x.log_p_sign, y.log_p_sign));
    cr_assert(epsilon_eq(dbl, x.bootstrap_lo, -y.bootstrap_hi, 1e-12));
    cr_assert(epsilon_eq(dbl, x.difference, x.mean_b - x.mean_a, 1e-14));
}

/* A weight of all queries alike changes nothing; of one query, moves the mean to it. */
Test(paired, weights_are_relative)
{
    const double a[] = { .5, .2, .9, .4 }, b[] = { .6, .1, .95, .7 }, seven[] = { 7, 7, 7, 7 },
                 last[] = { 1, 1, 1, 1e9 };
    struct paired plain = of(a, b, NULL, 4, rules), same = of(a, b, seven, 4, rules), one = of(a, b, last, 4, rules);
    cr_assert(epsilon_eq(dbl, plain.difference, same.difference, 1e-15));
    cr_assert(epsilon_eq(dbl, plain.se, same.se, 1e-15));
    cr_assert(epsilon_eq(dbl, plain.bootstrap_hi, same.bootstrap_hi, 1e-14));
    cr_assert(epsilon_eq(dbl, one.difference, .3, 1e-8));
}

Test(paired, nothing_differs_is_no_evidence)
{
    const double a[] = { .5, .2, .9 }, b[] = { .6, .3, 1 };
    struct paired p = of(a, a, NULL, 3, rules), q = of(a, b, NULL, 3, rules);
    cr_assert(not(p.varies));
    cr_assert(eq(dbl, p.log_p_t + p.log_p_randomisation + p.log_p_wilcoxon + p.log_p_sign, 0));
    cr_assert(eq(sz, p.ties, 3));
    cr_assert(eq(dbl, p.bootstrap_hi, 0));
    cr_assert(not(q.varies)); /* all by the same: t says nothing, signs do */
    cr_assert(epsilon_eq(dbl, exp(q.log_p_randomisation), 0.25, 1e-14));
}

Test(paired, refusals_say_why)
{
    const double a[] = { 1, NAN }, b[] = { 1, 2 }, w[] = { 1, 0 };
    double scratch[2100];
    struct paired p;
    struct err err;
    cr_assert(not(paired_compare(b, b, NULL, 1, &rules, scratch, &p, &err)));
    cr_assert(eq(str, err.text, "there is 1 query, at least 2 are needed"));
    cr_assert(not(paired_compare(b, a, NULL, 2, &rules, scratch, &p, &err)));
    cr_assert(eq(str, err.text, "value 2 is nan, not a number up to 1e100"));
    cr_assert(not(paired_compare(b, b, w, 2, &rules, scratch, &p, &err)));
    cr_assert(eq(str, err.text, "weight 2 is 0, not from 1e-50 to 1e50"));
    cr_assert(not(paired_compare(b, b, NULL, 2, &(struct paired_rules){ 2, 10, 1 }, scratch, &p, &err)));
    cr_assert(not(paired_compare(b, b, NULL, 2, &(struct paired_rules){ .05, 0, 1 }, scratch, &p, &err)));
}

/* 50 ranks are exact, 51 normal: two ways to nearly the same number. */
Test(paired, exact_ranks_go_over_into_the_normal_ones)
{
    double a[51] = { 0 }, b[51];
    for (int i = 0; i < 51; i++)
        b[i] = (i % 3 ? 1 : -1) * (1 + 0.01 * i);
    b[50] = 1e-6;
    struct paired exact = of(a, b, NULL, 50, rules), normal = of(a, b, NULL, 51, rules);
    cr_assert(epsilon_eq(dbl, exp(exact.log_p_wilcoxon), exp(normal.log_p_wilcoxon), 0.003));
}
