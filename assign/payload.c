/* Compiling a payload. What makes no sense becomes a rule that never applies; only memory and limits make it fail. */
#include "assign/payload.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "assign/hash.h"
#include "assign/limits.h"
#include "assign/text.h"
#include "assign/value.h"

enum { FIRST_ROOM = 16 };

struct maker {
    struct assign_payload *p;
    struct assign_compiler c;
    const struct assign_value *features, *bandits;
    uint32_t attributes_room;
};

static void *take(struct maker *m, size_t count, size_t size)
{
    void *p = m->c.failed ? NULL : assign_alloc_array(&m->p->heap.arena, count ? count : 1, size);
    if (!p)
        m->c.failed = true;
    return p ? memset(p, 0, (count ? count : 1) * size) : NULL;
}

/* A list with room for one more element than n. */
static void *grow(struct maker *m, void *list, uint32_t n, uint32_t *room, size_t size)
{
    if (n < *room)
        return list;
    uint32_t wider = *room ? *room * 2 : FIRST_ROOM;
    char *p = take(m, wider, size);
    if (!p)
        return NULL;
    if (n)
        memcpy(p, list, n * size);
    *room = wider;
    return p;
}

/* ---- numbers of attributes and hashes ---- */

static int attribute_number(struct maker *m, struct assign_text name)
{
    struct assign_payload *p = m->p;
    for (uint32_t i = 0; i < p->attributes_count; i++)
        if (assign_text_equal(p->attributes[i], name))
            return (int)i;
    struct assign_text *list = grow(m, p->attributes, p->attributes_count, &m->attributes_room, sizeof *list);
    if (!list)
        return 0;
    p->attributes = list;
    list[p->attributes_count] = name;
    return (int)p->attributes_count++;
}

/* The attribute that a member names; `fallback_id`: "id" when it names none. */
static int attribute_of(struct maker *m, const struct assign_value *object, const char *key, bool fallback_id)
{
    struct assign_text name = assign_member_text(object, key);
    if (name.n)
        return attribute_number(m, name);
    return fallback_id ? attribute_number(m, ASSIGN_TEXT("id")) : ASSIGN_NONE;
}

static int seed_number(struct maker *m, int attribute, struct assign_text seed, double version)
{
    struct assign_payload *p = m->p;
    if ((version != 1 && version != 2) || attribute < 0)
        return ASSIGN_NONE;
    uint32_t state = assign_fnv(ASSIGN_FNV_BASIS, seed.p, seed.n);
    for (uint32_t i = 0; i < p->seeds_count; i++)
        if (p->seeds[i].state == state && p->seeds[i].attribute == attribute && p->seeds[i].version == (int)version &&
            assign_text_equal(p->seeds[i].seed, seed))
            return (int)i;
    struct assign_seed *list = grow(m, p->seeds, p->seeds_count, &p->seeds_room, sizeof *list);
    if (!list)
        return ASSIGN_NONE;
    p->seeds = list;
    list[p->seeds_count] = (struct assign_seed){ seed, state, attribute, (int)version };
    return (int)p->seeds_count++;
}

static void sticky_attribute(struct maker *m, int attribute)
{
    struct assign_payload *p = m->p;
    for (uint32_t i = 0; i < p->sticky_count; i++)
        if (p->sticky[i] == attribute)
            return;
    int *list = attribute < 0 ? NULL : grow(m, p->sticky, p->sticky_count, &p->sticky_room, sizeof *list);
    if (!list)
        return;
    p->sticky = list;
    list[p->sticky_count++] = attribute;
}

/* ---- members ---- */

static double number_of(const struct assign_value *v)
{
    double n = NAN;
    if (v && v->type == ASSIGN_STRING)
        n = assign_text_number(v->text);
    else if (v && v->type != ASSIGN_ARRAY)
        (void)assign_to_number(v, NULL, &n);
    return n;
}

