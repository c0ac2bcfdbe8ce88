/* The methods of planning: power_two_proportion and power_t. */
#include <math.h>
#include <string.h>

#include "stats/power.h"
#include "stats/xstat/xstat.h"

enum solve { SOLVE_POWER, SOLVE_UNITS, SOLVE_EFFECT };

/* What both methods are asked alike. */
struct plan {
    struct power_design design;
    enum solve solve;
    double n_c, power;
};

static enum solve read_solve(struct xstat_in *in)
{
    static const char *const names[] = { [SOLVE_POWER] = "power", [SOLVE_UNITS] = "n", [SOLVE_EFFECT] = "mde" };
    const char *text = xstat_in_text(in, "solve");
    for (size_t i = 0; text && i < COUNT_OF(names); i++)
        if (strcmp(text, names[i]) == 0)
            return (enum solve)i;
    if (in->err.kind == ERR_NONE)
        (void)err_set(&in->err, ERR_INVALID, "field \"solve\" is not power, n or mde");
    return SOLVE_POWER;
}

static void read_plan(struct xstat_in *in, struct plan *p)
{
    p->solve = read_solve(in);
    p->design.alpha = xstat_in_double(in, "alpha");
    int64_t sides = xstat_in_has(in, "sides") ? xstat_in_count(in, "sides") : 2;
    p->design.sides = sides == 1 || sides == 2 ? (int)sides : 0;
    p->design.ratio = xstat_in_double_or(in, "ratio", 1);
    p->design.one_tail = !xstat_in_bool_or(in, "both_tails", true);
    p->n_c = p->solve == SOLVE_UNITS ? xstat_in_double_or(in, "n_c", 0) : xstat_in_double(in, "n_c");
    p->power = p->solve == SOLVE_POWER ? xstat_in_double_or(in, "power", 0) : xstat_in_double(in, "power");
}

static void write_units(json_t *out, const struct power_units *u)
{
    xstat_out_double(out, "n_c_real", u->control_real);
    xstat_out_double(out, "n_c", u->control);
    xstat_out_double(out, "n_t", u->treatment);
}

static bool solve_rates(const struct plan *p, const struct power_rates *r, bool down, json_t *out, struct err *err)
{
    struct power_units units;
    double v;
    if (p->solve == SOLVE_POWER) {
        if (!power_rates(&p->design, r, p->n_c, &v, err))
            return false;
        xstat_out_double(out, "power", v);
    } else if (p->solve == SOLVE_UNITS) {
        if (!power_rates_units(&p->design, r, p->power, &units, err))
            return false;
        write_units(out, &units);
    } else {
        if (!power_rates_effect(&p->design, r, p->n_c, p->power, down, &v, err))
            return false;
        xstat_out_double(out, "mde_abs", v);
        xstat_out_double(out, "mde_rel", v / r->p_c);
    }
    return true;
}

bool xstat_power_two_proportion(struct xstat_in *in, json_t *out, struct err *err)
{
    struct plan p;
    struct power_rates r;
    read_plan(in, &p);
    r.p_c = xstat_in_double(in, "p_c");
    r.p_t = p.solve == SOLVE_EFFECT ? xstat_in_double_or(in, "p_t", 0) : xstat_in_double(in, "p_t");
    r.pooled = xstat_in_bool_or(in, "pooled", true);
    const char *direction = xstat_in_has(in, "direction") ? xstat_in_text(in, "direction") : "up";
    if (!xstat_in_end(in, err))
        return false;
    if (strcmp(direction, "up") != 0 && strcmp(direction, "down") != 0)
        return err_set(err, ERR_INVALID, "field \"direction\" is not up or down");
    return solve_rates(&p, &r, strcmp(direction, "down") == 0, out, err);
}

static bool solve_means(const struct plan *p, double delta, double sd, double mean, json_t *out, struct err *err)
{
    struct power_units units;
    double v;
    if (p->solve == SOLVE_POWER) {
        if (!power_means(&p->design, delta, sd, p->n_c, &v, err))
            return false;
        xstat_out_double(out, "power", v);
    } else if (p->solve == SOLVE_UNITS) {
        if (!power_means_units(&p->design, delta, sd, p->power, &units, err))
            return false;
        write_units(out, &units);
    } else {
        if (!power_means_effect(&p->design, sd, p->n_c, p->power, &v, err))
            return false;
        xstat_out_double(out, "mde_abs", v);
        xstat_out_double_if(out, "mde_rel", mean != 0, mean != 0 ? v / fabs(mean) : 0);
    }
    return true;
}

bool xstat_power_t(struct xstat_in *in, json_t *out, struct err *err)
{
    struct plan p;
    read_plan(in, &p);
    double delta = p.solve == SOLVE_EFFECT ? xstat_in_double_or(in, "delta", 0) : xstat_in_double(in, "delta");
    double sd = xstat_in_double(in, "sd"), mean = xstat_in_double_or(in, "mean", 0);
    double reduction = xstat_in_double_or(in, "variance_reduction", 0);
    if (!xstat_in_end(in, err))
        return false;
    if (!(reduction >= 0 && reduction < 1))
        return err_set(err, ERR_INVALID, "the variance reduction is %g, not from 0 to below 1", reduction);
    if (!isfinite(mean))
        return err_set(err, ERR_INVALID, "the mean is not a finite number");
    return solve_means(&p, delta, sd * sqrt(1 - reduction), mean, out, err);
}
