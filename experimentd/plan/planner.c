#include "experimentd/plan/planner.h"

#include <math.h>

#include "stats/compare.h"
#include "stats/power.h"
#include "stats/sequential/stopped.h"

enum { WEEK_DAYS = 7, ANY_TIME_LOOKS = 8, TUNING_STEPS = 4 };

/* ---- checks ---- */

static bool check_number(double v, double above, double most, const char *field, struct err *err)
{
    return (v > above && v <= most) ||
           err_set(err, ERR_INVALID, "field \"%s\" is %g, must be above %g and at most %g", field, v, above, most);
}

static bool check_share(const struct planner_ask *a, struct err *err)
{
    double treatment = a->mean * (1 + a->effect);
    if (!(a->mean > 0 && a->mean < 1))
        return err_set(err, ERR_INVALID, "field \"baseline\": the share %g is not between 0 and 1", a->mean);
    return (treatment > 0 && treatment < 1) ||
           err_set(err, ERR_INVALID, "field \"effect\" makes a share of %g, not between 0 and 1", treatment);
}

bool planner_check(const struct planner_ask *a, struct err *err)
{
    if (!isfinite(a->mean) || a->mean == 0)
        return err_set(err, ERR_INVALID, "field \"baseline\": the mean is %g: a relative effect says nothing", a->mean);
    if (!(a->variance > 0) || !isfinite(a->variance))
        return err_set(err, ERR_INVALID, "field \"baseline\": the variance of a unit is %g, not a number above 0",
                       a->variance);
    if (!(a->rank_sd >= 0) || !isfinite(a->rank_sd))
        return err_set(err, ERR_INVALID, "field \"rank_sd\" is %g, not a number from 0", a->rank_sd);
    if (!(a->reduction >= 0 && a->reduction < 1))
        return err_set(err, ERR_INVALID, "field \"variance_reduction\" is %g, not from 0 to below 1", a->reduction);
    if (!(fabs(a->effect) <= 10) || (a->margin == 0 && a->effect == 0))
        return err_set(err, ERR_INVALID, "field \"effect\" is %g: a relative effect other than 0, up to 10", a->effect);
    if (!(a->margin >= 0 && a->margin <= 10) || (a->margin > 0 && !(a->margin + a->effect > 0)))
        return err_set(err, ERR_INVALID, "field \"margin\" is %g: with an effect of %g there is nothing left to show",
                       a->margin, a->effect);
    if (!check_number(a->control, 0, 1, "weights", err) || !check_number(a->treatment, 0, 1, "weights", err) ||
        !check_number(a->looks.level, 0.5, 0.9999, "level", err) || !check_number(a->reached, 0, 1, "share", err) ||
        (a->is_share && !check_share(a, err)))
        return false;
    double alpha = (1 - a->looks.level) / (double)a->treatments;
    return (a->power > alpha && a->power < 1) ||
           err_set(err, ERR_INVALID, "field \"power\" is %g, not between %g and 1", a->power, alpha);
}

/* ---- the test as a plan ---- */

/* 1 - 0.95 is 0.05 here, too. */
static double alpha_of(const struct planner_ask *a)
{
    return round((1 - a->looks.level) * 1e12) / 1e12 / (double)a->treatments;
}

static double distance_of(const struct planner_ask *a)
{
    return (a->margin > 0 ? a->margin + a->effect : a->effect) * fabs(a->mean);
}

static double variance_of_treatment(const struct planner_ask *a)
{
    double p = a->mean * (1 + a->effect);
    return a->is_share ? p * (1 - p) : a->variance;
}

static struct plan plan_of(const struct planner_ask *a, const double *t, size_t looks, double tuned, double reduction)
{
    return (struct plan){ .method = a->looks.method,
                          .alpha = alpha_of(a),
                          .sides = 2,
                          .t = t,
                          .looks = looks,
                          .spending = a->looks.spending,
                          .tuned = tuned,
                          .var_c = a->variance * (1 - reduction),
                          .var_t = variance_of_treatment(a) * (1 - reduction),
                          .ratio = a->treatment / a->control,
                          .rank_sd = a->rank_sd };
}

