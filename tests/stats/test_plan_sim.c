/* Simulations with fixed seeds: the power that was planned is found, to one point, by the tests that results make, on data of units: estimated
 * variances, skewed revenue, ratios of users, covariates; at one look, at planned looks, at any time. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdlib.h>

#include "draw.h"
#include "nominal.h"
#include "stats/adjust/cuped.h"
#include "stats/compare.h"
#include "stats/power.h"
#include "stats/ranks/quantile.h"
#include "stats/ranks/sorted.h"
#include "stats/sequential/plan.h"

enum { RUNS = 40000, LOOKS = 4 }; /* four standard errors: 0.8 points */
#define ALPHA 0.05
#define POWER 0.8

static const double quarters[LOOKS] = { 0.25, 0.5, 0.75, 1 };

static struct plan plan_of(enum plan_method method, double var_c, double var_t, double ratio)
{
    return (struct plan){ .method = method,
                          .alpha = ALPHA,
                          .sides = 2,
                          .t = method == PLAN_FIXED ? &quarters[LOOKS - 1] : quarters,
                          .looks = method == PLAN_FIXED ? 1 : LOOKS,
                          .spending = { SPENDING_OBRIEN_FLEMING, 0 },
                          .var_c = var_c,
                          .var_t = var_t,
                          .ratio = ratio };
}

static size_t units_for(const struct plan *p, double effect)
{
    struct plan_test t;
    struct err err;
    cr_assert(plan_units(p, effect, POWER, &t, &err), "%s", err.text);
    return (size_t)ceil(t.control);
}

/* With the units that were rounded up, this is found. */
static double predicted(const struct plan *p, double effect, size_t n)
{
    double power;
    struct err err;
    cr_assert(plan_power(p, effect, (double)n, &power, &err), "%s", err.text);
    return power;
}

static bool rejects_once(const struct arm *c, const struct arm *t)
{
    struct comparison found;
    struct err err;
    cr_assert(stats_compare(c, t, &(struct compare_plan){ .level = 1 - ALPHA }, &found, &err), "%s", err.text);
    return found.p < ALPHA;
}

/* ---- one look ---- */

static void add_shares(struct arm *a, struct draw *d, size_t n, double p)
{
    for (size_t i = 0; i < n; i++)
        moments2_add(&a->m, draw_uniform(d) < p, 0);
}

Test(plan_sim, of_two_shares)
{
    const double p_c = 0.2, p_t = 0.26;
    const struct plan p = plan_of(PLAN_FIXED, p_c * (1 - p_c), p_t * (1 - p_t), 1);
    size_t n = units_for(&p, p_t - p_c);
    struct draw d = { 201 };
    int found = 0;
    for (int run = 0; run < RUNS; run++) {
        struct arm c = { .kind = METRIC_PROPORTION }, t = { .kind = METRIC_PROPORTION };
        add_shares(&c, &d, n, p_c);
        add_shares(&t, &d, n, p_t);
        found += rejects_once(&c, &t);
    }
    nominal(found, RUNS, predicted(&p, p_t - p_c, n), 0, "planned power, shares, one look");
}

/* A fifth of the units, and alpha shared by three treatments. */
Test(plan_sim, of_unequal_arms_that_share_alpha)
{
    const double p_c = 0.3, p_t = 0.42;
    struct plan p = plan_of(PLAN_FIXED, p_c * (1 - p_c), p_t * (1 - p_t), 0.2);
    p.alpha = ALPHA / 3;
    size_t n = units_for(&p, p_t - p_c), n_t = (size_t)ceil((double)n * p.ratio);
    struct draw d = { 202 };
    int found = 0;
    for (int run = 0; run < RUNS; run++) {
        struct arm c = { .kind = METRIC_PROPORTION }, t = { .kind = METRIC_PROPORTION };
        struct comparison r;
        struct err err;
        add_shares(&c, &d, n, p_c);
        add_shares(&t, &d, n_t, p_t);
        cr_assert(stats_compare(&c, &t, &(struct compare_plan){ .level = 1 - ALPHA }, &r, &err), "%s", err.text);
        found += r.p < p.alpha;
    }
    nominal(found, RUNS, predicted(&p, p_t - p_c, n), 0, "planned power, unequal arms, shared alpha");
}

/* A third of the units spend, exponentially: mean 1/3, variance 2/3 - 1/9; the treatment spends a fifth more each time. */
static double revenue(struct draw *d, double factor)
{
    return draw_uniform(d) < 1.0 / 3 ? factor * draw_exponential(d) : 0;
}

