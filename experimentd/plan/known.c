#include "experimentd/plan/known.h"

#include <math.h>

#include "base/pg.h"
#include "experimentd/results/analysis.h"
#include "stats/adjust/cuped.h"
#include "stats/ratio.h"
#include "stats/sequential/plan.h"

enum { BUCKETS = 4096 };
enum { TRAFFIC_UNTIL, TRAFFIC_BUCKETS, TRAFFIC_DAYS, TRAFFIC_UNITS, TRAFFIC_DAILY };
#define REDUCTION_MAX 0.99

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

/* What one arm says of CUPED: the share of the outcome's variance that its covariates explain. */
static void add_reduction(struct known_baseline *out, bool is_ratio, const struct cross *pre)
{
    double theta[SOLVE_MAX];
    struct cross cross;
    struct solve factor;
    struct err err;
    if (!pre)
        return;
    cross = *pre;
    if ((is_ratio && !cross_ratio(pre, &cross, &err)) || !cross_check(&cross, &err) || !(cross.m2[0][0] > 0) ||
        !cuped_theta(&cross, 1, &factor, theta, &err))
        return;
    out->has_reduction = true;
    out->reduction = fmin(REDUCTION_MAX, fmax(0, 1 - cuped_m2(&cross, theta) / cross.m2[0][0]));
}

/* Of n units, whose events at or below the quantile are x of y: s of their share, times the events, is √n rank_sd. */
static double rank_sd_of(const struct arm *a)
{
    struct estimate share;
    struct err err;
    if (a->kind != METRIC_QUANTILE || !ratio_estimate(&a->m, &share, &err))
        return 0;
    return sqrt(share.variance * (double)a->m.n) * a->m.mean_y;
}

static void read_control(struct known_baseline *out, const struct result *r, const struct result_metric *m,
                         struct arena *arena)
{
    const struct result_arm *a = result_arm(m, 0);
    const struct arm arm = result_compared_arm(m, a);
    struct arm_value v;
    struct err err;
    if (!stats_arm_value(&arm, 0.95, &v, &err)) {
        out->why_not = reason("the baseline", &err, arena);
        return;
    }
    *out = (struct known_baseline){ .experiment = r->experiment->key,
                                    .as_of_us = r->as_of_us,
                                    .n = a->m.n,
                                    .mean = v.value,
                                    .rank_sd = rank_sd_of(&arm),
                                    .is_share = m->kind == METRIC_PROPORTION };
    double n = (double)a->m.n;
    out->variance = v.se * v.se * n / plan_rank_inflation(out->rank_sd, n);
    add_reduction(out, m->kind == METRIC_RATIO, a->pre);
}

void known_baseline_read(struct known_baseline *out, struct str metric, const struct snapshot *s, const PGresult *rows,
                         const struct err *err, struct arena *arena)
{
    const struct snapshot_experiment *e = err || PQntuples(rows) == 0
                                              ? NULL
                                              : snapshot_experiment(s, pg_get(rows, 0, RC_EXPERIMENT));
    struct result r;
    *out = (struct known_baseline){ .why_not = err ? reason("the baseline", err, arena) : NULL };
    if (e)
        result_read(&r, s, e, rows, arena);
    for (size_t i = 0; e && i < r.metrics_count; i++) {
        if (str_eq(r.metrics[i].metric->key, metric)) {
            read_control(out, &r, &r.metrics[i], arena);
            return;
        }
    }
    if (!err)
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
        if (b->rank_sd > 0)
            jsonw_double(w, "rank_sd", b->rank_sd);
        if (b->has_reduction)
            jsonw_double(w, "variance_reduction", b->reduction);
        else
            jsonw_null(w, "variance_reduction");
    }
    jsonw_close(w);
}