/* Variance of the difference times the units of control. */
static double unit_variance(const struct plan *p)
{
    return p->var_c + p->var_t / p->ratio;
}

static double all_of(const struct planner_ask *a, double control)
{
    return control / a->control;
}

/* ---- units ---- */

/* The standard deviation that both arms would have, were it the same. */
static double common_sd(const struct plan *p)
{
    return sqrt(unit_variance(p) / (1 + 1 / p->ratio));
}

static bool units_at_once(const struct planner_ask *a, const struct plan *p, struct plan_test *out, struct err *err)
{
    const struct power_design d = { .alpha = p->alpha, .sides = 2, .ratio = p->ratio };
    struct power_units u;
    if (!power_means_units(&d, distance_of(a), common_sd(p), a->power, &u, err))
        return false;
    *out = (struct plan_test){ .inflation = 1, .control = u.control_real, .expected = 1 };
    return true;
}

/* A sequence that is narrowest at so many units has other bounds at the end that is sought: found in a few rounds. */
static bool units_of(const struct planner_ask *a, double reduction, struct plan_test *out, struct err *err)
{
    double even[ANY_TIME_LOOKS];
    bool any_time = a->looks.method == PLAN_ANY_TIME;
    for (int i = 0; i < ANY_TIME_LOOKS; i++)
        even[i] = (double)(i + 1) / ANY_TIME_LOOKS;
    struct plan p = plan_of(a, any_time ? even : a->looks.shares, any_time ? ANY_TIME_LOOKS : a->looks.count, 0,
                            reduction);
    if (a->looks.method == PLAN_FIXED && a->rank_sd == 0)
        return units_at_once(a, &p, out, err);
    if (!plan_units(&p, distance_of(a), a->power, out, err))
        return false;
    for (int i = 0; any_time && a->looks.planned_units > 0 && i < TUNING_STEPS; i++) {
        p.tuned = a->looks.planned_units / all_of(a, out->control);
        if (!plan_units(&p, distance_of(a), a->power, out, err))
            return false;
    }
    return true;
}

static double least_units(const struct planner_ask *a)
{
    double least = a->looks.method == PLAN_FIXED ? 2 : COMPARE_UNITS_MIN; /* below, results say nothing */
    return least / fmin(1, a->treatment / a->control);
}

static void find_units(const struct planner_ask *a, struct planner_units *out)
{
    struct plan_test test, plain;
    struct err err;
    if (!units_of(a, a->reduction, &test, &err) || !units_of(a, 0, &plain, &err)) {
        out->why_not = "no number of units finds it";
        return;
    }
    double control = ceil(fmax(test.control, least_units(a)));
    *out = (struct planner_units){ .control = control,
                                   .treatment = ceil(control * a->treatment / a->control),
                                   .all = ceil(all_of(a, control)),
                                   .inflation = test.inflation,
                                   .expected = test.expected,
                                   .unadjusted = ceil(all_of(a, ceil(fmax(plain.control, least_units(a))))) };
}

static void find_days(const struct planner_ask *a, struct planner_units *out)
{
    struct err err;
    if (out->why_not)
        out->no_days = out->why_not;
    else if (!(a->traffic.units > 0))
        out->no_days = "no traffic is known";
    else if (!traffic_days(&a->traffic, out->all / a->reached, &out->days, &err))
        out->no_days = "so many units will never be there";
    else
        out->weeks = ceil(out->days / WEEK_DAYS);
}

/* ---- week by week ---- */

/* The looks that have been taken by the end of some week, as shares of the units at the last of them. */
struct view {
    double t[PLANNER_LOOKS_MAX], z[PLANNER_LOOKS_MAX];
    size_t looks;
    double n_c;
};

/* One look a week; units of week k of `week` are (k/week)^growth of them. Where growth is next to nothing, the last one only. */
static bool view_any_time(const struct planner_ask *a, int week, double units, struct view *out)
{
    struct err err;
    out->looks = a->traffic.growth < 0.05 ? 1 : (size_t)week;
    for (size_t k = 0; k < out->looks; k++)
        out->t[k] = pow((double)(k + 1) / (double)out->looks, a->traffic.growth);
    out->n_c = units * a->control;
    struct plan p = plan_of(a, out->t, out->looks, a->looks.planned_units / units, a->reduction);
    return plan_bounds(&p, out->z, &err);
}

