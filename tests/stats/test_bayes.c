/* Posteriors, chances and losses against closed forms and identities. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "draw.h"
#include "stats/bayes/beta.h"
#include "stats/bayes/normal.h"
#include "stats/special/special.h"

/* ---- losses of several arms ---- */

static void losses_of(enum best_family family, const struct best_arm *arms, size_t n, double *out)
{
    struct err err;
    cr_assert(best_losses(family, arms, n, out, &err), "%s", err.text);
    for (size_t i = 0; i < n; i++)
        out[i] = exp(out[i]);
}

Test(losses, of_equal_uniform_arms_are_those_of_order_statistics)
{
    const struct best_arm uniform[5] = { { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 } };
    double losses[5];
    for (size_t n = 2; n <= 5; n++) {
        losses_of(BEST_BETA, uniform, n, losses);
        for (size_t i = 0; i < n; i++)
            cr_assert(epsilon_eq(dbl, losses[i], (double)n / (double)(n + 1) - 0.5, 1e-12)); /* E max - E one */
    }
}

Test(losses, of_two_normal_arms_are_the_closed_form)
{
    for (double z = -40; z <= 40; z += 2.5) {
        const struct best_arm arms[2] = { { 7, 3 }, { 7 + 5 * z, 4 } };
        double losses[2];
        cr_assert(best_losses(BEST_NORMAL, arms, 2, losses, NULL));
        double shipping = log(5) + normal_log_excess(z), keeping = log(5) + normal_log_excess(-z);
        cr_assert(epsilon_eq(dbl, losses[1], shipping, 1e-9));
        cr_assert(epsilon_eq(dbl, losses[0], keeping, 1e-9));
    }
}

/* E max - E θ_i differ as the means do. */
Test(losses, differ_as_the_means_do)
{
    struct draw d = { 31 };
    for (int run = 0; run < 20; run++) {
        struct best_arm arms[4], normal[4];
        double losses[4];
        for (size_t i = 0; i < 4; i++) {
            arms[i] = (struct best_arm){ 0.1 + 20 * draw_exponential(&d), 0.1 + 50 * draw_exponential(&d) };
            normal[i] = (struct best_arm){ draw_normal(&d), 0.05 + draw_exponential(&d) };
        }
        losses_of(BEST_BETA, arms, 4, losses);
        for (size_t i = 1; i < 4; i++)
            cr_assert(epsilon_eq(dbl, losses[0] - losses[i], beta_mean(&arms[i]) - beta_mean(&arms[0]), 1e-11));
        losses_of(BEST_NORMAL, normal, 4, losses);
        for (size_t i = 1; i < 4; i++)
            cr_assert(epsilon_eq(dbl, losses[0] - losses[i], normal[i].a - normal[0].a, 1e-11));
    }
}

Test(losses, exchanging_success_and_failure_exchanges_the_losses_of_two_arms)
{
    const struct best_arm arms[2] = { { 0.01, 40.01 }, { 3.01, 37.01 } },
                          mirrored[2] = { { 40.01, 0.01 }, { 37.01, 3.01 } };
    double a[2], b[2];
    losses_of(BEST_BETA, arms, 2, a);
    losses_of(BEST_BETA, mirrored, 2, b);
    cr_assert(epsilon_eq(dbl, a[0], b[1], 1e-11 * a[0]));
    cr_assert(epsilon_eq(dbl, a[1], b[0], 1e-11 * a[1]));
}

Test(losses, of_shapes_at_the_limits_are_numbers)
{
    const double shapes[] = { BEST_SHAPE_MIN, 1, 1e5, 1e8 };
    for (size_t i = 0; i < 16; i++) {
        const struct best_arm arms[2] = { { shapes[i % 4], shapes[i / 4] }, { shapes[i / 4], shapes[i % 4] } };
        double losses[2];
        struct best best;
        losses_of(BEST_BETA, arms, 2, losses);
        cr_assert(best_chances(BEST_BETA, arms, 2, &best, NULL));
        cr_assert(epsilon_eq(dbl, losses[0] - losses[1], beta_mean(&arms[1]) - beta_mean(&arms[0]), 1e-9));
        cr_assert(epsilon_eq(dbl, best.p[0] + best.p[1], 1, 1e-12));
    }
}

