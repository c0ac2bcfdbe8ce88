/* Evaluating features: their rules in turn, and the features that they ask for. */
#include "assign/arena.h"
#include "assign/limits.h"
#include "assign/session.h"
#include "assign/text.h"
#include "assign/value.h"

static void say(struct assign_result *out, const struct assign_value *value, enum assign_source source)
{
    out->value = value; /* `run` stays as it is: it counts with has_run only */
    out->source = source;
    out->rule = ASSIGN_NONE;
    out->rule_id = ASSIGN_TEXT("");
    out->has_run = false;
}

static void eval(struct assign_session *s, int feature, const struct assign_frame *up, struct assign_result *out,
                 uint8_t *why);

/* ---- prerequisites ---- */

static bool is_open(const struct assign_frame *up, int feature)
{
    while (up && up->feature != feature)
        up = up->up;
    return up != NULL;
}

/* The answers of features that ask for no others are kept, unless evaluating them has an effect on sticky assignments. */
static const struct assign_result *known_answer(struct assign_session *s, int feature, const struct assign_frame *up)
{
    const struct assign_payload *p = s->p;
    bool kept = p->features[feature].alone && !s->unit->sticky_on;
    if (kept && !s->known) {
        s->known = assign_alloc_array(s->scratch.arena, p->features_count, sizeof(void *));
        if (s->known)
            memset(s->known, 0, p->features_count * sizeof(void *));
    }
    struct assign_result *r = kept && s->known && s->known[feature] ? NULL : assign_alloc(s->scratch.arena, sizeof *r);
    if (kept && s->known && s->known[feature])
        return s->known[feature];
    if (!r || (kept && !s->known)) {
        s->scratch.failed = true;
        return NULL;
    }
    eval(s, feature, up, r, NULL);
    if (kept)
        s->known[feature] = r;
    return r;
}

static bool forced(const struct assign_session *s, struct assign_text key, struct assign_result *out)
{
    const struct assign_value *v = assign_member(s->unit->forced_features, key.p, key.n);
    if (v)
        say(out, v, ASSIGN_SOURCE_OVERRIDE);
    return v != NULL;
}

/* The value that a prerequisite has; NULL: it asks for itself, or the chain is too long. */
static const struct assign_value *parent_value(struct assign_session *s, const struct assign_frame *up,
                                               const struct assign_parent *parent)
{
    struct assign_result r;
    if (parent->feature >= 0 && is_open(up, parent->feature))
        return NULL;
    if (forced(s, parent->id, &r))
        return r.value;
    if (parent->feature < 0)
        return &assign_null;
    if (s->scratch.budget == 0 || (up && up->depth >= ASSIGN_PREREQUISITE_DEPTH_MAX))
        return NULL;
    const struct assign_result *known = known_answer(s, parent->feature, up);
    return !known || known->source == ASSIGN_SOURCE_CYCLIC_PREREQUISITE ? NULL : known->value;
}

enum assign_parents assign_parents_met(struct assign_session *s, const struct assign_frame *up,
                                       const struct assign_parent *parents, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct assign_value *value = parent_value(s, up, &parents[i]);
        if (!value)
            return PARENTS_CYCLE;
        struct assign_member member = { ASSIGN_TEXT("value"), *value };
        struct assign_value object = { .type = ASSIGN_OBJECT, .count = 1, .members = &member };
        struct assign_subject subject = { .object = &object, .paths = s->p->paths.p };
        if (!assign_condition_met(parents[i].condition, &subject, &s->scratch))
            return parents[i].gate ? PARENTS_GATE : PARENTS_SKIP;
    }
    return PARENTS_MET;
}

/* ---- rules ---- */

