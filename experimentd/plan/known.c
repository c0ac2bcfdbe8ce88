#include "experimentd/plan/known.h"

#include <math.h>

#include "base/pg.h"
#include "stats/adjust/cuped.h"
#include "stats/compare.h"

enum { BUCKETS = 4096, PRE_MAX = 32 };
enum { TRAFFIC_UNTIL, TRAFFIC_BUCKETS, TRAFFIC_DAYS, TRAFFIC_UNITS, TRAFFIC_DAILY };
enum {
    BASELINE_EXPERIMENT,
    BASELINE_AS_OF,
    BASELINE_KIND,
    BASELINE_N,
    BASELINE_MEAN_X,
    BASELINE_M2_X,
    BASELINE_MEAN_Y,
    BASELINE_M2_Y,
    BASELINE_CXY,
    BASELINE_PRE
};

static const char *reason(const char *what, const struct err *err, struct arena *arena)
{
    return arena_printf(arena, "%s could not be read: %s", what, err->text).p;
}

void known_traffic_read(struct known_traffic *out, const PGresult *r, const struct err *err, struct arena *arena)
{
    *out = (struct known_traffic){ .why_not = err ? reason("the traffic", err, arena) : NULL };
    if (err)
        return;
    out->until_us = pg_get_i64(r, 0, TRAFFIC_UNTIL);
    out->days = (int)pg_get_i64(r, 0, TRAFFIC_DAYS);
    out->share = (double)pg_get_i64(r, 0, TRAFFIC_BUCKETS) / BUCKETS;
    out->units = (double)pg_get_i64(r, 0, TRAFFIC_UNITS) / out->share;
    for (int i = 0; i < KNOWN_DAYS; i++)
        out->daily[i] = (double)pg_get_i64(r, 0, TRAFFIC_DAILY + i) / out->share;
}

struct traffic known_traffic(const struct known_traffic *t)
{
    if (t->why_not)
        return (struct traffic){ .days = 1 };
    return traffic_of_days(t->daily, (size_t)t->days, t->units);
}

/* ---- the baseline ---- */

static double or_zero(const PGresult *r, int column)
{
    return PQgetisnull(r, 0, column) ? 0 : pg_get_double(r, 0, column);
}

static enum metric_kind kind_of(struct str kind, bool *out_share)
{
    *out_share = str_eq(kind, STR("proportion")) || str_eq(kind, STR("retention")) || str_eq(kind, STR("funnel"));
    return *out_share ? METRIC_PROPORTION : str_eq(kind, STR("ratio")) ? METRIC_RATIO : METRIC_MEAN;
}

/* A float8[] as PostgreSQL writes it. */
static size_t read_list(struct str text, double *out)
{
    struct str part, rest = { text.p + 1, text.n >= 2 ? text.n - 2 : 0 };
    size_t n = 0;
    while (text.n >= 2 && n < PRE_MAX && str_split(&rest, ',', &part))
        if (!parse_double(part, &out[n++], NULL))
            return 0;
    return n;
}

/* The variables of so many numbers: 2 v + v (v + 1)/2; mean and rest of each, then the upper triangle row by row. */
static bool unpack(const double *p, size_t count, int64_t n, struct cross *out)
{
    size_t vars = count == 7 ? 2 : count == 18 ? 4 : 0, at = 2 * vars;
    *out = cross_none(vars ? vars : 1);
    out->n = n;
    for (size_t i = 0; i < vars; i++) {
        out->mean[i] = p[2 * i];
        out->rest[i] = p[2 * i + 1];
        for (size_t j = i; j < vars; j++, at++)
            out->m2[i][j] = out->m2[j][i] = p[at];
    }
    return vars > 0;
}

static void read_reduction(struct known_baseline *out, struct str pre)
{
    double numbers[PRE_MAX], theta[SOLVE_MAX];
    struct cross packed, cross;
    struct solve factor;
    struct err err;
    size_t count = pre.n ? read_list(pre, numbers) : 0;
    if (!unpack(numbers, count, out->n, &packed))
        return;
    cross = packed;
    if ((packed.vars == 4 && !cross_ratio(&packed, &cross, &err)) || !cross_check(&cross, &err) ||
        !(cross.m2[0][0] > 0) || !cuped_theta(&cross, 1, &factor, theta, &err))
        return;
    out->has_reduction = true;
    out->reduction = fmin(0.99, fmax(0, 1 - cuped_m2(&cross, theta) / cross.m2[0][0]));
}

