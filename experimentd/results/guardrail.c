#include "experimentd/results/guardrail.h"

#include "experimentd/results/verdict.h"

enum { REASON_TEXT_MAX = 1000 };
#define GUARDRAIL_SHOWN_LEVEL 0.95 /* of the interval in the text */

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
    const struct experiment_metric *s = result_setting(r, m);
    struct str treatment = verdict_name(&r->experiment->variants[variant]),
               control = verdict_name(&r->experiment->variants[0]);
    buf_init(&b, REASON_TEXT_MAX);
    buf_addf(&b,
             "guardrail \"" STR_FMT "\" of \"" STR_FMT "\" is worse than of \"" STR_FMT "\": ", STR_ARG(m->metric->key),
             STR_ARG(str_cut(treatment, 100)), STR_ARG(str_cut(control, 100)));
    verdict_add_effect(&b, c, GUARDRAIL_SHOWN_LEVEL);
    if (s->margin > 0)
        buf_addf(&b, ", by more than its margin of %g %% at level %.2g (for repeated looks)", s->margin * 100, alpha);
    else if (s->margin_absolute > 0)
        buf_addf(&b, ", by more than its margin of %g at level %.2g (for repeated looks)", s->margin_absolute, alpha);
    else
        buf_addf(&b, ", p = %.2g, below %.2g (the level for repeated looks)", c->p, alpha);
    *out = (struct guardrail){ GUARDRAIL_WORSE, arena_str(arena, buf_str(&b)) };
    buf_release(&b);
}

/* With a margin, worse by more than that; without one, worse at all. *out_log_p: by how clear a margin. */
static bool is_worse(const struct result *r, const struct result_metric *m, size_t variant, double alpha,
                     struct comparison *out, double *out_log_p)
{
    const struct compare_plan plan = { GUARDRAIL_SHOWN_LEVEL, 0 }; /* its level is that of repeated looks already */
    const struct experiment_metric *s = result_setting(r, m);
    const struct compare_margin margin = { s->margin, s->margin_absolute, result_wants_increase(m) };
    struct arm control = verdict_arm(m, 0), treatment = verdict_arm(m, variant);
    struct compare_inferiority far;
    struct estimate c, t;
    struct effect e;
    double critical;
    if (!stats_compare(&control, &treatment, &plan, out, NULL))
        return false;
    *out_log_p = out->log_p;
    if (!(s->margin > 0 || s->margin_absolute > 0))
        return outcome_of(m, out, alpha) == OUTCOME_WORSE;
    if (!compare_estimate(&control, &c, NULL) || !compare_estimate(&treatment, &t, NULL) ||
        !effect_plain(&c, &t, control.m.n, treatment.m.n, &e, NULL) ||
        !compare_critical(&e, &plan, alpha, &critical, NULL) ||
        !compare_inferior(&e, &margin, &plan, critical, &far, NULL))
        return false;
    *out_log_p = -far.z * far.z; /* any that falls as it gets clearer */
    return far.worse;
}

/* The variant and metric that are worse most clearly. A guardrail that cannot be compared (in neither arm anything happened) is not worse. */
static bool find_worse(struct guardrail *out, const struct result *r, struct arena *arena)
{
    double alpha = GUARDRAIL_ALPHA / (double)comparisons(r), least = 0, log_p;
    for (size_t i = 0; i < r->metrics_count; i++) {
        const struct result_metric *m = &r->metrics[i];
        for (size_t v = 1; is_guardrail(m->role) && v < r->experiment->variants_count; v++) {
            struct comparison c;
            if (!is_worse(r, m, v, alpha, &c, &log_p) || log_p >= least)
                continue;
            least = log_p;
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
    return r->experiment->kind != EXPERIMENT_BANDIT && result_mismatched(r, arena);
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