/* Whether a force rule's share of units has this one. */
static enum assign_why rolled_out(struct assign_session *s, const struct assign_rule *r)
{
    int seed = r->seed;
    double n;
    if ((!r->has_range && !r->has_coverage) || (s->scratch.failed))
        return ASSIGN_IN;
    if (!r->has_range && r->covers_none)
        return ASSIGN_COVERAGE;
    if (!assign_hashed(s, r->attribute)) {
        if (!s->unit->sticky_on || !assign_hashed(s, r->fallback))
            return ASSIGN_NO_HASH_VALUE;
        seed = r->fallback_seed;
    }
    if (!assign_bucket(s, seed, &n))
        return ASSIGN_HASH_VERSION;
    bool in = r->has_range ? n >= r->range.lo && n < r->range.hi : n <= r->coverage;
    return in ? ASSIGN_IN : ASSIGN_COVERAGE;
}

static enum assign_why force_rule(struct assign_session *s, const struct assign_rule *r, struct assign_result *out)
{
    if (r->condition && !assign_condition_met(r->condition, &s->subject, &s->scratch))
        return ASSIGN_CONDITION;
    enum assign_why why = rolled_out(s, r);
    if (why == ASSIGN_IN)
        say(out, r->force, ASSIGN_SOURCE_FORCE);
    return why;
}

static enum assign_why experiment_rule(struct assign_session *s, const struct assign_frame *frame, int rule,
                                       const struct assign_rule *r, struct assign_result *out)
{
    assign_trial_run(s, r->trial, frame, &out->run);
    out->run.feature = frame->feature;
    out->run.rule = rule;
    if (out->run.hash_used && s->unit->on_exposure && !s->scratch.failed)
        s->unit->on_exposure(s->unit->arg, &out->run);
    if (!out->run.in_experiment)
        return out->run.why;
    if (out->run.passthrough)
        return ASSIGN_PASSTHROUGH;
    say(out, out->run.value, ASSIGN_SOURCE_EXPERIMENT);
    out->has_run = true;
    return out->run.why;
}

/* True: the feature's value is decided. */
static bool rule_answers(struct assign_session *s, const struct assign_frame *frame, const struct assign_rule *r, int i,
                         struct assign_result *out, uint8_t *out_why)
{
    static const uint8_t whys[] = { [PARENTS_MET] = ASSIGN_IN,
                                    [PARENTS_SKIP] = ASSIGN_PREREQUISITE,
                                    [PARENTS_GATE] = ASSIGN_PREREQUISITE,
                                    [PARENTS_CYCLE] = ASSIGN_CYCLE };
    enum assign_parents met = r->parents_count ? assign_parents_met(s, frame, r->parents, r->parents_count)
                                               : PARENTS_MET;
    enum assign_why why = (enum assign_why)whys[met];
    bool done = met == PARENTS_GATE || met == PARENTS_CYCLE;
    if (done) {
        say(out, &assign_null, met == PARENTS_CYCLE ? ASSIGN_SOURCE_CYCLIC_PREREQUISITE : ASSIGN_SOURCE_PREREQUISITE);
    } else if (met == PARENTS_MET) {
        if (r->has_filters && assign_filtered_out(s, r->filters, r->filters_count))
            why = ASSIGN_FILTERED;
        else if (r->force)
            done = (why = force_rule(s, r, out)) == ASSIGN_IN;
        else if (r->trial)
            done = (why = experiment_rule(s, frame, i, r, out)) != ASSIGN_PASSTHROUGH && out->has_run;
        else
            why = ASSIGN_NO_VARIATIONS;
    }
    if (out_why)
        out_why[i] = (uint8_t)why;
    if (done && (r->force || r->trial) && met == PARENTS_MET)
        out->rule_id = r->id;
    return done;
}

