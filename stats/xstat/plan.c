/* The method plan_sequential: units, power, detectable effect and days of a test that is looked at early. */
#include <math.h>
#include <string.h>

#include "stats/sequential/plan.h"
#include "stats/xstat/xstat.h"

static size_t choice(struct xstat_in *in, const char *key, const char *const *names, size_t count)
{
    const char *text = xstat_in_text(in, key);
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    if (in->err.kind == ERR_NONE)
        (void)err_set(&in->err, ERR_INVALID, "field \"%s\" is none of those that are known (see --explain)", key);
    return 0;
}

/* Looks as shares, or so many at equal distances, or the only one at the end. */
static const double *read_looks(struct xstat_in *in, enum plan_method method, size_t *out_n)
{
    if (xstat_in_has(in, "t"))
        return xstat_in_doubles(in, "t", out_n);
    int64_t looks = method == PLAN_FIXED ? 1 : xstat_in_count(in, "looks");
    double *t = arena_alloc(in->arena, EXITS_LOOKS_MAX * sizeof *t);
    *out_n = looks < 0 ? 0 : (size_t)looks;
    for (size_t i = 0; i < *out_n && i < EXITS_LOOKS_MAX; i++)
        t[i] = (double)(i + 1) / (double)looks;
    return t;
}

static void read_plan(struct xstat_in *in, struct plan *p)
{
    int64_t sides = xstat_in_has(in, "sides") ? xstat_in_count(in, "sides") : 2;
    *p = (struct plan){ .method = (enum plan_method)choice(in, "method", plan_method_names, PLAN_METHOD_COUNT) };
    if (p->method == PLAN_SPENDING) {
        p->spending.kind = (enum spending_kind)choice(in, "function", spending_names, SPENDING_COUNT);
        p->spending.par = xstat_in_double_or(in, "par", 2);
    }
    if (p->method == PLAN_ANY_TIME)
        p->tuned = xstat_in_double_or(in, "tuned", 0);
    p->t = read_looks(in, p->method, &p->looks);
    p->alpha = xstat_in_double(in, "alpha");
    p->sides = sides == 1 || sides == 2 ? (int)sides : 0;
    p->var_c = xstat_in_double(in, "var_c");
    p->var_t = xstat_in_double_or(in, "var_t", p->var_c);
    p->ratio = xstat_in_double_or(in, "ratio", 1);
    p->rank_sd = xstat_in_double_or(in, "rank_sd", 0);
}

/* The day, and the weeks that have it: tests run whole weeks. */
static bool write_days(const struct plan_traffic *t, double units, json_t *out, struct err *err)
{
    double days;
    if (!plan_days(t, units, &days, err))
        return false;
    xstat_out_double(out, "days", days);
    xstat_out_double(out, "weeks", ceil(days / 7));
    return true;
}

static bool solve_units(const struct plan *p, double effect, double power, double *out_control, json_t *out,
                        struct err *err)
{
    struct plan_test test;
    if (!plan_units(p, effect, power, &test, err))
        return false;
    *out_control = ceil(test.control);
    xstat_out_double(out, "n_c_real", test.control);
    xstat_out_double(out, "n_c", *out_control);
    xstat_out_double(out, "n_t", ceil(*out_control * p->ratio));
    xstat_out_double(out, "inflation", test.inflation);
    xstat_out_double(out, "expected_share", test.expected);
    return true;
}

enum solve { SOLVE_POWER, SOLVE_UNITS, SOLVE_EFFECT, SOLVE_COUNT };

static bool solve_for(const struct plan *p, enum solve solve, double effect, double power, double *n_c, json_t *out,
                      struct err *err)
{
    double v;
    if (solve == SOLVE_UNITS)
        return solve_units(p, effect, power, n_c, out, err);
    if (solve == SOLVE_POWER ? !plan_power(p, effect, *n_c, &v, err) : !plan_effect(p, *n_c, power, &v, err))
        return false;
    xstat_out_double(out, solve == SOLVE_POWER ? "power" : "mde_abs", v);
    return true;
}

bool xstat_plan_sequential(struct xstat_in *in, json_t *out, struct err *err)
{
    static const char *const names[SOLVE_COUNT] = { "power", "n", "mde" };
    struct plan p;
    double z[EXITS_LOOKS_MAX];
    enum solve solve = (enum solve)choice(in, "solve", names, SOLVE_COUNT);
    read_plan(in, &p);
    double effect = solve == SOLVE_EFFECT ? 0 : xstat_in_double(in, "effect");
    double power = solve == SOLVE_POWER ? 0 : xstat_in_double(in, "power");
    double n_c = solve == SOLVE_UNITS ? 0 : xstat_in_double(in, "n_c");
    bool traffic = xstat_in_has(in, "traffic_units");
    struct plan_traffic t = { 0 };
    if (traffic)
        t = (struct plan_traffic){ xstat_in_double_or(in, "traffic_days", 7), xstat_in_double(in, "traffic_units"),
                                   xstat_in_double_or(in, "growth", 1) };
    if (!xstat_in_end(in, err) || !plan_bounds(&p, z, err) || !solve_for(&p, solve, effect, power, &n_c, out, err))
        return false;
    xstat_out_doubles(out, "z", z, p.looks);
    return !traffic || write_days(&t, n_c + ceil(n_c * p.ratio), out, err);
}
