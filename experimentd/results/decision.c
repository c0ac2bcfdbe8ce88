#include "experimentd/results/decision.h"

#include <assert.h>
#include <math.h>

#include "base/buf.h"
#include "base/clock.h"
#include "experimentd/results/looks.h"
#include "experimentd/results/verdict.h"
#include "stats/sequential/plan.h"

const char *const decision_names[] = {
    [DECISION_UNHEALTHY] = "unhealthy",
    [DECISION_ROLL_BACK] = "roll_back",
    [DECISION_CANNOT_TELL] = "cannot_tell",
    [DECISION_KEEP_RUNNING] = "keep_running",
    [DECISION_SHIP] = "ship",
};
static_assert(sizeof decision_names / sizeof *decision_names == DECISION_COUNT, "a name for every decision");

enum { TEXT_MAX = 2000, ANY_TIME_LOOKS = 4 };
#define DAY_US (24 * 3600 * US_PER_SECOND)
#define PLANNED_POWER 0.8

/* ---- the rule of one treatment ---- */

struct rule {
    const struct analysis *a;
    struct arena *arena;
    size_t variant;
    struct decided *out;
};

static void add(struct rule *u, const char *name, enum condition_met met, struct str text)
{
    assert(u->out->conditions_count < CONDITIONS_MAX);
    u->out->conditions[u->out->conditions_count++] = (struct condition){ name, text, met };
}

static bool has_role(const struct result_metric *m, const char *role)
{
    return str_eq_c(m->role, role);
}

/* A list of metric names, "X, Y". */
static struct str listed(const struct rule *u, bool (*belongs)(const struct rule *, size_t))
{
    struct buf b;
    buf_init(&b, TEXT_MAX);
    for (size_t i = 0; i < u->a->result->metrics_count; i++)
        if (belongs(u, i))
            buf_addf(&b, "%s" STR_FMT, b.n ? ", " : "", STR_ARG(u->a->result->metrics[i].metric->name));
    struct str text = arena_str(u->arena, buf_str(&b));
    buf_release(&b);
    return text;
}

static const struct analysed *cell(const struct rule *u, size_t metric)
{
    return analysis_of(u->a, metric, u->variant);
}

static bool primary_better(const struct rule *u, size_t i)
{
    return has_role(&u->a->result->metrics[i], "primary") && cell(u, i)->outcome == OUTCOME_BETTER;
}

static bool harmful(const struct rule *u, size_t i)
{
    const struct result_metric *m = &u->a->result->metrics[i];
    if (has_role(m, "primary"))
        return cell(u, i)->outcome == OUTCOME_WORSE;
    if (!has_role(m, "guardrail"))
        return false;
    return cell(u, i)->has_margin ? cell(u, i)->inferiority.worse : cell(u, i)->outcome == OUTCOME_WORSE;
}

static bool secondary_worse(const struct rule *u, size_t i)
{
    return has_role(&u->a->result->metrics[i], "secondary") && cell(u, i)->outcome == OUTCOME_WORSE;
}

static bool has_margin(const struct result *r, const struct result_metric *m)
{
    const struct experiment_metric *s = result_setting(r, m);
    return s->margin > 0 || s->margin_absolute > 0;
}

static bool guardrail_open(const struct rule *u, size_t i)
{
    const struct result_metric *m = &u->a->result->metrics[i];
    return has_role(m, "guardrail") && has_margin(u->a->result, m) &&
           !(cell(u, i)->has_margin && cell(u, i)->inferiority.not_worse);
}

static bool is_guardrail(const struct rule *u, size_t i)
{
    return has_role(&u->a->result->metrics[i], "guardrail");
}

static bool add_harm(struct rule *u)
{
    struct str worse = listed(u, harmful);
    add(u, "harm", worse.n ? CONDITION_NO : CONDITION_YES,
        worse.n ? arena_printf(u->arena, "shown worse: " STR_FMT, STR_ARG(worse))
                : STR("no primary metric and no guardrail is shown worse"));
    return worse.n > 0;
}

static bool add_primary(struct rule *u)
{
    struct str better = listed(u, primary_better);
    add(u, "primary", better.n ? CONDITION_YES : CONDITION_NO,
        better.n ? arena_printf(u->arena, "shown better: " STR_FMT, STR_ARG(better))
                 : STR("no primary metric has been shown better yet"));
    return better.n > 0;
}

/* The estimate after a stop, where a test has stopped early; else the lift as it stands. */
static double lift_of(const struct analysed *c)
{
    double base = c->effect.base.value;
    if (c->has_looks && c->looks.has_stopped && base != 0)
        return c->looks.stopped.estimate * c->looks.scale / fabs(base);
    return c->c.lift_kind == LIFT_NONE ? NAN : c->c.lift;
}

static bool add_target(struct rule *u)
{
    const struct result *r = u->a->result;
    double target = r->experiment->target_effect, best = -INFINITY;
    if (target == 0)
        return true;
    for (size_t i = 0; i < r->metrics_count; i++)
        if (primary_better(u, i))
            best = fmax(best, fabs(lift_of(cell(u, i))));
    add(u, "target", best >= target ? CONDITION_YES : CONDITION_NO,
        isfinite(best)
            ? arena_printf(u->arena, "the estimated lift, %.2f %%, must be at least %.2f %%", best * 100, target * 100)
            : arena_printf(u->arena, "the estimated lift must be at least %.2f %%", target * 100));
    return best >= target;
}

