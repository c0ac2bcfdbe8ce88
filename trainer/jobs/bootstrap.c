/* The job "bootstrap": intervals of an experiment's metrics from units drawn anew, beside the ones that formulas give.
 *
 * For what has no formula (a cap at a percentile varies with the units it is found from) and for who doubts one. The passes are those of
 * the job "metrics", of one experiment, with a kernel that keeps every replicate (trainer/kernels/bootstrap.h); what is found is published
 * for results, and printed (bootstrap_publish.h). */
#include <math.h>

#include "base/jsonw.h"
#include "stats/moments.h"
#include "stats/ranks/sorted.h"
#include "trainer/jobs/bootstrap_publish.h"
#include "trainer/jobs/metrics_passes.h"
#include "trainer/kernels/bootstrap.h"
#include "trainer/kernels/metrics_bootstrap.h"

enum { JSON_MAX = 8 << 20 };

static const struct pg_stmt read_variants = { "bootstrap_variants", 1,
                                              "select key from variants where experiment = $1 order by position" };

struct drawn {
    struct run_context *run;
    struct metrics_plan plan;
    struct str *variants; /* the first is the control */
    size_t variants_count;
    size_t replicates; /* with the data */
    double level;
    uint32_t seed, metric;
    struct bootstrap_arm *arms; /* of each variant */
    struct drawn_rows found;
};

/* ---- parameters ---- */

static void read_params(struct drawn *d)
{
    d->level = run_real(d->run, "level");
    d->seed = (uint32_t)run_whole(d->run, "seed");
    d->replicates = (size_t)run_whole(d->run, "replicates") + 1;
}

static bool find_variants(struct drawn *d, struct pg *pg, struct err *err)
{
    const char *params[] = { d->plan.keys[0].p };
    AUTO(pg_result_free) PGresult *r = pg_run(pg, &read_variants, params, err);
    if (!r)
        return false;
    d->variants_count = (size_t)PQntuples(r);
    d->variants = arena_alloc(&d->plan.arena, (d->variants_count + 1) * sizeof *d->variants);
    for (size_t i = 0; i < d->variants_count; i++)
        d->variants[i] = arena_str(&d->plan.arena, pg_get(r, (int)i, 0));
    return true;
}

/* ---- one metric ---- */

static bool pass_params(struct drawn *d, bool pooled, const double *caps, struct str *out, struct err *err)
{
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "of", d->plan.params);
    jsonw_i64(&w, "metric", d->metric);
    jsonw_i64(&w, "replicates", (int64_t)d->replicates - 1);
    jsonw_i64(&w, "seed", d->seed);
    jsonw_bool(&w, "pooled", pooled);
    if (caps) {
        jsonw_open(&w, "caps", '[');
        for (size_t r = 0; r < d->replicates; r++)
            jsonw_double(&w, NULL, isnan(caps[r]) ? 0 : caps[r]);
        jsonw_close(&w);
    }
    jsonw_close(&w);
    *out = arena_str(&d->plan.arena, buf_str(&b));
    return buf_ok(&b, "the params of a pass", err);
}

/* Variants that the experiment no longer has go to `spare`. */
static bool merge_part(struct drawn *d, struct str bytes, struct bootstrap_arm *arms, size_t count,
                       struct bootstrap_arm *spare, struct err *err)
{
    while (bytes.n) {
        struct str variant;
        size_t v = 0;
        if (!bootstrap_read_variant(&bytes, &variant))
            return err_set(err, ERR_SYSTEM, "the result of a range is damaged");
        while (variant.n && v < count && !str_eq(d->variants[v], variant))
            v++;
        if (!bootstrap_merge(v < count ? &arms[v] : spare, &bytes, err))
            return false;
    }
    return true;
}

static bool draw(struct drawn *d, const char *name, bool pooled, const double *caps, struct bootstrap_arm *arms,
                 size_t count, struct err *err)
{
    struct engine_result result;
    struct bootstrap_arm spare;
    struct str params;
    if (!pass_params(d, pooled, caps, &params, err) ||
        !metrics_pass_units(d->run, &d->plan, "metrics.bootstrap@1", name, params, &result, err))
        return false;
    bool ok = true;
    bootstrap_init(&spare, d->replicates);
    for (uint32_t i = 0; ok && i < result.count; i++)
        ok = merge_part(d, buf_str(&result.parts[i]), arms, count, &spare, err);
    bootstrap_release(&spare);
    engine_result_release(&result);
    return ok;
}

/* A cap of each replicate, from the units of all variants. */
static bool find_caps(struct drawn *d, double **out, struct err *err)
{
    const struct metric_def *def = &d->plan.program.metrics[d->metric].def;
    struct bootstrap_arm pooled;
    *out = NULL;
    if (isnan(def->cap_percentile))
        return true;
    bootstrap_init(&pooled, d->replicates);
    bool ok = draw(d, "caps", true, NULL, &pooled, 1, err);
    *out = arena_alloc(&d->plan.arena, d->replicates * sizeof **out);
    for (size_t r = 0; ok && r < d->replicates; r++)
        (*out)[r] = bootstrap_quantile(&pooled, r, def->cap_percentile);
    bootstrap_release(&pooled);
    return ok;
}

