/* Simulations with fixed seeds: effects that were adjusted by strata, margins, planned looks and shares of few are wrong as often as they say. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <stdio.h>

#include "draw.h"
#include "nominal.h"
#include "stats/compare.h"
#include "stats/effect.h"
#include "stats/sequential/looks.h"

enum { RUNS = 3000, STRATA = 3, UNITS = 150 }; /* of each arm in a stratum, on average */
#define ALPHA 0.05

static const struct compare_plan once = { 1 - ALPHA, 0 };

/* Skewed, and half explained by what was before: strata differ in level. */
static void add_unit(struct cross *cells, struct draw *d, size_t arm, double factor)
{
    size_t stratum = (size_t)(draw_uniform(d) * STRATA);
    double before = draw_exponential(d), after = (double)(stratum + 1) + before + draw_exponential(d);
    cross_add(&cells[2 * stratum + arm], (double[]){ after * factor, before });
}

static void draw_cells(struct cross *cells, struct draw *d, double factor)
{
    for (size_t i = 0; i < 2 * STRATA; i++)
        cells[i] = cross_none(2);
    for (size_t i = 0; i < 2 * STRATA * UNITS; i++)
        add_unit(cells, d, i % 2, i % 2 ? factor : 1);
}

static struct effect adjusted(const struct cross *cells, bool covariates)
{
    struct cross outcomes[2 * STRATA];
    struct effect e;
    struct err err;
    for (size_t i = 0; i < 2 * STRATA; i++) {
        outcomes[i] = cells[i];
        outcomes[i].vars = covariates ? 2 : 1;
    }
    cr_assert(effect_strata(false, covariates, outcomes, STRATA, &e, &err), "%s", err.text);
    return e;
}

Test(effect_sim, strata_are_wrong_as_often_as_they_say_and_cover)
{
    struct draw d = { 71 };
    struct err err;
    int wrong[2] = { 0 }, missed[2] = { 0 };
    for (int i = 0; i < RUNS; i++) {
        struct cross null[2 * STRATA], lifted[2 * STRATA];
        struct comparison c;
        draw_cells(null, &d, 1);
        draw_cells(lifted, &d, 1.1);
        for (int both = 0; both < 2; both++) {
            struct effect e = adjusted(null, both), f = adjusted(lifted, both);
            cr_assert(compare_effect(&e, &once, ALPHA, &c, &err), "%s", err.text);
            wrong[both] += c.p < ALPHA;
            cr_assert(compare_effect(&f, &once, ALPHA, &c, &err), "%s", err.text);
            missed[both] += c.lift_lo > 0.1 || c.lift_hi < 0.1;
        }
    }
    nominal(wrong[0], RUNS, ALPHA, 0, "strata, no effect: rejected");
    nominal(wrong[1], RUNS, ALPHA, 0, "strata and covariates, no effect: rejected");
    nominal(missed[0], RUNS, ALPHA, 0, "strata, lift of 10 %: not in its interval");
    nominal(missed[1], RUNS, ALPHA, 0, "strata and covariates, lift of 10 %: not in its interval");
}

/* Worse by just the margin: shown within it, or beyond it, as often as one tail of the interval says. */
Test(effect_sim, at_the_margin_either_is_shown_in_one_tail)
{
    struct draw d = { 72 };
    struct err err;
    int within = 0, beyond = 0;
    for (int i = 0; i < RUNS; i++) {
        struct cross cells[2 * STRATA];
        struct compare_inferiority x;
        double critical;
        draw_cells(cells, &d, 0.95);
        struct effect e = adjusted(cells, true);
        cr_assert(compare_critical(&e, &once, ALPHA, &critical, &err));
        cr_assert(compare_inferior(&e, &(struct compare_margin){ .relative = 0.05, .increase = true }, &once, critical,
                                   &x, &err));
        within += x.not_worse;
        beyond += x.worse;
    }
    nominal(within, RUNS, ALPHA / 2, 0, "worse by the margin: shown within it");
    nominal(beyond, RUNS, ALPHA / 2, 0, "worse by the margin: shown beyond it");
}

/* Looks that come when they come; p as it stands at the last of them. */
Test(effect_sim, a_sequential_p_is_below_alpha_with_probability_alpha)
{
    static const double t[] = { 0.21, 0.48, 0.8, 1 }, levels[] = { 0.01, 0.05, 0.2 };
    static const struct looks_plan plans[] = { { .spending = { .kind = SPENDING_OBRIEN_FLEMING } },
                                               { .spending = { .kind = SPENDING_POCOCK } },
                                               { .haybittle_peto = true } };
    static const char *const names[] = { "O'Brien-Fleming", "Pocock", "Haybittle-Peto" };
    struct err err;
    for (size_t k = 0; k < 3; k++) {
        struct draw d = { 73 + k };
        int below[3] = { 0 };
        for (int i = 0; i < RUNS; i++) {
            double z[4], sum = 0, before = 0, log_p;
            for (size_t j = 0; j < 4; j++) {
                sum += sqrt(t[j] - before) * draw_normal(&d);
                before = t[j];
                z[j] = sum / sqrt(t[j]);
            }
            cr_assert(looks_log_p(&plans[k], &(struct looks){ t, z, 4 }, &log_p, &err), "%s", err.text);
            for (size_t j = 0; j < 3; j++)
                below[j] += log_p <= log(levels[j]);
        }
        for (size_t j = 0; j < 3; j++) {
            char what[80];
            (void)snprintf(what, sizeof what, "planned looks, %s: p up to %g", names[k], levels[j]);
            nominal(below[j], RUNS, levels[j], 0, what);
        }
    }
}

/* Not simulated: every table that can come, with its probability. */
static double size_of(int64_t n_c, int64_t n_t, double p)
{
    double size = 0, exact;
    int64_t most = 40; /* more has no probability here */
    for (int64_t x = 0; x <= most; x++) {
        for (int64_t y = 0; y <= most; y++) {
            struct comparison c;
            struct err err;
            double of_x = lgamma((double)n_c + 1) - lgamma((double)x + 1) - lgamma((double)(n_c - x) + 1) +
                          (double)x * log(p) + (double)(n_c - x) * log1p(-p);
            double of_y = lgamma((double)n_t + 1) - lgamma((double)y + 1) - lgamma((double)(n_t - y) + 1) +
                          (double)y * log(p) + (double)(n_t - y) * log1p(-p);
            if (of_x + of_y < -40)
                continue;
            cr_assert(compare_counts(&(struct proportions){ x, n_c, y, n_t }, ALPHA, &c, &exact, &err));
            size += c.p < ALPHA ? exp(of_x + of_y) : 0;
        }
    }
    return size;
}

Test(effect_sim, shares_of_few_are_wrong_about_as_often_as_they_say)
{
    static const double p[] = { 0.002, 0.005, 0.01, 0.015 };
    for (size_t i = 0; i < 4; i++) {
        double even = size_of(600, 600, p[i]), uneven = size_of(900, 300, p[i]);
        cr_log_info("score test of a share of %g: size %.4f of 600 and 600, %.4f of 900 and 300", p[i], even, uneven);
        cr_assert(le(dbl, even, 0.055));
        cr_assert(le(dbl, uneven, 0.055));
    }
}