Test(losses, what_cannot_be_answered_is_refused_and_no_nan_leaves)
{
    struct draw d = { 32 };
    int answered = 0;
    for (int round = 0; round < 600; round++) {
        struct best_arm arms[3];
        double losses[3];
        struct err err;
        for (size_t i = 0; i < 3; i++)
            arms[i] = (struct best_arm){ exp(5 * draw_normal(&d)), exp(5 * draw_normal(&d)) };
        if (!best_losses(round % 2 ? BEST_BETA : BEST_NORMAL, arms, 3, losses, &err)) {
            cr_assert(eq(int, err.kind, ERR_INVALID), "%s", err.text);
            continue;
        }
        answered++;
        for (size_t i = 0; i < 3; i++)
            cr_assert(losses[i] < INFINITY, "round %d: %g of %g,%g %g,%g %g,%g", round, losses[i], arms[0].a, arms[0].b,
                      arms[1].a, arms[1].b, arms[2].a, arms[2].b);
    }
    cr_assert(gt(int, answered, 300));
}

Test(losses, that_would_take_minutes_are_refused)
{
    struct best_arm arms[60];
    double losses[60];
    struct best best;
    struct err err;
    for (size_t i = 0; i < 60; i++)
        arms[i] = (struct best_arm){ 1e9, 1e9 };
    cr_assert(eq(int, best_losses(BEST_BETA, arms, 60, losses, &err), 0));
    cr_assert(eq(str, err.text, "60 arms of shapes up to 1e+09 would take too long: give them as normal arms"));
    cr_assert(eq(int, best_chances(BEST_BETA, arms, 60, &best, &err), 0));
}

/* ---- beta ---- */

Test(beta, the_interval_holds_its_mass)
{
    struct best_arm arm;
    double lo, hi;
    cr_assert(beta_posterior(42, 104, &(struct beta_prior){ 0.5, 0.5 }, &arm, NULL));
    cr_assert(eq(dbl, arm.a, 42.5));
    cr_assert(eq(dbl, arm.b, 62.5));
    beta_interval(&arm, 0.1, &lo, &hi);
    cr_assert(epsilon_eq(dbl, lo, special_beta_pinv(0.05, 42.5, 62.5), 1e-15));
    cr_assert(epsilon_eq(dbl, 1 - hi, special_beta_pinv(0.05, 62.5, 42.5), 1e-14));
}

Test(beta, refusals_name_the_field)
{
    const struct beta_prior uniform = { 1, 1 };
    struct best_arm arm;
    struct err err;
    cr_assert(eq(int, beta_posterior(11, 10, &uniform, &arm, &err), 0));
    cr_assert(eq(str, err.text, "x 11 is larger than n 10"));
    cr_assert(eq(int, beta_posterior(-1, 10, &uniform, &arm, &err), 0));
    cr_assert(eq(str, err.text, "x -1 or n 10 is negative"));
    cr_assert(eq(int, beta_posterior(1, 10, &(struct beta_prior){ 0, 1 }, &arm, &err), 0));
    cr_assert(eq(str, err.text, "prior_alpha 0 and prior_beta 1 must be positive numbers"));
}

/* ---- normal ---- */

static struct normal_posterior believed(double effect, double se, const struct normal_prior *prior)
{
    struct normal_posterior p;
    struct err err;
    cr_assert(normal_posterior(effect, se, prior, &p, &err), "%s", err.text);
    return p;
}

