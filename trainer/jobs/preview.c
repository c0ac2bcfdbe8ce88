/* The job "preview": what a metric comes to over the last days if every unit were in one experiment, before it is used in one.
 *
 * An experiment that there is not, in which each unit is exposed at the beginning of the first day with a signal of it; counted by the passes
 * of the job "metrics" and written to standard output as one JSON object; nothing is published. Of a mean or count, the totals of units are kept
 * as a sketch, so that their distribution is told. */
#include <stdio.h>

#include "base/clock.h"
#include "stats/compare.h"
#include "trainer/jobs/metrics_passes.h"

enum { JSON_MAX = 1 << 20 };
#define LEVEL 0.95

static const struct pg_stmt read_spec = { "preview_spec", 1, "select spec from metrics where key = $1" };

struct preview {
    struct metrics_plan plan;
    struct metric_def def; /* without covariates: nothing is compared */
    struct arm arm;
    struct sketch *totals; /* of units; NULL: not of this form */
};

/* ---- the plan ---- */

/* A day without rows is one of them, too. */
static void plan_days(struct metrics_plan *p, uint32_t count)
{
    int32_t *days = arena_zalloc(&p->arena, count * sizeof *days);
    uint64_t *weights = arena_zalloc(&p->arena, count * sizeof *weights);
    for (uint32_t i = 0; i < count; i++) {
        days[i] = clock_day(p->by_day.now_us) - (int32_t)(count - 1 - i);
        weights[i] = 1;
    }
    p->by_day.days = days;
    p->by_day.weights = weights;
    p->by_day.days_count = count;
}

static bool read_definition(struct preview *p, const char *key, struct err *err)
{
    const char *params[] = { key };
    AUTO(pg_result_free) PGresult *r = pg_run(p->plan.by_day.pg, &read_spec, params, err);
    if (!r)
        return false;
    if (PQntuples(r) == 0)
        return err_set(err, ERR_NOT_FOUND, "metric \"%s\" is not known", key);
    bool ok = metric_parse(pg_get(r, 0, 0), &p->plan.arena, &p->def, err);
    p->def.covariate_days = 0;
    return ok;
}

/* What the kernels are told: one experiment, with this definition for its metric. */
static bool write_params(struct preview *p, const struct run_context *run, const struct metric_def *def,
                         struct err *err)
{
    struct metrics_plan *plan = &p->plan;
    const int32_t *days = plan->by_day.days;
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    jsonw_open(&w, NULL, '{');
    jsonw_text(&w, "archive", run->archive_dir);
    jsonw_i64(&w, "data_end_us", plan->by_day.now_us);
    jsonw_raw(&w, "experiments",
              arena_printf(&plan->arena,
                           "[{\"key\":\"preview\",\"last_day\":%d,\"first_us\":%lld,\"cohorts\":false,"
                           "\"everyone\":true,\"metrics\":[0]}]",
                           days[plan->by_day.days_count - 1], (long long)(days[0] * US_PER_DAY)));
    jsonw_open(&w, "metrics", '[');
    jsonw_open(&w, NULL, '{');
    metric_write(&w, def);
    jsonw_close(&w);
    jsonw_close(&w);
    jsonw_close(&w);
    plan->params = arena_str(&plan->arena, buf_str(&b));
    plan->experiments = 1;
    return buf_ok(&b, "the definition", err) && program_make(def, 1, &plan->arena, &plan->program, err);
}

static bool read_plan(struct preview *p, struct run_context *run, struct err *err)
{
    const char *key = run->param(run, "metric");
    if (!day_plan_open(&p->plan.by_day, run, &p->plan.arena, &read_spec, 1, err) || !read_definition(p, key, err))
        return false;
    p->plan.rules = (struct day_rules){ .kernel = METRICS_DAY_KERNEL, .by_unit = true };
    plan_days(&p->plan, (uint32_t)run_whole(run, "days"));
    return true;
}

/* ---- counting ---- */

static enum metric_kind kind_of(enum metric_form form)
{
    static const enum metric_kind kinds[] = {
        [METRIC_FORM_PROPORTION] = METRIC_PROPORTION,
        [METRIC_FORM_MEAN] = METRIC_MEAN,
        [METRIC_FORM_WHOLE] = METRIC_MEAN,
        [METRIC_FORM_RATIO] = METRIC_RATIO,
        [METRIC_FORM_QUANTILE] = METRIC_QUANTILE,
        [METRIC_FORM_RETENTION] = METRIC_PROPORTION,
        [METRIC_FORM_FUNNEL] = METRIC_PROPORTION,
    };
    return kinds[form];
}

static struct sketch *keep_sketch(struct preview *p, const struct sketch *s)
{
    struct sketch *kept = arena_alloc(&p->plan.arena, sizeof *kept);
    *kept = *s;
    return kept;
}

/* The cell of the last day, of all units. */
static const struct merged_cell *last_cell(const struct merged *m)
{
    const struct merged_cell *last = NULL;
    for (size_t i = 0; i < m->count; i++) {
        const struct merged_cell *c = &m->cells[i];
        if (c->metric == 0 && c->segment.n == 0 && (!last || c->day > last->day))
            last = c;
    }
    return last;
}

