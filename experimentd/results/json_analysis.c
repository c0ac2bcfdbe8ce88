#include "experimentd/results/json_analysis.h"

#include <assert.h>
#include <math.h>

#include "experimentd/config/experiment.h"
#include "experimentd/results/drawn.h"
#include "experimentd/results/explain.h"
#include "experimentd/results/json_metric.h"
#include "experimentd/results/looks.h"

static const char planned_looks[] =
    "Planned looks: the figures are those of the last look; p and intervals are right at every "
    "look, and it may be stopped at any of them.";
static const char *const looking_texts[] = {
    [ANALYSIS_ANY_TIME] =
        "Any time: p and intervals are right at every look, however many there are and whatever ends them.",
    [ANALYSIS_GROUP_SEQUENTIAL] = planned_looks,
    [ANALYSIS_FIXED] = "Fixed horizon: p and intervals are right when they are looked at once, at the planned end.",
};
static_assert(COUNT_OF(looking_texts) == ANALYSIS_METHOD_COUNT, "words for every method");

/* ---- how it is looked at ---- */

static void write_looks(struct jsonw *w, const struct snapshot_experiment *e)
{
    struct looks_next next = looks_next(e);
    jsonw_text(w, "spending", analysis_spending_names[e->analysis.spending]);
    jsonw_open(w, "planned", '[');
    for (size_t i = 0; i < e->analysis.looks_count; i++)
        jsonw_double(w, NULL, e->analysis.looks[i]);
    jsonw_close(w);
    jsonw_open(w, "looks", '[');
    for (size_t i = 0; i < e->looks_count; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_double(w, "share", e->looks[i].share);
        jsonw_i64(w, "units", e->looks[i].units);
        jsonw_time(w, "as_of", e->looks[i].as_of_us);
        jsonw_close(w);
    }
    jsonw_close(w);
    if (next.units)
        jsonw_i64(w, "next_look_units", next.units);
    else
        jsonw_null(w, "next_look_units");
    jsonw_time(w, "next_look_at", next.at_us);
}

void analysed_write_looking(struct jsonw *w, const struct result *r)
{
    const struct snapshot_experiment *e = r->experiment;
    const struct experiment_analysis *a = &e->analysis;
    jsonw_open(w, "analysis", '{');
    analysis_write_plan(w, a);
    if (a->method == ANALYSIS_GROUP_SEQUENTIAL)
        write_looks(w, e);
    jsonw_text(w, "multiplicity", multiplicity_names[e->multiplicity]);
    jsonw_text(w, "adjustment", adjustment_names[e->adjustment]);
    jsonw_text(w, "text", looking_texts[a->method]);
    jsonw_close(w);
}

/* ---- a comparison ---- */

/* The intervals that a comparison has at another level, or another way. */
static void write_intervals(struct jsonw *w, const struct comparison *c)
{
    metric_write_interval(w, "difference_ci", c->ci_lo, c->ci_hi);
    metric_write_lift(w, c);
}

static void write_adjustment(struct jsonw *w, const struct analysed *cell)
{
    jsonw_open(w, "adjustment", '{');
    jsonw_text(w, "by", cell->has_effect ? effect_by_names[cell->effect.by] : "none");
    jsonw_double(w, "variance_reduction", cell->has_effect ? cell->effect.variance_reduction : 0);
    if (cell->not_adjusted.n)
        jsonw_str(w, "reason", cell->not_adjusted);
    else
        jsonw_null(w, "reason");
    jsonw_close(w);
    if (!cell->has_plain) {
        jsonw_null(w, "unadjusted");
        return;
    }
    jsonw_open(w, "unadjusted", '{');
    jsonw_double(w, "difference", cell->plain.difference);
    jsonw_double(w, "se", cell->plain.se);
    jsonw_double(w, "p", cell->plain.p);
    jsonw_double(w, "log10_p", cell->plain.log_p / M_LN10);
    write_intervals(w, &cell->plain);
    jsonw_close(w);
}

static void write_together(struct jsonw *w, const struct analysed *cell)
{
    jsonw_open(w, "together", '{');
    jsonw_text(w, "family", test_family_names[cell->family]);
    jsonw_i64(w, "comparisons", (int64_t)cell->family_size);
    jsonw_double(w, "p", exp(cell->log_p_adjusted));
    jsonw_double(w, "log10_p", cell->log_p_adjusted / M_LN10);
    jsonw_double(w, "level", 1 - cell->alpha_adjusted);
    write_intervals(w, &cell->adjusted);
    jsonw_close(w);
}

static void write_margin(struct jsonw *w, const struct analysed *cell)
{
    const struct compare_inferiority *i = &cell->inferiority;
    if (!cell->has_margin) {
        jsonw_null(w, "margin");
        return;
    }
    jsonw_open(w, "margin", '{');
    if (cell->margin.absolute > 0)
        jsonw_double(w, "absolute", cell->margin.absolute);
    else
        jsonw_double(w, "relative", cell->margin.relative);
    jsonw_text(w, "state", i->not_worse ? "within" : i->worse ? "beyond" : "not_shown");
    jsonw_double(w, "z", i->z);
    jsonw_double(w, "p", exp(i->log_p));
    jsonw_double(w, "log10_p", i->log_p / M_LN10);
    jsonw_text(w, "text",
               i->not_worse ? "Shown not to be worse by more than the margin."
               : i->worse   ? "Shown to be worse by more than the margin."
                            : "Not yet shown whether it is worse by more than the margin.");
    jsonw_close(w);
}

