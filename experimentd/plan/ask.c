#include "experimentd/plan/ask.h"

#include <assert.h>
#include <math.h>

enum { KEY_SHOWN_MAX = 60 };
#define EFFECT_DEFAULT 0.05
#define POWER_DEFAULT 0.8
#define LEVEL_DEFAULT 0.95

/* How a document calls the methods; "group_sequential" has one for each way to spend. */
static const struct {
    const char *name;
    enum plan_method method;
} methods[] = { { "fixed", PLAN_FIXED }, { "any_time", PLAN_ANY_TIME }, { "group_sequential", PLAN_SPENDING } };
static const struct {
    const char *name;
    enum plan_method method;
    enum spending_kind kind;
    double par;
} spendings[] = {
    [ANALYSIS_OBRIEN_FLEMING] = { "obrien_fleming", PLAN_SPENDING, SPENDING_OBRIEN_FLEMING, 0 },
    [ANALYSIS_POCOCK] = { "pocock", PLAN_SPENDING, SPENDING_POCOCK, 0 },
    [ANALYSIS_POWER] = { "power", PLAN_SPENDING, SPENDING_POWER, 3 },
    [ANALYSIS_HSD] = { "hsd", PLAN_SPENDING, SPENDING_HSD, -4 },
    [ANALYSIS_HAYBITTLE_PETO] = { "haybittle_peto", PLAN_HAYBITTLE_PETO, SPENDING_OBRIEN_FLEMING, 0 },
};
static_assert(COUNT_OF(spendings) == ANALYSIS_SPENDING_COUNT, "a way to plan for every way to spend");
static_assert((int)PLANNER_LOOKS_MAX >= (int)ANALYSIS_LOOKS_MAX, "room for the looks of a document");

/* ---- from an experiment ---- */

bool ask_weights(struct planner_ask *a, const double *weights, size_t n)
{
    double least = INFINITY;
    size_t treatments = 0;
    for (size_t i = 1; i < n; i++) {
        treatments++;
        if (weights[i] > 0)
            least = fmin(least, weights[i]);
    }
    if (!(n > 1 && weights[0] > 0 && isfinite(least)))
        return false;
    a->control = weights[0];
    a->treatment = least;
    a->treatments = treatments;
    return true;
}

static void even_looks(struct planner_looks *l, size_t count)
{
    l->count = count;
    for (size_t i = 0; i < count; i++)
        l->shares[i] = (double)(i + 1) / (double)count;
}

/* spendings[] has them in the order of enum analysis_spending. */
void ask_looks(struct planner_ask *a, const struct experiment_analysis *analysis)
{
    struct planner_looks *l = &a->looks;
    *l = (struct planner_looks){ .method = analysis->method == ANALYSIS_FIXED ? PLAN_FIXED : PLAN_ANY_TIME,
                                 .planned_units = (double)analysis->planned_units,
                                 .level = analysis->level };
    even_looks(l, 1);
    if (analysis->method != ANALYSIS_GROUP_SEQUENTIAL)
        return;
    l->method = spendings[analysis->spending].method;
    l->spending = (struct spending){ spendings[analysis->spending].kind, analysis->spending_parameter };
    l->count = analysis->looks_count;
    for (size_t i = 0; i < l->count; i++)
        l->shares[i] = analysis->looks[i];
}

void ask_baseline(struct planner_ask *a, const struct known_baseline *b)
{
    a->mean = b->mean;
    a->variance = b->variance;
    a->rank_sd = b->rank_sd;
    a->is_share = b->is_share;
    a->reduction = b->has_reduction ? b->reduction : 0;
}

/* ---- from a request ---- */

static bool read_looks(struct json_reader *r, struct planner_looks *l)
{
    int64_t looks = PLANNER_LOOKS_DEFAULT;
    if (json_get_i64(r, "looks", JSON_OPTIONAL, &looks) && (looks < 1 || looks > PLANNER_LOOKS_MAX))
        return json_fail(r, "looks", "is %lld, outside 1 to %d", (long long)looks, PLANNER_LOOKS_MAX);
    even_looks(l, l->method == PLAN_FIXED || l->method == PLAN_ANY_TIME ? 1 : (size_t)looks);
    return true;
}

static bool read_spending(struct json_reader *r, struct planner_looks *l)
{
    struct str name = STR("obrien_fleming");
    (void)json_get_str(r, "spending", JSON_OPTIONAL, &name, NULL);
    for (size_t i = 0; i < COUNT_OF(spendings); i++) {
        if (!str_eq_c(name, spendings[i].name))
            continue;
        l->method = spendings[i].method;
        l->spending = (struct spending){ spendings[i].kind, spendings[i].par };
        (void)json_get_double(r, "spending_parameter", JSON_OPTIONAL, &l->spending.par);
        return true;
    }
    return json_fail(r, "spending", "is \"%.*s\", not obrien_fleming, pocock, power, hsd or haybittle_peto",
                     STR_ARG(str_cut(name, KEY_SHOWN_MAX)));
}

