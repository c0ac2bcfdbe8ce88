/* Running one experiment on a unit. The steps and their order are GrowthBook's (SDK specification 0.8.0, "run"). */
#include <math.h>

#include "assign/session.h"
#include "assign/text.h"
#include "assign/value.h"

/* Which attribute the unit is hashed by: the experiment's own, or its fallback. */
struct hashing {
    const struct assign_hashed *hashed; /* NULL: the unit has neither */
    int attribute, seed, space;
};

static struct hashing hashing_of(struct assign_session *s, const struct assign_trial *t)
{
    struct hashing own = { assign_hashed(s, t->attribute), t->attribute, t->seed, t->space };
    if (own.hashed || !s->unit->sticky_on || t->stickless || t->fallback < 0)
        return own;
    struct hashing other = { assign_hashed(s, t->fallback), t->fallback, t->fallback_seed, t->fallback_space };
    return other.hashed ? other : own;
}

/* The SDK's getExperimentResult: a variation that there is not counts as the first one, and as out.
 * Field by field: a compound literal is written twice, first with zeros, which costs as much as all the rest of an assignment. */
static void answer(struct assign_session *s, const struct assign_trial *t, const struct hashing *h, int variation,
                   enum assign_why why, struct assign_run *out)
{
    static const struct assign_value empty = { .type = ASSIGN_STRING, .text = { "", 0 } };
    bool in = variation >= 0 && (uint32_t)variation < t->variations->count;
    const struct assign_face *face = &t->faces[in ? variation : 0];
    out->experiment = t->key;
    out->feature = out->rule = ASSIGN_NONE;
    out->variation = in ? variation : 0;
    out->in_experiment = in;
    out->hash_used = out->sticky_used = out->has_bucket = out->has_leaf = false;
    out->passthrough = face->passthrough;
    out->bucket = 0;
    out->why = why;
    out->key = face->key;
    out->name = face->name;
    out->hash_attribute = s->p->attributes[h->attribute];
    out->hash_text = h->hashed ? h->hashed->text : empty.text;
    out->hash_value = h->hashed ? *h->hashed->value : empty;
    out->value = t->variations->count ? &t->variations->items[out->variation] : &assign_null;
    out->leaf = ASSIGN_NONE;
    out->variation_weights = out->bandit_version = NULL;
}

static const struct assign_leaf *leaf_of(struct assign_session *s, const struct assign_bandit *b)
{
    for (uint32_t i = 0; i < b->count; i++)
        if (assign_condition_met(b->leaves[i].condition, &s->subject, &s->scratch))
            return &b->leaves[i];
    return NULL;
}

static void say_leaf(const struct assign_trial *t, const struct assign_leaf *leaf, struct assign_run *out)
{
    if (!t->bandit || !out->in_experiment)
        return;
    out->has_leaf = true;
    out->leaf = leaf ? leaf->id : ASSIGN_NONE;
    out->variation_weights = leaf ? leaf->weights : t->bandit->fallback_weights;
    out->bandit_version = t->bandit->version;
}

/* Steps 2.6 to 5: what decides before the unit is hashed. */
static bool decided_early(struct assign_session *s, const struct assign_trial *t, const struct hashing *h,
                          struct assign_run *out)
{
    const struct assign_unit *u = s->unit;
    const struct assign_value *forced;
    int variation;
    if (t->variations->count < 2) {
        answer(s, t, h, -1, ASSIGN_NO_VARIATIONS, out);
    } else if (u->disabled) {
        answer(s, t, h, -1, ASSIGN_DISABLED, out);
    } else if (t->has_urls && !assign_url_targeted(u->url, t->urls, t->urls_count, &s->scratch)) {
        answer(s, t, h, -1, ASSIGN_URL, out);
    } else if (u->url.n && (variation = assign_query_override(t->key, u->url, t->variations->count)) >= 0) {
        answer(s, t, h, variation, ASSIGN_QUERY_STRING, out);
    } else if (u->forced_variations && (forced = assign_member(u->forced_variations, t->key.p, t->key.n)) != NULL) {
        double n = forced->type == ASSIGN_NUMBER ? forced->number : -1;
        answer(s, t, h, n >= 0 && n < ASSIGN_VARIANTS_MAX && n == floor(n) ? (int)n : -1, ASSIGN_FORCED_VARIATION, out);
    } else if (t->inactive) {
        answer(s, t, h, -1, ASSIGN_INACTIVE, out);
    } else {
        return false;
    }
    return true;
}

