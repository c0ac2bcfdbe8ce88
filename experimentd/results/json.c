#include "experimentd/results/json.h"

#include <assert.h>
#include <math.h>

#include "base/clock.h"
#include "experimentd/config/experiment.h"

static const char *const lift_kinds[] = {
    [LIFT_NONE] = "none",
    [LIFT_BOUNDED] = "bounded",
    [LIFT_EXCLUSIVE] = "exclusive",
    [LIFT_WHOLE_LINE] = "whole_line",
};

static void write_interval(struct jsonw *w, const char *key, double lo, double hi)
{
    jsonw_open(w, key, '[');
    jsonw_double(w, NULL, lo);
    jsonw_double(w, NULL, hi);
    jsonw_close(w);
}

static void write_variants(struct jsonw *w, const struct snapshot_experiment *e, bool values)
{
    jsonw_open(w, "variants", '[');
    for (size_t i = 0; i < e->variants_count; i++) {
        const struct snapshot_variant *v = &e->variants[i];
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "key", v->key);
        jsonw_str(w, "name", v->name);
        jsonw_double(w, "weight", v->weight);
        if (values)
            jsonw_raw(w, "value", v->value_json);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_head(struct jsonw *w, const struct snapshot_experiment *e)
{
    jsonw_str(w, "key", e->key);
    jsonw_str(w, "name", e->name);
    jsonw_text(w, "status", experiment_status_names[e->status]);
    jsonw_str(w, "origin", e->origin);
    jsonw_time(w, "created_at", e->created_us);
    jsonw_time(w, "started_at", e->started_us);
    jsonw_time(w, "stopped_at", e->stopped_us);
}

/* What the server decided: what counts now where the document says another thing, and how it ended. */
static void write_decided(struct jsonw *w, const struct snapshot_experiment *e)
{
    jsonw_i64(w, "phase", e->phase);
    jsonw_time(w, "phase_started_at", e->phase_started_us);
    jsonw_time(w, "concluded_at", e->concluded_us);
    if (e->ramp_count) {
        jsonw_i64(w, "ramp_step", (int64_t)e->ramp_step);
        jsonw_double(w, "coverage_now", experiment_coverage(e));
    }
    if (e->live_weights) {
        jsonw_open(w, "weights_now", '[');
        for (size_t i = 0; i < e->variants_count; i++)
            jsonw_double(w, NULL, e->live_weights[i]);
        jsonw_close(w);
        jsonw_i64(w, "weights_version", e->weights_version);
    }
    if (e->stop_reason.n)
        jsonw_str(w, "stop_reason", e->stop_reason);
    if (e->held_back.n)
        jsonw_str(w, "held_back", e->held_back);
    if (e->winner.n)
        jsonw_str(w, "winner", e->winner);
    if (e->status == EXPERIMENT_CONCLUDED)
        jsonw_bool(w, "rollout", e->rollout);
}

void result_write_experiment_members(struct jsonw *w, const struct snapshot_experiment *e)
{
    experiment_write(w, e);
    jsonw_text(w, "status", experiment_status_names[e->status]);
    jsonw_time(w, "created_at", e->created_us);
    jsonw_time(w, "started_at", e->started_us);
    jsonw_time(w, "stopped_at", e->stopped_us);
    jsonw_i64(w, "version", e->version);
    write_decided(w, e);
}

void result_write_experiment(struct jsonw *w, const char *key, const struct snapshot_experiment *e)
{
    jsonw_open(w, key, '{');
    result_write_experiment_members(w, e);
    jsonw_close(w);
}

static void write_run(struct jsonw *w, const struct result *r)
{
    if (!r->has_data) {
        jsonw_null(w, "run");
        return;
    }
    jsonw_open(w, "run", '{');
    jsonw_str(w, "id", r->run.id);
    jsonw_str(w, "engine", r->run.engine);
    jsonw_i64(w, "workers", r->run.workers);
    jsonw_i64(w, "signals", r->run.rows_in);
    jsonw_double(w, "seconds", r->run.seconds);
    jsonw_i64(w, "splits", r->run.splits);
    jsonw_i64(w, "retries", r->run.retries);
    jsonw_close(w);
}

static void write_verdict(struct jsonw *w, const struct result *r, struct arena *arena)
{
    struct verdict v;
    verdict_make(&v, r, arena);
    jsonw_open(w, "verdict", '{');
    jsonw_text(w, "state", verdict_names[v.state]);
    jsonw_str(w, "metric", v.metric);
    jsonw_str(w, "variant", v.variant);
    jsonw_str(w, "text", v.text);
    jsonw_close(w);
}

static void write_srm_text(struct jsonw *w, const struct srm *srm)
{
    jsonw_text(
        w, "text",
        srm->p < SRM_THRESHOLD
            ? "The shares of units differ from the weights by more than chance allows. Usual causes: exposures lost on "
              "one side (redirects, crashes, bots filtered on one side), a weight changed while running, a log that "
              "was thinned."
            : "The shares of units agree with the weights.");
}

static void write_srm(struct jsonw *w, const struct result *r, struct arena *arena)
{
    size_t count = r->experiment->variants_count;
    int64_t *observed = arena_zalloc(arena, count * sizeof *observed);
    double *weights = arena_zalloc(arena, count * sizeof *weights);
    struct srm srm;
    if (!result_srm(r, &srm, observed, weights, NULL)) {
        jsonw_null(w, "srm");
        return;
    }
    jsonw_open(w, "srm", '{');
    jsonw_bool(w, "alarm", srm.p < SRM_THRESHOLD);
    jsonw_double(w, "p", srm.p);
    jsonw_double(w, "log10_p", srm.log_p / M_LN10);
    jsonw_double(w, "chi2", srm.chi2);
    jsonw_double(w, "df", srm.df);
    jsonw_double(w, "threshold", SRM_THRESHOLD);
    jsonw_text(w, "method", "Pearson's chi-square of units against weights");
    jsonw_open(w, "observed", '[');
    double total = 0;
    for (size_t i = 0; i < count; i++) {
        jsonw_i64(w, NULL, observed[i]);
        total += (double)observed[i];
    }
    jsonw_close(w);
    jsonw_open(w, "expected", '[');
    for (size_t i = 0; i < count; i++)
        jsonw_double(w, NULL, total * weights[i]);
    jsonw_close(w);
    write_srm_text(w, &srm);
    jsonw_close(w);
}

static struct arm arm_of(const struct result_metric *m, const struct moments2 *moments)
{
    return (struct arm){ .kind = m->kind, .m = *moments };
}

static void write_lift(struct jsonw *w, const struct comparison *c)
{
    jsonw_text(w, "lift_kind", lift_kinds[c->lift_kind]);
    jsonw_double(w, "lift", c->lift_kind == LIFT_NONE ? NAN : c->lift);
    if (c->lift_kind == LIFT_BOUNDED || c->lift_kind == LIFT_EXCLUSIVE)
        write_interval(w, "lift_ci", c->lift_lo, c->lift_hi);
    else
        jsonw_null(w, "lift_ci");
}

static void write_no_comparison(struct jsonw *w, const char *reason)
{
    static const char *const empty[] = { "difference", "difference_ci", "se",   "statistic", "df",
                                         "p",          "log10_p",       "lift", "lift_ci" };
    for (size_t i = 0; i < COUNT_OF(empty); i++)
        jsonw_null(w, empty[i]);
    jsonw_text(w, "lift_kind", "none");
    jsonw_text(w, "reason", reason);
    jsonw_text(w, "outcome", outcome_names[OUTCOME_NONE]);
}

static void write_comparison(struct jsonw *w, const struct result *r, const struct result_metric *m, size_t variant)
{
    struct compare_plan plan = result_plan(r);
    struct arm control = arm_of(m, result_latest(m, 0)), treatment = arm_of(m, result_latest(m, variant));
    struct comparison c;
    struct err err;
    jsonw_open(w, "comparison", '{');
    if (!stats_compare(&control, &treatment, &plan, &c, &err)) {
        write_no_comparison(w, err.text);
    } else {
        jsonw_double(w, "difference", c.difference);
        write_interval(w, "difference_ci", c.ci_lo, c.ci_hi);
        jsonw_double(w, "se", c.se);
        jsonw_double(w, "statistic", c.statistic);
        jsonw_double(w, "df", c.df);
        jsonw_double(w, "p", c.p);
        jsonw_double(w, "log10_p", c.log_p / M_LN10);
        write_lift(w, &c);
        jsonw_null(w, "reason");
        jsonw_text(w, "outcome", outcome_names[outcome_of(m, &c, 1 - RESULT_LEVEL)]);
    }
    jsonw_close(w);
}

/* A sum is mean × n; of counts it is a whole number but for rounding, and is shown as one. */
static double whole(double v)
{
    return fabs(v - round(v)) <= 1e-9 * fmax(1, fabs(v)) ? round(v) : v;
}

static void write_value(struct jsonw *w, const struct result_metric *m, const struct moments2 *moments)
{
    struct arm arm = arm_of(m, moments);
    struct arm_value v;
    struct err err;
    jsonw_i64(w, "n", moments->n);
    if (!stats_arm_value(&arm, RESULT_LEVEL, &v, &err)) {
        jsonw_double(w, "numerator", whole(moments->mean_x * (double)moments->n));
        jsonw_null(w, "denominator");
        jsonw_null(w, "value");
        jsonw_null(w, "ci");
        jsonw_text(w, "reason", err.text);
        return;
    }
    jsonw_double(w, "numerator", whole(v.numerator));
    jsonw_double(w, "denominator", whole(v.denominator));
    jsonw_double(w, "value", v.value);
    write_interval(w, "ci", v.ci_lo, v.ci_hi);
    jsonw_null(w, "reason");
}

static const char *method_of(const struct result *r, const struct result_metric *m)
{
    struct compare_plan plan = result_plan(r);
    return stats_compare_method(m->kind, &plan);
}

static void write_metric_head(struct jsonw *w, const struct result *r, const struct result_metric *m)
{
    jsonw_str(w, "metric", m->metric->key);
    jsonw_str(w, "name", m->metric->name);
    jsonw_str(w, "description", m->metric->description);
    jsonw_str(w, "kind", m->metric->kind);
    jsonw_str(w, "direction", m->metric->direction);
    jsonw_str(w, "display", m->metric->display);
    jsonw_str(w, "role", m->role);
    jsonw_text(w, "method", method_of(r, m));
}

static void write_metric(struct jsonw *w, const struct result *r, const struct result_metric *m)
{
    jsonw_open(w, NULL, '{');
    write_metric_head(w, r, m);
    jsonw_open(w, "variants", '[');
    for (size_t i = 0; i < r->experiment->variants_count; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "variant", r->experiment->variants[i].key);
        write_value(w, m, result_latest(m, i));
        if (i == 0)
            jsonw_null(w, "comparison");
        else
            write_comparison(w, r, m, i);
        jsonw_close(w);
    }
    jsonw_close(w);
    jsonw_close(w);
}

