/* The answers of GET …/timeseries. */
#include <math.h>

#include "base/clock.h"
#include "experimentd/results/analysis.h"
#include "experimentd/results/json.h"
#include "experimentd/results/json_metric.h"
#include "experimentd/results/verdict.h"

/* Where the bands are narrowest when the experiment has no plan that says. */
#define BAND_UNITS 10000.0

static double band_units(const struct result *r)
{
    int64_t planned = r->experiment->analysis.planned_units;
    return planned > 0 ? (double)planned : BAND_UNITS;
}

/* The day's comparison as a confidence sequence has it, which may be watched whatever was declared. */
static void write_band(struct jsonw *w, const struct result *r, const struct effect *e)
{
    struct compare_plan plan = { result_level(r), band_units(r) };
    struct comparison c;
    bool found = compare_effect(e, &plan, 1 - plan.level, &c, NULL);
    if (found)
        metric_write_interval(w, "difference_band", c.ci_lo, c.ci_hi);
    else
        jsonw_null(w, "difference_band");
    if (found && c.lift_kind == LIFT_BOUNDED)
        metric_write_interval(w, "lift_band", c.lift_lo, c.lift_hi);
    else
        jsonw_null(w, "lift_band");
}

static void write_no_effect(struct jsonw *w)
{
    jsonw_null(w, "difference");
    jsonw_null(w, "difference_ci");
    jsonw_null(w, "p");
    metric_write_no_lift(w);
}

/* As the result would have been at the end of that day: adjusted as declared, as far as what was kept of the day allows. */
static void write_compared(struct jsonw *w, const struct result *r, const struct result_metric *day, size_t variant,
                           struct arena *arena)
{
    struct compare_plan plan = result_plan(r);
    struct effect e, bare;
    struct comparison c;
    struct str why_not;
    if (!result_effect(r, day, variant, arena, &e, &bare, &why_not, NULL)) {
        write_no_effect(w);
        jsonw_null(w, "difference_band");
        jsonw_null(w, "lift_band");
        return;
    }
    if (compare_effect(&e, &plan, 1 - plan.level, &c, NULL)) {
        jsonw_double(w, "difference", c.difference);
        metric_write_interval(w, "difference_ci", c.ci_lo, c.ci_hi);
        jsonw_double(w, "p", c.p);
        metric_write_lift(w, &c);
    } else {
        write_no_effect(w);
    }
    write_band(w, r, &e);
}

static void write_day_variant(struct jsonw *w, const struct result *r, const struct result_metric *day, size_t variant,
                              struct arena *arena)
{
    const struct result_arm *arm = result_arm(day, variant);
    struct arm_value v;
    bool found = metric_value(day, arm, &v, NULL);
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "variant", r->experiment->variants[variant].key);
    jsonw_i64(w, "n", arm->m.n);
    jsonw_double(w, "value", found ? v.value : NAN);
    if (variant > 0)
        write_compared(w, r, day, variant, arena);
    else
        metric_write_no_lift(w);
    jsonw_close(w);
}

static void write_days(struct jsonw *w, const struct result *r, const struct result_metric *m, struct arena *arena)
{
    char text[CLOCK_TEXT_MAX];
    jsonw_open(w, "days", '[');
    for (size_t d = 0; d < m->days_count; d++) {
        struct result_metric day = *m;
        day.days_count = d + 1;
        jsonw_open(w, NULL, '{');
        jsonw_text(w, "day", clock_format_day(m->days[d].day, text));
        jsonw_open(w, "variants", '[');
        for (size_t v = 0; v < r->experiment->variants_count; v++)
            write_day_variant(w, r, &day, v, arena);
        jsonw_close(w);
        jsonw_close(w);
    }
    jsonw_close(w);
}

void result_write_timeseries(struct jsonw *w, const struct result *r, struct arena *arena)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "experiment", r->experiment->key);
    jsonw_text(w, "by", "day");
    jsonw_double(w, "level", result_level(r));
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
        write_days(w, r, &r->metrics[i], arena);
        jsonw_close(w);
    }
    jsonw_close(w);
    jsonw_close(w);
}
