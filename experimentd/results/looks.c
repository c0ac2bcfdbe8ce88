#include "experimentd/results/looks.h"

#include <math.h>

#include "base/clock.h"

/* Shares that differ by less are the same look. */
#define SHARE_STEP 1e-6
#define DAY_US (24.0 * 3600 * US_PER_SECOND)

struct looks_plan result_looks_plan(const struct experiment_analysis *a)
{
    static const enum spending_kind kinds[ANALYSIS_SPENDING_COUNT] = {
        [ANALYSIS_OBRIEN_FLEMING] = SPENDING_OBRIEN_FLEMING,
        [ANALYSIS_POCOCK] = SPENDING_POCOCK,
        [ANALYSIS_POWER] = SPENDING_POWER,
        [ANALYSIS_HSD] = SPENDING_HSD,
    };
    return (struct looks_plan){ .haybittle_peto = a->spending == ANALYSIS_HAYBITTLE_PETO,
                                .spending = { kinds[a->spending], a->spending_parameter } };
}

/* ---- when ---- */

static double last_share(const struct snapshot_experiment *e)
{
    return e->looks_count ? e->looks[e->looks_count - 1].share : 0;
}

/* How far the plan has come: by days where those are planned, else by units. */
static double progress(const struct snapshot_experiment *e, int64_t units, int64_t as_of_us)
{
    const struct experiment_analysis *a = &e->analysis;
    if (a->planned_days)
        return (double)(as_of_us - e->phase_started_us) / DAY_US / (double)a->planned_days;
    return (double)units / (double)a->planned_units;
}

/* The first planned look that has not come; 0: all have. */
static double next_look(const struct snapshot_experiment *e)
{
    const struct experiment_look *last = e->looks_count ? &e->looks[e->looks_count - 1] : NULL;
    double passed = last ? progress(e, last->units, last->as_of_us) : 0;
    for (size_t i = 0; i < e->analysis.looks_count; i++)
        if (e->analysis.looks[i] > passed + SHARE_STEP && last_share(e) < 1)
            return e->analysis.looks[i];
    return 0;
}

struct looks_next looks_next(const struct snapshot_experiment *e)
{
    const struct experiment_analysis *a = &e->analysis;
    double next = a->method == ANALYSIS_GROUP_SEQUENTIAL ? next_look(e) : 0;
    if (next <= 0)
        return (struct looks_next){ .any = false };
    if (a->planned_days)
        return (struct looks_next){ true, 0, e->phase_started_us + llround(next * (double)a->planned_days * DAY_US) };
    return (struct looks_next){ true, (int64_t)ceil(next * (double)a->planned_units), 0 };
}

/* The last planned day is the end, whatever has come by then: what is left of alpha is spent. */
static double share_now(const struct result *r)
{
    const struct snapshot_experiment *e = r->experiment;
    bool over = e->analysis.planned_days && progress(e, r->units, r->as_of_us) >= 1;
    return over ? 1 : fmin(1, (double)r->units / (double)e->analysis.planned_units);
}

double looks_due(const struct result *r)
{
    const struct snapshot_experiment *e = r->experiment;
    if (!r->has_data || r->as_of_us <= e->phase_started_us || r->published_us <= e->phase_started_us ||
        !looks_next(e).any)
        return 0;
    double share = share_now(r);
    bool come = progress(e, r->units, r->as_of_us) >= next_look(e);
    bool ended = e->status == EXPERIMENT_STOPPED && r->published_us > e->stopped_us;
    bool due = e->status == EXPERIMENT_RUNNING ? come : ended;
    return due && share > last_share(e) + SHARE_STEP ? share : 0;
}

/* ---- what was seen ---- */

static const struct experiment_look_cell *cell_of(const struct experiment_look *l, struct str metric,
                                                  struct str variant)
{
    for (size_t i = 0; i < l->cells_count; i++)
        if (str_eq(l->cells[i].metric, metric) && str_eq(l->cells[i].variant, variant))
            return &l->cells[i];
    return NULL;
}

/* The looks that have a comparison, as shares and Z, with room for one more. */
struct history {
    double *t, *z, *se;
    size_t n;
    const struct experiment_look_cell *last;
    size_t number; /* of the last one among all looks, from 1 */
};

static struct history history_of(const struct snapshot_experiment *e, struct str metric, struct str variant,
                                 struct arena *arena)
{
    struct history h = { .t = arena_zalloc(arena, (e->looks_count + 1) * sizeof(double)),
                         .z = arena_zalloc(arena, (e->looks_count + 1) * sizeof(double)),
                         .se = arena_zalloc(arena, (e->looks_count + 1) * sizeof(double)) };
    for (size_t i = 0; i < e->looks_count; i++) {
        const struct experiment_look_cell *c = cell_of(&e->looks[i], metric, variant);
        if (!c)
            continue;
        h.t[h.n] = e->looks[i].share;
        h.se[h.n] = c->se;
        h.z[h.n++] = c->difference / c->se;
        h.last = c;
        h.number = i + 1;
    }
    return h;
}

static struct looks looks_of(const struct history *h)
{
    return (struct looks){ h->t, h->z, h->n };
}