static void write_analysis(struct jsonw *w, const struct snapshot_experiment *e)
{
    bool fixed = e->analysis.method == ANALYSIS_FIXED;
    jsonw_open(w, "analysis", '{');
    jsonw_text(w, "method", analysis_method_names[e->analysis.method]);
    if (!fixed)
        jsonw_i64(w, "planned_units", e->analysis.planned_units);
    jsonw_text(
        w, "text",
        fixed ? "Fixed horizon: p and intervals are right when they are looked at once, at the planned end."
              : "Any time: p and intervals are right at every look, however many there are and whatever ends them.");
    jsonw_close(w);
}

void result_write(struct jsonw *w, const struct result *r, int64_t lag_us, struct arena *arena)
{
    jsonw_open(w, NULL, '{');
    result_write_experiment(w, "experiment", r->experiment);
    jsonw_time(w, "as_of", r->as_of_us);
    jsonw_time(w, "computed_at", r->published_us);
    jsonw_double(w, "lag_seconds", (double)lag_us / 1e6);
    jsonw_i64(w, "units", r->units);
    jsonw_i64(w, "multiple_exposures", r->multiple_exposures);
    jsonw_i64(w, "marked_units", r->marked_units);
    jsonw_double(w, "level", RESULT_LEVEL);
    write_analysis(w, r->experiment);
    write_run(w, r);
    write_verdict(w, r, arena);
    write_srm(w, r, arena);
    jsonw_open(w, "metrics", '[');
    for (size_t i = 0; i < r->metrics_count; i++)
        write_metric(w, r, &r->metrics[i]);
    jsonw_close(w);
    jsonw_close(w);
}

