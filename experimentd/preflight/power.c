/* Power by week: traffic × share reached × weights → units an arm → the test's power. */
#include <math.h>

#include "experimentd/preflight/preflight.h"
#include "stats/power.h"

/* How units grow when a single day was seen: between "all the same" and "all new". */
#define GROWTH_ASSUMED 0.5

/* The arms that are compared: control, and the treatment with the fewest units. */
struct arms {
    double share; /* of the experiment's units that are control */
    struct power_design design;
};

struct str preflight_metric(const struct snapshot_experiment *e)
{
    for (size_t i = 0; i < e->metrics_count; i++)
        if (str_eq(e->metrics[i].role, STR("primary")))
            return e->metrics[i].metric;
    return (struct str){ NULL, 0 };
}

/* Distinct units by day t grow as t^b (as words of a text do: H. S. Heaps, "Information Retrieval", 1978); b from one day's units and those of
 * all days together. */
static void find_growth(struct preflight_power *out)
{
    const struct preflight_traffic *t = &out->traffic;
    double daily = 0;
    int days = 0, last = 0;
    for (int i = 0; i < t->days; i++) {
        if (!(t->daily[i] > 0))
            continue;
        daily += t->daily[i];
        days++;
        last = i;
    }
    out->growth = GROWTH_ASSUMED;
    out->growth_assumed = last == 0;
    if (last > 0)
        out->growth = fmin(1, fmax(0, log(t->units / (daily / days)) / log(last + 1)));
}

/* The days back to the first with traffic. */
static double span_days(const struct preflight_traffic *t)
{
    int last = 0;
    for (int i = 0; i < t->days; i++)
        if (t->daily[i] > 0)
            last = i;
    return last + 1;
}

static bool find_arms(const struct preflight_split *split, size_t variants, struct arms *out)
{
    double least = INFINITY;
    for (size_t i = 1; i < variants; i++)
        if (split->weights[i] > 0)
            least = fmin(least, split->weights[i]);
    if (!(variants > 1 && split->weights[0] > 0 && isfinite(least)))
        return false;
    *out = (struct arms){
        .share = split->weights[0],
        .design = { .alpha = PREFLIGHT_ALPHA / (double)(variants - 1), .sides = 2, .ratio = least / split->weights[0] }
    };
    return true;
}

static struct preflight_week week_of(const struct preflight_power *p, const struct arms *arms, double reached, int week)
{
    const struct preflight_baseline *b = &p->baseline;
    double units = p->traffic.units * pow(PREFLIGHT_DAYS * week / span_days(&p->traffic), p->growth) * reached;
    double sd = sqrt(b->variance), mean = fabs(b->mean), effect;
    struct preflight_week w = { .week = week, .units = units, .detectable = NAN };
    struct err err; /* too few units: no power, nothing detectable */
    if (!power_means(&arms->design, p->effect * mean, sd, units * arms->share, &w.power, &err))
        w.power = 0;
    if (power_means_effect(&arms->design, sd, units * arms->share, PREFLIGHT_POWER, &effect, &err))
        w.detectable = effect / mean;
    return w;
}

static const char *why_not(const struct snapshot_experiment *e, const struct preflight_split *split,
                           const struct preflight_power *p, struct arms *out_arms)
{
    if (e->kind == EXPERIMENT_INTERLEAVE)
        return "interleaving compares within a unit: its power is not that of a split";
    if (!p->metric.n)
        return "no metric is primary";
    if (split->why_not)
        return split->why_not;
    if (split->reached == 0)
        return "no simulated unit is in the experiment";
    if (!find_arms(split, e->variants_count, out_arms))
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
    struct arms arms = { 0 };
    out->metric = preflight_metric(e);
    out->effect = e->mde;
    if (!out->traffic.why_not && out->traffic.units > 0)
        find_growth(out);
    out->why_not = why_not(e, split, out, &arms);
    if (out->why_not)
        return;
    out->alpha = arms.design.alpha;
    double reached = (double)split->reached / PREFLIGHT_UNITS;
    for (int i = 0; i < PREFLIGHT_WEEKS; i++)
        out->weeks[i] = week_of(out, &arms, reached, i + 1);
}
