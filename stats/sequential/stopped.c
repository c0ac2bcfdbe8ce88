#include "stats/sequential/stopped.h"

#include <math.h>

#include "stats/special/root.h"
#include "stats/special/special.h"

/* Drifts are looked for up to so many standard errors of the look from where a test of one look would see them. */
#define REACH_MAX 40.0
enum { SECANTS_MAX = 12 };
/* A step so small, as a share of the drift, that the next one is rounding. */
#define SECANT_LAST 1e-9

/* ---- before ---- */

bool stopped_chances(const struct exits_design *d, double drift, double *out_up, double *out_down,
                     struct stopped_chances *out, struct err *err)
{
    if (!exits_check(d, err) || !exits_by_look(d, drift, out_up, out_down, err))
        return false;
    *out = (struct stopped_chances){ 0 };
    for (size_t k = 0; k < d->looks; k++) {
        out->power += out_up[k] + out_down[k];
        out->expected_t += d->t[k] * (out_up[k] + out_down[k]);
    }
    out->expected_t += d->t[d->looks - 1] * (1 - out->power);
    return true;
}

struct search {
    const struct exits_design *d;
    double target, z;
    size_t look;
    struct err *err; /* of a walk that could not be followed: asked for once the root is there */
    bool *refused;
};

static double power_excess(const void *arg, double drift)
{
    const struct search *s = arg;
    double up[EXITS_LOOKS_MAX], down[EXITS_LOOKS_MAX];
    struct stopped_chances c;
    if (!*s->refused && !stopped_chances(s->d, drift, up, down, &c, s->err))
        *s->refused = true;
    return *s->refused ? 0 : c.power - s->target;
}

/* In normal deviates the power rises nearly straight with the drift, one for one: secants from what a test of the last look alone would need are
 * there in four or five steps. False: they have left the way. */
static bool drift_by_secants(const struct search *s, double last, double *out)
{
    double deviate = -special_normal_qinv(s->target), x = last + deviate, slope = 1, f_was = 0, step = 0;
    for (int i = 0; i < SECANTS_MAX && !*s->refused; i++) {
        double power = power_excess(s, x) + s->target;
        if (!(power > 0 && power < 1))
            return false;
        double f = -special_normal_qinv(power) - deviate;
        if (i && f != f_was)
            slope = (f - f_was) / step;
        step = -f / slope;
        f_was = f;
        x += step;
        if (!(x > 0 && x < last + REACH_MAX))
            return false;
        if (fabs(step) <= SECANT_LAST * x) {
            *out = x;
            return true;
        }
    }
    return false;
}

bool stopped_drift(const struct exits_design *d, double power, double *out, struct err *err)
{
    bool refused = false;
    const struct search s = { .d = d, .target = power, .err = err, .refused = &refused };
    if (!exits_check(d, err))
        return false;
    double none = power_excess(&s, 0), last = d->z[d->looks - 1], hi = 1;
    if (!refused && !(none < 0 && power < 1))
        return err_set(err, ERR_INVALID, "the power is %g, not between that of no effect (%g) and 1", power,
                       none + power);
    if (!isfinite(last))
        return err_set(err, ERR_INVALID, "the last look has no bound");
    if (!refused && drift_by_secants(&s, last, out))
        return true;
    while (!refused && hi < last + REACH_MAX && power_excess(&s, hi) < 0)
        hi *= 2;
    *out = refused ? 0 : root_find(power_excess, &s, 0, hi);
    return !refused;
}

/* ---- after ---- */

/* Of drift θ: P(a result at least as high) = Σ_{j<k} P(up at j) + P(reaches k, Z_k >= z), and the same downwards. */
static bool tails(const struct search *s, double drift, double *out_above, double *out_below)
{
    struct exits e;
    exits_begin(&e, drift);
    *out_above = *out_below = 0;
    for (size_t k = 0; k < s->look; k++) {
        double t = s->d->t[k], hi = s->d->z[k] * sqrt(t), lo = s->d->sides == 2 ? -hi : -INFINITY;
        bool last = k + 1 == s->look;
        *out_above += exits_above(&e, t, last ? s->z * sqrt(t) : hi);
        *out_below += last ? exits_below(&e, t, s->z * sqrt(t)) : s->d->sides == 2 ? exits_below(&e, t, lo) : 0;
        if (!last && !exits_go_on(&e, t, lo, hi, s->d->t[k + 1], s->err))
            return false;
    }
    return true;
}

/* In logits, which rise evenly with the drift; the tail that is smaller has the digits. */
static double tail_excess(const void *arg, double drift)
{
    const struct search *s = arg;
    double above, below;
    if (!*s->refused && !tails(s, drift, &above, &below))
        *s->refused = true;
    return *s->refused ? 0 : log(above) - log(below) - log(s->target / (1 - s->target));
}

/* P(at least as high) = target: as a test of one look would find it, or somewhat beside. */
static double drift_of(struct search *s, double target)
{
    double sd = 1 / sqrt(s->d->t[s->look - 1]), at = s->z * sd - special_normal_qinv(target) * sd, step = sd / 2;
    s->target = target;
    double lo = at - step, hi = at + step;
    for (; step < REACH_MAX * sd && tail_excess(s, lo) > 0; step *= 2)
        lo -= step;
    for (step = sd / 2; step < REACH_MAX * sd && tail_excess(s, hi) < 0; step *= 2)
        hi += step;
    return root_find(tail_excess, s, lo, hi);
}

bool stopped_result(const struct exits_design *d, size_t look, double z, double alpha, struct stopped *out,
                    struct err *err)
{
    bool refused = false;
    struct search s = { d, 0.5, z, look, err, &refused };
    double above, below;
    if (!exits_check(d, err))
        return false;
    if (look < 1 || look > d->looks)
        return err_set(err, ERR_INVALID, "look %zu is none of the %zu", look, d->looks);
    if (!(fabs(z) < REACH_MAX - 3))
        return err_set(err, ERR_INVALID, "z of the stop is %g, not a number below 37", z);
    if (!(alpha > 0 && alpha < 1))
        return err_set(err, ERR_INVALID, "alpha %g is not between 0 and 1", alpha);
    if (!tails(&s, 0, &above, &below))
        return false;
    *out = (struct stopped){ log(above), log(below), above, 0, 0, 0, z / sqrt(d->t[look - 1]) };
    out->estimate = drift_of(&s, 0.5);
    out->lo = drift_of(&s, alpha / 2);
    out->hi = drift_of(&s, 1 - alpha / 2);
    return !refused;
}
