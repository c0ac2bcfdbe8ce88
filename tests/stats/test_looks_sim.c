/* Simulations with fixed seeds: tests that are looked at again and again. Under no difference a sequential test may be wrong in 5 % of the
 * runs over all looks together, up to the noise that so many runs have; one for a single look is wrong in far more. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "nominal.h"
#include "stats/sequential/bounds.h"
#include "stats/sequential/confseq.h"
#include "stats/sequential/plan.h"
#include "stats/sequential/stopped.h"

enum { RUNS = 4000, LOOKS = 200, UNITS = 25 }; /* of each arm between two looks */
#define ALPHA 0.05

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
    nominal_at_most(wrong, RUNS, ALPHA, "confidence sequence, 200 looks, is wrong");
    nominal_at_most(uncovered, RUNS, ALPHA, "confidence sequence, 200 looks, ever misses");
    cr_log_info("one look's z is wrong: %.4f of %d runs", (double)naive / RUNS, RUNS);
    cr_assert(gt(int, wrong, 0)); /* it can be wrong */
    cr_assert(gt(dbl, (double)naive / RUNS, 4 * ALPHA));
}

/* ---- planned looks: the score is a Brownian motion ---- */

enum { WALKS = 20000 };

/* The look, from 1, at which a walk crosses; 0 for none. *out_z is Z there, or at the last look. */
static size_t walk(struct draw *d, const struct exits_design *design, double drift, double *out_z)
{
    double s = 0, before = 0;
    for (size_t k = 0; k < design->looks; k++) {
        double step = design->t[k] - before;
        s += drift * step + sqrt(step) * draw_normal(d);
        before = design->t[k];
        *out_z = s / sqrt(before);
        if (fabs(*out_z) >= design->z[k])
            return k + 1;
    }
    return 0;
}

static void bounds_hold(const struct bounds *b, const double *t, size_t looks, uint64_t seed, const char *what)
{
    const struct exits_design design = { t, b->z, looks, 2 };
    struct draw d = { seed };
    int wrong = 0;
    double z;
    for (int i = 0; i < WALKS; i++)
        wrong += walk(&d, &design, 0, &z) > 0;
    nominal(wrong, WALKS, ALPHA, 0, what);
}

Test(looks_sim, bounds_are_wrong_in_five_percent_of_200_looks)
{
    static const char *const names[SPENDING_COUNT] = { "Lan-DeMets as O'Brien-Fleming, 200 looks",
                                                       "Lan-DeMets as Pocock, 200 looks", "power spending, 200 looks",
                                                       "Hwang-Shih-DeCani, 200 looks" };
    double t[LOOKS];
    struct bounds b;
    struct err err;
    for (size_t k = 0; k < LOOKS; k++)
        t[k] = (double)(k + 1) / LOOKS;
    const struct bounds_plan all = { t, LOOKS, ALPHA, 2 };
    for (int kind = 0; kind < SPENDING_COUNT; kind++) {
        cr_assert(bounds_spending(&all, &(struct spending){ (enum spending_kind)kind, 2 }, &b, &err), "%s", err.text);
        bounds_hold(&b, t, LOOKS, 61 + (uint64_t)kind, names[kind]);
    }
    cr_assert(bounds_haybittle_peto(&all, 3.5, &b, &err), "%s", err.text);
    bounds_hold(&b, t, LOOKS, 67, "Haybittle-Peto, 200 looks");
    for (size_t k = 0; k < 20; k++)
        t[k] = (double)(k + 1) / 20;
    for (int pocock = 0; pocock < 2; pocock++) {
        cr_assert(bounds_shape(&(struct bounds_plan){ t, 20, ALPHA, 2 }, pocock / 2.0, &b, &err), "%s", err.text);
        bounds_hold(&b, t, 20, 68 + (uint64_t)pocock, pocock ? "Pocock, 20 looks" : "O'Brien-Fleming, 20 looks");
    }
}

/* Power is what was planned, intervals cover after any stop, and the estimate is as often too high as too low; what a test of one look
 * would say is too high more often. */
Test(looks_sim, what_is_said_after_a_stop_is_right)
{
    enum { STOPS = 3000 };
    static const double t[] = { 1.0 / 3, 2.0 / 3, 1 };
    struct bounds b;
    struct err err;
    double drift;
    cr_assert(bounds_shape(&(struct bounds_plan){ t, 3, ALPHA, 2 }, 0.5, &b, &err), "%s", err.text);
    const struct exits_design design = { t, b.z, 3, 2 };
    cr_assert(stopped_drift(&design, 0.8, &drift, &err), "%s", err.text);
    for (int effect = 0; effect < 2; effect++) {
        struct draw d = { 71 + (uint64_t)effect };
        double truth = effect ? drift : 0;
        int found = 0, covered = 0, high = 0, naive_high = 0;
        for (int i = 0; i < STOPS; i++) {
            struct stopped s;
            double z;
            size_t look = walk(&d, &design, truth, &z);
            cr_assert(stopped_result(&design, look ? look : 3, z, ALPHA, &s, &err), "%s", err.text);
            found += look > 0;
            covered += s.lo <= truth && truth <= s.hi;
            high += s.estimate > truth;
            naive_high += s.naive > truth;
        }
        nominal(found, STOPS, effect ? 0.8 : ALPHA, 0, effect ? "power of three looks" : "three looks, no effect");
        nominal(covered, STOPS, 1 - ALPHA, 0, "coverage after a stop");
        nominal(high, STOPS, 0.5, 0, "estimate too high");
        cr_assert(not(effect && naive_high < 0.55 * STOPS), "the naive estimate is too high in %d of %d runs",
                  naive_high, STOPS);
    }
}

/* Power is what was planned, to one point, on the skewed revenue of real units: 0.2 E, variance 0.2 * 2 - 0.2². */
Test(looks_sim, planned_power_is_found)
{
    enum { TESTS = 25000, STEPS = 10 };
    static const double t[STEPS] = { 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1 };
    for (int method = PLAN_SPENDING; method <= PLAN_ANY_TIME; method++) {
        struct draw d = { 75 + (uint64_t)method };
        const struct plan p = { .method = (enum plan_method)method,
                                .alpha = ALPHA,
                                .sides = 2,
                                .t = t,
                                .looks = STEPS,
                                .spending = { SPENDING_OBRIEN_FLEMING, 0 },
                                .var_c = 0.36,
                                .var_t = 0.36,
                                .ratio = 1 };
        double z[STEPS], effect;
        struct err err;
        int found = 0;
        cr_assert(plan_bounds(&p, z, &err), "%s", err.text);
        cr_assert(plan_effect(&p, STEPS * UNITS, 0.8, &effect, &err), "%s", err.text);
        for (int i = 0; i < TESTS; i++) {
            struct arms a = { 0 };
            bool stopped = false;
            for (int look = 0; look < STEPS && !stopped; look++) {
                add_units(&a, &d, 0);
                double difference = (a.sum[1] - a.sum[0]) / a.n + effect;
                stopped = fabs(difference) > z[look] * sqrt(2 * 0.36 / a.n);
            }
            found += stopped;
        }
        nominal(found, TESTS, 0.8, 0,
                method == PLAN_SPENDING ? "planned power, spending" : "planned power, confidence sequence");
    }
}