Test(normal, the_excess_is_one_curve_and_falls_as_the_tail_says)
{
    for (double z = -6; z < 30; z += 0.0625) {
        const double h = 1e-4;
        double before = exp(normal_log_excess(z - h)), after = exp(normal_log_excess(z + h)),
               q = exp(special_log_normal_q(z));
        cr_assert(epsilon_eq(dbl, (before - after) / (2 * h), q, 1e-5 * q)); /* d/dz (φ - z Q) = -Q */
    }
    double far = normal_log_excess(1e6); /* φ/z² in the limit */
    cr_assert(epsilon_eq(dbl, far, -5e11 - 2 * log(1e6) - 0.5 * log(2 * M_PI), 1e-3));
}

Test(normal, losses_differ_by_the_effect)
{
    for (double z = -12; z <= 12; z += 0.75) {
        struct normal_posterior p = believed(3 * z, 3, &(struct normal_prior){ 0 });
        cr_assert(epsilon_eq(dbl, exp(p.log_loss_keep) - exp(p.log_loss_ship), 3 * z, 1e-13));
        cr_assert(epsilon_eq(dbl, exp(p.log_win) + exp(p.log_lose), 1, 1e-14));
    }
}

Test(normal, a_wide_prior_says_nothing_and_a_narrow_one_everything)
{
    struct normal_posterior flat = believed(0.3, 0.1, &(struct normal_prior){ 0 }),
                            wide = believed(0.3, 0.1, &(struct normal_prior){ true, 5, 1e14 }),
                            narrow = believed(0.3, 0.1, &(struct normal_prior){ true, 5, 1e-14 });
    cr_assert(epsilon_eq(dbl, wide.mean, flat.mean, 1e-14));
    cr_assert(epsilon_eq(dbl, wide.sd, flat.sd, 1e-15));
    cr_assert(epsilon_eq(dbl, narrow.mean, 5, 1e-11));
    cr_assert(epsilon_eq(dbl, narrow.sd, 1e-7, 1e-18));
}

Test(normal, the_bayes_factor_is_the_ratio_of_densities_at_0)
{
    const struct normal_prior prior = { true, 0.1, 0.04 };
    struct normal_posterior p = believed(0.3, 0.15, &prior);
    double at_prior = exp(-0.1 * 0.1 / 0.08) / 0.2, at_posterior = exp(-p.mean * p.mean / (2 * p.sd * p.sd)) / p.sd;
    cr_assert(epsilon_eq(dbl, p.log_bf10, log(at_prior / at_posterior), 1e-13));
}

Test(normal, the_parts_around_a_rope_sum_to_1)
{
    for (double effect = -9; effect <= 9; effect += 0.5) {
        struct normal_posterior p = believed(effect, 1, &(struct normal_prior){ 0 });
        struct normal_rope r;
        cr_assert(normal_rope(&p, 1.25, &r, NULL));
        cr_assert(epsilon_eq(dbl, r.p_in + exp(r.log_above) + exp(r.log_below), 1, 1e-14));
        cr_assert(gt(dbl, r.p_in, 0));
    }
}

Test(normal, refusals_name_the_field)
{
    const struct normal_prior flat = { 0 };
    struct normal_posterior p;
    struct normal_rope r;
    struct err err;
    cr_assert(eq(int, normal_posterior(NAN, 1, &flat, &p, &err), 0));
    cr_assert(eq(str, err.text, "effect nan or se 1 is not a finite number"));
    cr_assert(eq(int, normal_posterior(1, 0, &flat, &p, &err), 0));
    cr_assert(eq(str, err.text, "se 0 is not positive: there is no uncertainty to speak of"));
    cr_assert(eq(int, normal_posterior(1, 1, &(struct normal_prior){ true, 0, 0 }, &p, &err), 0));
    cr_assert(eq(str, err.text, "prior_var 0 is not positive"));
    p = believed(1, 1, &flat);
    cr_assert(eq(int, normal_rope(&p, -1, &r, &err), 0));
    cr_assert(eq(str, err.text, "rope -1 is not a positive number"));
}