static void read_row(struct known_baseline *out, const PGresult *r, struct arena *arena)
{
    bool is_share;
    struct arm_value v;
    struct err err;
    const struct arm arm = { .kind = kind_of(pg_get(r, 0, BASELINE_KIND), &is_share),
                             .m = { .n = pg_get_i64(r, 0, BASELINE_N),
                                    .mean_x = pg_get_double(r, 0, BASELINE_MEAN_X),
                                    .m2_x = pg_get_double(r, 0, BASELINE_M2_X),
                                    .mean_y = or_zero(r, BASELINE_MEAN_Y),
                                    .m2_y = or_zero(r, BASELINE_M2_Y),
                                    .cxy = or_zero(r, BASELINE_CXY) } };
    if (str_eq(pg_get(r, 0, BASELINE_KIND), STR("quantile"))) {
        out->why_not =
            "a quantile has no moments to plan from: give its value, and n se² of a result as variance, by hand";
    } else if (!stats_arm_value(&arm, 0.95, &v, &err)) {
        out->why_not = reason("the baseline", &err, arena);
    } else {
        *out = (struct known_baseline){ .experiment = arena_str(arena, pg_get(r, 0, BASELINE_EXPERIMENT)),
                                        .as_of_us = pg_get_i64(r, 0, BASELINE_AS_OF),
                                        .n = arm.m.n,
                                        .mean = v.value,
                                        .variance = v.se * v.se * (double)arm.m.n,
                                        .is_share = is_share };
        read_reduction(out, pg_get(r, 0, BASELINE_PRE));
    }
}

void known_baseline_read(struct known_baseline *out, struct str metric, const PGresult *r, const struct err *err,
                         struct arena *arena)
{
    *out = (struct known_baseline){ .why_not = NULL };
    if (err)
        out->why_not = reason("the baseline", err, arena);
    else if (PQntuples(r) > 0)
        read_row(out, r, arena);
    else
        out->why_not = arena_printf(arena, "metric \"" STR_FMT "\" has not been measured in any experiment yet",
                                    STR_ARG(metric))
                           .p;
}

/* ---- as JSON ---- */

void known_write_traffic(struct jsonw *w, const struct known_traffic *t)
{
    struct traffic grows = known_traffic(t);
    jsonw_open(w, "traffic", '{');
    jsonw_text(w, "why_not", t->why_not);
    if (!t->why_not) {
        jsonw_text(w, "source", t->until_us ? "distinct units of signals" : "given");
        jsonw_time(w, "until", t->until_us);
        jsonw_i64(w, "days", t->days);
        jsonw_double(w, "units", t->units);
        jsonw_open(w, "units_by_day", '['); /* the last one first */
        for (int i = 0; i < t->days && t->until_us; i++)
            jsonw_double(w, NULL, t->daily[i]);
        jsonw_close(w);
        jsonw_double(w, "share_counted", t->share);
        jsonw_double(w, "growth", grows.growth);
        jsonw_bool(w, "growth_assumed", grows.assumed);
    }
    jsonw_close(w);
}

void known_write_baseline(struct jsonw *w, const struct known_baseline *b)
{
    jsonw_open(w, "baseline", '{');
    jsonw_text(w, "why_not", b->why_not);
    if (!b->why_not) {
        jsonw_str(w, "experiment", b->experiment);
        jsonw_time(w, "as_of", b->as_of_us);
        jsonw_i64(w, "n", b->n);
        jsonw_double(w, "mean", b->mean);
        jsonw_double(w, "variance", b->variance);
        if (b->has_reduction)
            jsonw_double(w, "variance_reduction", b->reduction);
        else
            jsonw_null(w, "variance_reduction");
    }
    jsonw_close(w);
}