Test(plan_sim, of_skewed_means)
{
    const double factor = 1.2, variance = 2.0 / 3 - 1.0 / 9, effect = (factor - 1) / 3;
    const struct plan p = plan_of(PLAN_FIXED, variance, factor * factor * variance, 1);
    size_t n = units_for(&p, effect);
    struct draw d = { 203 };
    int found = 0;
    for (int run = 0; run < RUNS; run++) {
        struct arm c = { .kind = METRIC_MEAN }, t = { .kind = METRIC_MEAN };
        for (size_t i = 0; i < n; i++) {
            moments2_add(&c.m, revenue(&d, 1), 0);
            moments2_add(&t.m, revenue(&d, factor), 0);
        }
        found += rejects_once(&c, &t);
    }
    nominal(found, RUNS, predicted(&p, effect, n), 0, "planned power, skewed means, one look");
}

/* Clicks over queries: a unit has 1 + geometric queries, each clicked with its own rate, 0.1 or 0.5. The linearised variance comes from many
 * units, as a planner has it from the last measurement. */
static void add_user(struct moments2 *m, struct draw *d, double more)
{
    double queries = 1 + draw_geometric(d, 0.5), rate = draw_uniform(d) < 0.5 ? 0.1 : 0.5, clicks = 0;
    for (int q = 0; q < queries; q++)
        clicks += draw_uniform(d) < rate + more;
    moments2_add(m, clicks, queries);
}

static double unit_variance(double more, struct draw *d)
{
    struct arm a = { .kind = METRIC_RATIO };
    struct arm_value v;
    struct err err;
    for (int i = 0; i < 2000000; i++)
        add_user(&a.m, d, more);
    cr_assert(stats_arm_value(&a, 1 - ALPHA, &v, &err), "%s", err.text);
    return v.se * v.se * (double)a.m.n;
}

Test(plan_sim, of_ratios_of_users)
{
    const double effect = 0.06;
    struct draw d = { 204 };
    const struct plan p = plan_of(PLAN_FIXED, unit_variance(0, &d), unit_variance(effect, &d), 1);
    size_t n = units_for(&p, effect);
    int found = 0;
    for (int run = 0; run < RUNS; run++) {
        struct arm c = { .kind = METRIC_RATIO }, t = { .kind = METRIC_RATIO };
        for (size_t i = 0; i < n; i++) {
            add_user(&c.m, &d, 0);
            add_user(&t.m, &d, effect);
        }
        found += rejects_once(&c, &t);
    }
    nominal(found, RUNS, predicted(&p, effect, n), 0, "planned power, ratios of users, one look");
}

/* y = x + noise, correlation 0.8: CUPED needs 1 - 0.64 of the units. */
Test(plan_sim, of_what_covariates_explain)
{
    const double rho = 0.8, effect = 0.2;
    const struct plan p = plan_of(PLAN_FIXED, 1 - rho * rho, 1 - rho * rho, 1);
    size_t n = units_for(&p, effect);
    struct draw d = { 205 };
    int found = 0;
    for (int run = 0; run < RUNS; run++) {
        struct cross arms[2] = { cross_none(2), cross_none(2) };
        struct cuped adjusted;
        struct welch w;
        struct err err;
        for (size_t i = 0; i < 2 * n; i++) {
            double x = draw_normal(&d), y = rho * x + sqrt(1 - rho * rho) * draw_normal(&d) + (i % 2 ? effect : 0);
            cross_add(&arms[i % 2], (double[]){ y, x });
        }
        cr_assert(cuped_adjust(&arms[0], &arms[1], CUPED_WITHIN, &adjusted, &err) &&
                      cuped_test(&adjusted, ALPHA, &w, &err),
                  "%s", err.text);
        found += w.log_p < log(ALPHA);
    }
    nominal(found, RUNS, predicted(&p, effect, n), 0.002,
            "planned power with CUPED, one look"); /* θ is estimated, too */
}

/* ---- looks ---- */

Test(plan_sim, at_planned_looks_of_shares)
{
    static const enum plan_method methods[] = { PLAN_SPENDING, PLAN_HAYBITTLE_PETO };
    static const char *const names[] = { "planned power, O'Brien-Fleming spending, 4 looks",
                                         "planned power, Haybittle-Peto, 4 looks" };
    const double p_c = 0.2, p_t = 0.25;
    for (size_t k = 0; k < 2; k++) {
        const struct plan p = plan_of(methods[k], p_c * (1 - p_c), p_t * (1 - p_t), 1);
        size_t n = units_for(&p, p_t - p_c);
        struct draw d = { 206 + k };
        double z[LOOKS];
        struct err err;
        int found = 0;
        cr_assert(plan_bounds(&p, z, &err), "%s", err.text);
        for (int run = 0; run < RUNS; run++) {
            struct arm c = { .kind = METRIC_PROPORTION }, t = { .kind = METRIC_PROPORTION };
            bool stopped = false;
            for (int look = 0; look < LOOKS && !stopped; look++) {
                size_t upto = (size_t)ceil(quarters[look] * (double)n);
                struct comparison r;
                add_shares(&c, &d, upto - (size_t)c.m.n, p_c);
                add_shares(&t, &d, upto - (size_t)t.m.n, p_t);
                cr_assert(stats_compare(&c, &t, &(struct compare_plan){ .level = 1 - ALPHA }, &r, &err), "%s",
                          err.text);
                stopped = fabs(r.difference) >= z[look] * r.se;
            }
            found += stopped;
        }
        nominal(found, RUNS, predicted(&p, p_t - p_c, n), 0, names[k]);
    }
}