/* What JavaScript's `object.key || fallback` is, as text. */
static struct assign_text text_or(struct maker *m, const struct assign_value *object, const char *key,
                                  struct assign_text fallback)
{
    const struct assign_value *v = assign_member_c(object, key);
    struct assign_text text;
    if (!assign_truthy(v))
        return fallback;
    if (!assign_to_text(v, &m->p->heap.arena, &text)) {
        m->c.failed = true;
        return fallback;
    }
    return text;
}

static double version_or(const struct assign_value *object, double fallback)
{
    const struct assign_value *v = assign_member_c(object, "hashVersion");
    return !assign_truthy(v) ? fallback : v->type == ASSIGN_NUMBER ? v->number : NAN;
}

static struct assign_range range_of(const struct assign_value *v)
{
    if (!v || v->type != ASSIGN_ARRAY || v->count < 2)
        return (struct assign_range){ NAN, NAN };
    return (struct assign_range){ number_of(&v->items[0]), number_of(&v->items[1]) };
}

static const struct assign_range *ranges_of(struct maker *m, const struct assign_value *list, uint32_t *out_n)
{
    uint32_t n = list && list->type == ASSIGN_ARRAY ? list->count : 0;
    struct assign_range *ranges = take(m, n, sizeof *ranges);
    for (uint32_t i = 0; ranges && i < n; i++)
        ranges[i] = range_of(&list->items[i]);
    *out_n = n;
    return ranges;
}

static const struct assign_condition *condition_of(struct maker *m, const struct assign_value *object)
{
    const struct assign_value *v = assign_member_c(object, "condition");
    return assign_truthy(v) ? assign_condition_compile(&m->c, v) : NULL;
}

static const struct assign_filter *filters_of(struct maker *m, const struct assign_value *list, uint32_t *out_n)
{
    uint32_t n = list->type == ASSIGN_ARRAY ? list->count : 0;
    struct assign_filter *filters = take(m, n, sizeof *filters);
    for (uint32_t i = 0; filters && i < n; i++) {
        const struct assign_value *f = &list->items[i];
        struct assign_text seed = text_or(m, f, "seed", ASSIGN_TEXT(""));
        filters[i].attribute = attribute_of(m, f, "attribute", true);
        filters[i].seed = seed_number(m, filters[i].attribute, seed, version_or(f, 2));
        filters[i].ranges = ranges_of(m, assign_member_c(f, "ranges"), &filters[i].count);
    }
    *out_n = n;
    return filters;
}

static int feature_number(const struct assign_payload *p, struct assign_text key)
{
    if (!p->table)
        return ASSIGN_NONE;
    for (uint32_t at = assign_text_hash(key);; at++) {
        uint32_t i = p->table[at & p->mask];
        if (i == UINT32_MAX)
            return ASSIGN_NONE;
        if (assign_text_equal(p->features[i].key, key))
            return (int)i;
    }
}

static const struct assign_parent *parents_of(struct maker *m, const struct assign_value *list, uint32_t *out_n)
{
    uint32_t n = list->type == ASSIGN_ARRAY ? list->count : 0;
    static const struct assign_value anything = { .type = ASSIGN_OBJECT };
    struct assign_parent *parents = take(m, n, sizeof *parents);
    for (uint32_t i = 0; parents && i < n; i++) {
        const struct assign_value *v = &list->items[i], *condition = assign_member_c(v, "condition");
        if (!assign_to_text(assign_member_c(v, "id"), &m->p->heap.arena, &parents[i].id))
            m->c.failed = true;
        parents[i].feature = feature_number(m->p, parents[i].id);
        parents[i].gate = assign_member_truthy(v, "gate");
        parents[i].condition = assign_condition_compile(&m->c, assign_truthy(condition) ? condition : &anything);
    }
    *out_n = n;
    return parents;
}

/* ---- experiments ---- */

/* Weights as numbers; false: they are none, so that all variations weigh the same. */
static bool weights_of(const struct assign_value *v, double out[ASSIGN_VARIANTS_MAX], uint32_t *out_n)
{
    *out_n = 0;
    if (!assign_truthy(v) || v->type != ASSIGN_ARRAY || v->count > ASSIGN_VARIANTS_MAX)
        return false;
    for (; *out_n < v->count; ++*out_n)
        out[*out_n] = number_of(&v->items[*out_n]);
    return true;
}