static void write_belief(struct jsonw *w, const struct analysed *cell)
{
    const struct belief *b = &cell->belief;
    if (!cell->has_belief) {
        jsonw_null(w, "belief");
        return;
    }
    jsonw_open(w, "belief", '{');
    jsonw_text(w, "prior", b->prior);
    jsonw_double(w, "chance_to_win", b->win);
    jsonw_double(w, "loss_if_shipped", b->loss_ship);
    jsonw_double(w, "loss_if_kept", b->loss_keep);
    metric_write_interval(w, "difference_ci", b->lo, b->hi);
    jsonw_text(
        w, "text",
        "What a Bayesian would believe. It keeps no error rate when you stop as soon as it looks good: the declared "
        "test decides.");
    jsonw_close(w);
}

/* Effects are drifts times the scale. */
static void write_stop(struct jsonw *w, const struct tested_looks *t)
{
    if (!t->has_stopped) {
        jsonw_null(w, "stopped");
        return;
    }
    const struct stopped *s = &t->stopped;
    jsonw_open(w, "stopped", '{');
    jsonw_i64(w, "look", (int64_t)t->stop);
    jsonw_double(w, "p", fmin(1, 2 * exp(fmin(s->log_p_upper, s->log_p_lower))));
    jsonw_double(w, "difference", s->estimate * t->scale);
    metric_write_interval(w, "difference_ci", s->lo * t->scale, s->hi * t->scale);
    jsonw_double(w, "naive_difference", s->naive * t->scale);
    jsonw_text(
        w, "text",
        "What the early stop says: a test that stops when it looks good has seen too much; this estimate is too high "
        "as often as too low.");
    jsonw_close(w);
}

static void write_looks_of(struct jsonw *w, const struct analysed *cell)
{
    if (!cell->has_looks) {
        jsonw_null(w, "look");
        return;
    }
    const struct tested_looks *t = &cell->looks;
    jsonw_open(w, "look", '{');
    jsonw_i64(w, "number", (int64_t)t->number);
    jsonw_double(w, "share", t->look->share);
    jsonw_i64(w, "units", t->look->units);
    jsonw_double(w, "z", cell->c.statistic);
    jsonw_double(w, "bound", isfinite(t->bound) ? t->bound : NAN);
    jsonw_open(w, "path", '[');
    for (size_t i = 0; i < t->shares_count; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_double(w, "share", t->shares[i]);
        jsonw_double(w, "z", t->z[i]);
        jsonw_double(w, "bound", isfinite(t->bounds[i]) ? t->bounds[i] : NAN);
        jsonw_close(w);
    }
    jsonw_close(w);
    write_stop(w, t);
    jsonw_close(w);
}

void analysed_write_comparison(struct jsonw *w, const struct analysis *a, size_t metric, size_t variant)
{
    const struct analysed *cell = analysis_of(a, metric, variant);
    const struct result_metric *m = &a->result->metrics[metric];
    if (!cell->compared) {
        metric_write_no_comparison(w, cell->reason.p ? cell->reason.p : "");
        return;
    }
    metric_write_tested(w, &cell->c, cell->outcome);
    jsonw_text(w, "method", cell->method);
    if (isfinite(cell->log_p_exact))
        jsonw_double(w, "p_exact", exp(cell->log_p_exact));
    write_adjustment(w, cell);
    write_together(w, cell);
    write_margin(w, cell);
    write_belief(w, cell);
    write_looks_of(w, cell);
    drawn_write(w, a->result, m, variant);
    explain_write_analysed(w, a->result, m, variant, cell);
}

/* ---- the decision ---- */

static void write_rule(struct jsonw *w, const struct decided *d)
{
    static const char *const met[] = { [CONDITION_YES] = "yes", [CONDITION_NO] = "no" };
    jsonw_open(w, "rule", '[');
    for (size_t i = 0; i < d->conditions_count; i++) {
        jsonw_open(w, NULL, '{');
        jsonw_text(w, "condition", d->conditions[i].name);
        jsonw_text(w, "met", met[d->conditions[i].met]);
        jsonw_str(w, "text", d->conditions[i].text);
        jsonw_close(w);
    }
    jsonw_close(w);
}

static void write_left(struct jsonw *w, const struct decision *d)
{
    jsonw_double(w, "days_left", d->has_left ? ceil(d->days_left) : NAN);
    if (d->units_left)
        jsonw_i64(w, "units_left", d->units_left);
    else
        jsonw_null(w, "units_left");
    jsonw_double(w, "units_needed", d->has_needed ? d->units_needed : NAN);
    jsonw_double(w, "days_needed", d->has_needed ? ceil(d->days_needed) : NAN);
}

void analysed_write_decision(struct jsonw *w, const struct decision *d, const struct analysis *a)
{
    const struct snapshot_experiment *e = a->result->experiment;
    jsonw_open(w, "decision", '{');
    jsonw_text(w, "kind", decision_names[d->kind]);
    jsonw_str(w, "variant", d->variant ? e->variants[d->variant].key : (struct str){ NULL, 0 });
    jsonw_str(w, "text", d->text);
    write_left(w, d);
    jsonw_open(w, "variants", '[');
    for (size_t v = 1; v < e->variants_count; v++) {
        jsonw_open(w, NULL, '{');
        jsonw_str(w, "variant", e->variants[v].key);
        jsonw_text(w, "kind", decision_names[d->each[v].kind]);
        write_rule(w, &d->each[v]);
        jsonw_close(w);
    }
    jsonw_close(w);
    jsonw_close(w);
}
