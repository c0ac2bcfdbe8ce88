#include "stats/sequential/plan.h"

#include <assert.h>
#include <math.h>

#include "stats/sequential/confseq.h"
#include "stats/sequential/stopped.h"
#include "stats/special/special.h"

const char *const plan_method_names[] = {
    [PLAN_FIXED] = "fixed",
    [PLAN_SPENDING] = "spending",
    [PLAN_ANY_TIME] = "any_time",
    [PLAN_HAYBITTLE_PETO] = "haybittle_peto",
};
static_assert(sizeof plan_method_names / sizeof *plan_method_names == PLAN_METHOD_COUNT, "a name for every method");

static bool check(const struct plan *p, struct err *err)
{
    if (!(p->var_c >= 0) || !(p->var_t >= 0) || !(p->var_c + p->var_t > 0) || !isfinite(p->var_c + p->var_t))
        return err_set(err, ERR_INVALID, "the variances of a unit are %g and %g, not numbers from 0, one above",
                       p->var_c, p->var_t);
    if (!(p->rank_sd >= 0) || !isfinite(p->rank_sd))
        return err_set(err, ERR_INVALID, "the standard deviation of ranks is %g, not a number from 0", p->rank_sd);
    if (!(p->ratio > 0) || !isfinite(p->ratio))
        return err_set(err, ERR_INVALID, "the ratio of units is %g, not a number above 0", p->ratio);
    if (p->sides != 1 && p->sides != 2)
        return err_set(err, ERR_INVALID, "a test has 1 or 2 sides, not %d", p->sides);
    if (!(p->alpha > 0 && p->alpha / p->sides < 0.5))
        return err_set(err, ERR_INVALID, "alpha is %g, not above 0 and below 1/2 of each side", p->alpha);
    if (!exits_check_looks(p->t, p->looks, err))
        return false;
    if (p->t[p->looks - 1] != 1)
        return err_set(err, ERR_INVALID, "t of the last look is %g, must be 1: all units", p->t[p->looks - 1]);
    if (p->method == PLAN_FIXED && p->looks != 1)
        return err_set(err, ERR_INVALID, "a fixed horizon is looked at once, not %zu times", p->looks);
    if (!(p->tuned >= 0) || !isfinite(p->tuned))
        return err_set(err, ERR_INVALID, "tuned is %g, not a share of the units from 0", p->tuned);
    return true;
}

/* Tuned for its last look, k = n ρ² there is the same for any number of units, and k t at the others; tuned for another share, k t over it. */
static bool any_time_bounds(const struct plan *p, double *out_z, struct err *err)
{
    enum confseq_side side = p->sides == 2 ? CONFSEQ_TWO : CONFSEQ_GREATER;
    double rho, at = p->tuned > 0 ? p->tuned : 1;
    if (!confseq_rho_exact(1, p->alpha, side, &rho, err))
        return false;
    for (size_t k = 0; k < p->looks; k++)
        out_z[k] = confseq_critical(rho * rho * p->t[k] / at, p->alpha, side);
    return true;
}

bool plan_bounds(const struct plan *p, double *out_z, struct err *err)
{
    const struct bounds_plan all = { p->t, p->looks, p->alpha, p->sides };
    struct bounds b;
    if (!check(p, err))
        return false;
    if (p->method == PLAN_ANY_TIME)
        return any_time_bounds(p, out_z, err);
    if (p->method == PLAN_FIXED)
        return out_z[0] = special_normal_qinv(p->alpha / p->sides), true;
    double high = special_normal_qinv(PLAN_HAYBITTLE_PETO_SHARE * p->alpha / p->sides);
    if (!(p->method == PLAN_HAYBITTLE_PETO ? bounds_haybittle_peto(&all, high, &b, err)
                                           : bounds_spending(&all, &p->spending, &b, err)))
        return false;
    for (size_t k = 0; k < p->looks; k++)
        out_z[k] = b.z[k];
    return true;
}

/* Variance of the difference for one control unit: v_c + v_t/r. */
static double unit_variance(const struct plan *p)
{
    return p->var_c + p->var_t / p->ratio;
}

static bool check_effect(double effect, struct err *err)
{
    return (isfinite(effect) && effect != 0) ||
           err_set(err, ERR_INVALID, "the effect is %g, not a number other than 0", effect);
}

static bool check_units(double n_c, struct err *err)
{
    return (n_c > 0 && isfinite(n_c)) || err_set(err, ERR_INVALID, "n_c is %g, not a number of units above 0", n_c);
}

static bool drift_of(const struct plan *p, const double *z, double power, double *out, struct err *err)
{
    const struct exits_design d = { p->t, z, p->looks, p->sides };
    if (!(power > p->alpha && power < 1))
        return err_set(err, ERR_INVALID, "the power is %g, not between alpha (%g) and 1", power, p->alpha);
    return stopped_drift(&d, power, out, err);
}

/* ---- standard errors from ranks ---- */

#define RANKS_Z 1.959963984540054 /* of the interval that gives a quantile's standard error (compare.c) */

static double ranks_between(double rank_sd, double n)
{
    return 2 * RANKS_Z * rank_sd * sqrt(n);
}