static const struct assign_range *bucket_ranges(struct maker *m, const struct assign_value *rule, uint32_t variations,
                                                const struct assign_value *weights)
{
    struct assign_range *ranges = take(m, variations, sizeof *ranges);
    const struct assign_value *coverage = assign_member_c(rule, "coverage");
    double list[ASSIGN_VARIANTS_MAX];
    uint32_t n;
    bool given = weights_of(weights, list, &n);
    if (ranges)
        assign_bucket_ranges(variations, coverage ? number_of(coverage) : 1, given ? list : NULL, n, ranges);
    return ranges;
}

static const struct assign_value *equal_weights(struct maker *m, uint32_t n)
{
    struct assign_value *list = take(m, 1, sizeof *list), *items = take(m, n, sizeof *items);
    for (uint32_t i = 0; items && i < n; i++)
        items[i] = (struct assign_value){ .type = ASSIGN_NUMBER, .number = 1.0 / n };
    if (list)
        *list = (struct assign_value){ .type = ASSIGN_ARRAY, .count = n, .items = items };
    return list;
}

static void read_leaf(struct maker *m, const struct assign_value *json, const struct assign_value *rule,
                      uint32_t variations, struct assign_leaf *out)
{
    static const struct assign_value anything = { .type = ASSIGN_OBJECT };
    const struct assign_value *condition = assign_member_c(json, "condition");
    out->condition = assign_condition_compile(&m->c, assign_truthy(condition) ? condition : &anything);
    out->weights = assign_member_c(json, "weights");
    double id = number_of(assign_member_c(json, "leafId"));
    out->id = id > -1e9 && id < 1e9 ? (int)id : 0;
    out->ranges = bucket_ranges(m, rule, variations, out->weights);
}

/* NULL: the rule names none, or one that is not in the payload. */
static const struct assign_bandit *bandit_of(struct maker *m, const struct assign_value *rule, uint32_t variations)
{
    struct assign_text ref = assign_member_text(rule, "contextualBanditRef");
    const struct assign_value *json = ref.n ? assign_member(m->bandits, ref.p, ref.n) : NULL;
    const struct assign_value *contexts = assign_member_c(json, "contexts"),
                              *weights = assign_member_c(rule, "weights");
    struct assign_bandit *b = assign_truthy(json) ? take(m, 1, sizeof *b) : NULL;
    if (!b)
        return NULL;
    uint32_t n = contexts && contexts->type == ASSIGN_ARRAY ? contexts->count : 0;
    struct assign_leaf *leaves = take(m, n, sizeof *leaves);
    for (uint32_t i = 0; leaves && i < n; i++)
        read_leaf(m, &contexts->items[i], rule, variations, &leaves[i]);
    b->version = assign_member_c(json, "banditVersion");
    b->fallback_weights = assign_truthy(weights) ? weights : equal_weights(m, variations);
    b->leaves = leaves;
    b->count = n;
    return b;
}

static void read_namespace(struct maker *m, const struct assign_value *rule, struct assign_trial *t)
{
    const struct assign_value *v = assign_member_c(rule, "namespace");
    struct assign_text parts[2] = { ASSIGN_TEXT("__"), { NULL, 0 } }, seed;
    t->space = t->fallback_space = ASSIGN_NONE;
    if (!assign_truthy(v))
        return;
    t->has_namespace = true;
    t->in_namespace = (struct assign_range){ NAN, NAN };
    if (v->type != ASSIGN_ARRAY || v->count < 3)
        return;
    if (!assign_to_text(&v->items[0], &m->p->heap.arena, &parts[1]) ||
        !assign_text_join(parts, 2, &m->p->heap.arena, &seed)) {
        m->c.failed = true;
        return;
    }
    t->in_namespace = (struct assign_range){ number_of(&v->items[1]), number_of(&v->items[2]) };
    t->space = seed_number(m, t->attribute, seed, 1);
    t->fallback_space = seed_number(m, t->fallback, seed, 1);
}