static void eval(struct assign_session *s, int feature, const struct assign_frame *up, struct assign_result *out,
                 uint8_t *why)
{
    const struct assign_feature *f = &s->p->features[feature];
    struct assign_frame frame = { up, feature, up ? up->depth + 1 : 0 };
    for (uint32_t i = 0; i < f->count && !s->scratch.failed; i++) {
        if (up && s->scratch.budget > 0)
            s->scratch.budget--;
        out->has_run = false;
        if (rule_answers(s, &frame, &f->rules[i], (int)i, out, why)) {
            out->rule = (int)i;
            return;
        }
    }
    say(out, f->value, ASSIGN_SOURCE_DEFAULT_VALUE);
}

/* ---- what callers ask ---- */

bool assign_eval(struct assign_session *s, size_t feature, struct assign_result *out, uint8_t *why)
{
    const struct assign_feature *f = &s->p->features[feature];
    if (why)
        memset(why, ASSIGN_NOT_TRIED, f->count);
    if (!s->unit->forced_features || !forced(s, f->key, out))
        eval(s, (int)feature, NULL, out, why);
    return !s->scratch.failed;
}

bool assign_eval_key(struct assign_session *s, const char *key, size_t n, struct assign_result *out)
{
    int feature = assign_feature_index(s->p, key, n);
    if (feature >= 0)
        return assign_eval(s, (size_t)feature, out, NULL);
    if (!forced(s, (struct assign_text){ key, n }, out))
        say(out, &assign_null, ASSIGN_SOURCE_UNKNOWN_FEATURE);
    return !s->scratch.failed;
}

bool assign_run_auto(struct assign_session *s, size_t i, struct assign_run *out)
{
    assign_trial_run(s, &s->p->autos[i], NULL, out);
    out->rule = (int)i;
    if (out->hash_used && s->unit->on_exposure && !s->scratch.failed)
        s->unit->on_exposure(s->unit->arg, out);
    return !s->scratch.failed;
}

const char *assign_why_name(enum assign_why why)
{
    static const char *const names[ASSIGN_WHY_COUNT] = {
        [ASSIGN_NOT_TRIED] = "not tried",
        [ASSIGN_IN] = "in",
        [ASSIGN_NO_VARIATIONS] = "no variations",
        [ASSIGN_DISABLED] = "disabled",
        [ASSIGN_URL] = "url",
        [ASSIGN_QUERY_STRING] = "query string",
        [ASSIGN_FORCED_VARIATION] = "forced variation",
        [ASSIGN_INACTIVE] = "inactive",
        [ASSIGN_NO_HASH_VALUE] = "no hash value",
        [ASSIGN_FILTERED] = "filtered",
        [ASSIGN_NAMESPACE] = "namespace",
        [ASSIGN_CONDITION] = "condition",
        [ASSIGN_PREREQUISITE] = "prerequisite",
        [ASSIGN_CYCLE] = "cycle",
        [ASSIGN_HASH_VERSION] = "hash version",
        [ASSIGN_STICKY_BLOCKED] = "sticky blocked",
        [ASSIGN_COVERAGE] = "coverage",
        [ASSIGN_FORCE] = "force",
        [ASSIGN_QA_MODE] = "qa mode",
        [ASSIGN_PASSTHROUGH] = "passthrough",
    };
    return (unsigned)why < ASSIGN_WHY_COUNT ? names[why] : "";
}

const char *assign_source_name(enum assign_source source)
{
    static const char *const names[ASSIGN_SOURCE_COUNT] = {
        [ASSIGN_SOURCE_UNKNOWN_FEATURE] = "unknownFeature",
        [ASSIGN_SOURCE_DEFAULT_VALUE] = "defaultValue",
        [ASSIGN_SOURCE_FORCE] = "force",
        [ASSIGN_SOURCE_OVERRIDE] = "override",
        [ASSIGN_SOURCE_EXPERIMENT] = "experiment",
        [ASSIGN_SOURCE_PREREQUISITE] = "prerequisite",
        [ASSIGN_SOURCE_CYCLIC_PREREQUISITE] = "cyclicPrerequisite",
    };
    return (unsigned)source < ASSIGN_SOURCE_COUNT ? names[source] : "";
}
