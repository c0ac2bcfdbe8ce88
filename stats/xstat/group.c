/* The method group_sequential: bounds of planned looks, what they find, and what a stop says. */
#include <math.h>
#include <string.h>

#include "stats/sequential/bounds.h"
#include "stats/sequential/looks.h"
#include "stats/sequential/stopped.h"
#include "stats/special/special.h"
#include "stats/welch.h"
#include "stats/xstat/xstat.h"

static int read_sides(struct xstat_in *in)
{
    int64_t sides = xstat_in_has(in, "sides") ? xstat_in_count(in, "sides") : 2;
    return sides == 1 || sides == 2 ? (int)sides : 0;
}

static void write_bounds(const struct bounds *b, size_t looks, json_t *out)
{
    xstat_out_doubles(out, "z", b->z, looks);
    xstat_out_doubles(out, "nominal_p", b->nominal_p, looks);
    xstat_out_doubles(out, "cum_alpha", b->cum_alpha, looks);
    if (b->constant > 0)
        xstat_out_double(out, "constant", b->constant);
}

static bool read_spending(struct xstat_in *in, const char *name, struct spending *s, struct err *err)
{
    s->par = xstat_in_double_or(in, "par", 2);
    s->kind = SPENDING_OBRIEN_FLEMING;
    while (s->kind < SPENDING_COUNT && strcmp(name, spending_names[s->kind]) != 0)
        s->kind++;
    if (in->err.kind == ERR_NONE && s->kind == SPENDING_COUNT)
        return err_set(err, ERR_INVALID, "field \"function\" is not ld_obf, ld_pocock, power or hsd");
    return true;
}

enum family { OBRIEN_FLEMING, POCOCK, WANG_TSIATIS, HAYBITTLE_PETO, SPENDING, FAMILY_COUNT };
static const char *const family_names[FAMILY_COUNT] = { "obrien_fleming", "pocock", "wang_tsiatis", "haybittle_peto",
                                                        "spending" };

static bool find_bounds(struct xstat_in *in, enum family f, json_t *out, struct err *err)
{
    struct bounds_plan p = { .alpha = xstat_in_double(in, "alpha"), .sides = read_sides(in) };
    struct spending s = { 0 };
    struct bounds b;
    p.t = xstat_in_doubles(in, "t", &p.looks);
    double delta = f == POCOCK ? 0.5 : f == WANG_TSIATIS ? xstat_in_double(in, "delta") : 0;
    double z_interim = f == HAYBITTLE_PETO ? xstat_in_double(in, "z_interim") : 0;
    if ((f == SPENDING && !read_spending(in, xstat_in_text(in, "function"), &s, err)) || !xstat_in_end(in, err))
        return false;
    bool found = f == SPENDING         ? bounds_spending(&p, &s, &b, err)
                 : f == HAYBITTLE_PETO ? bounds_haybittle_peto(&p, z_interim, &b, err)
                                       : bounds_shape(&p, delta, &b, err);
    if (found)
        write_bounds(&b, p.looks, out);
    return found;
}

static bool read_design(struct xstat_in *in, struct exits_design *d, struct err *err)
{
    size_t n_z;
    d->t = xstat_in_doubles(in, "t", &d->looks);
    d->z = xstat_in_doubles(in, "z", &n_z);
    d->sides = read_sides(in);
    if (in->err.kind == ERR_NONE && n_z != d->looks)
        return err_set(err, ERR_INVALID, "%zu bounds z for %zu looks t", n_z, d->looks);
    return true;
}

/* Of a given drift, or of the one that `power` takes. */
static bool find_power(struct xstat_in *in, json_t *out, struct err *err)
{
    struct exits_design d;
    struct stopped_chances c;
    double up[EXITS_LOOKS_MAX], down[EXITS_LOOKS_MAX];
    if (!read_design(in, &d, err))
        return false;
    bool solve = xstat_in_has(in, "power");
    double power = xstat_in_double_or(in, "power", 0), alpha = solve ? xstat_in_double(in, "alpha") : 0;
    double drift = solve ? 0 : xstat_in_double(in, "drift");
    if (!xstat_in_end(in, err))
        return false;
    if (solve && !(alpha > 0 && alpha < 1))
        return err_set(err, ERR_INVALID, "alpha %g is not between 0 and 1", alpha);
    if ((solve && !stopped_drift(&d, power, &drift, err)) || !stopped_chances(&d, drift, up, down, &c, err))
        return false;
    if (solve) {
        double fixed = special_normal_qinv(alpha / d.sides) + special_normal_qinv(1 - power);
        xstat_out_double(out, "drift_for_power", drift);
        xstat_out_double(out, "inflation", drift / fixed * (drift / fixed));
    }
    xstat_out_doubles(out, "exit_up", up, d.looks);
    xstat_out_doubles(out, "exit_lo", down, d.looks);
    xstat_out_double(out, "power", c.power);
    xstat_out_double(out, "expected_t", c.expected_t);
    return true;
}

