/* Simulations with fixed seeds: tests that are looked at again and again. Under no difference a sequential test may be wrong in 5 % of the
 * runs over all looks together, up to NOISE standard errors of the share that RUNS runs have; one for a single look is wrong in far more. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "stats/sequential/confseq.h"
#include "stats/welch.h"

enum { RUNS = 4000, LOOKS = 200, UNITS = 25 }; /* of each arm between two looks */
#define ALPHA 0.05
#define NOISE 4.0

static double noise(double share)
{
    return NOISE * sqrt(share * (1 - share) / RUNS);
}

/* Skewed revenue: one of five units buys, for an exponential amount. */
static double revenue(struct draw *d)
{
    return draw_uniform(d) < 0.2 ? draw_exponential(d) : 0;
}

struct arms {
    double n, sum[2], square[2];
};

static void add_units(struct arms *a, struct draw *d, double lift)
{
    a->n += UNITS;
    for (int arm = 0; arm < 2; arm++)
        for (int u = 0; u < UNITS; u++) {
            double x = revenue(d) * (arm ? 1 + lift : 1);
            a->sum[arm] += x;
            a->square[arm] += x * x;
        }
}

static double effect_of(const struct arms *a, double *out_se)
{
    double variance = 0;
    for (int arm = 0; arm < 2; arm++)
        variance += (a->square[arm] - a->sum[arm] * a->sum[arm] / a->n) / (a->n - 1) / a->n;
    *out_se = sqrt(variance);
    return (a->sum[1] - a->sum[0]) / a->n;
}

Test(looks_sim, a_confidence_sequence_may_be_looked_at_200_times)
{
    struct draw d = { 51 };
    struct err err;
    double rho, truth = 0.2 * 0.05;
    int wrong = 0, naive = 0, uncovered = 0;
    cr_assert(confseq_rho_exact(2.0 * LOOKS * UNITS, ALPHA, CONFSEQ_TWO, &rho, &err));
    for (int i = 0; i < RUNS; i++) {
        struct arms null = { 0 }, lifted = { 0 };
        bool rejected = false, by_z = false, missed = false;
        for (int look = 0; look < LOOKS; look++) {
            struct confseq c;
            double se, effect;
            add_units(&null, &d, 0);
            add_units(&lifted, &d, 0.05);
            if (null.n < 500) /* burn-in: 100 conversions of each arm */
                continue;
            effect = effect_of(&null, &se);
            cr_assert(confseq_asymptotic(effect, se, 2 * null.n, rho, ALPHA, CONFSEQ_TWO, &c, &err), "%s", err.text);
            rejected = rejected || c.p < ALPHA;
            by_z = by_z || fabs(effect) > 1.96 * se;
            effect = effect_of(&lifted, &se);
            cr_assert(confseq_asymptotic(effect, se, 2 * lifted.n, rho, ALPHA, CONFSEQ_TWO, &c, &err), "%s", err.text);
            missed = missed || truth < c.lo || truth > c.hi;
        }
        wrong += rejected;
        naive += by_z;
        uncovered += missed;
    }
    cr_log_info("of %d runs of %d looks: sequence wrong %d, not covering %d, z wrong %d\n", RUNS, LOOKS, wrong,
                uncovered, naive);
    cr_assert(le(dbl, (double)wrong / RUNS, ALPHA + noise(ALPHA)));
    cr_assert(le(dbl, (double)uncovered / RUNS, ALPHA + noise(ALPHA)));
    cr_assert(gt(int, wrong, 0)); /* it can be wrong */
    cr_assert(gt(dbl, (double)naive / RUNS, 4 * ALPHA));
}
