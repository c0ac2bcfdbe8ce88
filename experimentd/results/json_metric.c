#include "experimentd/results/json_metric.h"

#include <assert.h>
#include <math.h>

#include "experimentd/results/verdict.h"

static const char *const lift_kinds[] = {
    [LIFT_NONE] = "none",
    [LIFT_BOUNDED] = "bounded",
    [LIFT_EXCLUSIVE] = "exclusive",
    [LIFT_WHOLE_LINE] = "whole_line",
};
static_assert(sizeof lift_kinds / sizeof *lift_kinds == LIFT_KIND_COUNT, "a name for every kind");

bool metric_compare(const struct result *r, const struct result_metric *m, const struct result_arm *control,
                    const struct result_arm *treatment, struct comparison *out, struct err *err)
{
    struct compare_plan plan = result_plan(r);
    struct arm c = result_compared_arm(m, control), t = result_compared_arm(m, treatment);
    return stats_compare(&c, &t, &plan, out, err);
}

bool metric_value(const struct result_metric *m, const struct result_arm *a, struct arm_value *out, struct err *err)
{
    struct arm arm = result_compared_arm(m, a);
    return stats_arm_value(&arm, m->level, out, err);
}

void metric_write_interval(struct jsonw *w, const char *key, double lo, double hi)
{
    jsonw_open(w, key, '[');
    jsonw_double(w, NULL, lo);
    jsonw_double(w, NULL, hi);
    jsonw_close(w);
}

void metric_write_head(struct jsonw *w, const struct result *r, const struct result_metric *m)
{
    struct compare_plan plan = result_plan(r);
    jsonw_str(w, "metric", m->metric->key);
    jsonw_str(w, "name", m->metric->name);
    jsonw_str(w, "description", m->metric->description);
    jsonw_str(w, "kind", m->metric->kind);
    jsonw_str(w, "direction", m->metric->direction);
    jsonw_str(w, "display", m->metric->display);
    jsonw_str(w, "role", m->role);
    jsonw_text(w, "method", stats_compare_method(m->kind, &plan));
}

double metric_sum(double v)
{
    return fabs(v - round(v)) <= 1e-9 * fmax(1, fabs(v)) ? round(v) : v;
}

void metric_write_value(struct jsonw *w, const struct result_metric *m, const struct result_arm *a)
{
    struct arm_value v;
    struct err err;
    jsonw_i64(w, "n", a->m.n);
    if (!metric_value(m, a, &v, &err)) {
        jsonw_double(w, "numerator", metric_sum(a->m.mean_x * (double)a->m.n));
        jsonw_null(w, "denominator");
        jsonw_null(w, "value");
        jsonw_null(w, "ci");
        jsonw_text(w, "reason", err.text);
        return;
    }
    jsonw_double(w, "numerator", metric_sum(v.numerator));
    jsonw_double(w, "denominator", metric_sum(v.denominator));
    jsonw_double(w, "value", v.value);
    metric_write_interval(w, "ci", v.ci_lo, v.ci_hi);
    jsonw_null(w, "reason");
}

const char *metric_lift_kind(const struct comparison *c)
{
    return lift_kinds[c->lift_kind];
}

void metric_write_lift(struct jsonw *w, const struct comparison *c)
{
    jsonw_text(w, "lift_kind", metric_lift_kind(c));
    jsonw_double(w, "lift", c->lift_kind == LIFT_NONE ? NAN : c->lift);
    if (c->lift_kind == LIFT_BOUNDED || c->lift_kind == LIFT_EXCLUSIVE)
        metric_write_interval(w, "lift_ci", c->lift_lo, c->lift_hi);
    else
        jsonw_null(w, "lift_ci");
}

void metric_write_no_lift(struct jsonw *w)
{
    jsonw_null(w, "lift");
    jsonw_null(w, "lift_ci");
    jsonw_text(w, "lift_kind", "none");
}

void metric_write_no_comparison(struct jsonw *w, const char *reason)
{
    static const char *const empty[] = { "difference", "difference_ci", "se", "statistic", "df", "p", "log10_p" };
    for (size_t i = 0; i < COUNT_OF(empty); i++)
        jsonw_null(w, empty[i]);
    metric_write_no_lift(w);
    jsonw_text(w, "reason", reason);
    jsonw_text(w, "outcome", outcome_names[OUTCOME_NONE]);
}

void metric_write_tested(struct jsonw *w, const struct comparison *c, enum outcome outcome)
{
    jsonw_double(w, "difference", c->difference);
    metric_write_interval(w, "difference_ci", c->ci_lo, c->ci_hi);
    jsonw_double(w, "se", c->se);
    jsonw_double(w, "statistic", c->statistic);
    jsonw_double(w, "df", c->df);
    jsonw_double(w, "p", c->p);
    jsonw_double(w, "log10_p", c->log_p / M_LN10);
    metric_write_lift(w, c);
    jsonw_null(w, "reason");
    jsonw_text(w, "outcome", outcome_names[outcome]);
}

void metric_write_comparison(struct jsonw *w, const struct result_metric *m, const struct comparison *c)
{
    metric_write_tested(w, c, outcome_of(m, c, 1 - m->level));
}

void metric_write_compared(struct jsonw *w, const struct result *r, const struct result_metric *m,
                           const struct result_arm *control, const struct result_arm *treatment)
{
    struct comparison c;
    struct err err;
    jsonw_open(w, "comparison", '{');
    if (metric_compare(r, m, control, treatment, &c, &err))
        metric_write_comparison(w, m, &c);
    else
        metric_write_no_comparison(w, err.text);
    jsonw_close(w);
}