static bool add_guardrails(struct rule *u)
{
    struct str open = listed(u, guardrail_open);
    if (!listed(u, is_guardrail).n)
        return true;
    add(u, "guardrails", open.n ? CONDITION_NO : CONDITION_YES,
        open.n ? arena_printf(u->arena, "not yet shown within the margin: " STR_FMT, STR_ARG(open))
               : STR("every guardrail is within its margin, or, without one, not shown worse"));
    return open.n == 0;
}

static bool add_secondary(struct rule *u)
{
    struct str worse = listed(u, secondary_worse);
    if (!worse.n)
        return true;
    add(u, "secondary", CONDITION_NO,
        arena_printf(u->arena, "shown worse: " STR_FMT ": weigh it against what is better", STR_ARG(worse)));
    return false;
}

static bool add_days(struct rule *u)
{
    const struct result *r = u->a->result;
    int64_t wanted = r->experiment->minimum_days, days = r->days_seen;
    if (wanted == 0)
        return true;
    add(u, "days", days >= wanted ? CONDITION_YES : CONDITION_NO,
        arena_printf(u->arena, "%lld of at least %lld days have been seen", (long long)days, (long long)wanted));
    return days >= wanted;
}

static enum decision_kind decide(struct rule *u, bool healthy)
{
    const struct result *r = u->a->result;
    add(u, "healthy", healthy ? CONDITION_YES : CONDITION_NO,
        healthy       ? STR("the shares of units fit the weights")
        : r->spoilt.n ? r->spoilt
                      : STR("the shares of units do not fit the weights: no metric can be trusted"));
    bool harm = add_harm(u), better = add_primary(u), enough = add_target(u), guarded = add_guardrails(u);
    bool clean = add_secondary(u), days = add_days(u);
    if (!healthy)
        return DECISION_UNHEALTHY;
    if (harm)
        return DECISION_ROLL_BACK;
    if (better && enough && guarded && clean && days)
        return DECISION_SHIP;
    bool running = r->experiment->status == EXPERIMENT_RUNNING;
    return running && (!result_ended(r) || !days) ? DECISION_KEEP_RUNNING : DECISION_CANNOT_TELL;
}

/* ---- how long still ---- */

/* Units come back, so days bring fewer new ones: as its own first exposures grow, where they were counted; else what the rate so far says, and at
 * least that. */
static bool days_for(const struct result *r, double units, double *out)
{
    int64_t days = r->days_seen;
    struct err err;
    if (r->first_exposures.units > 0 && !r->first_exposures.assumed)
        return traffic_days(&r->first_exposures, units, out, &err);
    return days > 0 && r->units > 0 &&
           plan_days(&(struct plan_traffic){ (double)days, (double)r->units, 1 }, units, out, NULL);
}

static void add_left(struct decision *out, const struct result *r)
{
    const struct snapshot_experiment *e = r->experiment;
    struct looks_next next = looks_next(e);
    int64_t wanted = next.any ? next.units : e->analysis.planned_units, days = r->days_seen;
    double at = 0;
    if (e->status != EXPERIMENT_RUNNING)
        return;
    if (next.at_us > r->as_of_us)
        at = (double)days + (double)(next.at_us - r->as_of_us) / DAY_US;
    if (wanted > r->units && days_for(r, (double)wanted, &at))
        out->units_left = wanted - r->units;
    if (e->analysis.method == ANALYSIS_FIXED && e->analysis.planned_days)
        at = fmax(at, (double)e->analysis.planned_days);
    at = fmax(at, (double)e->minimum_days);
    out->has_left = at > (double)days;
    out->days_left = out->has_left ? at - (double)days : 0;
}

/* By the declared way of looking; `looks` has room for ANY_TIME_LOOKS. */
static void plan_way(struct plan *p, const struct experiment_analysis *a, double *looks)
{
    static const double end = 1;
    *p = (struct plan){ .method = PLAN_FIXED, .sides = 2, .t = &end, .looks = 1 };
    if (a->method == ANALYSIS_ANY_TIME) {
        for (size_t i = 0; i < ANY_TIME_LOOKS; i++)
            looks[i] = (double)(i + 1) / ANY_TIME_LOOKS;
        p->method = PLAN_ANY_TIME;
        p->t = looks;
        p->looks = ANY_TIME_LOOKS;
    } else if (a->method == ANALYSIS_GROUP_SEQUENTIAL) {
        struct looks_plan planned = result_looks_plan(a);
        p->method = planned.haybittle_peto ? PLAN_HAYBITTLE_PETO : PLAN_SPENDING;
        p->spending = planned.spending;
        p->t = a->looks;
        p->looks = a->looks_count;
    }
}

