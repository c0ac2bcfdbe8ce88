/* An experiment against the rest of the configuration, and an edit against what already runs. */
#include <math.h>

#include "experimentd/config/experiment_parts.h"
#include "metric/metric.h"

enum { SHOWN_MAX = 60, CHAIN_MAX = 50 };

double experiment_coverage(const struct snapshot_experiment *e)
{
    if (!e->ramp_count)
        return e->coverage;
    return e->ramp[e->ramp_step < e->ramp_count ? e->ramp_step : e->ramp_count - 1].coverage;
}

double experiment_weight(const struct snapshot_experiment *e, size_t variant)
{
    return e->live_weights ? e->live_weights[variant] : e->variants[variant].weight;
}

struct str experiment_seed(const struct snapshot_experiment *e, struct arena *arena)
{
    return e->bucket_version ? arena_printf(arena, STR_FMT ":%d", STR_ARG(e->seed), e->bucket_version) : e->seed;
}

int experiment_variant(const struct snapshot_experiment *e, struct str key)
{
    for (size_t i = 0; i < e->variants_count; i++)
        if (str_eq(e->variants[i].key, key))
            return (int)i;
    return -1;
}

/* ---- what it names is there ---- */

static bool unknown(const char *field, const char *what, struct str key, struct err *err)
{
    return err_set(err, ERR_INVALID, "experiment: field \"%s\": %s \"" STR_FMT "\" is not known", field, what,
                   STR_ARG(str_cut(key, SHOWN_MAX)));
}

/* What a bandit believes is a mean of each day's units; there is none of a quantile. */
static bool check_bandit_metric(const struct snapshot_experiment *e, const struct snapshot *s, struct err *err)
{
    struct str key = e->bandit.metric;
    for (size_t i = 0; i < e->metrics_count && !key.n; i++)
        if (str_eq(e->metrics[i].role, STR("primary")))
            key = e->metrics[i].metric;
    const struct snapshot_metric *m = key.n ? snapshot_metric(s, key) : NULL;
    if (!m || !m->def || m->def->form != METRIC_FORM_QUANTILE)
        return true;
    return err_set(err, ERR_INVALID,
                   "experiment: bandit: metric \"" STR_FMT "\" is a quantile, which no bandit can follow",
                   STR_ARG(key));
}

static bool check_metrics(const struct snapshot_experiment *e, const struct snapshot *s, struct err *err)
{
    for (size_t i = 0; i < e->metrics_count; i++)
        if (!snapshot_metric(s, e->metrics[i].metric))
            return unknown("metrics", "metric", e->metrics[i].metric, err);
    for (size_t i = 0; i < e->holdout_metrics.n; i++)
        if (!snapshot_metric(s, e->holdout_metrics.p[i]))
            return unknown("holdout.metrics", "metric", e->holdout_metrics.p[i], err);
    return e->kind != EXPERIMENT_BANDIT || check_bandit_metric(e, s, err);
}

static bool check_segments(const char *field, const struct str_list *list, const struct snapshot *s, struct err *err)
{
    for (size_t i = 0; i < list->n; i++)
        if (!snapshot_object(s, OBJECT_SEGMENT, list->p[i]))
            return unknown(field, "segment", list->p[i], err);
    return true;
}

/* Follows prerequisites from `at`; true when they lead back to `key` (or are longer than any sound chain). */
static bool leads_to(const struct snapshot *s, const struct snapshot_experiment *at, struct str key, unsigned depth)
{
    if (depth > CHAIN_MAX)
        return true;
    for (size_t i = 0; at && i < at->prerequisites_count; i++) {
        struct str next = at->prerequisites[i].experiment;
        if (str_eq(next, key) || leads_to(s, snapshot_experiment(s, next), key, depth + 1))
            return true;
    }
    return false;
}

/* SDKs see the other experiment's value, not its variant: a variant that lets in must not be worth the same as one that does not. */
static bool check_values(const struct experiment_prerequisite *p, const struct snapshot_experiment *other,
                         struct err *err)
{
    for (size_t i = 0; i < p->variants.n; i++) {
        int in = experiment_variant(other, p->variants.p[i]);
        if (in < 0)
            return unknown("prerequisites", "variant", p->variants.p[i], err);
        for (size_t k = 0; k < other->variants_count; k++) {
            bool listed = false;
            for (size_t v = 0; v < p->variants.n; v++)
                listed = listed || str_eq(p->variants.p[v], other->variants[k].key);
            if (!listed && str_eq(other->variants[k].value_json, other->variants[in].value_json))
                return err_set(err, ERR_INVALID,
                               "experiment: field \"prerequisites\": variants \"" STR_FMT "\" and \"" STR_FMT
                               "\" of experiment \"" STR_FMT "\" have the same value, so they cannot be told apart",
                               STR_ARG(other->variants[in].key), STR_ARG(other->variants[k].key), STR_ARG(other->key));
        }
    }
    return true;
}

