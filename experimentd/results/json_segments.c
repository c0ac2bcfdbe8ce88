/* The answer of GET …/results?segment=DIMENSION. */
#include <math.h>

#include "experimentd/results/explain.h"
#include "experimentd/results/json.h"
#include "experimentd/results/json_metric.h"
#include "experimentd/results/segments.h"
#include "experimentd/results/verdict.h"
#include "stats/special/special.h"

static void write_shrunk(struct jsonw *w, const struct segment_cell *cell, const struct arm_value *control,
                         double alpha)
{
    double half = special_normal_qinv(alpha / 2) * cell->shrunk.se;
    if (!cell->has_shrunk) {
        jsonw_null(w, "shrunk");
        return;
    }
    jsonw_open(w, "shrunk", '{');
    jsonw_double(w, "difference", cell->shrunk.effect);
    metric_write_interval(w, "difference_ci", cell->shrunk.effect - half, cell->shrunk.effect + half);
    jsonw_double(w, "lift", control->value != 0 ? cell->shrunk.effect / fabs(control->value) : NAN);
    jsonw_double(w, "factor", cell->shrunk.factor);
    jsonw_close(w);
}

static enum outcome adjusted_outcome(const struct result_metric *m, const struct segment_cell *cell)
{
    struct comparison c = cell->c;
    c.p = exp(cell->log_p_adjusted);
    return outcome_of(m, &c, 1 - m->level);
}

static void write_cell(struct jsonw *w, const struct result *r, const struct result_metric *m,
                       const struct segment_cell *cell, const struct result_arm *control,
                       const struct result_arm *treatment)
{
    struct arm_value v = { 0 };
    jsonw_open(w, "comparison", '{');
    if (!cell->compared) {
        metric_write_no_comparison(w, cell->reason.p);
        jsonw_null(w, "p_adjusted");
        jsonw_null(w, "log10_p_adjusted");
        jsonw_text(w, "outcome_adjusted", outcome_names[OUTCOME_NONE]);
        jsonw_null(w, "shrunk");
    } else {
        (void)!metric_value(m, control, &v, NULL);
        metric_write_comparison(w, m, &cell->c);
        jsonw_double(w, "p_adjusted", exp(cell->log_p_adjusted));
        jsonw_double(w, "log10_p_adjusted", cell->log_p_adjusted / M_LN10);
        jsonw_text(w, "outcome_adjusted", outcome_names[adjusted_outcome(m, cell)]);
        write_shrunk(w, cell, &v, 1 - m->level);
        explain_write_comparison(w, r, m, control, treatment, &cell->c);
    }
    jsonw_close(w);
}

static void write_value(struct jsonw *w, const struct result *r, const struct segment_metric *m, size_t i)
{
    size_t variants = r->experiment->variants_count;
    const struct result_arm *arms = m->values[i]->arms;
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "value", m->values[i]->value);
    jsonw_open(w, "variants", '[');
    for (size_t v = 0; v < variants; v++) {
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "variant", r->experiment->variants[v].key);
        metric_write_value(w, m->metric, &arms[v]);
        if (v == 0)
            jsonw_null(w, "comparison");
        else
            write_cell(w, r, m->metric, &m->cells[i * variants + v], &arms[0], &arms[v]);
        jsonw_close(w);
    }
    jsonw_close(w);
    jsonw_close(w);
}

/* Q of segments whose effects are the same is beyond this as often as the level says. */
static void write_agreement(struct jsonw *w, const struct segment_effect *e, double alpha)
{
    if (e->has_q) {
        jsonw_open(w, "heterogeneity", '{');
        jsonw_double(w, "q", e->q);
        jsonw_double(w, "df", e->q_df);
        jsonw_double(w, "p", exp(e->log_p_q));
        jsonw_double(w, "log10_p", e->log_p_q / M_LN10);
        jsonw_double(w, "i_squared", e->q > 0 ? fmax(0, (e->q - e->q_df) / e->q) : 0);
        jsonw_text(w, "text",
                   exp(e->log_p_q) < alpha ? "The effect differs between segments by more than chance allows."
                                           : "The segments differ by no more than chance allows: believe the whole, "
                                             "not the best segment.");
        jsonw_close(w);
    } else {
        jsonw_null(w, "heterogeneity");
    }
    jsonw_bool(w, "simpson", e->simpson);
    if (e->simpson)
        jsonw_text(w, "simpson_text",
                   "Every segment says one thing, the whole says the opposite: the variants got other mixes of "
                   "segments. Find out why before believing either.");
}

static void write_effect(struct jsonw *w, const struct snapshot_variant *v, const struct segment_effect *e,
                         double alpha)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "variant", v->key);
    jsonw_i64(w, "compared", (int64_t)e->compared);
    write_agreement(w, e, alpha);
    if (e->has_shrink) {
        jsonw_open(w, "common", '{');
        jsonw_double(w, "difference", e->shrink.mean);
        jsonw_double(w, "spread", sqrt(e->shrink.variance));
        jsonw_close(w);
        jsonw_null(w, "not_shrunk");
    } else {
        jsonw_null(w, "common");
        jsonw_str(w, "not_shrunk", e->why_not);
    }
    jsonw_close(w);
}

static void write_metric(struct jsonw *w, const struct result *r, const struct segment_metric *m)
{
    const struct snapshot_experiment *e = r->experiment;
    jsonw_open(w, NULL, '{');
    metric_write_head(w, r, m->metric);
    jsonw_open(w, "effects", '[');
    for (size_t v = 1; v < e->variants_count; v++)
        write_effect(w, &e->variants[v], &m->effects[v], 1 - m->metric->level);
    jsonw_close(w);
    jsonw_open(w, "values", '[');
    for (size_t i = 0; i < m->values_count; i++)
        write_value(w, r, m, i);
    jsonw_close(w);
    jsonw_close(w);
}

static size_t values_of(const struct segments *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->metrics_count; i++)
        n += s->metrics[i].values_count;
    return n;
}

void result_write_segments(struct jsonw *w, const struct result *r, struct str dimension, struct str metric,
                           struct arena *arena)
{
    struct segments s;
    double alpha = 1 - result_level(r);
    segments_make(&s, r, arena);
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "experiment", r->experiment->key);
    jsonw_str(w, "dimension", dimension);
    result_write_dimensions(w, r);
    jsonw_time(w, "as_of", r->as_of_us);
    jsonw_double(w, "level", result_level(r));
    jsonw_i64(w, "looks", (int64_t)s.looks);
    jsonw_text(w, "adjustment", "benjamini_hochberg");
    jsonw_str(w, "text",
              arena_printf(arena,
                           "%zu comparisons: of so many, a share of %.2g looks significant by chance alone. Adjusted p "
                           "(Benjamini-Hochberg over all of them) at most %.2g: of those that are, a share of %.2g is "
                           "wrong. Intervals are of each comparison alone.",
                           s.looks, alpha, alpha, alpha));
    if (values_of(&s) == 0)
        jsonw_str(w, "reason",
                  arena_printf(arena,
                               r->has_data ? "no units have been counted by \"" STR_FMT "\""
                                           : "nothing has been aggregated yet, also not by \"" STR_FMT "\"",
                               STR_ARG(dimension)));
    else
        jsonw_null(w, "reason");
    jsonw_open(w, "metrics", '[');
    for (size_t i = 0; i < s.metrics_count; i++)
        if (!metric.p || str_eq(s.metrics[i].metric->metric->key, metric))
            write_metric(w, r, &s.metrics[i]);
    jsonw_close(w);
    explain_write_methods(w);
    jsonw_close(w);
}
