/* Sections of xassign that evaluate a payload: what the SDK answers, as JSON. */
#include <string.h>

#include "assign/text.h"
#include "assign/value.h"
#include "assign/xassign.h"

static struct assign_value value_or_missing(const struct assign_value *v)
{
    return v ? *v : (struct assign_value){ .type = ASSIGN_MISSING };
}

static struct assign_value member_or_missing(const struct assign_value *object, const char *key)
{
    return value_or_missing(assign_member_c(object, key));
}

/* ---- what a context says ---- */

/* The parts of a context that are a payload; `experiment` (may be NULL) is the one automatic experiment instead of the context's. */
static struct assign_payload *payload_of(struct x *x, const struct assign_value *context,
                                         const struct assign_value *experiment)
{
    static const char *const parts[] = { "features", "savedGroups", "contextualBandits" };
    struct x_object o;
    x_open(x, &o);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        x_put(&o, parts[i], member_or_missing(context, parts[i]));
    struct assign_value *one = x_list(x, 1);
    if (experiment)
        *one = *experiment;
    x_put(&o, "experiments", experiment ? x_items(one, 1) : member_or_missing(context, "experiments"));
    struct assign_value v = x_close(&o);
    size_t n = assign_json_write(&v, NULL, 0);
    char *text = assign_alloc(&x->heap.arena, n + 1);
    if (!text) {
        (void)x_refuse(x, "out of memory");
        return NULL;
    }
    (void)assign_json_write(&v, text, n + 1);
    return assign_payload_new(text, n, (struct assign_text){ NULL, 0 }, &x->e);
}

static struct assign_unit unit_of(const struct assign_value *context)
{
    const struct assign_value *enabled = assign_member_c(context, "enabled");
    return (struct assign_unit){ .attributes = member_or_missing(context, "attributes"),
                                 .url = assign_member_text(context, "url"),
                                 .forced_variations = assign_member_c(context, "forcedVariations"),
                                 .forced_features = assign_member_c(context, "forcedFeatures"),
                                 .disabled = enabled && enabled->type == ASSIGN_BOOL && !enabled->boolean,
                                 .qa_mode = assign_member_truthy(context, "qaMode") };
}

/* The payload is kept until the line is answered. */
static struct assign_session *session_of(struct x *x, const struct assign_value *context,
                                         const struct assign_value *experiment, const struct assign_unit *unit)
{
    if (!x->made)
        x->made = payload_of(x, context, experiment);
    struct assign_session *s = x->made ? assign_bind(x->made, unit, &x->heap.arena) : NULL;
    if (x->made && !s)
        (void)x_refuse(x, "out of memory");
    return s;
}

/* ---- results ---- */

static struct assign_value run_value(struct x *x, const struct assign_run *r, struct assign_text feature)
{
    struct x_object o;
    x_open(x, &o);
    x_put(&o, "key", x_text(r->key));
    x_put(&o, "featureId", x_text(feature));
    x_put(&o, "inExperiment", x_bool(r->in_experiment));
    x_put(&o, "hashUsed", x_bool(r->hash_used));
    x_put(&o, "variationId", x_number(r->variation));
    x_put(&o, "value", *r->value);
    x_put(&o, "hashAttribute", x_text(r->hash_attribute));
    x_put(&o, "hashValue", r->hash_value);
    x_put(&o, "stickyBucketUsed", x_bool(r->sticky_used));
    if (r->name.n)
        x_put(&o, "name", x_text(r->name));
    if (r->has_bucket)
        x_put(&o, "bucket", x_number(r->bucket));
    if (r->passthrough)
        x_put(&o, "passthrough", x_bool(true));
    if (r->has_leaf) {
        x_put(&o, "leafId", x_number(r->leaf));
        x_put(&o, "variationWeights", value_or_missing(r->variation_weights));
        x_put(&o, "banditVersion", value_or_missing(r->bandit_version));
    }
    return x_close(&o);
}