static bool check_prerequisites(const struct snapshot_experiment *e, const struct snapshot *s, struct err *err)
{
    for (size_t i = 0; i < e->prerequisites_count; i++) {
        const struct experiment_prerequisite *p = &e->prerequisites[i];
        const struct snapshot_experiment *other = snapshot_experiment(s, p->experiment);
        if (!other)
            return unknown("prerequisites", "experiment", p->experiment, err);
        if (str_eq(p->experiment, e->key) || leads_to(s, other, e->key, 0))
            return err_set(err, ERR_INVALID,
                           "experiment: field \"prerequisites\": experiment \"" STR_FMT "\" depends on this one",
                           STR_ARG(p->experiment));
        if (!check_values(p, other, err))
            return false;
    }
    return true;
}

bool experiment_check(const struct snapshot_experiment *e, const struct snapshot *s, struct err *err)
{
    if (e->layer.n && !snapshot_object(s, OBJECT_LAYER, e->layer))
        return unknown("layer", "layer", e->layer, err);
    return check_metrics(e, s, err) && check_segments("segments", &e->segments, s, err) &&
           check_segments("not_segments", &e->not_segments, s, err) && check_prerequisites(e, s, err);
}

/* ---- what may change while it runs ---- */

/* Everything that decides who is in and what they get. The rest may change at any time. */
static const struct {
    const char *field, *why;
} frozen[] = {
    { "analysis", "who changes it after a look has looked twice" },
    { "multiplicity", "who changes it after a look has looked twice" },
    { "adjustment", "who changes it after a look has looked twice" },
    { "stratify_by", "who changes it after a look has looked twice" },
    { "kind", "its units were assigned by the other kind" },
    { "parameter", "units saw the other parameter change" },
    { "hash_attribute", "every unit would be assigned anew" },
    { "hash_version", "every unit would be assigned anew" },
    { "seed", "every unit would be assigned anew" },
    { "variants", "units would move between variants, or a variant would no longer be what was measured" },
    { "targeting", "units before and after would be different populations" },
    { "segments", "units before and after would be different populations" },
    { "not_segments", "units before and after would be different populations" },
    { "urls", "units before and after would be different populations" },
    { "prerequisites", "units before and after would be different populations" },
    { "ignore_holdouts", "units before and after would be different populations" },
    { "layer", "units before and after would be different populations" },
    { "layer_share", "units before and after would be different populations" },
    { "sticky", "units would be assigned by another rule" },
    { "fallback_attribute", "units would be assigned by another rule" },
    { "interleave", "lists before and after would be merged by another rule" },
    { "holdout", "units would leave or enter what was held out" },
};
/* Once stopped, only its words and what is read out of it. */
static const char *const always[] = { "name", "hypothesis", "metrics", "mde", "target_effect", "minimum_days" };

static bool same_field(const json_t *was, const json_t *now, const char *field)
{
    const json_t *a = json_object_get(was, field), *b = json_object_get(now, field);
    return a && b ? json_equal(a, b) : a == b;
}

static bool is_always(const char *field)
{
    for (size_t i = 0; i < COUNT_OF(always); i++)
        if (strcmp(always[i], field) == 0)
            return true;
    return false;
}

static bool change_ended(const struct snapshot_experiment *e, const json_t *was, const json_t *now, struct err *err)
{
    const char *field;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)now, field, v)
    {
        if (!is_always(field) && !same_field(was, now, field))
            return err_set(err, ERR_CONFLICT,
                           "cannot change field \"%s\" of experiment \"" STR_FMT "\": it is %s; make a new experiment",
                           field, STR_ARG(e->key), experiment_status_names[e->status]);
    }
    return true;
}

static bool change_running(const struct snapshot_experiment *e, const json_t *was, const json_t *now, struct err *err)
{
    for (size_t i = 0; i < COUNT_OF(frozen); i++)
        if (!same_field(was, now, frozen[i].field))
            return err_set(err, ERR_CONFLICT,
                           "cannot change field \"%s\" of experiment \"" STR_FMT
                           "\" while it runs: %s; start a new phase instead (POST /v1/experiments/" STR_FMT "/phases)",
                           frozen[i].field, STR_ARG(e->key), frozen[i].why, STR_ARG(e->key));
    return true;
}

bool experiment_change(const struct snapshot_experiment *was, const json_t *before, const json_t *after,
                       const struct snapshot_experiment *now, struct err *err)
{
    if (!same_field(before, after, "key"))
        return err_set(err, ERR_CONFLICT, "field \"key\" of experiment \"" STR_FMT "\" cannot change",
                       STR_ARG(was->key));
    if (was->status == EXPERIMENT_DRAFT)
        return true;
    if (was->status != EXPERIMENT_RUNNING)
        return change_ended(was, before, after, err);
    if (experiment_coverage(now) < experiment_coverage(was))
        return err_set(err, ERR_CONFLICT,
                       "cannot lower the coverage of experiment \"" STR_FMT
                       "\" from %g to %g while it runs: units that saw a variant would lose it and still be counted; "
                       "start a new phase instead (POST /v1/experiments/" STR_FMT "/phases)",
                       STR_ARG(was->key), experiment_coverage(was), experiment_coverage(now), STR_ARG(was->key));
    return change_running(was, before, after, err);
}
