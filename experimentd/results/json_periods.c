/* The answers of GET …/timeseries?by=since_exposure and ?by=cohort. */
#include <math.h>

#include "base/clock.h"
#include "experimentd/results/json.h"
#include "experimentd/results/json_metric.h"
#include "experimentd/results/periods.h"
#include "experimentd/results/verdict.h"
#include "stats/special/special.h"

static const struct {
    const char *by, *text, *empty;
} words[RESULT_PART_COUNT] = {
    [RESULT_SINCE] = { "since_exposure",
                       "What units did on the N-th day after their first exposure (0: that day), of units that were "
                       "exposed so long ago. An effect that wears off was novelty; one that grows was a habit in the "
                       "way.",
                       "no days since exposure have been counted" },
    [RESULT_COHORT] = { "cohort",
                        "Units by the day of their first exposure, with all that they did since. Each unit is in one "
                        "cohort.",
                        "no cohorts have been counted" },
};
static const char *const kinds[] = {
    [TREND_NONE] = "none",
    [TREND_FADES] = "fades",
    [TREND_GROWS] = "grows",
};

static void write_trend(struct jsonw *w, const struct trend *t, double alpha)
{
    double z = special_normal_qinv(alpha / 2);
    enum trend_kind kind = trend_kind(t, alpha);
    jsonw_text(w, "kind", kinds[kind]);
    jsonw_text(w, "scale", "lift");
    jsonw_double(w, "early", t->early.effect);
    jsonw_double(w, "late", t->late.effect);
    jsonw_double(w, "change", t->change);
    metric_write_interval(w, "change_ci", t->change - z * t->change_se, t->change + z * t->change_se);
    jsonw_double(w, "change_p", exp(t->change_log_p));
    jsonw_double(w, "slope", t->slope);
    jsonw_double(w, "slope_se", t->slope_se);
    jsonw_double(w, "slope_p", exp(t->slope_log_p));
    jsonw_text(w, "text",
               kind == TREND_NONE ? "No change of the effect from the early days to the late ones is shown."
               : kind == TREND_FADES
                   ? "The effect is nearer to none in the late days than in the early ones: novelty that wears "
                     "off. Expect the late one to last."
                   : "The effect is larger in the late days than in the early ones: users needed time. Run "
                     "longer before deciding.");
}

static void write_trends(struct jsonw *w, const struct result *r, const struct result_metric *m,
                         enum result_part_kind kind, struct arena *arena)
{
    jsonw_open(w, "trends", '[');
    for (size_t v = 1; v < r->experiment->variants_count; v++) {
        struct trend t;
        struct err err;
        size_t periods;
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "variant", r->experiment->variants[v].key);
        bool found = periods_trend(m, kind, v, arena, &t, &periods, &err);
        jsonw_i64(w, "periods", (int64_t)periods);
        if (found)
            write_trend(w, &t, 1 - m->level);
        jsonw_text(w, "reason", found ? NULL : err.text);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_period(struct jsonw *w, const struct result *r, const struct result_metric *m,
                         enum result_part_kind kind, const struct result_part *p)
{
    char text[CLOCK_TEXT_MAX];
    jsonw_open(w, NULL, '{');
    if (kind == RESULT_COHORT)
        jsonw_text(w, "day", clock_format_day(p->number, text));
    else
        jsonw_i64(w, "days_since", p->number);
    jsonw_open(w, "variants", '[');
    for (size_t v = 0; v < r->experiment->variants_count; v++) {
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "variant", r->experiment->variants[v].key);
        metric_write_value(w, m, &p->arms[v]);
        if (v == 0)
            jsonw_null(w, "comparison");
        else
            metric_write_compared(w, r, m, &p->arms[0], &p->arms[v]);
        jsonw_close(w);
    }
    jsonw_close(w);
    jsonw_close(w);
}

static void write_metric(struct jsonw *w, const struct result *r, const struct result_metric *m,
                         enum result_part_kind kind, struct arena *arena)
{
    jsonw_open(w, NULL, '{');
    metric_write_head(w, r, m);
    write_trends(w, r, m, kind, arena);
    jsonw_open(w, "periods", '[');
    for (size_t i = 0; i < m->parts[kind].n; i++)
        write_period(w, r, m, kind, &m->parts[kind].p[i]);
    jsonw_close(w);
    jsonw_close(w);
}

static bool is_empty(const struct result *r, enum result_part_kind kind)
{
    for (size_t i = 0; i < r->metrics_count; i++)
        if (r->metrics[i].parts[kind].n)
            return false;
    return true;
}

void result_write_periods(struct jsonw *w, const struct result *r, enum result_part_kind kind, struct arena *arena)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "experiment", r->experiment->key);
    jsonw_text(w, "by", words[kind].by);
    jsonw_time(w, "as_of", r->as_of_us);
    jsonw_double(w, "level", result_level(r));
    jsonw_text(w, "text", words[kind].text);
    jsonw_text(w, "reason",
               !is_empty(r, kind) ? NULL
               : r->has_data      ? words[kind].empty
                                  : "nothing has been aggregated yet");
    jsonw_open(w, "metrics", '[');
    for (size_t i = 0; i < r->metrics_count; i++)
        write_metric(w, r, &r->metrics[i], kind, arena);
    jsonw_close(w);
    jsonw_close(w);
}