static bool count_units(struct preview *p, struct run_context *run, struct err *err)
{
    struct metrics_cap *caps;
    size_t caps_count;
    struct str params;
    struct merged merged;
    if (!metrics_pass_caps(run, &p->plan, &caps, &caps_count, err) ||
        !metrics_plan_params(&p->plan, false, caps, caps_count, &params, err) ||
        !metrics_pass_merged(run, &p->plan, "units", params, &merged, err))
        return false;
    const struct merged_cell *c = last_cell(&merged);
    p->arm = (struct arm){ .kind = kind_of(p->def.form), .quantile = p->def.quantile };
    if (c)
        p->arm.m = c->m;
    if (c && c->sketch)
        p->arm.sketch = keep_sketch(p, c->sketch);
    merged_release(&merged);
    return true;
}

/* The sketches that a cap at a percentile would be made of, of the uncapped totals. */
static bool spread_units(struct preview *p, struct run_context *run, struct err *err)
{
    struct metric_def def = p->def;
    struct str params;
    struct merged merged;
    if (p->def.form != METRIC_FORM_MEAN && p->def.form != METRIC_FORM_WHOLE)
        return true;
    def.cap_value = NAN;
    def.cap_percentile = 0.5;
    if (!write_params(p, run, &def, err) || !metrics_plan_params(&p->plan, true, NULL, 0, &params, err) ||
        !metrics_pass_merged(run, &p->plan, "distribution", params, &merged, err))
        return false;
    const struct merged_cell *c = last_cell(&merged);
    if (c && c->sketch)
        p->totals = keep_sketch(p, c->sketch);
    merged_release(&merged);
    return true;
}

static bool count(struct preview *p, struct run_context *run, struct err *err)
{
    return write_params(p, run, &p->def, err) && metrics_pass_days(&p->plan, err) && count_units(p, run, err) &&
           spread_units(p, run, err);
}

/* ---- telling ---- */

/* What is counted is whole, but for rounding and the sketch's buckets. */
static double shown(const struct preview *p, double v)
{
    return p->def.form != METRIC_FORM_QUANTILE && fact_is_counted(&p->def.facts[0]) ? round(v) : v;
}

static void write_value(struct jsonw *w, const struct preview *p)
{
    struct arm_value v;
    struct err err = { 0 };
    jsonw_i64(w, "units", p->arm.m.n);
    if (!stats_arm_value(&p->arm, LEVEL, &v, &err)) {
        jsonw_null(w, "value");
        jsonw_text(w, "reason", err.text);
        return;
    }
    jsonw_double(w, "value", v.value);
    jsonw_open(w, "ci", '[');
    jsonw_double(w, NULL, v.ci_lo);
    jsonw_double(w, NULL, v.ci_hi);
    jsonw_close(w);
    jsonw_double(w, "numerator", shown(p, v.numerator));
    jsonw_double(w, "denominator", v.denominator);
}

/* Of the units' totals, or of a quantile's single values. */
static void write_distribution(struct jsonw *w, const struct preview *p)
{
    static const struct {
        const char *name;
        double q;
    } points[] = { { "p1", 0.01 }, { "p25", 0.25 }, { "median", 0.5 }, { "p75", 0.75 }, { "p99", 0.99 } };
    const struct sketch *s = p->totals ? p->totals : p->arm.sketch;
    struct moments2 m;
    double value;
    if (!s || s->events == 0)
        return;
    jsonw_open(w, "distribution", '{');
    jsonw_text(w, "of", p->totals ? "units" : "values");
    for (size_t i = 0; i < COUNT_OF(points); i++)
        if (sketch_moments(s, points[i].q, &m, &value, NULL))
            jsonw_double(w, points[i].name, shown(p, value));
    jsonw_double(w, "error", sketch_error(s));
    jsonw_close(w);
}

static bool publish(const struct preview *p, struct run_context *run, struct err *err)
{
    const struct day_plan *days = &p->plan.by_day;
    char day[CLOCK_TEXT_MAX];
    AUTO(buf_release) struct buf words;
    AUTO(buf_release) struct buf b;
    struct jsonw w;
    buf_init(&words, JSON_MAX);
    buf_init(&b, JSON_MAX);
    jsonw_init(&w, &b);
    metric_words(&words, &p->def);
    jsonw_open(&w, NULL, '{');
    jsonw_str(&w, "metric", p->def.key);
    jsonw_str(&w, "counts", buf_str(&words));
    jsonw_text(&w, "from", clock_format_day(days->days[0], day));
    jsonw_text(&w, "to", clock_format_day(days->days[days->days_count - 1], day));
    write_value(&w, p);
    write_distribution(&w, p);
    jsonw_close(&w);
    run_result(run, "%s", b.p);
    return buf_ok(&b, "the preview", err) && run_publish_begin(run, err) && run_publish_end(run, err) && puts(b.p) >= 0;
}

static bool run_preview(struct run_context *run, struct err *err)
{
    struct preview p = { .totals = NULL };
    metrics_plan_init(&p.plan);
    bool ok = read_plan(&p, run, err) && count(&p, run, err) && publish(&p, run, err);
    metrics_plan_release(&p.plan);
    return ok;
}

const struct job job_preview = { "preview", run_preview };
