#include "stats/power.h"

#include <float.h>
#include <math.h>

#include "stats/special/root.h"
#include "stats/special/special.h"

enum { STEPS_UP_MAX = 3000 };
/* Fewer degrees of freedom than this are no test. */
#define DF_LEAST 1.0
#define STEP_UP 1.3
/* What the normal approximation says is a little too small, and never by much but for a handful of units. */
#define GUESS_SHARE 0.95
#define GUESS_LEAST 0.1

/* ---- checks ---- */

static bool check_design(const struct power_design *d, struct err *err)
{
    if (!(d->alpha > 0 && d->alpha < 1))
        return err_set(err, ERR_INVALID, "alpha is %g, not between 0 and 1", d->alpha);
    if (d->sides != 1 && d->sides != 2)
        return err_set(err, ERR_INVALID, "a test has 1 or 2 sides, not %d", d->sides);
    if (!(d->ratio > 0) || !isfinite(d->ratio))
        return err_set(err, ERR_INVALID, "the ratio of units is %g, not a number above 0", d->ratio);
    return true;
}

static bool check_power(const struct power_design *d, double power, struct err *err)
{
    return (power > d->alpha && power < 1) ||
           err_set(err, ERR_INVALID, "the power is %g, not between alpha (%g) and 1", power, d->alpha);
}

static bool check_rate(double p, struct err *err)
{
    return (p > 0 && p < 1) || err_set(err, ERR_INVALID, "a share is %g, not between 0 and 1", p);
}

static bool check_units(const struct power_design *d, double n_c, double least, struct err *err)
{
    if (!(n_c >= least) || !isfinite(1 / (n_c * d->ratio)) || !isfinite(n_c * d->ratio))
        return err_set(err, ERR_INVALID, "%g units of control are too few, or no number", n_c);
    return true;
}

/* ---- roots ---- */

/* power(x) - target, ascending in x. */
struct curve {
    double (*power)(const struct curve *c, double x);
    const struct power_design *d;
    const struct power_rates *rates;
    double target, delta, sd, n_c, sign;
};

static double excess(const void *arg, double x)
{
    const struct curve *c = arg;
    return c->power(c, x) - c->target;
}

/* The curve is below its target at `from` and not at `to`. */
static double root(const struct curve *c, double from, double to)
{
    return root_find(excess, c, from, to);
}

/* Two points with the target's root between them: `from`, a guess, made larger as often as it takes, and the one before it (or `least`). False
 * when the power never reaches its target. */
static bool reach(const struct curve *c, double least, double from, double *out_lo, double *out_hi)
{
    double lo = least, x = from;
    for (int i = 0; i < STEPS_UP_MAX && isfinite(x); i++, x *= STEP_UP) {
        if (c->power(c, x) >= c->target) {
            *out_lo = lo;
            *out_hi = x;
            return true;
        }
        lo = x;
    }
    return false;
}

/* The effect in standard errors, by the normal approximation: somewhat less than what it will be, and above 0. */
static double guess(const struct power_design *d, double power)
{
    double z = special_normal_qinv(d->alpha / d->sides) + special_normal_qinv(1 - power);
    return GUESS_SHARE * fmax(GUESS_LEAST, z);
}

static bool out_of_reach(const struct curve *c, struct err *err)
{
    return err_set(err, ERR_INVALID, "a power of %g is out of reach", c->target);
}

static void round_up(const struct power_design *d, double n_c, struct power_units *out)
{
    *out = (struct power_units){ n_c, ceil(n_c), ceil(n_c * d->ratio) };
}

static double normal_q(double z)
{
    return exp(special_log_normal_q(z));
}

/* ---- two shares ---- */

/* Φ((d - z s0)/s1) + Φ((-d - z s0)/s1), d = |p_t - p_c|, z = z_{alpha/sides}; s1² = p_c q_c/n_c + p_t q_t/n_t; s0 the same, or with the share
 * of both arms together for each (J. L. Fleiss, B. Levin, M. C. Paik, "Statistical Methods for Rates and Proportions", chapter 4). */
static double rates_at(const struct power_design *d, const struct power_rates *r, double n_c)
{
    double n_t = n_c * d->ratio, diff = fabs(r->p_t - r->p_c);
    double p = (r->p_c + d->ratio * r->p_t) / (1 + d->ratio);
    double s1 = sqrt(r->p_c * (1 - r->p_c) / n_c + r->p_t * (1 - r->p_t) / n_t);
    double s0 = r->pooled ? sqrt(p * (1 - p) * (1 / n_c + 1 / n_t)) : s1;
    double z = special_normal_qinv(d->alpha / d->sides);
    double right = normal_q((z * s0 - diff) / s1);
    return d->sides == 2 && !d->one_tail ? right + normal_q((z * s0 + diff) / s1) : right;
}

static double rates_by_units(const struct curve *c, double n_c)
{
    return rates_at(c->d, c->rates, n_c);
}

static double rates_by_effect(const struct curve *c, double effect)
{
    struct power_rates r = *c->rates;
    r.p_t = fmin(1, fmax(0, r.p_c + c->sign * effect));
    return rates_at(c->d, &r, c->n_c);
}