static void read_hashing(struct maker *m, const struct assign_value *rule, struct assign_trial *t)
{
    struct assign_text seed = text_or(m, rule, "seed", t->key);
    double version = version_or(rule, 1);
    t->stickless = assign_member_truthy(rule, "disableStickyBucketing");
    t->attribute = attribute_of(m, rule, "hashAttribute", true);
    t->fallback = attribute_of(m, rule, "fallbackAttribute", false);
    t->seed = seed_number(m, t->attribute, seed, version);
    t->fallback_seed = seed_number(m, t->fallback, seed, version);
    t->sticky_fallback = t->fallback >= 0 ? t->fallback : attribute_number(m, ASSIGN_TEXT("id"));
    sticky_attribute(m, t->attribute);
    sticky_attribute(m, t->fallback);
}

static int version_number(const struct assign_value *rule, const char *key)
{
    double n = number_of(assign_member_c(rule, key));
    return n > 0 && n < 1e6 ? (int)n : 0;
}

static void read_ranges(struct maker *m, const struct assign_value *rule, struct assign_trial *t)
{
    const struct assign_value *ranges = assign_member_c(rule, "ranges");
    if (assign_truthy(ranges)) {
        t->ranges = ranges_of(m, ranges, &t->ranges_count);
        t->fixed_ranges = true;
        return;
    }
    t->ranges_count = t->variations->count;
    t->ranges = bucket_ranges(m, rule, t->variations->count, assign_member_c(rule, "weights"));
}

static const struct assign_value *variations_of(const struct assign_value *rule)
{
    const struct assign_value *v = assign_member_c(rule, "contextualVariations");
    if (!v || v->type <= ASSIGN_NULL)
        v = assign_member_c(rule, "variations");
    return v && v->type == ASSIGN_ARRAY && v->count <= ASSIGN_VARIANTS_MAX ? v : NULL;
}

/* A variation without a key is called by its number. */
static struct assign_text index_text(uint32_t i)
{
    static const char all[] = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243"
                              "4445464748495051525354555657585960616263646566676869707172737475767778798081828384858687"
                              "888990919293949596979899";
    return i < 10 ? (struct assign_text){ all + (size_t)i * 2 + 1, 1 } : (struct assign_text){ all + (size_t)i * 2, 2 };
}

static void read_faces(struct maker *m, struct assign_trial *t)
{
    uint32_t n = t->variations->count ? t->variations->count : 1;
    uint32_t listed = t->meta && t->meta->type == ASSIGN_ARRAY ? t->meta->count : 0;
    struct assign_face *faces = take(m, n, sizeof *faces);
    for (uint32_t i = 0; faces && i < n; i++) {
        const struct assign_value *meta = i < listed ? &t->meta->items[i] : NULL;
        struct assign_text key = assign_member_text(meta, "key");
        faces[i].key = key.n ? key : index_text(i);
        faces[i].name = assign_member_text(meta, "name");
        faces[i].passthrough = assign_member_truthy(meta, "passthrough");
    }
    t->faces = faces;
}

static void read_trial(struct maker *m, const struct assign_value *rule, struct assign_text feature,
                       struct assign_trial *t)
{
    const struct assign_value *filters = assign_member_c(rule, "filters");
    t->key = text_or(m, rule, "key", feature);
    t->variations = variations_of(rule);
    t->meta = assign_member_c(rule, "meta");
    read_hashing(m, rule, t);
    read_namespace(m, rule, t);
    read_ranges(m, rule, t);
    t->bucket_version = version_number(rule, "bucketVersion");
    t->min_bucket_version = version_number(rule, "minBucketVersion");
    t->condition = condition_of(m, rule);
    t->has_filters = assign_truthy(filters);
    if (t->has_filters)
        t->filters = filters_of(m, filters, &t->filters_count);
}

/* ---- rules and features ---- */