static bool view_looks(const struct planner_ask *a, double units, struct view *out)
{
    double planned = a->looks.planned_units > 0 ? a->looks.planned_units : units;
    struct plan p = plan_of(a, a->looks.shares, a->looks.count, 0, a->reduction);
    struct err err;
    if (!plan_bounds(&p, out->z, &err))
        return false;
    while (out->looks < a->looks.count && a->looks.shares[out->looks] * planned <= units)
        out->looks++;
    if (out->looks == 0)
        return false;
    double last = a->looks.shares[out->looks - 1];
    for (size_t k = 0; k < out->looks; k++)
        out->t[k] = a->looks.shares[k] / last;
    out->n_c = planned * last * a->control;
    return true;
}

/* The test of a quantile is normal, not Student's. */
static void week_at_once_by_ranks(const struct planner_ask *a, double n_c, struct planner_week *out)
{
    const double once = 1;
    struct plan p = plan_of(a, &once, 1, 0, a->reduction);
    struct err err;
    double effect;
    if (!plan_power(&p, distance_of(a), n_c, &out->power, &err))
        out->power = 0;
    if (plan_effect(&p, n_c, a->power, &effect, &err))
        out->detectable = effect / fabs(a->mean);
}

static void week_at_once(const struct planner_ask *a, double n_c, struct planner_week *out)
{
    struct plan p = plan_of(a, NULL, 0, 0, a->reduction);
    const struct power_design d = { .alpha = p.alpha, .sides = 2, .ratio = p.ratio };
    struct err err;
    double effect;
    if (!power_means(&d, distance_of(a), common_sd(&p), n_c, &out->power, &err))
        out->power = 0;
    if (power_means_effect(&d, common_sd(&p), n_c, a->power, &effect, &err))
        out->detectable = effect / fabs(a->mean);
}

static void week_by_looks(const struct planner_ask *a, const struct view *v, struct planner_week *out)
{
    double up[PLANNER_LOOKS_MAX], down[PLANNER_LOOKS_MAX], drift;
    const struct exits_design d = { v->t, v->z, v->looks, 2 };
    struct plan p = plan_of(a, v->t, v->looks, 0, a->reduction);
    double se = sqrt(unit_variance(&p) / v->n_c), z = v->z[v->looks - 1];
    struct stopped_chances c;
    struct err err;
    if (stopped_chances(&d, plan_seen_drift(&p, z, v->n_c, distance_of(a) / se), up, down, &c, &err))
        out->power = fmin(1, c.power);
    if (stopped_drift(&d, a->power, &drift, &err))
        out->detectable = plan_needed_drift(&p, z, v->n_c, drift) * se / fabs(a->mean);
}

static struct planner_week week_of(const struct planner_ask *a, int week)
{
    double units = traffic_units(&a->traffic, week * WEEK_DAYS) * a->reached;
    struct planner_week out = { .week = week, .units = units, .detectable = NAN };
    struct view v = { .looks = 0 };
    if (a->looks.method == PLAN_FIXED) {
        (a->rank_sd > 0 ? week_at_once_by_ranks : week_at_once)(a, units * a->control, &out);
        return out;
    }
    if (units * a->control < least_units(a))
        return out;
    if (a->looks.method == PLAN_ANY_TIME ? view_any_time(a, week, units, &v) : view_looks(a, units, &v))
        week_by_looks(a, &v, &out);
    if (a->margin > 0)
        out.detectable -= a->effect;
    return out;
}

void planner_make(const struct planner_ask *a, struct planner *out)
{
    *out = (struct planner){ .alpha = alpha_of(a), .distance = distance_of(a) };
    find_units(a, &out->units);
    find_days(a, &out->units);
    out->weeks_count = a->traffic.units > 0 ? PLANNER_WEEKS : 0;
    for (size_t i = 0; i < out->weeks_count; i++)
        out->weeks[i] = week_of(a, (int)i + 1);
}
