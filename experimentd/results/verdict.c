#include "experimentd/results/verdict.h"

#include <assert.h>
#include <math.h>

const char *const outcome_names[] = {
    [OUTCOME_NONE] = "none",
    [OUTCOME_BETTER] = "better",
    [OUTCOME_WORSE] = "worse",
    [OUTCOME_NO_DIFFERENCE] = "no_difference",
};
static_assert(sizeof outcome_names / sizeof *outcome_names == OUTCOME_COUNT, "a name for every outcome");

const char *const verdict_names[] = {
    [VERDICT_NO_DATA] = "no_data", [VERDICT_UNHEALTHY] = "unhealthy",         [VERDICT_BETTER] = "better",
    [VERDICT_WORSE] = "worse",     [VERDICT_NO_DIFFERENCE] = "no_difference",
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

struct compare_plan result_plan(const struct result *r)
{
    const struct experiment_analysis *a = &r->experiment->analysis;
    return (struct compare_plan){ RESULT_LEVEL, a->method == ANALYSIS_ANY_TIME ? (double)a->planned_units : 0 };
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

struct arm verdict_arm(const struct result_metric *m, size_t variant)
{
    return (struct arm){ .kind = m->kind, .m = *result_latest(m, variant) };
}

struct str verdict_name(const struct snapshot_variant *v)
{
    return v->name.n ? v->name : v->key;
}

void verdict_add_effect(struct buf *b, const struct comparison *c)
{
    if (c->lift_kind == LIFT_BOUNDED)
        buf_addf(b, "%+.2f %% (95 %% interval %+.2f %% to %+.2f %%)", c->lift * 100, c->lift_lo * 100,
                 c->lift_hi * 100);
    else
        buf_addf(b, "a difference of %+.4g (95 %% interval %+.4g to %+.4g)", c->difference, c->ci_lo, c->ci_hi);
}

static void add_guardrails(struct buf *b, const struct result *r, size_t variant)
{
    struct compare_plan plan = result_plan(r);
    for (size_t i = 0; i < r->metrics_count; i++) {
        const struct result_metric *m = &r->metrics[i];
        struct comparison c;
        if (!str_eq(m->role, STR("guardrail")))
            continue;
        struct arm control = verdict_arm(m, 0), treatment = verdict_arm(m, variant);
        if (stats_compare(&control, &treatment, &plan, &c, NULL) &&
            outcome_of(m, &c, 1 - RESULT_LEVEL) == OUTCOME_WORSE) {
            buf_addf(b, " Guardrail \"" STR_FMT "\" got worse: ", STR_ARG(m->metric->name));
            verdict_add_effect(b, &c);
            buf_add_c(b, ".");
        }
    }
}

struct best {
    size_t variant;
    struct comparison comparison;
    bool found;
    struct err why_not;
};

static struct best strongest(const struct result *r, const struct result_metric *m)
{
    struct best best = { .found = false };
    struct compare_plan plan = result_plan(r);
    struct arm control = verdict_arm(m, 0);
    for (size_t i = 1; i < r->experiment->variants_count; i++) {
        struct arm treatment = verdict_arm(m, i);
        struct comparison c;
        if (!stats_compare(&control, &treatment, &plan, &c, &best.why_not))
            continue;
        if (!best.found || c.log_p < best.comparison.log_p)
            best = (struct best){ .variant = i, .comparison = c, .found = true };
    }
    return best;
}

static void say_no_data(struct verdict *out, struct buf *b, const struct result *r, const struct err *why)
{
    out->state = VERDICT_NO_DATA;
    if (!r->has_data)
        buf_add_c(b, "No result yet: no aggregation has been published for this experiment. It starts with \"trainer "
                     "run metrics\".");
    else
        buf_addf(b, "No verdict yet: %s.", why->kind ? why->text : "no metric can be compared");
}

static void say_comparison(struct verdict *out, struct buf *b, const struct result *r, const struct result_metric *m,
                           const struct best *best)
{
    size_t arms = r->experiment->variants_count - 1;
    enum outcome o = outcome_of(m, &best->comparison, (1 - RESULT_LEVEL) / (double)arms);
    struct str variant = verdict_name(&r->experiment->variants[best->variant]),
               control = verdict_name(&r->experiment->variants[0]);
    out->state = o == OUTCOME_BETTER ? VERDICT_BETTER : o == OUTCOME_WORSE ? VERDICT_WORSE : VERDICT_NO_DIFFERENCE;
    out->variant = r->experiment->variants[best->variant].key;
    if (o == OUTCOME_NO_DIFFERENCE)
        buf_addf(b, "No difference shown: " STR_FMT " of \"" STR_FMT "\" against \"" STR_FMT "\" is ",
                 STR_ARG(m->metric->name), STR_ARG(variant), STR_ARG(control));
    else
        buf_addf(b, "\"" STR_FMT "\" is %s than \"" STR_FMT "\": " STR_FMT " ", STR_ARG(variant), outcome_names[o],
                 STR_ARG(control), STR_ARG(m->metric->name));
    verdict_add_effect(b, &best->comparison);
    buf_add_c(b, ".");
    add_guardrails(b, r, best->variant);
    if (arms > 1)
        buf_addf(b, " Level shared over %zu comparisons (Bonferroni).", arms);
    if (r->experiment->live_weights)
        buf_add_c(b, " A bandit moved its weights by these data, so the interval is narrower than the truth.");
    if (r->experiment->status != EXPERIMENT_RUNNING)
        return;
    buf_add_c(b, r->experiment->analysis.method == ANALYSIS_FIXED
                     ? " Still running: this is a fixed-horizon test, so decide at the planned end."
                     : " Still running: the interval holds at every look, so you may decide whenever you like.");
}

void verdict_make(struct verdict *out, const struct result *r, struct arena *arena)
{
    struct buf b;
    buf_init(&b, VERDICT_TEXT_MAX);
    *out = (struct verdict){ .state = VERDICT_NO_DATA };
    size_t count = r->experiment->variants_count;
    int64_t *observed = arena_zalloc(arena, count * sizeof *observed);
    double *weights = arena_zalloc(arena, count * sizeof *weights);
    struct srm srm;
    struct err err = { 0 };
    const struct result_metric *m = result_primary(r);
    bool have_srm = result_srm(r, &srm, observed, weights, &err);
    if (have_srm && srm.p < SRM_THRESHOLD) {
        out->state = VERDICT_UNHEALTHY;
        buf_addf(
            &b,
            "Do not trust this result: the variants got other shares of the units than their weights (sample ratio "
            "mismatch, p = %.2g). Find the cause before reading any metric.",
            srm.p);
    } else if (!r->has_data || !m) {
        say_no_data(out, &b, r, &err);
    } else {
        struct best best = strongest(r, m);
        out->metric = m->metric->key;
        if (best.found)
            say_comparison(out, &b, r, m, &best);
        else
            say_no_data(out, &b, r, &best.why_not);
    }
    out->text = arena_str(arena, buf_str(&b));
    buf_release(&b);
}
