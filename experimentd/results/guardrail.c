#include "experimentd/results/guardrail.h"

#include "experimentd/results/verdict.h"

enum { REASON_TEXT_MAX = 1000 };

static bool is_guardrail(struct str role)
{
    return str_eq(role, STR("guardrail"));
}

bool guardrail_has(const struct snapshot_experiment *e)
{
    for (size_t i = 0; i < e->metrics_count; i++)
        if (is_guardrail(e->metrics[i].role))
            return true;
    return false;
}

static bool newer_than(const struct result *r, int64_t us)
{
    return r->has_data && r->as_of_us > us && r->published_us > us;
}

/* How often the level is shared. */
static size_t comparisons(const struct result *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->metrics_count; i++)
        n += is_guardrail(r->metrics[i].role) ? r->experiment->variants_count - 1 : 0;
    return n;
}

static void say_worse(struct guardrail *out, const struct result *r, const struct result_metric *m, size_t variant,
                      const struct comparison *c, double alpha, struct arena *arena)
{
    struct buf b;
    struct str treatment = verdict_name(&r->experiment->variants[variant]),
               control = verdict_name(&r->experiment->variants[0]);
    buf_init(&b, REASON_TEXT_MAX);
    buf_addf(&b,
             "guardrail \"" STR_FMT "\" of \"" STR_FMT "\" is worse than of \"" STR_FMT "\": ", STR_ARG(m->metric->key),
             STR_ARG(str_cut(treatment, 100)), STR_ARG(str_cut(control, 100)));
    verdict_add_effect(&b, c);
    buf_addf(&b, ", p = %.2g, below %.2g (the level for repeated looks)", c->p, alpha);
    *out = (struct guardrail){ GUARDRAIL_WORSE, arena_str(arena, buf_str(&b)) };
    buf_release(&b);
}

/* The variant and metric that are worse with the smallest p. A guardrail that cannot be compared (in neither arm anything happened) is not worse. */
static bool find_worse(struct guardrail *out, const struct result *r, struct arena *arena)
{
    const struct compare_plan plan = { RESULT_LEVEL, 0 }; /* its level is that of repeated looks already */
    double alpha = GUARDRAIL_ALPHA / (double)comparisons(r), least = 0;
    for (size_t i = 0; i < r->metrics_count; i++) {
        const struct result_metric *m = &r->metrics[i];
        struct arm control = verdict_arm(m, 0);
        for (size_t v = 1; is_guardrail(m->role) && v < r->experiment->variants_count; v++) {
            struct arm treatment = verdict_arm(m, v);
            struct comparison c;
            if (!stats_compare(&control, &treatment, &plan, &c, NULL) || outcome_of(m, &c, alpha) != OUTCOME_WORSE ||
                c.log_p >= least)
                continue;
            least = c.log_p;
            say_worse(out, r, m, v, &c, alpha, arena);
        }
    }
    return out->state == GUARDRAIL_WORSE;
}

static bool has_units(const struct result *r)
{
    for (size_t i = 0; i < r->metrics_count; i++)
        for (size_t v = 0; is_guardrail(r->metrics[i].role) && v < r->experiment->variants_count; v++)
            if (result_latest(&r->metrics[i], v)->n < 2)
                return false;
    return true;
}

/* A bandit's weights change, so its units are not expected in any one proportion. */
static bool is_mismatched(const struct result *r, struct arena *arena)
{
    size_t n = r->experiment->variants_count;
    int64_t *observed = arena_zalloc(arena, n * sizeof *observed);
    double *weights = arena_zalloc(arena, n * sizeof *weights);
    struct srm srm;
    return r->experiment->kind != EXPERIMENT_BANDIT && result_srm(r, &srm, observed, weights, NULL) &&
           srm.p < SRM_THRESHOLD;
}

void guardrail_check(struct guardrail *out, const struct result *r, struct arena *arena)
{
    const struct snapshot_experiment *e = r->experiment;
    *out = (struct guardrail){ .state = GUARDRAIL_UNKNOWN };
    if (newer_than(r, e->phase_started_us) && find_worse(out, r, arena))
        return;
    if (!newer_than(r, e->ramp_since_us))
        out->text = STR("no metrics have been computed since this step of the ramp began");
    else if (!has_units(r))
        out->text = STR("a guardrail metric has fewer than two units in a variant");
    else if (is_mismatched(r, arena))
        out->text = STR("the variants got other shares of the units than their weights (sample ratio mismatch)");
    else
        out->state = GUARDRAIL_FINE;
}
