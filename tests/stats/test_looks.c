#include "stats/sequential/looks.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

#include "stats/special/special.h"

static const struct looks_plan obrien_fleming = { .spending = { .kind = SPENDING_OBRIEN_FLEMING } },
                               pocock = { .spending = { .kind = SPENDING_POCOCK } },
                               haybittle_peto = { .haybittle_peto = true };
static const double fifths[] = { 0.2, 0.4, 0.6, 0.8, 1 };

static double log_p(const struct looks_plan *p, const double *t, const double *z, size_t n)
{
    double out = NAN;
    struct err err;
    cr_assert(looks_log_p(p, &(struct looks){ t, z, n }, &out, &err), "%s", err.text);
    return out;
}

static double bound(const struct looks_plan *p, size_t look, double alpha)
{
    double z[5];
    struct err err;
    cr_assert(looks_bounds(p, fifths, look, alpha, z, &err), "%s", err.text);
    return z[look - 1];
}

/* The published bounds: O'Brien and Fleming's by spending 4.877, …, 2.031; Haybittle and Peto's 3.291 and then nearly 1.96. */
Test(looks, bounds_are_those_of_the_spending_function)
{
    cr_assert(epsilon_eq(dbl, bound(&obrien_fleming, 1, 0.05), 4.877, 1e-3));
    cr_assert(epsilon_eq(dbl, bound(&obrien_fleming, 5, 0.05), 2.031, 1e-3));
    cr_assert(epsilon_eq(dbl, bound(&pocock, 1, 0.05), 2.438, 1e-3));
    cr_assert(epsilon_eq(dbl, bound(&haybittle_peto, 1, 0.05), 3.2905, 1e-4));
    double last = bound(&haybittle_peto, 5, 0.05);
    cr_assert(ge(dbl, last, 1.96));
    cr_assert(le(dbl, last, 2.0));
}

/* A bound needs only the looks up to it. */
Test(looks, later_looks_do_not_change_earlier_bounds)
{
    double z[5];
    struct err err;
    cr_assert(looks_bounds(&pocock, fifths, 5, 0.05, z, &err));
    for (size_t k = 1; k <= 5; k++)
        cr_assert(epsilon_eq(dbl, bound(&pocock, k, 0.05), z[k - 1], 1e-9));
}

Test(looks, one_look_at_the_end_is_the_usual_p)
{
    const double end[] = { 1 }, z[] = { 2.3 };
    cr_assert(epsilon_eq(dbl, log_p(&obrien_fleming, end, z, 1), log(2) + special_log_normal_q(2.3), 1e-6));
}

Test(looks, p_is_alpha_where_z_is_the_bound)
{
    const struct looks_plan *const plans[] = { &obrien_fleming, &pocock, &haybittle_peto };
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 1; k <= 5; k++) {
            double z[5] = { 0.1, -0.2, 0.3, 0.1, 0.2 };
            z[k - 1] = -bound(plans[i], k, 0.03);
            cr_assert(epsilon_eq(dbl, exp(log_p(plans[i], fifths, z, k)), 0.03, 1e-5), "plan %zu, look %zu", i, k);
        }
    }
}

Test(looks, p_never_grows)
{
    const double z[] = { 1.2, 2.9, 1.0, 0.2, -0.4 };
    double before = 0;
    for (size_t k = 1; k <= 5; k++) {
        double now = log_p(&obrien_fleming, fifths, z, k);
        cr_assert(le(dbl, now, before + 1e-9));
        before = now;
    }
}

Test(looks, the_first_look_beyond_its_bound_is_the_stop)
{
    const double z[] = { 1.2, 3.5, 1.0 };
    size_t at = 9;
    struct err err;
    cr_assert(looks_stop(&obrien_fleming, &(struct looks){ fifths, z, 3 }, 0.05, &at, &err));
    cr_assert(eq(sz, at, 2));
    cr_assert(looks_stop(&obrien_fleming, &(struct looks){ fifths, z, 3 }, 0.0001, &at, &err));
    cr_assert(eq(sz, at, 0));
}

/* A test of one look says z; the stage-wise estimate of an early stop lies below it, and its interval excludes no effect. */
Test(looks, the_estimate_after_an_early_stop_is_less_than_what_was_seen)
{
    const double z[] = { 1.2, 3.6 };
    struct stopped s;
    struct err err;
    cr_assert(looks_stopped(&obrien_fleming, &(struct looks){ fifths, z, 2 }, 2, 0.05, &s, &err), "%s", err.text);
    cr_assert(lt(dbl, s.estimate, s.naive));
    cr_assert(gt(dbl, s.lo, 0));
    cr_assert(gt(dbl, s.hi, s.estimate));
}

Test(looks, a_p_beyond_all_levels_is_the_least)
{
    const double z[] = { 30, 36 };
    cr_assert(eq(dbl, log_p(&pocock, fifths, z, 2), LOOKS_LOG_P_MIN));
    const double none[] = { 0, 0 };
    cr_assert(eq(dbl, log_p(&pocock, fifths, none, 2), 0));
}

Test(looks, what_is_no_look_is_refused)
{
    double z[2];
    struct err err;
    const double back[] = { 0.5, 0.4 }, beyond[] = { 0.5, 1.2 };
    cr_assert(not(looks_bounds(&pocock, back, 2, 0.05, z, &err)));
    cr_assert(not(looks_bounds(&pocock, beyond, 2, 0.05, z, &err)));
    struct stopped s;
    cr_assert(not(looks_stopped(&pocock, &(struct looks){ fifths, z, 2 }, 3, 0.05, &s, &err)));
    cr_assert(strstr(err.text, "look 3 is not one of the 2 taken") != NULL, "%s", err.text);
}