/* Units of all variants with which the primary metric's mde is found, as its variance stands. */
static void add_needed(struct decision *out, const struct analysis *a)
{
    const struct result *r = a->result;
    const struct snapshot_experiment *e = r->experiment;
    const struct result_metric *m = result_primary(r);
    const struct analysed *c = m && e->variants_count > 1 ? analysis_of(a, (size_t)(m - r->metrics), 1) : NULL;
    double looks[ANY_TIME_LOOKS];
    struct plan_test test;
    struct plan p;
    if (!c || !c->has_effect || c->effect.base.value == 0 || e->live_weights)
        return;
    double n_c = (double)c->effect.n_c, units = (double)(c->has_looks ? c->looks.look->units : r->units);
    plan_way(&p, &e->analysis, looks);
    p.alpha = c->alpha_adjusted;
    p.ratio = (double)c->effect.n_t / n_c;
    p.var_c = p.var_t = c->effect.base.variance * n_c * (1 - c->effect.variance_reduction);
    if (!plan_units(&p, e->mde * c->effect.base.value, PLANNED_POWER, &test, NULL))
        return;
    out->has_needed = true;
    out->units_needed = ceil(test.control / n_c * units);
    if (!days_for(r, out->units_needed, &out->days_needed))
        out->days_needed = NAN;
}

/* ---- in words ---- */

static void say_left(struct buf *b, const struct decision *d, const struct snapshot_experiment *e)
{
    const char *until = e->analysis.method == ANALYSIS_GROUP_SEQUENTIAL ? "the next look" : "the planned end";
    double days = ceil(d->days_left);
    if (!d->has_left)
        return;
    if (d->units_left)
        buf_addf(b, " %lld more units to %s: about", (long long)d->units_left, until);
    else
        buf_add_c(b, " About");
    buf_addf(b, " %.0f more day%s at the rate so far.", days, days == 1 ? "" : "s");
}

/* ": one; another." */
static void say_open(struct buf *b, const struct decided *d)
{
    const char *before = ": ";
    for (size_t i = 0; i < d->conditions_count; i++) {
        if (d->conditions[i].met != CONDITION_NO)
            continue;
        buf_addf(b, "%s" STR_FMT, before, STR_ARG(d->conditions[i].text));
        before = "; ";
    }
    buf_add_c(b, ".");
}

static void say(struct buf *b, const struct decision *d, const struct analysis *a)
{
    const struct snapshot_experiment *e = a->result->experiment;
    struct str name = verdict_name(&e->variants[d->variant]);
    switch (d->kind) {
    case DECISION_SHIP:
        buf_addf(b, "Ship \"" STR_FMT "\": every condition is met.", STR_ARG(name));
        return;
    case DECISION_ROLL_BACK:
        buf_addf(b, "Roll back \"" STR_FMT "\"", STR_ARG(name));
        say_open(b, &d->each[d->variant]);
        return;
    case DECISION_UNHEALTHY:
        buf_addf(b, "Do not decide by these figures. " STR_FMT ". Find the cause, and run it again.",
                 STR_ARG(a->result->spoilt.n ? a->result->spoilt : STR("The shares of units do not fit the weights")));
        return;
    case DECISION_KEEP_RUNNING:
        buf_add_c(b, "Keep it running");
        say_open(b, &d->each[d->variant]);
        say_left(b, d, e);
        return;
    case DECISION_CANNOT_TELL:
    case DECISION_COUNT:
        buf_addf(b, "It cannot be told%s", e->status == EXPERIMENT_RUNNING ? ", and what was planned is used up" : "");
        say_open(b, &d->each[d->variant]);
        buf_add_c(b, " Choose by cost and taste, or run it again with more units.");
        return;
    }
}

/* Of equal decisions the one whose primary metric has the smaller p speaks. */
static bool before(const struct decision *d, const struct analysis *a, size_t variant)
{
    const struct result_metric *m = result_primary(a->result);
    if (!d->variant || d->each[variant].kind != d->kind)
        return !d->variant || d->each[variant].kind > d->kind;
    size_t metric = m ? (size_t)(m - a->result->metrics) : 0;
    const struct analysed *was = analysis_of(a, metric, d->variant), *now = analysis_of(a, metric, variant);
    return m && now->compared && (!was->compared || now->c.log_p < was->c.log_p);
}

void decision_make(struct decision *out, const struct analysis *a, struct arena *arena)
{
    const struct result *r = a->result;
    size_t variants = r->experiment->variants_count;
    bool healthy = !result_mismatched(r, arena) && !r->spoilt.n;
    *out = (struct decision){ .kind = DECISION_UNHEALTHY };
    out->each = arena_zalloc(arena, variants * sizeof *out->each);
    for (size_t v = 1; v < variants; v++) {
        struct rule u = { a, arena, v, &out->each[v] };
        out->each[v].kind = decide(&u, healthy);
        if (before(out, a, v)) {
            out->kind = out->each[v].kind;
            out->variant = v;
        }
    }
    add_left(out, r);
    add_needed(out, a);
    struct buf b;
    buf_init(&b, TEXT_MAX);
    say(&b, out, a);
    out->text = arena_str(arena, buf_str(&b));
    buf_release(&b);
}
