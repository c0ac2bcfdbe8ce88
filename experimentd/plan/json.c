/* The answer of POST /v1/plan, and the part of it that a pre-flight tells, too. */
#include <assert.h>
#include <math.h>

#include "experimentd/plan/ask.h"

static const char *const method_texts[] = {
    [PLAN_FIXED] = "one look at the end: two-sided t, control and the smallest treatment",
    [PLAN_SPENDING] = "planned looks with alpha spending, two-sided, control and the smallest treatment",
    [PLAN_ANY_TIME] = "confidence sequence looked at once a week, two-sided, control and the smallest treatment",
    [PLAN_HAYBITTLE_PETO] = "planned looks, Haybittle and Peto, two-sided, control and the smallest treatment",
};
static_assert(sizeof method_texts / sizeof *method_texts == PLAN_METHOD_COUNT, "a text for every method");

const char *ask_method_text(enum plan_method method)
{
    return method_texts[method];
}

static void write_units(struct jsonw *w, const struct planner_units *u)
{
    jsonw_open(w, "units", '{');
    jsonw_text(w, "why_not", u->why_not);
    if (!u->why_not) {
        jsonw_double(w, "control", u->control);
        jsonw_double(w, "smallest_treatment", u->treatment);
        jsonw_double(w, "all", u->all);
        jsonw_double(w, "all_unadjusted", u->unadjusted);
        jsonw_double(w, "inflation", u->inflation);
        jsonw_double(w, "expected_share", u->expected);
        jsonw_text(w, "no_days", u->no_days);
        jsonw_double(w, "days", u->no_days ? NAN : u->days);
        jsonw_double(w, "weeks", u->no_days ? NAN : u->weeks);
    }
    jsonw_close(w);
}

static void write_weeks(struct jsonw *w, const struct planner *p)
{
    jsonw_open(w, "weeks", '[');
    for (size_t i = 0; i < p->weeks_count; i++) {
        const struct planner_week *week = &p->weeks[i];
        jsonw_open(w, NULL, '{');
        jsonw_i64(w, "week", week->week);
        jsonw_double(w, "units", week->units);
        jsonw_double(w, "power", week->power);
        jsonw_double(w, "detectable", week->detectable);
        jsonw_close(w);
    }
    jsonw_close(w);
}

void ask_write_plan(struct jsonw *w, const struct planner *p, const char *why_not)
{
    static const struct planner none = { 0 };
    struct planner_units units = p->units;
    if (why_not)
        units.why_not = why_not;
    write_units(w, &units);
    write_weeks(w, why_not ? &none : p);
}

static void write_design(struct jsonw *w, const struct ask *a, const struct planner *p)
{
    const struct planner_looks *l = &a->plan.looks;
    jsonw_open(w, "design", '{');
    jsonw_text(w, "method",
               l->method == PLAN_FIXED      ? "fixed"
               : l->method == PLAN_ANY_TIME ? "any_time"
                                            : "group_sequential");
    jsonw_text(w, "text", ask_method_text(l->method));
    jsonw_double(w, "level", l->level);
    jsonw_double(w, "alpha", p->alpha > 0 ? p->alpha : NAN); /* of one comparison; null: no plan was made */
    jsonw_i64(w, "treatments", (int64_t)a->plan.treatments);
    jsonw_double(w, "control", a->plan.control);
    jsonw_double(w, "smallest_treatment", a->plan.treatment);
    jsonw_double(w, "planned_units", l->planned_units > 0 ? l->planned_units : NAN);
    if (l->method == PLAN_SPENDING || l->method == PLAN_HAYBITTLE_PETO) {
        jsonw_open(w, "looks", '[');
        for (size_t i = 0; i < l->count; i++)
            jsonw_double(w, NULL, l->shares[i]);
        jsonw_close(w);
    }
    jsonw_double(w, "effect", a->plan.effect);
    jsonw_double(w, "margin", a->plan.margin > 0 ? a->plan.margin : NAN);
    jsonw_double(w, "distance", p->alpha > 0 ? p->distance : NAN);
    jsonw_double(w, "power", a->plan.power);
    jsonw_double(w, "variance_reduction", a->plan.reduction);
    jsonw_double(w, "share", a->plan.reached);
    jsonw_close(w);
}

void ask_write(struct jsonw *w, const struct ask *a, const struct planner *p)
{
    jsonw_open(w, NULL, '{');
    jsonw_str(w, "experiment", a->experiment);
    jsonw_str(w, "metric", a->metric);
    jsonw_text(w, "why_not", a->baseline.why_not);
    write_design(w, a, p);
    known_write_baseline(w, &a->baseline);
    known_write_traffic(w, &a->traffic);
    ask_write_plan(w, p, a->baseline.why_not);
    jsonw_close(w);
}
