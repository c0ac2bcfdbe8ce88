/* The answers of GET …/timeseries. */
#include <math.h>

#include "base/clock.h"
#include "experimentd/results/json.h"
#include "experimentd/results/json_metric.h"
#include "experimentd/results/verdict.h"

/* Where the bands are narrowest when the experiment has no plan that says. */
#define BAND_UNITS 10000.0

/* Of a plan for one look: the day's comparison as a confidence sequence would have it, which may be watched. */
static bool band_of(const struct result_metric *m, const struct result_arm *control, const struct result_arm *treatment,
                    double planned_units, struct comparison *out)
{
    struct compare_plan plan = { RESULT_LEVEL, planned_units };
    struct arm c = { .kind = m->kind, .m = control->m }, t = { .kind = m->kind, .m = treatment->m };
    return stats_compare(&c, &t, &plan, out, NULL);
}

static double band_units(const struct result *r)
{
    int64_t planned = r->experiment->analysis.planned_units;
    return planned > 0 ? (double)planned : BAND_UNITS;
}

static void write_band(struct jsonw *w, const struct result *r, const struct result_metric *m,
                       const struct result_arm *control, const struct result_arm *treatment)
{
    struct comparison c;
    bool found = band_of(m, control, treatment, band_units(r), &c);
    if (found)
        metric_write_interval(w, "difference_band", c.ci_lo, c.ci_hi);
    else
        jsonw_null(w, "difference_band");
    if (found && c.lift_kind == LIFT_BOUNDED)
        metric_write_interval(w, "lift_band", c.lift_lo, c.lift_hi);
    else
        jsonw_null(w, "lift_band");
}

static void write_compared(struct jsonw *w, const struct result *r, const struct result_metric *m,
                           const struct result_arm *control, const struct result_arm *treatment)
{
    struct comparison c;
    if (!metric_compare(r, m, control, treatment, &c, NULL)) {
        jsonw_null(w, "difference");
        jsonw_null(w, "difference_ci");
        jsonw_null(w, "p");
        metric_write_no_lift(w);
    } else {
        jsonw_double(w, "difference", c.difference);
        metric_write_interval(w, "difference_ci", c.ci_lo, c.ci_hi);
        jsonw_double(w, "p", c.p);
        metric_write_lift(w, &c);
    }
    write_band(w, r, m, control, treatment);
}

static void write_day_variant(struct jsonw *w, const struct result *r, const struct result_metric *m,
                              const struct result_arm *arms, size_t variant)
{
    struct arm_value v;
    bool found = metric_value(m, &arms[variant], &v, NULL);
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "variant", r->experiment->variants[variant].key);
    jsonw_i64(w, "n", arms[variant].m.n);
    jsonw_double(w, "value", found ? v.value : NAN);
    if (variant > 0)
        write_compared(w, r, m, &arms[0], &arms[variant]);
    else
        metric_write_no_lift(w);
    jsonw_close(w);
}

static void write_days(struct jsonw *w, const struct result *r, const struct result_metric *m)
{
    char text[CLOCK_TEXT_MAX];
    jsonw_open(w, "days", '[');
    for (size_t d = 0; d < m->days_count; d++) {
        jsonw_open(w, NULL, '{');
        jsonw_text(w, "day", clock_format_day(m->days[d].day, text));
        jsonw_open(w, "variants", '[');
        for (size_t v = 0; v < r->experiment->variants_count; v++)
            write_day_variant(w, r, m, m->days[d].arms, v);
        jsonw_close(w);
        jsonw_close(w);
    }
    jsonw_close(w);
}

void result_write_timeseries(struct jsonw *w, const struct result *r)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "experiment", r->experiment->key);
    jsonw_text(w, "by", "day");
    jsonw_double(w, "level", RESULT_LEVEL);
    jsonw_open(w, "band", '{');
    jsonw_text(w, "method", "confidence sequence");
    jsonw_double(w, "planned_units", band_units(r));
    jsonw_text(w, "text",
               "The bands of all days together hold the truth as often as the level says, however often they are "
               "watched.");
    jsonw_close(w);
    jsonw_open(w, "metrics", '[');
    for (size_t i = 0; i < r->metrics_count; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "metric", r->metrics[i].metric->key);
        write_days(w, r, &r->metrics[i]);
        jsonw_close(w);
    }
    jsonw_close(w);
    jsonw_close(w);
}
