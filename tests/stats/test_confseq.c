#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/sequential/confseq.h"

#define ALPHA 0.05

static struct confseq after(double effect, double se, double n, double rho, enum confseq_side side)
{
    struct confseq c;
    struct err err;
    cr_assert(confseq_asymptotic(effect, se, n, rho, ALPHA, side, &c, &err), "%s", err.text);
    return c;
}

Test(confseq, asymptotic_sequence_and_mixture_sprt_are_the_same)
{
    const double effect = 0.013, se = 0.004, n = 52000, rho = 0.02;
    struct confseq a = after(effect, se, n, rho, CONFSEQ_TWO), b;
    struct err err;
    cr_assert(confseq_msprt(effect, se, rho * se * sqrt(n), 0, ALPHA, &b, &err));
    cr_assert(epsilon_eq(dbl, a.log_e, b.log_e, 1e-13));
    cr_assert(epsilon_eq(dbl, a.half_width, b.half_width, 1e-15));
}

/* p below alpha says the same as an interval without 0, of either side. */
Test(confseq, p_and_interval_agree)
{
    int decided = 0;
    for (int side = CONFSEQ_TWO; side <= CONFSEQ_LESS; side++)
        for (double z = -6; z <= 6; z += 0.01) {
            struct confseq c = after(z * 0.3, 0.3, 900, 0.1, (enum confseq_side)side);
            cr_assert(eq(int, c.p<ALPHA, c.lo> 0 || c.hi < 0));
            decided += c.p < ALPHA;
        }
    cr_assert(gt(int, decided, 100));
    cr_assert(lt(int, decided, 3 * 1200 - 100));
}

/* e has mean 1 without an effect: what makes 1/e a p-value at any time. */
Test(confseq, the_e_value_averages_to_one)
{
    double mean = 0, step = 0.01;
    for (double z = -30; z <= 30; z += step)
        mean += step * exp(after(z, 1, 1, 0.8, CONFSEQ_TWO).log_e - z * z / 2) / sqrt(2 * M_PI);
    cr_assert(epsilon_eq(dbl, mean, 1, 1e-12));
}

Test(confseq, exact_rho_makes_the_planned_look_the_narrowest)
{
    struct err err;
    double rho, near, n_star = 80000;
    for (int side = CONFSEQ_TWO; side <= CONFSEQ_GREATER; side++) {
        cr_assert(confseq_rho_exact(n_star, ALPHA, (enum confseq_side)side, &rho, &err));
        cr_assert(confseq_rho(n_star, ALPHA, (enum confseq_side)side, &near, &err));
        cr_assert(epsilon_eq(dbl, near, rho, 0.03 * rho));
    }
    cr_assert(confseq_rho_exact(n_star, ALPHA, CONFSEQ_TWO, &rho, &err));
    /* n_star ρ² = k solves k = -2 ln a + ln(1 + k), whatever alpha is */
    for (double alpha = 0.3; alpha > 1e-300; alpha *= 1e-7) {
        double any;
        cr_assert(confseq_rho_exact(1, alpha, CONFSEQ_TWO, &any, &err));
        cr_assert(epsilon_eq(dbl, any * any, -2 * log(alpha) + log1p(any * any), 1e-12 * any * any));
    }
    double least = after(0, 1, n_star, rho, CONFSEQ_TWO).half_width;
    cr_assert(lt(dbl, least, after(0, 1, n_star, rho * 1.01, CONFSEQ_TWO).half_width));
    cr_assert(lt(dbl, least, after(0, 1, n_star, rho / 1.01, CONFSEQ_TWO).half_width));
}

Test(confseq, units_of_measurement_do_not_matter)
{
    struct confseq a = after(3e-9, 1e-9, 5000, 0.03, CONFSEQ_TWO), b = after(3e9, 1e9, 5000, 0.03, CONFSEQ_TWO);
    cr_assert(epsilon_eq(dbl, a.log_e, b.log_e, 1e-13));
    cr_assert(epsilon_eq(dbl, a.hi * 1e18, b.hi, 1e-3));
}

Test(confseq, evidence_of_whole_site_traffic_is_a_logarithm)
{
    for (int side = CONFSEQ_TWO; side <= CONFSEQ_GREATER; side++) {
        struct confseq c = after(1, 0.01, 1e6, 0.01, (enum confseq_side)side);
        cr_assert(epsilon_eq(dbl, c.log_p, -4945, 10));
        cr_assert(eq(dbl, c.p, 0));
    }
}

Test(confseq, an_effect_that_moved_leaves_an_empty_intersection)
{
    struct confseq_run run = { 0 };
    const double effects[] = { 0.9, 0, 0 }, ses[] = { 0.1, 0.08, 0.07 };
    for (size_t i = 0; i < 3; i++) {
        struct confseq c;
        struct err err;
        cr_assert(confseq_msprt(effects[i], ses[i], 0.3, 0, ALPHA, &c, &err));
        confseq_run_add(&run, &c);
    }
    cr_assert(gt(dbl, run.lo, run.hi));
    cr_assert(epsilon_eq(dbl, exp(run.log_p), 4.67698669703142e-16, 1e-26));
}

Test(confseq, refusals_say_why)
{
    struct confseq c;
    struct err err;
    double rho;
    cr_assert(not(confseq_rho(0, 0.05, CONFSEQ_TWO, &rho, &err)));
    cr_assert(eq(str, err.text, "n_star is 0, not a number of units above 0"));
    cr_assert(not(confseq_rho(100, 0.5, CONFSEQ_LESS, &rho, &err)));
    cr_assert(eq(str, err.text, "alpha 0.5 of one side is not below 1/2"));
    cr_assert(not(confseq_msprt(0.1, 0, 0.1, 0, 0.05, &c, &err)));
    cr_assert(eq(str, err.text, "the standard error is 0, not a number above 0"));
    cr_assert(not(confseq_msprt(0.1, 0.1, 0, 0, 0.05, &c, &err)));
    cr_assert(eq(str, err.text, "tau is 0, not a number above 0"));
    cr_assert(not(confseq_msprt(NAN, 0.1, 1, 0, 0.05, &c, &err)));
    cr_assert(eq(str, err.text, "the effect is not a finite number"));
    cr_assert(not(confseq_msprt(1, 1, 1e-200, 0, 0.05, &c, &err)));
    cr_assert(not(confseq_asymptotic(1e200, 1e-10, 10, 1, 0.05, CONFSEQ_TWO, &c, &err)));
}