static void read_rollout(struct maker *m, const struct assign_value *rule, struct assign_text feature,
                         struct assign_rule *out)
{
    const struct assign_value *range = assign_member_c(rule, "range"), *coverage = assign_member_c(rule, "coverage");
    struct assign_text seed = text_or(m, rule, "seed", feature);
    double version = version_or(rule, 1);
    out->has_range = assign_truthy(range);
    out->range = range_of(range);
    out->has_coverage = coverage && coverage->type != ASSIGN_MISSING;
    out->coverage = number_of(coverage);
    out->covers_none = coverage && coverage->type == ASSIGN_NUMBER && out->coverage == 0;
    if (!out->has_range && !out->has_coverage)
        return;
    out->attribute = attribute_of(m, rule, "hashAttribute", true);
    out->fallback = assign_member_truthy(rule, "disableStickyBucketing")
                        ? ASSIGN_NONE
                        : attribute_of(m, rule, "fallbackAttribute", false);
    out->seed = seed_number(m, out->attribute, seed, version);
    out->fallback_seed = seed_number(m, out->fallback, seed, version);
}

static void read_rule(struct maker *m, const struct assign_value *json, struct assign_text feature,
                      struct assign_rule *out)
{
    const struct assign_value *parents = assign_member_c(json, "parentConditions"),
                              *filters = assign_member_c(json, "filters");
    out->id = text_or(m, json, "id", ASSIGN_TEXT(""));
    if (assign_truthy(parents))
        out->parents = parents_of(m, parents, &out->parents_count);
    out->has_filters = assign_truthy(filters);
    if (out->has_filters)
        out->filters = filters_of(m, filters, &out->filters_count);
    out->force = assign_member_c(json, "force");
    if (out->force) {
        out->condition = condition_of(m, json);
        read_rollout(m, json, feature, out);
    } else if (variations_of(json)) {
        struct assign_trial *t = take(m, 1, sizeof *t);
        if (!t)
            return;
        read_trial(m, json, feature, t);
        t->bandit = bandit_of(m, json, t->variations->count);
        read_faces(m, t);
        out->trial = t;
    }
}

static void read_feature(struct maker *m, const struct assign_value *json, struct assign_feature *out)
{
    const struct assign_value *rules = assign_member_c(json, "rules"), *value = assign_member_c(json, "defaultValue");
    uint32_t n = rules && rules->type == ASSIGN_ARRAY ? rules->count : 0;
    struct assign_rule *list = take(m, n, sizeof *list);
    out->value = value ? value : &assign_null;
    out->alone = true;
    for (uint32_t i = 0; list && i < n; i++) {
        read_rule(m, &rules->items[i], out->key, &list[i]);
        out->alone = out->alone && list[i].parents_count == 0;
    }
    out->rules = list;
    out->count = n;
}

/* Features whose JSON is falsy are unknown to the SDK. */
static void read_features(struct maker *m)
{
    struct assign_payload *p = m->p;
    uint32_t n = m->features && m->features->type == ASSIGN_OBJECT ? m->features->count : 0, room = FIRST_ROOM;
    struct assign_feature *list = take(m, n, sizeof *list);
    const struct assign_value **json = take(m, n, sizeof(void *));
    while (room < n * 2)
        room *= 2;
    p->table = take(m, room, sizeof *p->table);
    if (m->c.failed)
        return;
    memset(p->table, 0xFF, room * sizeof *p->table);
    p->mask = room - 1;
    p->features = list;
    for (uint32_t i = 0; i < n; i++) {
        if (!assign_truthy(&m->features->members[i].value))
            continue;
        uint32_t k = p->features_count++, at;
        list[k].key = m->features->members[i].key;
        json[k] = &m->features->members[i].value;
        for (at = assign_text_hash(list[k].key); p->table[at & p->mask] != UINT32_MAX;)
            at++;
        p->table[at & p->mask] = k;
    }
    for (uint32_t i = 0; i < p->features_count; i++)
        read_feature(m, json[i], &list[i]);
}

/* ---- automatic experiments ---- */

