#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "stats/multiple/family.h"
#include "stats/special/special.h"

enum { N = 6, ROUNDS = 200 };

static void draw_p(struct draw *d, double *log_p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        log_p[i] = log(draw_u64(d) % 3 ? draw_uniform(d) : draw_uniform(d) / 50);
    log_p[n - 1] = log_p[0]; /* a tie */
}

static void adjusted(enum family_method method, const double *log_p, size_t n, double *out)
{
    struct family_rank ranks[64];
    struct err err;
    cr_assert(family_check(log_p, n, &err), "%s", err.text);
    family_rank(log_p, n, ranks);
    family_p(method, ranks, n, out);
}

/* p of one intersection of hypotheses: m times the smallest of m (Bonferroni), or min over j of m p_(j)/j (Simes). */
static double intersection(const double *log_p, unsigned members, bool simes)
{
    double sorted[N], least = 1;
    size_t m = 0;
    for (size_t i = 0; i < N; i++)
        if (members & 1u << i)
            sorted[m++] = exp(log_p[i]);
    for (size_t i = 0; i < m; i++)
        for (size_t j = i + 1; j < m; j++)
            if (sorted[j] < sorted[i]) {
                double swap = sorted[i];
                sorted[i] = sorted[j];
                sorted[j] = swap;
            }
    for (size_t j = 0; j < (simes ? m : 1); j++)
        least = fmin(least, (double)m * sorted[j] / (double)(j + 1));
    return least;
}

/* A test's p by the closure principle: the largest p of all intersections that it is part of, all 2^n of them. */
static double closed(const double *log_p, size_t i, bool simes)
{
    double most = 0;
    for (unsigned members = 1; members < 1u << N; members++)
        if (members & 1u << i)
            most = fmax(most, intersection(log_p, members, simes));
    return most;
}

Test(family, holm_and_hommel_are_closed_tests)
{
    struct draw d = { 1 };
    double log_p[N], holm[N], hommel[N];
    for (int round = 0; round < ROUNDS; round++) {
        draw_p(&d, log_p, N);
        adjusted(FAMILY_HOLM, log_p, N, holm);
        adjusted(FAMILY_HOMMEL, log_p, N, hommel);
        for (size_t i = 0; i < N; i++) {
            cr_assert(epsilon_eq(dbl, exp(holm[i]), closed(log_p, i, false), 1e-13));
            cr_assert(epsilon_eq(dbl, exp(hommel[i]), closed(log_p, i, true), 1e-13));
        }
    }
}

/* What the papers prove of each other. */
Test(family, methods_are_ordered_by_what_they_assume)
{
    struct draw d = { 2 };
    double log_p[20], of[FAMILY_COUNT][20];
    for (int round = 0; round < ROUNDS; round++) {
        draw_p(&d, log_p, 20);
        for (int m = 0; m < FAMILY_COUNT; m++)
            adjusted((enum family_method)m, log_p, 20, of[m]);
        for (int i = 0; i < 20; i++) {
            const enum family_method chain[] = { FAMILY_BONFERRONI, FAMILY_HOLM, FAMILY_HOCHBERG, FAMILY_HOMMEL,
                                                 FAMILY_BH };
            for (int k = 0; k < 4; k++)
                cr_assert(ge(dbl, of[chain[k]][i], of[chain[k + 1]][i] - 1e-13));
            cr_assert(ge(dbl, of[FAMILY_BY][i], of[FAMILY_BH][i]));
            cr_assert(ge(dbl, of[FAMILY_BONFERRONI][i], of[FAMILY_SIDAK][i] - 1e-13));
            cr_assert(ge(dbl, of[FAMILY_BH][i], log_p[i]));
        }
        for (int m = 0; m < FAMILY_COUNT; m++)
            cr_assert(eq(dbl, of[m][19], of[m][0])); /* the tie */
    }
}

Test(family, the_example_of_benjamini_and_hochberg)
{
    const double p[] = { 0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
                         0.0459, 0.324,  0.4262, 0.5719, 0.6528, 0.759,  1 };
    double log_p[15], bh[15], bonferroni[15];
    int by_bh = 0, by_bonferroni = 0;
    for (int i = 0; i < 15; i++)
        log_p[i] = log(p[i]);
    adjusted(FAMILY_BH, log_p, 15, bh);
    adjusted(FAMILY_BONFERRONI, log_p, 15, bonferroni);
    for (int i = 0; i < 15; i++) {
        by_bh += exp(bh[i]) <= 0.05;
        by_bonferroni += exp(bonferroni[i]) <= 0.05;
    }
    cr_assert(eq(int, by_bh, 4));
    cr_assert(eq(int, by_bonferroni, 3));
}

Test(family, p_beyond_doubles_are_adjusted_as_any)
{
    const double log_p[] = { -5000, -4000, -INFINITY, 0 };
    double out[4];
    for (int m = 0; m < FAMILY_COUNT; m++) {
        adjusted((enum family_method)m, log_p, 4, out);
        cr_assert(epsilon_eq(dbl, out[0], -5000, 3));
        cr_assert(eq(dbl, out[2], -INFINITY));
        cr_assert(eq(dbl, out[3], 0));
    }
}

/* An interval of the false discovery rate holds 0 exactly where the test is not rejected. */
Test(family, false_discovery_intervals_agree_with_the_tests)
{
    struct draw d = { 3 };
    double z[20], log_p[20], bh[20];
    int both = 0;
    for (int round = 0; round < ROUNDS; round++) {
        size_t rejected = 0;
        for (int i = 0; i < 20; i++) {
            z[i] = draw_normal(&d) + (i < 8 ? 3 : 0);
            log_p[i] = M_LN2 + special_log_normal_q(fabs(z[i]));
        }
        adjusted(FAMILY_BH, log_p, 20, bh);
        for (int i = 0; i < 20; i++)
            rejected += exp(bh[i]) <= 0.05;
        double critical = special_normal_qinv(family_interval_alpha(FAMILY_BH, 0.05, 20, rejected) / 2);
        for (int i = 0; i < 20 && rejected; i++)
            cr_assert(eq(int, exp(bh[i]) <= 0.05, fabs(z[i]) >= critical));
        both += rejected > 0 && rejected < 20;
    }
    cr_assert(gt(int, both, ROUNDS / 2));
}

Test(family, interval_levels)
{
    cr_assert(epsilon_eq(dbl, family_interval_alpha(FAMILY_HOLM, 0.05, 5, 2), 0.01, 1e-16));
    cr_assert(epsilon_eq(dbl, family_interval_alpha(FAMILY_SIDAK, 0.05, 5, 2), 1 - pow(0.95, 0.2), 1e-15));
    cr_assert(epsilon_eq(dbl, family_interval_alpha(FAMILY_BH, 0.05, 5, 2), 0.02, 1e-16));
    cr_assert(epsilon_eq(dbl, family_interval_alpha(FAMILY_BH, 0.05, 0, 0), 0.05, 1e-16));
}

Test(family, refusals_say_why)
{
    struct err err;
    cr_assert(not(family_check((const double[]){ -1, 0.1 }, 2, &err)));
    cr_assert(eq(str, err.text, "p 2 is 1.10517, no probability"));
    cr_assert(not(family_check((const double[]){ NAN }, 1, &err)));
    cr_assert(family_check(NULL, 0, &err));
}