/* The leaf of a contextual bandit that the unit is in, as the payload has it. */
static const struct assign_value *leaf_of(struct x *x, const struct assign_value *context,
                                          const struct assign_value *rule, bool *is_bandit)
{
    struct assign_text ref = assign_member_text(rule, "contextualBanditRef");
    const struct assign_value *bandit = ref.n
                                            ? assign_member(assign_member_c(context, "contextualBandits"), ref.p, ref.n)
                                            : NULL;
    const struct assign_value *contexts = assign_member_c(bandit, "contexts"),
                              *attributes = assign_member_c(context, "attributes");
    static const struct assign_value anything = { .type = ASSIGN_OBJECT };
    *is_bandit = assign_truthy(bandit);
    for (uint32_t i = 0; contexts && contexts->type == ASSIGN_ARRAY && i < contexts->count; i++) {
        const struct assign_value *condition = assign_member_c(&contexts->items[i], "condition");
        if (assign_condition(assign_truthy(condition) ? condition : &anything, attributes ? attributes : &anything,
                             assign_member_c(context, "savedGroups"), &x->heap.arena))
            return &contexts->items[i];
    }
    return NULL;
}

/* The SDK's experiment: the rule's members, in the order in which the SDK copies them. */
static struct assign_value experiment_value(struct x *x, const struct assign_value *context,
                                            const struct assign_value *rule, const struct assign_run *r)
{
    static const struct {
        const char *key;
        enum { IF_TRUTHY, IF_THERE } when;
    } members[] = { { "coverage", IF_THERE },
                    { "weights", IF_TRUTHY },
                    { "hashAttribute", IF_TRUTHY },
                    { "fallbackAttribute", IF_TRUTHY },
                    { "disableStickyBucketing", IF_TRUTHY },
                    { "bucketVersion", IF_THERE },
                    { "minBucketVersion", IF_THERE },
                    { "namespace", IF_TRUTHY },
                    { "meta", IF_TRUTHY },
                    { "ranges", IF_TRUTHY },
                    { "name", IF_TRUTHY },
                    { "phase", IF_TRUTHY },
                    { "seed", IF_TRUTHY },
                    { "hashVersion", IF_TRUTHY },
                    { "filters", IF_TRUTHY },
                    { "condition", IF_TRUTHY } };
    bool is_bandit;
    const struct assign_value *leaf = leaf_of(x, context, rule, &is_bandit),
                              *variations = assign_member_c(rule, "contextualVariations");
    struct x_object o;
    x_open(x, &o);
    x_put(&o, "variations",
          variations && variations->type > ASSIGN_NULL ? *variations : member_or_missing(rule, "variations"));
    x_put(&o, "key", x_text(r->experiment));
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const struct assign_value *v = assign_member_c(rule, members[i].key);
        bool weights = leaf && strcmp(members[i].key, "weights") == 0;
        if (v && (members[i].when == IF_THERE || assign_truthy(v)))
            x_put(&o, members[i].key, weights ? member_or_missing(leaf, "weights") : *v);
    }
    if (leaf && !assign_member_truthy(rule, "weights"))
        x_put(&o, "weights", member_or_missing(leaf, "weights"));
    if (is_bandit && r->has_leaf) {
        struct x_object b;
        x_open(x, &b);
        x_put(&b, "leafId", x_number(r->leaf));
        x_put(&b, "variationWeights", value_or_missing(r->variation_weights));
        x_put(&b, "banditVersion", value_or_missing(r->bandit_version));
        x_put(&o, "contextualBandit", x_close(&b));
    }
    return x_close(&o);
}