static bool outside_namespace(struct assign_session *s, const struct assign_trial *t, const struct hashing *h)
{
    double n;
    return t->has_namespace &&
           (!assign_bucket(s, h->space, &n) || !(n >= t->in_namespace.lo && n < t->in_namespace.hi));
}

/* Steps 7 to 8.05, which a sticky assignment spares the unit. */
static enum assign_why kept_out(struct assign_session *s, const struct assign_trial *t, const struct hashing *h,
                                const struct assign_frame *up)
{
    if (t->has_filters && assign_filtered_out(s, t->filters, t->filters_count))
        return ASSIGN_FILTERED;
    if (!t->has_filters && outside_namespace(s, t, h))
        return ASSIGN_NAMESPACE;
    if (t->condition && !assign_condition_met(t->condition, &s->subject, &s->scratch))
        return ASSIGN_CONDITION;
    if (!t->has_parents)
        return ASSIGN_IN;
    enum assign_parents met = assign_parents_met(s, up, t->parents, t->parents_count);
    return met == PARENTS_MET ? ASSIGN_IN : met == PARENTS_CYCLE ? ASSIGN_CYCLE : ASSIGN_PREREQUISITE;
}

static void put_in(struct assign_session *s, const struct assign_trial *t, const struct hashing *h, int variation,
                   struct assign_run *out)
{
    answer(s, t, h, variation, ASSIGN_IN, out);
    out->hash_used = true;
    if (s->unit->sticky_on && !t->stickless)
        assign_sticky_save(s, t, h->attribute, out->key);
}

/* Steps 9 to 13: the hash is known. */
static void decide(struct assign_session *s, const struct assign_trial *t, const struct hashing *h, double n,
                   int sticky, bool blocked, struct assign_run *out)
{
    const struct assign_leaf *leaf = t->bandit ? leaf_of(s, t->bandit) : NULL;
    const struct assign_range *ranges = leaf && !t->fixed_ranges ? leaf->ranges : t->ranges;
    int variation = sticky >= 0 ? sticky : assign_choose(n, ranges, t->ranges_count);
    if (blocked) {
        answer(s, t, h, -1, ASSIGN_STICKY_BLOCKED, out);
        out->sticky_used = true;
    } else if (variation < 0) {
        answer(s, t, h, -1, ASSIGN_COVERAGE, out);
    } else if (t->has_force) {
        double f = t->force->type == ASSIGN_NUMBER ? t->force->number : -1;
        answer(s, t, h, f >= 0 && f < ASSIGN_VARIANTS_MAX && f == floor(f) ? (int)f : -1, ASSIGN_FORCE, out);
    } else if (s->unit->qa_mode) {
        answer(s, t, h, -1, ASSIGN_QA_MODE, out);
    } else if (t->stopped) {
        answer(s, t, h, -1, ASSIGN_INACTIVE, out);
    } else {
        put_in(s, t, h, variation, out);
        out->has_bucket = true;
        out->bucket = n;
        out->sticky_used = sticky >= 0;
        say_leaf(t, leaf, out);
    }
}

void assign_trial_run(struct assign_session *s, const struct assign_trial *t, const struct assign_frame *up,
                      struct assign_run *out)
{
    bool blocked = false;
    double n;
    struct hashing h = hashing_of(s, t);
    if (decided_early(s, t, &h, out))
        return;
    if (!h.hashed) {
        answer(s, t, &h, -1, ASSIGN_NO_HASH_VALUE, out);
        return;
    }
    int sticky = s->unit->sticky_on && !t->stickless ? assign_sticky_find(s, t, &blocked) : -1;
    enum assign_why why = sticky >= 0 ? ASSIGN_IN : kept_out(s, t, &h, up);
    if (why != ASSIGN_IN)
        answer(s, t, &h, -1, why, out);
    else if (!assign_bucket(s, h.seed, &n))
        answer(s, t, &h, -1, ASSIGN_HASH_VERSION, out);
    else
        decide(s, t, &h, n, sticky, blocked, out);
}
