#include "experimentd/results/verdict.h"

#include <assert.h>
#include <math.h>

#include "experimentd/health/health.h"
#include "experimentd/results/preference.h"

const char *const verdict_names[] = {
    [VERDICT_NO_DATA] = "no_data", [VERDICT_UNHEALTHY] = "unhealthy", [VERDICT_NOT_YET] = "not_yet",
    [VERDICT_BETTER] = "better",   [VERDICT_WORSE] = "worse",         [VERDICT_NO_DIFFERENCE] = "no_difference",
};
static_assert(sizeof verdict_names / sizeof *verdict_names == VERDICT_COUNT, "a name for every state");

enum { VERDICT_TEXT_MAX = 2000 };

enum outcome outcome_of(const struct result_metric *m, const struct comparison *c, double alpha)
{
    if (c->p >= alpha)
        return OUTCOME_NO_DIFFERENCE;
    bool wanted_up = str_eq(m->metric->direction, STR("increase"));
    return (c->difference > 0) == wanted_up ? OUTCOME_BETTER : OUTCOME_WORSE;
}

bool result_srm(const struct result *r, struct srm *out, int64_t *observed, double *weights, struct err *err)
{
    const struct snapshot_experiment *e = r->experiment;
    if (!r->has_data || r->metrics_count == 0)
        return err_set(err, ERR_INVALID, "nothing has been aggregated yet");
    if (e->live_weights)
        return err_set(err, ERR_INVALID, "a bandit's weights have moved: there is no one share to compare with");
    for (size_t i = 0; i < e->variants_count; i++) {
        observed[i] = result_latest(&r->metrics[0], i)->n; /* every exposed unit counts in every metric */
        weights[i] = e->variants[i].weight;
    }
    return stats_srm(observed, weights, e->variants_count, out, err);
}

bool result_mismatched(const struct result *r, struct arena *arena)
{
    size_t n = r->experiment->variants_count;
    int64_t *observed = arena_zalloc(arena, n * sizeof *observed);
    double *weights = arena_zalloc(arena, n * sizeof *weights);
    struct srm srm;
    return result_srm(r, &srm, observed, weights, NULL) && srm.p < SRM_THRESHOLD;
}

struct arm verdict_arm(const struct result_metric *m, size_t variant)
{
    return result_compared_arm(m, result_arm(m, variant));
}

struct str verdict_name(const struct snapshot_variant *v)
{
    return v->name.n ? v->name : v->key;
}

void verdict_add_effect(struct buf *b, const struct comparison *c, double level)
{
    double percent = level * 100;
    if (c->lift_kind == LIFT_BOUNDED)
        buf_addf(b, "%+.2f %% (%g %% interval %+.2f %% to %+.2f %%)", c->lift * 100, percent, c->lift_lo * 100,
                 c->lift_hi * 100);
    else
        buf_addf(b, "a difference of %+.4g (%g %% interval %+.4g to %+.4g)", c->difference, percent, c->ci_lo,
                 c->ci_hi);
}

static void add_guardrails(struct buf *b, const struct analysis *a, size_t variant)
{
    const struct result *r = a->result;
    for (size_t i = 0; i < r->metrics_count; i++) {
        const struct result_metric *m = &r->metrics[i];
        const struct analysed *cell = analysis_of(a, i, variant);
        if (!str_eq(m->role, STR("guardrail")) || cell->outcome != OUTCOME_WORSE)
            continue;
        buf_addf(b, " Guardrail \"" STR_FMT "\" got worse: ", STR_ARG(m->metric->name));
        verdict_add_effect(b, &cell->c, result_level(r));
        buf_add_c(b, ".");
    }
}

/* The treatment whose comparison has the smallest p; 0: none was compared. */
static size_t strongest(const struct analysis *a, size_t metric)
{
    size_t best = 0;
    for (size_t v = 1; v < a->result->experiment->variants_count; v++) {
        const struct analysed *c = analysis_of(a, metric, v);
        if (c->compared && (!best || c->c.log_p < analysis_of(a, metric, best)->c.log_p))
            best = v;
    }
    return best;
}

static void say_no_data(struct verdict *out, struct buf *b, const struct result *r, struct str why)
{
    bool early = r->has_data && r->experiment->analysis.method == ANALYSIS_GROUP_SEQUENTIAL &&
                 str_starts(why, STR("not yet: "));
    out->state = early ? VERDICT_NOT_YET : VERDICT_NO_DATA;
    if (!r->has_data)
        buf_add_c(b, "No result yet: no aggregation has been published for this experiment. It starts with \"trainer "
                     "run metrics\".");
    else if (early)
        buf_addf(b, "Not yet" STR_FMT ".", (int)why.n - 7, why.p + 7);
    else
        buf_addf(b, "No verdict yet: " STR_FMT ".", STR_ARG(why.n ? why : STR("no metric can be compared")));
}