/* E S² = (1 + 1/w)² + 1/w, to the first order. */
double plan_rank_inflation(double rank_sd, double n)
{
    return rank_sd > 0 ? 1 + 3 / ranks_between(rank_sd, n) : 1;
}

/* In place of z: what the drift has to reach on average, and the standard deviation of what decides. */
struct hurdle {
    double at, sd;
};

static struct hurdle hurdle_of(const struct plan *p, double z, double n_c)
{
    if (!(p->rank_sd > 0))
        return (struct hurdle){ z, 1 };
    double all = unit_variance(p), f_c = p->var_c / all, f_t = 1 - f_c;
    double w_c = ranks_between(p->rank_sd, n_c), w_t = ranks_between(p->rank_sd, n_c * p->ratio);
    double bias = (3 * f_c - f_c * f_c) / (2 * w_c) + (3 * f_t - f_t * f_t) / (2 * w_t);
    return (struct hurdle){ z * (1 + bias), sqrt(1 + z * z * (f_c * f_c / w_c + f_t * f_t / w_t)) };
}

double plan_seen_drift(const struct plan *p, double z, double n_c, double drift)
{
    struct hurdle h = hurdle_of(p, z, n_c);
    return copysign(z + (fabs(drift) - h.at) / h.sd, drift);
}

double plan_needed_drift(const struct plan *p, double z, double n_c, double seen)
{
    struct hurdle h = hurdle_of(p, z, n_c);
    return copysign(h.at + (fabs(seen) - z) * h.sd, seen);
}

/* Units that have the drift which they need themselves: the more there are, the less it is, so that a few rounds find them. */
static double units_of_drift(const struct plan *p, double z, double drift, double effect, double *out_needed)
{
    enum { ROUNDS = 40 };
    double n = drift / effect * (drift / effect) * unit_variance(p);
    *out_needed = drift;
    for (int i = 0; i < ROUNDS && p->rank_sd > 0 && n > 0; i++) {
        *out_needed = plan_needed_drift(p, z, n, drift);
        n = *out_needed / effect * (*out_needed / effect) * unit_variance(p);
    }
    return n;
}

/* ---- units, effect, power ---- */

bool plan_units(const struct plan *p, double effect, double power, struct plan_test *out, struct err *err)
{
    double z[EXITS_LOOKS_MAX], up[EXITS_LOOKS_MAX], down[EXITS_LOOKS_MAX], drift, once;
    const struct exits_design d = { p->t, z, p->looks, p->sides };
    const struct plan at_end = { .alpha = p->alpha, .sides = p->sides, .t = (const double[]){ 1 }, .looks = 1 };
    const double z_once = special_normal_qinv(p->alpha / p->sides);
    struct stopped_chances c;
    if (!plan_bounds(p, z, err) || !check_effect(effect, err) || !drift_of(p, z, power, &drift, err) ||
        !drift_of(&at_end, &z_once, power, &once, err) || !stopped_chances(&d, drift, up, down, &c, err))
        return false;
    double needed, control = units_of_drift(p, z[p->looks - 1], drift, effect, &needed);
    if (!(control > 0) || !isfinite(control * p->ratio))
        return err_set(err, ERR_INVALID, "an effect of %g takes more units than a number holds", effect);
    *out = (struct plan_test){ needed, drift / once * (drift / once), control, control * p->ratio, c.expected_t };
    return true;
}

bool plan_effect(const struct plan *p, double n_c, double power, double *out, struct err *err)
{
    double z[EXITS_LOOKS_MAX], drift;
    if (!plan_bounds(p, z, err) || !check_units(n_c, err) || !drift_of(p, z, power, &drift, err))
        return false;
    *out = plan_needed_drift(p, z[p->looks - 1], n_c, drift) * sqrt(unit_variance(p) / n_c);
    return true;
}

bool plan_power(const struct plan *p, double effect, double n_c, double *out, struct err *err)
{
    double z[EXITS_LOOKS_MAX], up[EXITS_LOOKS_MAX], down[EXITS_LOOKS_MAX];
    const struct exits_design d = { p->t, z, p->looks, p->sides };
    struct stopped_chances c;
    if (!plan_bounds(p, z, err) || !check_units(n_c, err))
        return false;
    if (!isfinite(effect))
        return err_set(err, ERR_INVALID, "the effect is not a finite number");
    double drift = plan_seen_drift(p, z[p->looks - 1], n_c, effect / sqrt(unit_variance(p) / n_c));
    if (!stopped_chances(&d, drift, up, down, &c, err))
        return false;
    *out = fmin(1, c.power);
    return true;
}

bool plan_days(const struct plan_traffic *t, double units, double *out, struct err *err)
{
    if (!(t->days > 0) || !(t->units > 0) || !isfinite(t->days) || !isfinite(t->units))
        return err_set(err, ERR_INVALID, "%g units in %g days are no traffic", t->units, t->days);
    if (!(t->growth > 0 && t->growth <= 1))
        return err_set(err, ERR_INVALID, "growth is %g, not above 0 and up to 1", t->growth);
    if (!(units > 0) || !isfinite(units))
        return err_set(err, ERR_INVALID, "%g is no number of units above 0", units);
    double days = t->days * pow(units / t->units, 1 / t->growth);
    if (!isfinite(days))
        return err_set(err, ERR_INVALID, "so many units will never be there");
    *out = days;
    return true;
}