bool power_rates(const struct power_design *d, const struct power_rates *r, double n_c, double *out, struct err *err)
{
    if (!check_design(d, err) || !check_rate(r->p_c, err) || !check_rate(r->p_t, err) || !check_units(d, n_c, 1, err))
        return false;
    *out = rates_at(d, r, n_c);
    return true;
}

bool power_rates_units(const struct power_design *d, const struct power_rates *r, double power, struct power_units *out,
                       struct err *err)
{
    struct curve c = { .power = rates_by_units, .d = d, .rates = r, .target = power };
    double lo, hi;
    if (!check_design(d, err) || !check_rate(r->p_c, err) || !check_rate(r->p_t, err) || !check_power(d, power, err))
        return false;
    if (r->p_c == r->p_t)
        return err_set(err, ERR_INVALID, "the shares are equal: no number of units finds a difference");
    /* Nobody finds nothing, but a test with few units and a pooled share of small variance may look so. */
    if (rates_by_units(&c, DBL_MIN) >= power || !reach(&c, DBL_MIN, 1, &lo, &hi))
        return out_of_reach(&c, err);
    round_up(d, root(&c, lo, hi), out);
    return true;
}

bool power_rates_effect(const struct power_design *d, const struct power_rates *r, double n_c, double power, bool down,
                        double *out, struct err *err)
{
    struct curve c = {
        .power = rates_by_effect, .d = d, .rates = r, .target = power, .n_c = n_c, .sign = down ? -1 : 1
    };
    if (!check_design(d, err) || !check_rate(r->p_c, err) || !check_units(d, n_c, 1, err) ||
        !check_power(d, power, err))
        return false;
    double most = down ? r->p_c : 1 - r->p_c;
    if (rates_by_effect(&c, most) < power)
        return out_of_reach(&c, err);
    *out = c.sign * root(&c, 0, most);
    return true;
}

/* ---- two means ---- */

/* P(T > t) + P(T < -t), T noncentral t with df = n_c + n_t - 2 and δ/(σ √(1/n_c + 1/n_t)), t = t_{alpha/sides, df} (J. Cohen, "Statistical
 * Power Analysis", 1988). */
static double means_at(const struct power_design *d, double delta, double sd, double n_c)
{
    double n_t = n_c * d->ratio, df = n_c + n_t - 2;
    double t = special_t_qinv(d->alpha / d->sides, df), nc = fabs(delta) / (sd * sqrt(1 / n_c + 1 / n_t));
    double right = special_noncentral_t_q(t, df, nc);
    double both = d->sides == 2 && !d->one_tail ? right + special_noncentral_t_q(t, df, -nc) : right;
    return fmin(1, fmax(0, both));
}

static double means_by_units(const struct curve *c, double n_c)
{
    return means_at(c->d, c->delta, c->sd, n_c);
}

static double means_by_effect(const struct curve *c, double delta)
{
    return means_at(c->d, delta, c->sd, c->n_c);
}

static bool check_sd(double sd, struct err *err)
{
    return (sd > 0 && isfinite(sd)) ||
           err_set(err, ERR_INVALID, "the standard deviation is %g, not a number above 0", sd);
}

static bool check_delta(double delta, struct err *err)
{
    return isfinite(delta) || err_set(err, ERR_INVALID, "the difference is not a finite number");
}

/* Each arm needs two units, or one that is worth as much. */
static double means_least(const struct power_design *d)
{
    return fmax(2, (DF_LEAST + 2) / (1 + d->ratio));
}

bool power_means(const struct power_design *d, double delta, double sd, double n_c, double *out, struct err *err)
{
    if (!check_design(d, err) || !check_delta(delta, err) || !check_sd(sd, err) ||
        !check_units(d, n_c, means_least(d), err))
        return false;
    *out = means_at(d, delta, sd, n_c);
    return true;
}

bool power_means_units(const struct power_design *d, double delta, double sd, double power, struct power_units *out,
                       struct err *err)
{
    struct curve c = { .power = means_by_units, .d = d, .target = power, .delta = delta, .sd = sd };
    double lo, hi, least = (DF_LEAST + 2) / (1 + d->ratio);
    if (!check_design(d, err) || !check_delta(delta, err) || !check_sd(sd, err) || !check_power(d, power, err))
        return false;
    if (delta == 0)
        return err_set(err, ERR_INVALID, "the difference is 0: no number of units finds it");
    double errors = guess(d, power) * sd / delta;
    if (!reach(&c, least, fmax(least, errors * errors * (1 + 1 / d->ratio)), &lo, &hi))
        return out_of_reach(&c, err);
    round_up(d, hi > least ? root(&c, lo, hi) : least, out);
    return true;
}

bool power_means_effect(const struct power_design *d, double sd, double n_c, double power, double *out, struct err *err)
{
    struct curve c = { .power = means_by_effect, .d = d, .target = power, .sd = sd, .n_c = n_c };
    double lo, hi;
    if (!check_design(d, err) || !check_sd(sd, err) || !check_units(d, n_c, means_least(d), err) ||
        !check_power(d, power, err))
        return false;
    if (!reach(&c, 0, guess(d, power) * sd * sqrt(1 / n_c + 1 / (n_c * d->ratio)), &lo, &hi))
        return out_of_reach(&c, err);
    *out = root(&c, lo, hi);
    return true;
}