static void add_how(struct buf *b, const struct analysis *a, const struct analysed *cell)
{
    const struct snapshot_experiment *e = a->result->experiment;
    if (cell->effect.by == EFFECT_PERIODS)
        buf_add_c(b, " A bandit moved its weights: arms are compared within the day of a unit's first exposure.");
    else if (e->live_weights)
        buf_add_c(b, " A bandit moved its weights by these data, so the interval is narrower than the truth.");
    if (e->variants_count > 2 && cell->family_size > 0 && e->multiplicity != MULTIPLICITY_NONE)
        buf_addf(b, " %zu variants were compared, which the verdict allows for.", e->variants_count - 1);
    if (e->status != EXPERIMENT_RUNNING)
        return;
    if (e->analysis.method == ANALYSIS_ANY_TIME)
        buf_add_c(b, " Still running: the interval holds at every look, so you may decide whenever you like.");
    else if (e->analysis.method == ANALYSIS_FIXED)
        buf_add_c(b, " Still running: this is a fixed-horizon test, so decide at the planned end.");
    else
        buf_addf(b, " This is look %zu, with %lld units; later signals count at the next look.", cell->looks.number,
                 (long long)cell->looks.look->units);
}

static const enum verdict_state states[OUTCOME_COUNT] = {
    [OUTCOME_NONE] = VERDICT_NO_DATA,    [OUTCOME_BETTER] = VERDICT_BETTER,
    [OUTCOME_WORSE] = VERDICT_WORSE,     [OUTCOME_NO_DIFFERENCE] = VERDICT_NO_DIFFERENCE,
    [OUTCOME_NOT_YET] = VERDICT_NOT_YET,
};

/* Of interleaved rankings: the pair with the control that is clearest. */
static void say_preference(struct verdict *out, struct buf *b, const struct result *r, struct arena *arena)
{
    struct preferred_pairs pairs;
    preferences_test(&pairs, r, arena);
    const struct preferred *p = preferences_strongest(&pairs);
    if (p) {
        out->state = states[p->outcome];
        out->variant = r->experiment->variants[p->last->a].key;
        preference_say(b, r, p);
    } else if (!r->preferences->published_us) {
        buf_add_c(b, "No result yet: preferences have not been counted. It starts with \"trainer run interleave\".");
    } else {
        buf_addf(b, "No verdict yet: " STR_FMT ".",
                 STR_ARG(pairs.n ? pairs.p[0].reason : STR("no interleaved list has been shown")));
    }
}

static void say_comparison(struct verdict *out, struct buf *b, const struct analysis *a, size_t metric, size_t v)
{
    const struct result *r = a->result;
    const struct analysed *cell = analysis_of(a, metric, v);
    struct str name = r->metrics[metric].metric->name;
    struct str variant = verdict_name(&r->experiment->variants[v]), control = verdict_name(&r->experiment->variants[0]);
    out->state = states[cell->outcome];
    out->variant = r->experiment->variants[v].key;
    if (cell->outcome == OUTCOME_BETTER || cell->outcome == OUTCOME_WORSE)
        buf_addf(b, "\"" STR_FMT "\" is %s than \"" STR_FMT "\": " STR_FMT " ", STR_ARG(variant),
                 outcome_names[cell->outcome], STR_ARG(control), STR_ARG(name));
    else
        buf_addf(b, "%s: " STR_FMT " of \"" STR_FMT "\" against \"" STR_FMT "\" is ",
                 cell->outcome == OUTCOME_NOT_YET ? "Not yet" : "No difference shown", STR_ARG(name), STR_ARG(variant),
                 STR_ARG(control));
    verdict_add_effect(b, &cell->c, result_level(r));
    buf_add_c(b, ".");
    if (cell->outcome != OUTCOME_NOT_YET)
        add_guardrails(b, a, v);
    add_how(b, a, cell);
}

static void say(struct verdict *out, struct buf *b, const struct analysis *a)
{
    const struct result *r = a->result;
    const struct result_metric *m = result_primary(r);
    if (!r->has_data || !m) {
        say_no_data(out, b, r, (struct str){ NULL, 0 });
        return;
    }
    size_t metric = (size_t)(m - r->metrics), v = strongest(a, metric);
    out->metric = m->metric->key;
    if (v)
        say_comparison(out, b, a, metric, v);
    else
        say_no_data(out, b, r, analysis_of(a, metric, 1)->reason);
}

void verdict_make(struct verdict *out, const struct analysis *a, struct arena *arena)
{
    struct buf b;
    size_t n = a->result->experiment->variants_count;
    int64_t *observed = arena_zalloc(arena, n * sizeof *observed);
    double *weights = arena_zalloc(arena, n * sizeof *weights);
    struct srm srm;
    buf_init(&b, VERDICT_TEXT_MAX);
    *out = (struct verdict){ .state = VERDICT_NO_DATA };
    if (result_srm(a->result, &srm, observed, weights, NULL) && srm.p < SRM_THRESHOLD) {
        out->state = VERDICT_UNHEALTHY;
        buf_add_c(&b, "Do not trust this result: the variants got other shares of the units than their weights (sample "
                      "ratio mismatch, ");
        health_add_p(&b, srm.log_p);
        buf_add_c(&b, "). Find the cause before reading any metric.");
    } else if (a->result->spoilt.n) {
        out->state = VERDICT_UNHEALTHY;
        buf_addf(&b, "Do not trust this result. " STR_FMT ". The health report says what to do.",
                 STR_ARG(a->result->spoilt));
    } else if (a->result->preferences) {
        say_preference(out, &b, a->result, arena);
    } else {
        say(out, &b, a);
    }
    out->text = arena_str(arena, buf_str(&b));
    buf_release(&b);
}
