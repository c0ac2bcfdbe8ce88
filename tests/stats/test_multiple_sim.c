/* Simulations with fixed seeds of many dependent tests: the promises of adjusted p, up to the noise that so many runs
 * have. Tests are of METRICS metrics of the same units, so they share a part of their noise. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "nominal.h"
#include "stats/multiple/gates.h"
#include "stats/special/special.h"

enum { RUNS = 20000, METRICS = 20 };
#define ALPHA 0.05

/* z of METRICS tests with equal correlations; those from `nulls` on have an effect. */
static void draw_tests(struct draw *d, double correlation, size_t nulls, double *log_p)
{
    double shared = sqrt(correlation) * draw_normal(d);
    for (size_t i = 0; i < METRICS; i++) {
        double z = shared + sqrt(1 - correlation) * draw_normal(d) + (i < nulls ? 0 : 3);
        log_p[i] = M_LN2 + special_log_normal_q(fabs(z));
    }
}

struct promise {
    int family;       /* runs with a wrong rejection */
    double discovery; /* mean share of wrong ones among the rejected */
};

static struct promise simulate(enum family_method method, double correlation, size_t nulls, uint64_t seed)
{
    struct draw d = { seed };
    struct promise got = { 0 };
    for (int run = 0; run < RUNS; run++) {
        struct family_rank ranks[METRICS];
        double log_p[METRICS], adjusted[METRICS], wrong = 0, all = 0;
        draw_tests(&d, correlation, nulls, log_p);
        family_rank(log_p, METRICS, ranks);
        family_p(method, ranks, METRICS, adjusted);
        for (size_t i = 0; i < METRICS; i++) {
            bool rejected = adjusted[i] <= log(ALPHA);
            all += rejected;
            wrong += rejected && i < nulls;
        }
        got.family += wrong > 0;
        got.discovery += all > 0 ? wrong / all : 0;
    }
    got.discovery /= RUNS;
    cr_log_info("%s, correlation %g, %zu of %d without effect: false discovery rate %.4f", family_names[method],
                correlation, nulls, METRICS, got.discovery);
    return got;
}

static double noise(double share)
{
    return NOMINAL_NOISE * sqrt(share * (1 - share) / RUNS);
}

Test(multiple_sim, holm_keeps_the_family_wise_error)
{
    static const char *const all[] = { "Holm, 20 nulls", "Holm, 20 nulls, correlation 0.5",
                                       "Holm, 20 nulls, correlation 0.9" };
    static const char *const some[] = { "Holm, 15 nulls of 20", "Holm, 15 of 20, correlation 0.5",
                                        "Holm, 15 of 20, correlation 0.9" };
    for (int i = 0; i < 3; i++) {
        double correlation = (const double[]){ 0, 0.5, 0.9 }[i];
        nominal_at_most(simulate(FAMILY_HOLM, correlation, METRICS, 81).family, RUNS, ALPHA, all[i]);
        nominal_at_most(simulate(FAMILY_HOLM, correlation, 15, 82).family, RUNS, ALPHA, some[i]);
    }
    /* of independent tests Bonferroni's error is known, and Holm rejects something exactly when it does */
    nominal(simulate(FAMILY_HOLM, 0, METRICS, 83).family, RUNS, 1 - pow(1 - ALPHA / METRICS, METRICS), 0,
            "Holm, independent nulls");
    cr_assert(gt(int, simulate(FAMILY_BH, 0, 15, 84).family, 2 * ALPHA * RUNS)); /* which BH does not promise */
}

Test(multiple_sim, benjamini_hochberg_keeps_the_false_discovery_rate)
{
    for (int i = 0; i < 3; i++) {
        double correlation = (const double[]){ 0, 0.5, 0.9 }[i];
        cr_assert(le(dbl, simulate(FAMILY_BH, correlation, METRICS, 85).discovery, ALPHA + noise(ALPHA)));
        cr_assert(le(dbl, simulate(FAMILY_BH, correlation, 15, 86).discovery, ALPHA * 0.75 + noise(ALPHA * 0.75)));
        cr_assert(le(dbl, simulate(FAMILY_BY, correlation, 15, 87).discovery, ALPHA * 0.75));
    }
    /* of independent tests it is alpha times the share of nulls, exactly; a mean of shares varies less than a share of runs */
    cr_assert(epsilon_eq(dbl, simulate(FAMILY_BH, 0, 15, 88).discovery, ALPHA * 0.75, noise(ALPHA * 0.75)));
}

/* Primary metrics with an effect, secondary ones without: the whole hierarchy rejects a null in 5 % of the runs at most. */
Test(multiple_sim, gates_keep_the_error_of_the_whole_hierarchy)
{
    struct draw d = { 89 };
    int wrong = 0, passed = 0;
    for (int run = 0; run < RUNS; run++) {
        struct family_rank ranks[METRICS];
        double log_p[METRICS], before = -INFINITY;
        bool any = false;
        draw_tests(&d, 0.3, 17, log_p); /* the last three have an effect */
        const size_t from[] = { 17, 0, 8 }, n[] = { 3, 8, 9 };
        for (int f = 0; f < 3; f++) {
            double *family = log_p + from[f];
            family_rank(family, n[f], ranks);
            before = gates_family(ranks, n[f], before, family);
            passed += f == 0 && before <= log(ALPHA);
            for (size_t i = 0; f && i < n[f]; i++)
                any = any || family[i] <= log(ALPHA);
        }
        wrong += any;
    }
    nominal_at_most(wrong, RUNS, ALPHA, "one family after the other");
    cr_assert(gt(int, wrong, 0));
    cr_assert(gt(int, passed, RUNS / 4));
}
