/* What the configuration says about an experiment that is to start. */
#include <math.h>

#include "experimentd/config/experiment.h"
#include "experimentd/config/layers.h"
#include "experimentd/config/life.h"
#include "experimentd/preflight/preflight.h"

/* Weights as people write them: 0.333333 three times. */
#define WEIGHT_SUM_TOLERANCE 1e-6

/* What a finding is made with. */
struct check {
    const struct snapshot_experiment *e;
    const struct snapshot *s;
    struct arena *arena;
    struct preflight_findings *out;
};

void preflight_add(struct preflight_findings *f, bool is_error, const char *field, struct str text)
{
    f->errors += is_error;
    if (f->n < PREFLIGHT_FINDINGS_MAX)
        f->p[f->n++] = (struct preflight_finding){ is_error, field, text };
}

static void add_err(struct check *c, const char *field, const struct err *err)
{
    preflight_add(c->out, true, field, arena_str(c->arena, str_of(err->text)));
}

/* ---- variants ---- */

static void check_weights(struct check *c)
{
    const struct snapshot_experiment *e = c->e;
    double sum = 0;
    if (e->variants_count < 2)
        preflight_add(c->out, true, "variants",
                      arena_printf(c->arena, "there are %zu variants: nothing to compare", e->variants_count));
    for (size_t i = 0; i < e->variants_count; i++)
        sum += experiment_weight(e, i);
    if (!(fabs(sum - 1) <= WEIGHT_SUM_TOLERANCE))
        preflight_add(c->out, true, "variants", arena_printf(c->arena, "the weights sum to %.9g, not 1", sum));
}

/* The type of a JSON text, by its first byte; NULL: null, which goes with any. */
static const char *type_of(struct str json)
{
    switch (json.n ? json.p[0] : 'n') {
    case '{':
        return "an object";
    case '[':
        return "a list";
    case '"':
        return "a string";
    case 't':
    case 'f':
        return "true or false";
    case 'n':
        return NULL;
    default:
        return "a number";
    }
}

/* Who reads the parameter expects one of the types that SDKs have: true or false, a number, a string, or JSON, be it object or list. */
static bool one_type(struct str a, struct str b)
{
    bool json_a = a.p[0] == '{' || a.p[0] == '[', json_b = b.p[0] == '{' || b.p[0] == '[';
    return (json_a && json_b) || strcmp(type_of(a), type_of(b)) == 0;
}

static void check_types(struct check *c)
{
    const struct snapshot_variant *v = c->e->variants, *first = NULL;
    for (size_t i = 0; i < c->e->variants_count; i++) {
        if (!type_of(v[i].value_json))
            continue;
        first = first ? first : &v[i];
        if (one_type(first->value_json, v[i].value_json))
            continue;
        preflight_add(
            c->out, true, "variants",
            arena_printf(c->arena, "the value of variant \"" STR_FMT "\" is %s, that of \"" STR_FMT "\" is %s",
                         STR_ARG(first->key), type_of(first->value_json), STR_ARG(v[i].key), type_of(v[i].value_json)));
        return;
    }
}

static void check_duplicates(struct check *c)
{
    const struct snapshot_variant *v = c->e->variants;
    for (size_t i = 1; i < c->e->variants_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (!str_eq(v[i].value_json, v[k].value_json))
                continue;
            preflight_add(c->out, false, "variants",
                          arena_printf(c->arena, "variants \"" STR_FMT "\" and \"" STR_FMT "\" have the same value",
                                       STR_ARG(v[k].key), STR_ARG(v[i].key)));
            break;
        }
    }
}

/* ---- what it needs of others ---- */

static void check_metrics(struct check *c)
{
    for (size_t i = 0; i < c->e->metrics_count; i++)
        if (!snapshot_metric(c->s, c->e->metrics[i].metric))
            preflight_add(
                c->out, true, "metrics",
                arena_printf(c->arena, "metric \"" STR_FMT "\" is not known", STR_ARG(c->e->metrics[i].metric)));
    if (!preflight_metric(c->e).n)
        preflight_add(c->out, false, "metrics", STR("no metric is primary: there will be no verdict"));
}

static bool lets_in(const struct experiment_prerequisite *p, struct str variant)
{
    for (size_t i = 0; i < p->variants.n; i++)
        if (str_eq(p->variants.p[i], variant))
            return true;
    return false;
}

/* One that has been rolled out is as good as one that runs, when everybody got a variant that lets in. */
static void check_prerequisites(struct check *c)
{
    for (size_t i = 0; i < c->e->prerequisites_count; i++) {
        const struct experiment_prerequisite *p = &c->e->prerequisites[i];
        const struct snapshot_experiment *other = snapshot_experiment(c->s, p->experiment);
        if (!other || other->status == EXPERIMENT_RUNNING ||
            (other->status == EXPERIMENT_CONCLUDED && other->rollout && lets_in(p, other->winner)))
            continue;
        preflight_add(c->out, true, "prerequisites",
                      arena_printf(c->arena, "experiment \"" STR_FMT "\" does not run (it is %s%s): nobody would be in",
                                   STR_ARG(other->key), other->status == EXPERIMENT_DRAFT ? "a " : "",
                                   experiment_status_names[other->status]));
    }
}

/* The layer, segments and prerequisites that it names, and whatever else experiment_check looks at; metrics have been told. */
static void check_names(struct check *c)
{
    struct snapshot_experiment e = *c->e;
    struct err err;
    e.metrics_count = 0;
    if (!experiment_check(&e, c->s, &err))
        add_err(c, e.layer.n && !snapshot_object(c->s, OBJECT_LAYER, e.layer) ? "layer" : "segments, prerequisites",
                &err);
}

/* ---- when and where ---- */

static void check_schedule(struct check *c, int64_t now_us)
{
    if (c->e->stop_at_us && c->e->stop_at_us <= now_us)
        preflight_add(c->out, true, "schedule", STR("\"stop_at\" is in the past: it would stop at once"));
    if (!(experiment_coverage(c->e) > 0))
        preflight_add(c->out, true, "coverage", STR("is 0: nobody would be in"));
}

static void check_place(struct check *c, struct snapshot_experiment *placed)
{
    struct err err;
    placed->slots.n = 0;
    if (placed->layer.n && snapshot_object(c->s, OBJECT_LAYER, placed->layer) &&
        !layers_allocate(c->s, placed->layer, placed->key, placed->layer_share, &c->e->slots, c->arena, &placed->slots,
                         &err))
        add_err(c, "layer_share", &err);
    else if (!life_may_start(placed, c->s, &err))
        add_err(c, "parameter", &err);
}

void preflight_check(const struct snapshot_experiment *e, const struct snapshot *s, int64_t now_us, struct arena *arena,
                     struct preflight_findings *out, struct snapshot_experiment *placed)
{
    struct check c = { e, s, arena, out };
    *placed = *e;
    placed->status = EXPERIMENT_RUNNING;
    check_weights(&c);
    if (e->kind != EXPERIMENT_INTERLEAVE) { /* whose variants are rankings, not values */
        check_types(&c);
        check_duplicates(&c);
    }
    check_metrics(&c);
    check_names(&c);
    check_prerequisites(&c);
    check_schedule(&c, now_us);
    check_place(&c, placed);
}
