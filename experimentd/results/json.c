#include "experimentd/results/json.h"

#include <math.h>

#include "experimentd/config/experiment.h"
#include "experimentd/results/explain.h"
#include "experimentd/results/json_analysis.h"
#include "experimentd/results/json_metric.h"
#include "experimentd/results/preference.h"

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
    if (e->alarms.n)
        jsonw_str(w, "alarms", e->alarms);
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

static void write_verdict(struct jsonw *w, const struct analysis *a, struct arena *arena)
{
    struct verdict v;
    verdict_make(&v, a, arena);
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

/* Units that reached each step of a funnel. */
static void write_steps(struct jsonw *w, const struct result *r, const struct result_metric *m)
{
    const struct result_parts *steps = &m->parts[RESULT_STEP];
    if (steps->n == 0)
        return;
    jsonw_open(w, "steps", '[');
    for (size_t i = 0; i < steps->n; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_i64(w, "step", steps->p[i].number);
        jsonw_open(w, "variants", '[');
        for (size_t v = 0; v < r->experiment->variants_count; v++) {
            jsonw_open(w, NULL, '{');
            jsonw_str(w, "variant", r->experiment->variants[v].key);
            metric_write_value(w, m, &steps->p[i].arms[v]);
            jsonw_close(w);
        }
        jsonw_close(w);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_metric(struct jsonw *w, const struct analysis *a, size_t metric)
{
    const struct result *r = a->result;
    const struct result_metric *m = &r->metrics[metric];
    jsonw_open(w, NULL, '{');
    metric_write_head(w, r, m);
    jsonw_open(w, "variants", '[');
    for (size_t i = 0; i < r->experiment->variants_count; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "variant", r->experiment->variants[i].key);
        metric_write_value(w, m, result_arm(m, i));
        explain_write_value(w, m, result_arm(m, i));
        if (i == 0) {
            jsonw_null(w, "comparison");
        } else {
            jsonw_open(w, "comparison", '{');
            analysed_write_comparison(w, a, metric, i);
            jsonw_close(w);
        }
        jsonw_close(w);
    }
    jsonw_close(w);
    write_steps(w, r, m);
    jsonw_close(w);
}

void result_write_dimensions(struct jsonw *w, const struct result *r)
{
    struct str rest = r->dimensions, name;
    jsonw_open(w, "dimensions", '[');
    while (rest.n && str_split(&rest, ',', &name))
        jsonw_str(w, NULL, name);
    jsonw_close(w);
}

static void write_decision(struct jsonw *w, const struct analysis *a, struct arena *arena)
{
    struct decision d;
    /* A preference is a reason to try a ranking, not to ship it: what it earns, interleaving does not tell. */
    if (!a->result->has_data || a->result->preferences) {
        jsonw_null(w, "decision");
        return;
    }
    decision_make(&d, a, arena);
    analysed_write_decision(w, &d, a);
}

void result_write(struct jsonw *w, const struct result *r, int64_t lag_us, struct arena *arena)
{
    struct analysis a;
    analysis_make(&a, r, arena);
    jsonw_open(w, NULL, '{');
    result_write_experiment(w, "experiment", r->experiment);
    jsonw_time(w, "as_of", r->as_of_us);
    jsonw_time(w, "computed_at", r->published_us);
    jsonw_double(w, "lag_seconds", (double)lag_us / 1e6);
    jsonw_i64(w, "units", r->units);
    jsonw_i64(w, "multiple_exposures", r->multiple_exposures);
    jsonw_i64(w, "marked_units", r->marked_units);
    jsonw_double(w, "level", result_level(r));
    analysed_write_looking(w, r);
    result_write_dimensions(w, r);
    write_run(w, r);
    write_verdict(w, &a, arena);
    write_decision(w, &a, arena);
    write_srm(w, r, arena);
    preference_write(w, r, arena);
    jsonw_open(w, "metrics", '[');
    for (size_t i = 0; i < r->metrics_count; i++)
        write_metric(w, &a, i);
    jsonw_close(w);
    explain_write_methods(w);
    jsonw_close(w);
}

void result_write_summary(struct jsonw *w, const struct result *r, struct arena *arena)
{
    jsonw_open(w, NULL, '{');
    write_head(w, r->experiment);
    write_variants(w, r->experiment, false);
    bool preferred = r->preferences && r->preferences->published_us;
    if (r->has_data || preferred) {
        struct analysis a;
        analysis_make(&a, r, arena);
        jsonw_i64(w, "units", preferred ? preferences_units(r->preferences) : r->units);
        write_verdict(w, &a, arena);
    } else {
        jsonw_null(w, "units");
        jsonw_null(w, "verdict");
    }
    jsonw_close(w);
}