static struct assign_value result_value(struct x *x, const struct assign_value *context, struct assign_text key,
                                        const struct assign_result *r)
{
    const char *source = assign_source_name(r->source);
    struct x_object o;
    x_open(x, &o);
    x_put(&o, "value", *r->value);
    x_put(&o, "on", x_bool(assign_truthy(r->value)));
    x_put(&o, "off", x_bool(!assign_truthy(r->value)));
    x_put(&o, "source", x_text((struct assign_text){ source, strlen(source) }));
    x_put(&o, "ruleId", x_text(r->rule_id));
    if (!r->has_run)
        return x_close(&o);
    const struct assign_value *feature = assign_member(assign_member_c(context, "features"), key.p, key.n),
                              *rules = assign_member_c(feature, "rules");
    if (rules)
        x_put(&o, "experiment", experiment_value(x, context, &rules->items[r->rule], &r->run));
    x_put(&o, "experimentResult", run_value(x, &r->run, key));
    return x_close(&o);
}

/* ---- sections ---- */

bool x_feature_section(struct x *x, const struct assign_value *in, struct assign_value *out)
{
    struct assign_result r;
    if (in->count != 2 || in->items[1].type != ASSIGN_STRING)
        return x_refuse(x, "not [context, key]");
    struct assign_text key = in->items[1].text;
    struct assign_unit unit = unit_of(&in->items[0]);
    struct assign_session *s = session_of(x, &in->items[0], NULL, &unit);
    if (!s || !assign_eval_key(s, key.p, key.n, &r))
        return false;
    *out = result_value(x, &in->items[0], key, &r);
    return true;
}

bool x_run_section(struct x *x, const struct assign_value *in, struct assign_value *out)
{
    struct assign_run r;
    if (in->count != 2)
        return x_refuse(x, "not [context, experiment]");
    struct assign_unit unit = unit_of(&in->items[0]);
    struct assign_session *s = session_of(x, &in->items[0], &in->items[1], &unit);
    if (!s || !assign_run_auto(s, 0, &r))
        return false;
    struct assign_value *items = x_list(x, 3);
    items[0] = *r.value;
    items[1] = x_bool(r.in_experiment);
    items[2] = x_bool(r.hash_used);
    *out = x_items(items, 3);
    return true;
}

/* ---- sticky assignments ---- */

struct store {
    struct x *x;
    struct assign_sticky docs[X_MEMBERS_MAX];
    uint32_t n;
};

static void store(void *arg, const struct assign_sticky *doc)
{
    struct store *s = arg;
    uint32_t i = 0;
    while (i < s->n && !(assign_text_equal(s->docs[i].attribute, doc->attribute) &&
                         assign_text_equal(s->docs[i].value, doc->value)))
        i++;
    if (i == X_MEMBERS_MAX)
        return;
    s->docs[i] = *doc;
    s->n = i == s->n ? i + 1 : s->n;
}

static struct assign_value store_value(struct x *x, const struct store *s)
{
    struct x_object all;
    x_open(x, &all);
    for (uint32_t i = 0; i < s->n; i++) {
        const struct assign_sticky *doc = &s->docs[i];
        struct assign_text parts[3] = { doc->attribute, ASSIGN_TEXT("||"), doc->value };
        struct x_object o;
        x_open(x, &o);
        x_put(&o, "attributeName", x_text(doc->attribute));
        x_put(&o, "attributeValue", x_text(doc->value));
        x_put(&o, "assignments", doc->assignments);
        struct assign_member *m = &all.members[all.n++];
        m->value = x_close(&o);
        (void)assign_text_join(parts, 3, &x->heap.arena, &m->key);
    }
    return x_close(&all);
}

static bool is_asked_for(const struct assign_payload *p, struct assign_text attribute)
{
    for (size_t i = 0; i < assign_sticky_attribute_count(p); i++)
        if (assign_text_equal(assign_sticky_attribute(p, i), attribute))
            return true;
    return false;
}