static bool read_analysis(json_t *in, struct planner_looks *l, struct err *err)
{
    struct json_reader r;
    struct str name = { NULL, 0 };
    size_t i = 0;
    json_reader_open(&r, in, "analysis");
    if (json_get_str(&r, "method", JSON_OPTIONAL, &name, NULL)) {
        while (i < COUNT_OF(methods) && !str_eq_c(name, methods[i].name))
            i++;
        if (i == COUNT_OF(methods))
            (void)json_fail(&r, "method", "is \"%.*s\", not any_time, group_sequential or fixed",
                            STR_ARG(str_cut(name, KEY_SHOWN_MAX)));
        else
            l->method = methods[i].method;
    }
    if (l->method == PLAN_SPENDING)
        (void)read_spending(&r, l);
    if (json_get_double(&r, "planned_units", JSON_OPTIONAL, &l->planned_units) && !(l->planned_units >= 0))
        (void)json_fail(&r, "planned_units", "is %g, not a number from 0", l->planned_units);
    (void)json_get_double(&r, "level", JSON_OPTIONAL, &l->level);
    (void)read_looks(&r, l);
    return json_reader_close(&r, err);
}

/* A share, or a mean with the spread of a unit. */
static bool read_baseline(json_t *in, struct known_baseline *b, struct err *err)
{
    struct json_reader r;
    double share, sd;
    json_reader_open(&r, in, "baseline");
    if (json_get_double(&r, "share", JSON_OPTIONAL, &share)) {
        b->is_share = true;
        b->mean = share;
        b->variance = share * (1 - share);
    } else {
        (void)json_get_double(&r, "mean", JSON_REQUIRED, &b->mean);
        if (json_get_double(&r, "sd", JSON_OPTIONAL, &sd))
            b->variance = sd * sd;
        else
            (void)json_get_double(&r, "variance", JSON_REQUIRED, &b->variance);
        (void)json_get_double(&r, "rank_sd", JSON_OPTIONAL, &b->rank_sd);
    }
    return json_reader_close(&r, err);
}

static bool read_traffic(json_t *in, struct ask *out, struct err *err)
{
    struct json_reader r;
    int64_t days = KNOWN_WEEK;
    struct known_traffic *t = &out->traffic;
    json_reader_open(&r, in, "traffic");
    (void)json_get_i64(&r, "days", JSON_OPTIONAL, &days);
    (void)json_get_double(&r, "units", JSON_REQUIRED, &t->units);
    (void)json_get_double(&r, "growth", JSON_OPTIONAL, &out->growth);
    if (days < 1 || days > TRAFFIC_DAYS_MAX)
        (void)json_fail(&r, "days", "is %lld, outside 1 to %d", (long long)days, TRAFFIC_DAYS_MAX);
    if (!(t->units >= 0) || !(t->units <= 1e15))
        (void)json_fail(&r, "units", "is %g, not a number from 0 to 1e15", t->units);
    if (!(out->growth >= 0 && out->growth <= 1))
        (void)json_fail(&r, "growth", "is %g, outside 0 to 1", out->growth);
    t->days = (int)days;
    t->share = 1;
    return json_reader_close(&r, err);
}

static bool read_weights(json_t *list, struct planner_ask *a, struct err *err)
{
    double weights[PLANNER_TREATMENTS_MAX + 1], sum = 0;
    size_t n = json_array_size(list);
    if (n < 2 || n > PLANNER_TREATMENTS_MAX + 1)
        return err_set(err, ERR_INVALID, "plan: field \"weights\" has %zu elements, must have 2 to %d", n,
                       PLANNER_TREATMENTS_MAX + 1);
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(list, i);
        weights[i] = json_is_number(v) ? json_number_value(v) : NAN;
        if (!(weights[i] >= 0 && isfinite(weights[i])))
            return err_set(err, ERR_INVALID, "plan: field \"weights\"[%zu] is not a number from 0", i);
        sum += weights[i];
    }
    for (size_t i = 0; i < n; i++)
        weights[i] /= sum;
    return ask_weights(a, weights, n) ||
           err_set(err, ERR_INVALID, "plan: field \"weights\": control, or every treatment, has none");
}

