/* The answers of GET …/timeseries. */
#include <math.h>

#include "base/clock.h"
#include "experimentd/results/json.h"
#include "experimentd/results/json_metric.h"
#include "experimentd/results/verdict.h"

static void write_day_variant(struct jsonw *w, const struct result *r, const struct result_metric *m,
                              const struct result_arm *arms, size_t variant)
{
    struct arm_value v;
    struct comparison c;
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "variant", r->experiment->variants[variant].key);
    jsonw_i64(w, "n", arms[variant].m.n);
    jsonw_double(w, "value", metric_value(m, &arms[variant], &v, NULL) ? v.value : NAN);
    if (variant > 0 && metric_compare(r, m, &arms[0], &arms[variant], &c, NULL))
        metric_write_lift(w, &c);
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
    jsonw_double(w, "level", RESULT_LEVEL);
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