static void write_day_variant(struct jsonw *w, const struct result *r, const struct result_metric *m,
                              const struct result_day *d, size_t variant)
{
    struct compare_plan plan = result_plan(r);
    struct arm control = arm_of(m, &d->arms[0]), treatment = arm_of(m, &d->arms[variant]);
    struct arm_value v;
    struct comparison c;
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "variant", r->experiment->variants[variant].key);
    jsonw_i64(w, "n", d->arms[variant].n);
    jsonw_double(w, "value", stats_arm_value(&treatment, RESULT_LEVEL, &v, NULL) ? v.value : NAN);
    if (variant > 0 && stats_compare(&control, &treatment, &plan, &c, NULL)) {
        write_lift(w, &c);
    } else {
        jsonw_null(w, "lift");
        jsonw_null(w, "lift_ci");
        jsonw_text(w, "lift_kind", "none");
    }
    jsonw_close(w);
}

void result_write_timeseries(struct jsonw *w, const struct result *r)
{
    char text[CLOCK_TEXT_MAX];
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "experiment", r->experiment->key);
    jsonw_double(w, "level", RESULT_LEVEL);
    jsonw_open(w, "metrics", '[');
    for (size_t i = 0; i < r->metrics_count; i++) {
        const struct result_metric *m = &r->metrics[i];
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "metric", m->metric->key);
        jsonw_open(w, "days", '[');
        for (size_t d = 0; d < m->days_count; d++) {
            jsonw_open(w, NULL, '{');
            jsonw_text(w, "day", clock_format_day(m->days[d].day, text));
            jsonw_open(w, "variants", '[');
            for (size_t v = 0; v < r->experiment->variants_count; v++)
                write_day_variant(w, r, m, &m->days[d], v);
            jsonw_close(w);
            jsonw_close(w);
        }
        jsonw_close(w);
        jsonw_close(w);
    }
    jsonw_close(w);
    jsonw_close(w);
}

void result_write_summary(struct jsonw *w, const struct result *r, struct arena *arena)
{
    jsonw_open(w, NULL, '{');
    write_head(w, r->experiment);
    write_variants(w, r->experiment, false);
    if (r->has_data) {
        jsonw_i64(w, "units", r->units);
        write_verdict(w, r, arena);
    } else {
        jsonw_null(w, "units");
        jsonw_null(w, "verdict");
    }
    jsonw_close(w);
}