/* The confidence sequence of results, looked at four times. */
Test(plan_sim, at_any_time_of_skewed_means)
{
    const double factor = 1.2, variance = 2.0 / 3 - 1.0 / 9, effect = (factor - 1) / 3;
    const struct plan p = plan_of(PLAN_ANY_TIME, variance, factor * factor * variance, 1);
    size_t n = units_for(&p, effect);
    const struct compare_plan looks = { .level = 1 - ALPHA, .planned_units = 2 * (double)n };
    struct draw d = { 208 };
    int found = 0;
    for (int run = 0; run < RUNS; run++) {
        struct arm c = { .kind = METRIC_MEAN }, t = { .kind = METRIC_MEAN };
        bool stopped = false;
        for (int look = 0; look < LOOKS && !stopped; look++) {
            struct comparison r;
            struct err err;
            while ((double)c.m.n < quarters[look] * (double)n) {
                moments2_add(&c.m, revenue(&d, 1), 0);
                moments2_add(&t.m, revenue(&d, factor), 0);
            }
            cr_assert(stats_compare(&c, &t, &looks, &r, &err), "%s", err.text);
            stopped = r.p < ALPHA;
        }
        found += stopped;
    }
    nominal(found, RUNS, predicted(&p, effect, n), 0, "planned power, confidence sequence, skewed means");
}

/* ---- a quantile ---- */

/* The median of exponential latencies, one a unit: variance q (1 - q)/f² = 1 of a unit, times the treatment's factor squared; at a rank of
 * variance n q (1 - q). Whether results find a difference of it. */
static const double faster = 0.85, faster_effect = (1 - 0.85) * M_LN2;

static struct plan plan_of_median(enum plan_method method)
{
    struct plan p = plan_of(method, 1, faster * faster, 1);
    p.rank_sd = 0.5;
    return p;
}

static struct estimate median_of(double *values, size_t n)
{
    struct moments2 m = { 0 };
    struct quantile q;
    struct err err;
    cr_assert(sorted_make(values, n, &err));
    size_t below = (size_t)quantile_rank((int64_t)n, 0.5);
    for (size_t i = 0; i < n; i++)
        moments2_add(&m, i < below, 1);
    cr_assert(quantile_of_sorted(values, (int64_t)n, &m, 0.5, 1.959963984540054, &q, &err), "%s", err.text);
    return quantile_estimate(&q);
}

/* Values from `from` on are new. */
static bool medians_differ(double *const values[2], size_t from, size_t n, double z, struct draw *d)
{
    struct estimate e[2];
    for (int arm = 0; arm < 2; arm++) {
        for (size_t i = from; i < n; i++)
            values[arm][i] = draw_exponential(d) * (arm ? faster : 1);
        e[arm] = median_of(values[arm], n);
    }
    return fabs(e[0].value - e[1].value) > z * sqrt(e[0].variance + e[1].variance);
}

/* Ranks are whole numbers: with just n units the interval is up to a rank wider or narrower than on average, a point of power. So about n units come. */
static void simulate_medians(enum plan_method method, uint64_t seed, const char *what)
{
    enum { ABOUT = 20, QUANTILE_RUNS = 26000 }; /* sorting takes its time; a point is four standard errors */
    const struct plan p = plan_of_median(method);
    size_t n = units_for(&p, faster_effect);
    double *values[2] = { calloc(n + ABOUT, sizeof(double)), calloc(n + ABOUT, sizeof(double)) }, z[LOOKS];
    struct draw d = { seed };
    struct err err;
    int found = 0;
    cr_assert(plan_bounds(&p, z, &err), "%s", err.text);
    for (int run = 0; run < QUANTILE_RUNS; run++) {
        size_t from = 0, about = n - ABOUT + (size_t)(2 * ABOUT * draw_uniform(&d) + 0.5);
        bool stopped = false;
        for (size_t look = 0; look < p.looks && !stopped; look++) {
            size_t upto = (size_t)ceil(p.t[look] * (double)about);
            stopped = medians_differ(values, from, upto, z[look], &d);
            from = upto;
        }
        found += stopped;
    }
    free(values[0]);
    free(values[1]);
    nominal(found, QUANTILE_RUNS, predicted(&p, faster_effect, n), 0, what);
}

Test(plan_sim, of_a_quantile)
{
    simulate_medians(PLAN_FIXED, 209, "planned power, a median, one look");
}

Test(plan_sim, at_planned_looks_of_a_quantile)
{
    simulate_medians(PLAN_SPENDING, 210, "planned power, a median, O'Brien-Fleming spending, 4 looks");
}