static void read_urls(struct maker *m, const struct assign_value *json, struct assign_trial *t)
{
    const struct assign_value *list = assign_member_c(json, "urlPatterns");
    uint32_t n = list && list->type == ASSIGN_ARRAY ? list->count : 0;
    struct assign_url_target *urls = take(m, n, sizeof *urls);
    t->has_urls = assign_truthy(list);
    for (uint32_t i = 0; urls && i < n; i++)
        if (!assign_url_target_compile(&list->items[i], &m->p->heap.arena, &urls[i]))
            m->c.failed = true;
    t->urls = urls;
    t->urls_count = n;
}

static bool any_redirect(const struct assign_value *variations)
{
    for (uint32_t i = 0; i < variations->count; i++)
        if (assign_member_c(&variations->items[i], "urlRedirect"))
            return true;
    return false;
}

static void read_auto(struct maker *m, const struct assign_value *json, struct assign_trial *t)
{
    static const struct assign_value none = { .type = ASSIGN_ARRAY };
    const struct assign_value *parents = assign_member_c(json, "parentConditions"),
                              *active = assign_member_c(json, "active");
    struct assign_text status = assign_member_text(json, "status");
    if (variations_of(json)) {
        read_trial(m, json, ASSIGN_TEXT("undefined"), t);
        t->variations = variations_of(json);
    } else {
        t->key = text_or(m, json, "key", ASSIGN_TEXT("undefined"));
        t->variations = &none;
        t->space = t->fallback_space = ASSIGN_NONE;
        read_hashing(m, json, t);
    }
    read_faces(m, t);
    read_urls(m, json, t);
    t->force = assign_member_c(json, "force");
    t->has_force = t->force != NULL;
    t->inactive = (active && active->type == ASSIGN_BOOL && !active->boolean) ||
                  assign_text_equal(status, ASSIGN_TEXT("draft"));
    t->stopped = assign_text_equal(status, ASSIGN_TEXT("stopped"));
    t->has_parents = assign_truthy(parents);
    if (t->has_parents)
        t->parents = parents_of(m, parents, &t->parents_count);
    t->redirects = t->has_urls && any_redirect(t->variations);
    t->persists_query = assign_member_truthy(json, "persistQueryString");
    t->manual = assign_member_truthy(json, "manual");
}

static void read_autos(struct maker *m, const struct assign_value *list)
{
    uint32_t n = list && list->type == ASSIGN_ARRAY ? list->count : 0;
    struct assign_trial *autos = take(m, n, sizeof *autos);
    for (uint32_t i = 0; autos && i < n; i++)
        read_auto(m, &list->items[i], &autos[i]);
    m->p->autos = autos;
    m->p->autos_count = n;
}

/* ---- the whole ---- */

static void sort_states(struct maker *m)
{
    struct assign_payload *p = m->p;
    uint32_t n = 0;
    p->states = take(m, p->seeds_count, sizeof *p->states);
    p->states_of = take(m, p->seeds_count, sizeof *p->states_of);
    p->first = take(m, (size_t)p->attributes_count + 1, sizeof *p->first);
    for (uint32_t a = 0; !m->c.failed && a < p->attributes_count; a++) {
        p->first[a] = n;
        for (uint32_t i = 0; i < p->seeds_count; i++) {
            if (p->seeds[i].version != 2 || p->seeds[i].attribute != (int)a)
                continue;
            p->states[n] = p->seeds[i].state;
            p->states_of[n++] = i;
        }
    }
    if (!m->c.failed)
        p->first[p->attributes_count] = n;
}

/* A part of the payload, plain or encrypted. False: it is encrypted, and cannot be read. */
static bool part_of(struct assign_payload *p, const struct assign_value *root, const char *plain, const char *secret,
                    struct assign_text key, const struct assign_value **out, struct assign_error *e)
{
    const struct assign_value *v = assign_member_c(root, secret);
    struct assign_text text;
    *out = assign_member_c(root, plain);
    if (!assign_truthy(v))
        return true;
    struct assign_value *opened = assign_alloc(&p->heap.arena, sizeof *opened);
    if (!opened || v->type != ASSIGN_STRING || !assign_decrypt(v->text, key, &p->heap.arena, &text) ||
        !assign_json_read(text.p, text.n, &p->heap.arena, opened, e)) {
        (void)snprintf(e->text, sizeof e->text, "cannot decrypt \"%s\"%s", secret, key.n ? "" : ": there is no key");
        return false;
    }
    *out = opened;
    return true;
}