/* NAN: an arm without units, values or denominators. */
static double statistic(const struct drawn *d, size_t variant, size_t replicate)
{
    const struct program_metric *m = &d->plan.program.metrics[d->metric];
    const struct bootstrap_arm *a = &d->arms[variant];
    if (m->def.form == METRIC_FORM_QUANTILE)
        return bootstrap_quantile(a, replicate, m->def.quantile);
    double below = program_is_ratio(m) ? a->y[replicate] : a->units[replicate];
    return below != 0 ? a->x[replicate] / below : (double)NAN;
}

static double difference_of(double control, double treatment)
{
    return treatment - control;
}

static double lift_of(double control, double treatment)
{
    return control > 0 ? treatment / control - 1 : (double)NAN;
}

/* The data's own value, and how it varies; not known where a replicate has none. */
static struct drawn_interval interval_of(const struct drawn *d, size_t variant,
                                         double (*of)(double control, double treatment))
{
    size_t n = d->replicates - 1;
    double *values = mem_alloc(n * sizeof *values);
    struct moments m = { 0 };
    struct drawn_interval i = { .estimate = of(statistic(d, 0, 0), statistic(d, variant, 0)) };
    double tail = (1 - d->level) / 2;
    for (size_t r = 0; r < n; r++) {
        values[r] = of(statistic(d, 0, r + 1), statistic(d, variant, r + 1));
        moments_add(&m, values[r]);
    }
    i.known = isfinite(i.estimate) && sorted_make(values, n, NULL);
    if (i.known) {
        i.se = sqrt(moments_variance(&m));
        i.low = sorted_quantile(values, n, tail);
        i.high = sorted_quantile(values, n, 1 - tail);
    }
    mem_free(values);
    return i;
}

static void add_row(struct drawn *d, size_t variant)
{
    d->found.p[d->found.n++] = (struct drawn_row){
        .metric = d->plan.program.metrics[d->metric].def.key,
        .variant = d->variants[variant],
        .n = bootstrap_count(&d->arms[variant]),
        .control_n = bootstrap_count(&d->arms[0]),
        .value = statistic(d, variant, 0),
        .control_value = statistic(d, 0, 0),
        .difference = interval_of(d, variant, difference_of),
        .lift = interval_of(d, variant, lift_of),
    };
}

static bool draw_metric(struct drawn *d, struct err *err)
{
    double *caps;
    if (!find_caps(d, &caps, err))
        return false;
    for (size_t v = 0; v < d->variants_count; v++)
        bootstrap_init(&d->arms[v], d->replicates);
    bool ok = draw(d, "replicates", false, caps, d->arms, d->variants_count, err);
    for (size_t v = 1; ok && v < d->variants_count; v++)
        add_row(d, v);
    for (size_t v = 0; v < d->variants_count; v++)
        bootstrap_release(&d->arms[v]);
    return ok;
}

/* ---- the job ---- */

static bool draw_metrics(struct drawn *d, struct err *err)
{
    const char *only = d->run->param(d->run, "metric");
    bool any = false;
    size_t metrics = d->plan.program.metrics_count;
    d->arms = arena_alloc(&d->plan.arena, (d->variants_count + 1) * sizeof *d->arms);
    d->found = (struct drawn_rows){ .experiment = d->plan.keys[0],
                                    .control = d->variants_count ? d->variants[0] : STR(""),
                                    .replicates = (int64_t)d->replicates - 1,
                                    .seed = d->seed,
                                    .level = d->level };
    d->found.p = arena_alloc(&d->plan.arena, (metrics * d->variants_count + 1) * sizeof *d->found.p);
    for (uint32_t m = 0; m < metrics; m++) {
        if (only && !str_eq_c(d->plan.program.metrics[m].def.key, only))
            continue;
        d->metric = m;
        any = true;
        if (!draw_metric(d, err))
            return false;
    }
    return any || err_set(err, ERR_INVALID, "experiment \"" STR_FMT "\" has no such metric", STR_ARG(d->plan.keys[0]));
}

static bool plan_and_draw(struct drawn *d, struct err *err)
{
    const char *only = d->run->param(d->run, "metric");
    read_params(d);
    if (!metrics_plan_read(&d->plan, d->run, err))
        return false;
    if (d->plan.experiments == 0)
        return err_set(err, ERR_INVALID, "experiment \"%s\" is not known or has no exposure yet",
                       d->run->param(d->run, "experiment"));
    return find_variants(d, d->plan.by_day.pg, err) && metrics_pass_days(&d->plan, err) && draw_metrics(d, err) &&
           drawn_publish(d->run, &d->found, only ? str_of(only) : (struct str){ NULL, 0 }, err) &&
           drawn_print(&d->found, err);
}

static bool run_bootstrap(struct run_context *run, struct err *err)
{
    struct drawn d = { .run = run };
    metrics_plan_init(&d.plan);
    bool ok = plan_and_draw(&d, err);
    metrics_plan_release(&d.plan);
    return ok;
}

const struct job job_bootstrap = { "bootstrap", run_bootstrap };
