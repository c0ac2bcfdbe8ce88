#include "stats/sequential/bounds.h"

#include <assert.h>
#include <float.h>
#include <math.h>

#include "stats/special/root.h"
#include "stats/special/special.h"

const char *const spending_names[] = {
    [SPENDING_OBRIEN_FLEMING] = "ld_obf",
    [SPENDING_POCOCK] = "ld_pocock",
    [SPENDING_POWER] = "power",
    [SPENDING_HSD] = "hsd",
};
static_assert(sizeof spending_names / sizeof *spending_names == SPENDING_COUNT, "a name for every spending function");

/* Smaller ones would need walks further out than exits.h follows them. */
#define ALPHA_LEAST 1e-30
/* Bounds are sought from so low a z on: everybody is above it. */
#define Z_LEAST (-12.0)
/* A Haybittle-Peto interim bound may leave this little of alpha, and no less, to the last look. */
#define SHARE_LEFT_LEAST 1e-6

double spending_at(const struct spending *s, double a, double t)
{
    double at = fmin(1, t);
    switch (s->kind) {
    case SPENDING_OBRIEN_FLEMING:
        return 2 * exp(special_log_normal_q(special_normal_qinv(a / 2) / sqrt(at)));
    case SPENDING_POCOCK:
        return a * log1p((M_E - 1) * at);
    case SPENDING_POWER:
        return a * pow(at, s->par);
    case SPENDING_HSD:
        return s->par == 0 ? a * at : a * expm1(-s->par * at) / expm1(-s->par);
    case SPENDING_COUNT:
        break;
    }
    return 0;
}

static bool check_plan(const struct bounds_plan *p, struct err *err)
{
    if (p->sides != 1 && p->sides != 2)
        return err_set(err, ERR_INVALID, "a test has 1 or 2 sides, not %d", p->sides);
    if (!(p->alpha >= ALPHA_LEAST && p->alpha / p->sides < 0.5))
        return err_set(err, ERR_INVALID, "alpha is %g, not from %g and below 1/2 of each side", p->alpha, ALPHA_LEAST);
    return exits_check_looks(p->t, p->looks, err);
}

static bool check_spending(const struct spending *s, struct err *err)
{
    if (s->kind == SPENDING_POWER && !(s->par > 0 && isfinite(s->par)))
        return err_set(err, ERR_INVALID, "par is %g, no power above 0", s->par);
    if (s->kind == SPENDING_HSD && !(fabs(s->par) <= 100))
        return err_set(err, ERR_INVALID, "par is %g, not between -100 and 100", s->par);
    return true;
}

/* ---- look by look ---- */

struct level {
    const struct exits *e;
    double t, log_target;
};

static double excess(const void *arg, double z)
{
    const struct level *l = arg;
    return log(fmax(DBL_TRUE_MIN, exits_above(l->e, l->t, z * sqrt(l->t)))) - l->log_target;
}

/* The z above which `spend` of one side ends at t. Nobody is further out than if no look had been before, so that is where to start. */
static double bound_of(const struct exits *e, double t, double spend)
{
    const struct level l = { e, t, log(spend) };
    if (!(spend > DBL_MIN))
        return INFINITY;
    double hi = special_normal_qinv(fmin(0.5, spend)), lo = hi - 0.5;
    while (lo > Z_LEAST && excess(&l, lo) < 0)
        lo -= hi - lo;
    return root_find(excess, &l, lo, hi);
}

/* Puts look k at z: what it spends, and who goes on. */
static bool place(const struct bounds_plan *p, size_t k, double z, struct exits *e, struct bounds *out, struct err *err)
{
    double t = p->t[k], hi = z * sqrt(t), lo = p->sides == 2 ? -hi : -INFINITY;
    out->z[k] = z;
    out->nominal_p[k] = p->sides * exp(isinf(z) ? -INFINITY : special_log_normal_q(z));
    out->cum_alpha[k] = (k ? out->cum_alpha[k - 1] : 0) + p->sides * exits_above(e, t, hi);
    return k + 1 == p->looks || exits_go_on(e, t, lo, hi, p->t[k + 1], err);
}

bool bounds_spending(const struct bounds_plan *p, const struct spending *s, struct bounds *out, struct err *err)
{
    struct exits e;
    double a = p->alpha / p->sides, before = 0;
    if (!check_plan(p, err) || !check_spending(s, err))
        return false;
    exits_begin(&e, 0);
    out->constant = 0;
    for (size_t k = 0; k < p->looks; k++) {
        double sofar = spending_at(s, a, p->t[k]);
        if (!place(p, k, bound_of(&e, p->t[k], sofar - before), &e, out, err))
            return false;
        before = sofar;
    }
    return true;
}

bool bounds_haybittle_peto(const struct bounds_plan *p, double z_interim, struct bounds *out, struct err *err)
{
    struct exits e;
    if (!check_plan(p, err))
        return false;
    if (!(z_interim > 0) || !isfinite(z_interim))
        return err_set(err, ERR_INVALID, "z_interim is %g, no bound above 0", z_interim);
    exits_begin(&e, 0);
    out->constant = 0;
    for (size_t k = 0; k + 1 < p->looks; k++)
        if (!place(p, k, z_interim, &e, out, err))
            return false;
    size_t last = p->looks - 1;
    double left = p->alpha - (last ? out->cum_alpha[last - 1] : 0);
    if (!(left > SHARE_LEFT_LEAST * p->alpha))
        return err_set(err, ERR_INVALID, "z_interim %g spends all of alpha %g before the last look", z_interim,
                       p->alpha);
    return place(p, last, bound_of(&e, p->t[last], left / p->sides), &e, out, err);
}

/* ---- shapes ---- */

static bool place_all(const struct bounds_plan *p, double delta, double constant, struct bounds *out, struct err *err)
{
    struct exits e;
    exits_begin(&e, 0);
    out->constant = constant;
    for (size_t k = 0; k < p->looks; k++) {
        double share = p->t[k] / p->t[p->looks - 1];
        if (!place(p, k, constant * pow(share, delta - 0.5), &e, out, err))
            return false;
    }
    return true;
}

struct shape {
    const struct bounds_plan *p;
    double delta;
};

/* Called for constants above one for which place_all has passed, with fewer panels: it cannot be refused. */
static double overspent(const void *arg, double constant)
{
    const struct shape *s = arg;
    struct bounds b;
    struct err err;
    assert(s->p->looks > 0);
    return place_all(s->p, s->delta, constant, &b, &err) ? b.cum_alpha[s->p->looks - 1] - s->p->alpha : 0;
}

/* The last look alone spends alpha at z_{alpha/sides}: C is not below that. */
bool bounds_shape(const struct bounds_plan *p, double delta, struct bounds *out, struct err *err)
{
    if (!check_plan(p, err))
        return false;
    if (!(fabs(delta) <= 1))
        return err_set(err, ERR_INVALID, "delta is %g, not between -1 and 1", delta);
    const struct shape s = { p, delta };
    double lo = special_normal_qinv(p->alpha / p->sides), hi = lo;
    do {
        hi = hi * 1.1 + 0.1;
        if (!place_all(p, delta, hi, out, err)) /* the widest region that will be needed */
            return false;
    } while (out->cum_alpha[p->looks - 1] > p->alpha);
    return place_all(p, delta, root_find(overspent, &s, lo, hi), out, err);
}