static struct effect effect_of(const struct experiment_look_cell *c)
{
    return (struct effect){ .by = (enum effect_by)c->by,
                            .difference = c->difference,
                            .se = c->se,
                            .df = INFINITY,
                            .base = { c->base, c->base_variance, INFINITY },
                            .with = { c->base + c->difference, c->with_variance, INFINITY },
                            .covariance = c->covariance,
                            .n_c = c->n_c,
                            .n_t = c->n_t,
                            .variance_reduction = c->variance_reduction };
}

static bool bound_now(const struct result *r, const double *t, size_t n, double alpha, double *out, struct err *err)
{
    struct looks_plan p = result_looks_plan(&r->experiment->analysis);
    double z[EXITS_LOOKS_MAX];
    if (!looks_bounds(&p, t, n, alpha, z, err))
        return false;
    *out = z[n - 1];
    return true;
}

/* Where the error has not reached a number yet, the bound is infinite and so is the interval. */
static void at_bound(const struct effect *e, double bound, double log_p, struct comparison *out)
{
    compare_at(e, fmin(bound, 1e6), log_p, out);
}

static void say_when(const struct snapshot_experiment *e, struct err *err)
{
    char at[CLOCK_TEXT_MAX];
    struct looks_next next = looks_next(e);
    if (next.at_us)
        err_set(err, ERR_INVALID, "not yet: the first look is on %s", clock_format(next.at_us, at));
    else
        err_set(err, ERR_INVALID, "not yet: the first look is at %lld units", (long long)next.units);
}

bool looks_read(const struct result *r, const struct result_metric *m, size_t variant, double alpha,
                struct arena *arena, struct analysed *cell, struct err *err)
{
    const struct snapshot_experiment *e = r->experiment;
    struct tested_looks *t = &cell->looks;
    struct history h = history_of(e, m->metric->key, e->variants[variant].key, arena);
    if (!h.last) {
        say_when(e, err);
        return false;
    }
    struct looks_plan p = result_looks_plan(&e->analysis);
    double *bounds = arena_zalloc(arena, EXITS_LOOKS_MAX * sizeof *bounds);
    if (!looks_bounds(&p, h.t, h.n, alpha, bounds, err))
        return false;
    t->bound = bounds[h.n - 1];
    t->bounds = bounds;
    t->z = h.z;
    t->look = &e->looks[h.number - 1];
    t->number = h.number;
    t->shares = h.t;
    t->shares_count = h.n;
    cell->effect = effect_of(h.last);
    cell->has_effect = cell->has_looks = true;
    at_bound(&cell->effect, t->bound, h.last->log_p, &cell->c);
    return true;
}

void looks_read_stop(const struct result *r, const struct result_metric *m, size_t variant, double alpha,
                     struct arena *arena, struct tested_looks *t)
{
    const struct snapshot_experiment *e = r->experiment;
    struct looks_plan p = result_looks_plan(&e->analysis);
    struct history h = history_of(e, m->metric->key, e->variants[variant].key, arena);
    struct looks l = looks_of(&h);
    if (!looks_stop(&p, &l, alpha, &t->stop, NULL) || t->stop == 0 ||
        !looks_stopped(&p, &l, t->stop, alpha, &t->stopped, NULL))
        return;
    t->scale = h.se[t->stop - 1] * sqrt(h.t[t->stop - 1]);
    t->has_stopped = true;
}

bool looks_at_level(const struct result *r, const struct analysed *cell, double alpha, struct comparison *out,
                    struct err *err)
{
    double bound;
    if (!bound_now(r, cell->looks.shares, cell->looks.shares_count, alpha, &bound, err))
        return false;
    at_bound(&cell->effect, bound, cell->c.log_p, out);
    return true;
}

/* ---- taking one ---- */

static bool take_cell(const struct result *r, const struct result_metric *m, size_t variant, double share,
                      struct arena *arena, struct experiment_look_cell *out)
{
    struct effect e, plain;
    struct str why_not;
    struct looks_plan p = result_looks_plan(&r->experiment->analysis);
    if (!result_effect(r, m, variant, arena, &e, &plain, &why_not, NULL))
        return false;
    *out = (struct experiment_look_cell){ .metric = m->metric->key,
                                          .variant = r->experiment->variants[variant].key,
                                          .n_c = e.n_c,
                                          .n_t = e.n_t,
                                          .by = (int)e.by,
                                          .difference = e.difference,
                                          .se = e.se,
                                          .base = e.base.value,
                                          .base_variance = e.base.variance,
                                          .with_variance = e.with.variance,
                                          .covariance = e.covariance,
                                          .variance_reduction = e.variance_reduction };
    struct history h = history_of(r->experiment, out->metric, out->variant, arena);
    h.t[h.n] = share;
    h.z[h.n++] = e.difference / e.se;
    struct looks l = looks_of(&h);
    return looks_log_p(&p, &l, &out->log_p, NULL);
}

void looks_take(struct experiment_look *out, const struct result *r, double share, struct arena *arena)
{
    size_t variants = r->experiment->variants_count;
    *out = (struct experiment_look){ .share = share, .units = r->units, .as_of_us = r->as_of_us };
    out->cells = arena_zalloc(arena, (r->metrics_count * variants + 1) * sizeof *out->cells);
    for (size_t i = 0; i < r->metrics_count; i++)
        for (size_t v = 1; v < variants; v++)
            out->cells_count += take_cell(r, &r->metrics[i], v, share, arena, &out->cells[out->cells_count]);
}
