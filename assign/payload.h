/* payload.h - inside of libassign: a payload, compiled. Numbers stand for what a session looks up once: attributes that are hashed, and
 * (attribute, seed, version) triples, the hashes themselves. */
#pragma once
#include "assign/arena.h"
#include "assign/condition.h"
#include "assign/target.h"

enum { ASSIGN_NONE = -1 };

/* A hash of an attribute's value with a seed. */
struct assign_seed {
    struct assign_text seed;
    uint32_t state; /* version 2: FNV-1a behind the seed */
    int attribute, version;
};

struct assign_filter {
    int attribute, seed; /* seed NONE: an unknown version, which keeps everybody out */
    uint32_t count;
    const struct assign_range *ranges;
};

struct assign_parent {
    struct assign_text id;
    int feature; /* NONE: unknown */
    bool gate;
    const struct assign_condition *condition;
};

/* Ranges of one leaf of a contextual bandit. */
struct assign_leaf {
    const struct assign_condition *condition;
    const struct assign_value *weights; /* NULL: none given */
    int id;
    const struct assign_range *ranges;
};
struct assign_bandit {
    const struct assign_value *version, *fallback_weights;
    const struct assign_leaf *leaves;
    uint32_t count;
};

/* What an answer says of a variation beside its value. */
struct assign_face {
    struct assign_text key, name;
    bool passthrough;
};

struct assign_trial { /* an experiment, of a rule or automatic */
    struct assign_text key;
    const struct assign_value *variations, *meta, *force;
    const struct assign_face *faces; /* of the variations; of a first one also when there is none */
    int attribute, fallback;         /* fallback NONE: none */
    int sticky_fallback; /* whose document is looked at beside the own one; the SDK's "id" when there is no fallback */
    int seed, fallback_seed;   /* of the attribute, of the fallback; NONE: an unknown version */
    int space, fallback_space; /* of the namespace */
    bool has_namespace, has_force, inactive, stopped, stickless; /* stickless: sticky buckets are disabled */
    struct assign_range in_namespace;
    int bucket_version, min_bucket_version;
    const struct assign_condition *condition;
    const struct assign_filter *filters;
    const struct assign_parent *parents;
    uint32_t filters_count, parents_count, ranges_count;
    bool has_filters, has_parents, fixed_ranges; /* fixed_ranges: given as such, whatever the weights */
    const struct assign_range *ranges;
    const struct assign_bandit *bandit;
    const struct assign_url_target *urls;
    uint32_t urls_count;
    bool has_urls, redirects, persists_query, manual;
};

struct assign_rule {
    struct assign_text id;
    const struct assign_value *force; /* NULL: no force rule */
    const struct assign_condition *condition;
    const struct assign_parent *parents;
    const struct assign_filter *filters;
    uint32_t parents_count, filters_count;
    bool has_filters;
    /* a force rule's rollout */
    bool has_range, has_coverage,
        covers_none; /* the number 0; null, which is 0 too, still has the unit whose bucket is 0 */
    struct assign_range range;
    double coverage;
    int attribute, fallback, seed, fallback_seed;
    const struct assign_trial *trial; /* NULL: a rule without variations, passed over */
};

struct assign_feature {
    struct assign_text key;
    const struct assign_value *value; /* the default */
    const struct assign_rule *rules;
    uint32_t count;
    bool alone; /* asks for no other feature */
};

/* A session is one piece of memory: where its parts begin. */
struct assign_layout {
    size_t found, hashed, buckets, memo, bytes;
};

struct assign_payload {
    struct assign_heap heap;
    const struct assign_feature *features;
    const struct assign_trial *autos;
    uint32_t features_count, autos_count;
    struct assign_text *attributes; /* that are hashed, by their number */
    struct assign_seed *seeds;
    uint32_t attributes_count, seeds_count, seeds_room;
    int *sticky; /* attributes that sticky buckets are kept under */
    uint32_t sticky_count, sticky_room;
    struct assign_paths paths;
    uint32_t conditions;
    struct assign_layout session;
    uint32_t *table; /* features by key */
    uint32_t mask;
    /* seeds of version 2, by attribute: states side by side, so that all are hashed at once */
    uint32_t *states, *states_of; /* states_of: which seed */
    uint32_t *first;              /* by attribute: its first state; one more behind the last */
};

/* session.c: when everything else is there. */
void assign_lay_out(struct assign_payload *p);
/* "…?key=1" (experiment.c) */
int assign_query_override(struct assign_text key, struct assign_text url, size_t n);