static bool compile(struct assign_payload *p, const struct assign_value *root, struct assign_text key,
                    struct assign_error *e)
{
    struct maker m = { .p = p, .c = { .arena = &p->heap.arena } };
    const struct assign_value *autos;
    if (!part_of(p, root, "features", "encryptedFeatures", key, &m.features, e) ||
        !part_of(p, root, "experiments", "encryptedExperiments", key, &autos, e) ||
        !part_of(p, root, "savedGroups", "encryptedSavedGroups", key, &m.c.groups, e) ||
        !part_of(p, root, "contextualBandits", "encryptedContextualBandits", key, &m.bandits, e))
        return false;
    read_features(&m);
    read_autos(&m, autos);
    sort_states(&m);
    p->paths = m.c.paths;
    p->conditions = m.c.conditions;
    assign_lay_out(p);
    if (m.c.failed)
        (void)snprintf(e->text, sizeof e->text, "out of memory");
    return !m.c.failed;
}

static bool build(struct assign_payload *p, const char *json, size_t n, struct assign_text key, struct assign_error *e)
{
    struct assign_value *root = assign_alloc(&p->heap.arena, sizeof *root);
    struct assign_text text = { json, n }, copy;
    if (!root || !assign_text_copy(text, &p->heap.arena, &copy)) {
        (void)snprintf(e->text, sizeof e->text, "out of memory");
        return false;
    }
    if (!assign_json_read(copy.p, copy.n, &p->heap.arena, root, e))
        return false;
    if (root->type == ASSIGN_OBJECT)
        return compile(p, root, key, e);
    (void)snprintf(e->text, sizeof e->text, "the payload is no JSON object");
    return false;
}

struct assign_payload *assign_payload_new(const char *json, size_t n, struct assign_text key, struct assign_error *e)
{
    if (n > ASSIGN_PAYLOAD_BYTES_MAX) {
        (void)snprintf(e->text, sizeof e->text, "the payload is larger than %d bytes", ASSIGN_PAYLOAD_BYTES_MAX);
        return NULL;
    }
    struct assign_payload *p = calloc(1, sizeof *p);
    if (!p) {
        (void)snprintf(e->text, sizeof e->text, "out of memory");
        return NULL;
    }
    assign_heap_init(&p->heap);
    if (build(p, json, n, key, e))
        return p;
    assign_payload_free(p);
    return NULL;
}

void assign_payload_free(struct assign_payload *p)
{
    if (p)
        assign_heap_release(&p->heap);
    free(p);
}

#define TEXT_OF(x) #x
#define DOTTED(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *assign_version(void)
{
    return DOTTED(ASSIGN_VERSION_MAJOR, ASSIGN_VERSION_MINOR, ASSIGN_VERSION_PATCH);
}

size_t assign_feature_count(const struct assign_payload *p)
{
    return p->features_count;
}

int assign_feature_index(const struct assign_payload *p, const char *key, size_t n)
{
    return feature_number(p, (struct assign_text){ key, n });
}

struct assign_text assign_feature_key(const struct assign_payload *p, size_t feature)
{
    return p->features[feature].key;
}

size_t assign_rule_count(const struct assign_payload *p, size_t feature)
{
    return p->features[feature].count;
}

size_t assign_auto_count(const struct assign_payload *p)
{
    return p->autos_count;
}

size_t assign_sticky_attribute_count(const struct assign_payload *p)
{
    return p->sticky_count;
}

struct assign_text assign_sticky_attribute(const struct assign_payload *p, size_t i)
{
    return p->attributes[p->sticky[i]];
}