static bool find_final(struct xstat_in *in, json_t *out, struct err *err)
{
    struct exits_design d;
    struct stopped s;
    if (!read_design(in, &d, err))
        return false;
    int64_t look = xstat_in_count(in, "look");
    double z = xstat_in_double(in, "z_observed"), alpha = xstat_in_double_or(in, "ci_alpha", 0.05);
    if (!xstat_in_end(in, err) || !stopped_result(&d, look > 0 ? (size_t)look : 0, z, alpha, &s, err))
        return false;
    xstat_out_double(out, "p_one_sided", s.p_upper);
    xstat_out_double(out, "log_p_one_sided", s.log_p_upper);
    xstat_out_double(out, "median_unbiased", s.estimate);
    xstat_out_pair(out, "ci", s.lo, s.hi);
    xstat_out_double(out, "naive_estimate", s.naive);
    return true;
}

/* The spending function of a plan, or haybittle_peto. */
static bool read_plan(struct xstat_in *in, struct looks_plan *p, struct err *err)
{
    const char *name = xstat_in_text(in, "function");
    p->haybittle_peto = strcmp(name, family_names[HAYBITTLE_PETO]) == 0;
    return p->haybittle_peto || read_spending(in, name, &p->spending, err);
}

/* What the looks so far say, whether it was stopped or not: bounds of the spending, the sequential p, the repeated interval. */
static bool find_looks(struct xstat_in *in, json_t *out, struct err *err)
{
    struct looks_plan p = { .haybittle_peto = false };
    struct looks l;
    double bounds[EXITS_LOOKS_MAX], log_p;
    size_t n_z, stop;
    l.t = xstat_in_doubles(in, "t", &l.n);
    l.z = xstat_in_doubles(in, "z", &n_z);
    double alpha = xstat_in_double(in, "alpha"), se = xstat_in_double_or(in, "se", 1);
    if (!read_plan(in, &p, err) || !xstat_in_end(in, err))
        return false;
    if (n_z != l.n || l.n == 0)
        return err_set(err, ERR_INVALID, "%zu statistics z for %zu looks t", n_z, l.n);
    if (!(se > 0 && isfinite(se)))
        return err_set(err, ERR_INVALID, "se %g is not above 0", se);
    if (!welch_check_alpha(alpha, err) || !looks_bounds(&p, l.t, l.n, alpha, bounds, err) ||
        !looks_stop(&p, &l, alpha, &stop, err) || !looks_log_p(&p, &l, &log_p, err))
        return false;
    double bound = bounds[l.n - 1], effect = l.z[l.n - 1] * se;
    xstat_out_doubles(out, "z_bounds", bounds, l.n);
    xstat_out_double(out, "bound", bound);
    xstat_out_count(out, "stop", (int64_t)stop);
    xstat_out_double(out, "p", exp(log_p));
    xstat_out_double(out, "log_p", log_p);
    xstat_out_double(out, "effect", effect);
    xstat_out_double(out, "ci_lo", effect - bound * se);
    xstat_out_double(out, "ci_hi", effect + bound * se);
    return true;
}

bool xstat_group_sequential(struct xstat_in *in, json_t *out, struct err *err)
{
    const char *kind = xstat_in_text(in, "kind");
    if (strcmp(kind, "power") == 0)
        return find_power(in, out, err);
    if (strcmp(kind, "final") == 0)
        return find_final(in, out, err);
    if (strcmp(kind, "looks") == 0)
        return find_looks(in, out, err);
    for (size_t f = 0; f < FAMILY_COUNT; f++)
        if (strcmp(kind, family_names[f]) == 0)
            return find_bounds(in, (enum family)f, out, err);
    if (in->err.kind == ERR_NONE)
        return err_set(
            err, ERR_INVALID,
            "field \"kind\" is none of obrien_fleming, pocock, wang_tsiatis, haybittle_peto, spending, power, "
            "final, looks");
    *err = in->err;
    return false;
}