/* What the experiment's document says stands until the request says other things. */
static bool from_experiment(struct ask *a, const struct snapshot *s, struct err *err)
{
    const struct snapshot_experiment *e = snapshot_experiment(s, a->experiment);
    double weights[PLANNER_TREATMENTS_MAX + 1];
    if (!e)
        return err_set(err, ERR_NOT_FOUND, "experiment \"" STR_FMT "\" is not known",
                       STR_ARG(str_cut(a->experiment, KEY_SHOWN_MAX)));
    for (size_t i = 0; i < e->variants_count && i <= PLANNER_TREATMENTS_MAX; i++)
        weights[i] = e->variants[i].weight;
    if (!ask_weights(&a->plan, weights, e->variants_count))
        return err_set(err, ERR_INVALID, "experiment \"" STR_FMT "\": control, or every treatment, has a weight of 0",
                       STR_ARG(e->key));
    ask_looks(&a->plan, &e->analysis);
    a->plan.effect = e->mde;
    a->plan.reached = e->coverage * (e->layer.n ? e->layer_share : 1);
    a->metric = e->metrics_count ? e->metrics[0].metric : (struct str){ NULL, 0 };
    for (size_t i = e->metrics_count; i > 0; i--)
        if (str_eq(e->metrics[i - 1].role, STR("primary")))
            a->metric = e->metrics[i - 1].metric;
    return true;
}

static void defaults(struct ask *out)
{
    const double even[] = { 0.5, 0.5 };
    *out = (struct ask){ .plan = { .effect = EFFECT_DEFAULT, .power = POWER_DEFAULT, .reached = 1 }, .growth = 1 };
    out->plan.looks = (struct planner_looks){ .method = PLAN_ANY_TIME, .level = LEVEL_DEFAULT };
    even_looks(&out->plan.looks, 1);
    (void)ask_weights(&out->plan, even, COUNT_OF(even));
}

struct parts {
    json_t *weights, *analysis, *baseline, *traffic;
};

static void read_fields(struct json_reader *r, struct ask *out, struct parts *parts, struct arena *arena)
{
    struct planner_ask *p = &out->plan;
    (void)json_get_str(r, "metric", JSON_OPTIONAL, &out->metric, arena);
    (void)json_get_array(r, "weights", JSON_OPTIONAL, &parts->weights);
    (void)json_get_object(r, "analysis", JSON_OPTIONAL, &parts->analysis);
    out->has_baseline = json_get_object(r, "baseline", JSON_OPTIONAL, &parts->baseline);
    out->has_traffic = json_get_object(r, "traffic", JSON_OPTIONAL, &parts->traffic);
    if (json_get_double(r, "margin", JSON_OPTIONAL, &p->margin))
        p->effect = 0;
    (void)json_get_double(r, "effect", JSON_OPTIONAL, &p->effect);
    (void)json_get_double(r, "power", JSON_OPTIONAL, &p->power);
    (void)json_get_double(r, "share", JSON_OPTIONAL, &p->reached);
    out->has_reduction = json_get_double(r, "variance_reduction", JSON_OPTIONAL, &p->reduction);
}

bool ask_read(json_t *root, const struct snapshot *s, struct arena *arena, struct ask *out, struct err *err)
{
    struct json_reader r;
    struct parts parts = { 0 };
    defaults(out);
    json_reader_open(&r, root, "plan");
    if (json_get_str(&r, "experiment", JSON_OPTIONAL, &out->experiment, arena) && !from_experiment(out, s, err))
        return false;
    read_fields(&r, out, &parts, arena);
    if (!json_reader_close(&r, err) || (parts.weights && !read_weights(parts.weights, &out->plan, err)) ||
        (parts.analysis && !read_analysis(parts.analysis, &out->plan.looks, err)) ||
        (parts.baseline && !read_baseline(parts.baseline, &out->baseline, err)) ||
        (parts.traffic && !read_traffic(parts.traffic, out, err)))
        return false;
    if (out->has_baseline)
        out->metric = (struct str){ NULL, 0 };
    else if (!out->metric.n)
        return err_set(err, ERR_INVALID, "plan: field \"metric\", \"experiment\" or \"baseline\" is needed");
    else if (!snapshot_metric(s, out->metric))
        return err_set(err, ERR_INVALID, "plan: field \"metric\": metric \"" STR_FMT "\" is not known",
                       STR_ARG(str_cut(out->metric, KEY_SHOWN_MAX)));
    return true;
}

bool ask_finish(struct ask *a, struct err *err)
{
    double reduction = a->plan.reduction;
    ask_baseline(&a->plan, &a->baseline);
    if (a->has_reduction)
        a->plan.reduction = reduction;
    a->plan.traffic = a->has_traffic ? (struct traffic){ a->traffic.days, a->traffic.units, a->growth, false }
                                     : known_traffic(&a->traffic);
    return a->baseline.why_not != NULL || planner_check(&a->plan, err);
}