/* Only documents of the unit's own attributes that the payload hashes: a store is asked for no others. */
static void read_docs(struct x *x, const struct assign_value *list, const struct assign_unit *unit, struct store *s)
{
    for (uint32_t i = 0; list->type == ASSIGN_ARRAY && i < list->count; i++) {
        struct assign_sticky doc = { .attribute = assign_member_text(&list->items[i], "attributeName"),
                                     .value = assign_member_text(&list->items[i], "attributeValue"),
                                     .assignments = member_or_missing(&list->items[i], "assignments") };
        const struct assign_value *v = assign_member(&unit->attributes, doc.attribute.p, doc.attribute.n);
        struct assign_text own;
        if (assign_truthy(v) && is_asked_for(x->made, doc.attribute) && assign_to_key(v, &x->heap.arena, &own) &&
            assign_text_equal(own, doc.value))
            store(s, &doc);
    }
}

bool x_sticky_section(struct x *x, const struct assign_value *in, struct assign_value *out)
{
    struct store docs = { .x = x };
    struct assign_result r;
    if (in->count != 3 || in->items[2].type != ASSIGN_STRING)
        return x_refuse(x, "not [context, documents, key]");
    struct assign_text key = in->items[2].text;
    struct assign_unit unit = unit_of(&in->items[0]);
    x->made = payload_of(x, &in->items[0], NULL);
    if (!x->made)
        return false;
    read_docs(x, &in->items[1], &unit, &docs);
    struct assign_sticky *given = docs.n ? assign_alloc(&x->heap.arena, docs.n * sizeof *given) : NULL;
    if (given)
        memcpy(given, docs.docs, docs.n * sizeof *given);
    unit.sticky_on = true;
    unit.sticky = given;
    unit.sticky_count = given ? docs.n : 0;
    unit.on_sticky = store;
    unit.arg = &docs;
    struct assign_session *s = session_of(x, &in->items[0], NULL, &unit);
    if (!s || !assign_eval_key(s, key.p, key.n, &r))
        return false;
    struct assign_value *items = x_list(x, 2);
    items[0] = r.has_run ? run_value(x, &r.run, key) : assign_null;
    items[1] = store_value(x, &docs);
    *out = x_items(items, 2);
    return true;
}

/* ---- redirects, and whole payloads ---- */

bool x_redirect_section(struct x *x, const struct assign_value *in, struct assign_value *out)
{
    struct assign_text url;
    struct assign_run r;
    if (in->count != 1)
        return x_refuse(x, "not [context]");
    struct assign_unit unit = unit_of(&in->items[0]);
    struct assign_session *s = session_of(x, &in->items[0], NULL, &unit);
    if (!s || !assign_redirect(s, &url, &r))
        return false;
    struct assign_value *items = x_list(x, 1);
    struct x_object o;
    x_open(x, &o);
    if (url.p) {
        x_put(&o, "inExperiment", x_bool(true));
        x_put(&o, "urlRedirect", member_or_missing(r.value, "urlRedirect"));
        x_put(&o, "urlWithParams", x_text(url));
    }
    items[0] = x_close(&o);
    *out = x_items(items, url.p != NULL);
    return true;
}

bool x_eval_unit(struct x *x, const struct assign_value *in, struct assign_value *out)
{
    struct assign_unit unit = unit_of(in);
    struct assign_session *s = assign_bind(x->payload, &unit, &x->heap.arena);
    uint32_t n = (uint32_t)assign_feature_count(x->payload);
    struct assign_member *members = assign_alloc_array(&x->heap.arena, (size_t)n + 1, sizeof *members);
    if (!s || !members)
        return x_refuse(x, "out of memory");
    for (uint32_t i = 0; i < n; i++) {
        struct assign_result r;
        if (!assign_eval(s, i, &r, NULL))
            return x_refuse(x, "out of memory");
        members[i].key = assign_feature_key(x->payload, i);
        members[i].value = result_value(x, NULL, members[i].key, &r);
    }
    *out = (struct assign_value){ .type = ASSIGN_OBJECT, .count = n, .members = members };
    return true;
}
