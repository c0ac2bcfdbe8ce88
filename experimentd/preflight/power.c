/* Power by week: traffic × share reached × weights → units an arm → the power of the declared way of looking (plan/planner.h). */
#include <math.h>

#include "experimentd/plan/ask.h"
#include "experimentd/preflight/preflight.h"

struct str preflight_metric(const struct snapshot_experiment *e)
{
    for (size_t i = 0; i < e->metrics_count; i++)
        if (str_eq(e->metrics[i].role, STR("primary")))
            return e->metrics[i].metric;
    return (struct str){ NULL, 0 };
}

static const char *why_not(const struct snapshot_experiment *e, const struct preflight_split *split,
                           const struct preflight_power *p, struct planner_ask *ask)
{
    if (e->kind == EXPERIMENT_INTERLEAVE)
        return "interleaving compares within a unit: its power is not that of a split";
    if (!p->metric.n)
        return "no metric is primary";
    if (split->why_not)
        return split->why_not;
    if (split->reached == 0)
        return "no simulated unit is in the experiment";
    if (!ask_weights(ask, split->weights, e->variants_count))
        return "control, or every treatment, has a weight of 0";
    if (p->traffic.why_not)
        return p->traffic.why_not;
    if (!(p->traffic.units > 0))
        return "no signal came in the last days";
    if (p->baseline.why_not)
        return p->baseline.why_not;
    if (!(p->baseline.variance > 0) || p->baseline.mean == 0)
        return "the baseline is 0 or does not vary: a relative effect says nothing";
    return NULL;
}

void preflight_power(const struct snapshot_experiment *e, const struct preflight_split *split,
                     struct preflight_power *out)
{
    struct planner_ask ask = { .power = PREFLIGHT_POWER, .effect = e->mde };
    struct traffic traffic = known_traffic(&out->traffic);
    struct err err;
    out->metric = preflight_metric(e);
    out->effect = e->mde;
    out->why_not = why_not(e, split, out, &ask);
    if (out->why_not)
        return;
    ask_looks(&ask, &e->analysis);
    ask_baseline(&ask, &out->baseline);
    ask.traffic = traffic;
    ask.reached = (double)split->reached / PREFLIGHT_UNITS;
    if (planner_check(&ask, &err))
        planner_make(&ask, &out->plan);
    else
        out->why_not = "a change of this size cannot be: the share would leave 0 to 1";
    out->method = ask.looks.method;
    out->alpha = out->plan.alpha;
}
