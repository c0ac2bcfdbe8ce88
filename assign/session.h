/* session.h - inside of libassign: one unit on one payload, and what has been found out about it so far. */
#pragma once
#include "assign/payload.h"

/* An attribute that is hashed. */
struct assign_hashed {
    const struct assign_value *value; /* NULL: the unit has none that is truthy */
    struct assign_text text;
    bool known;
};

struct assign_session {
    const struct assign_payload *p;
    const struct assign_unit *unit;
    struct assign_scratch scratch;
    struct assign_subject subject;
    struct assign_hashed *hashed;       /* by attribute */
    int16_t *buckets;                   /* by seed, 1 + it in 1000ths or 10000ths; 0: not known yet */
    const struct assign_result **known; /* by feature, of prerequisites; NULL until there is one */
    const struct assign_sticky *docs;   /* the unit's, and after a change our own */
    size_t docs_count;
};

/* The features that are being evaluated, the innermost first. */
struct assign_frame {
    const struct assign_frame *up;
    int feature;
    unsigned depth;
};

/* The attribute's value; NULL when the unit has none. assign_hash_value: looked up for the first time. */
const struct assign_hashed *assign_hash_value(struct assign_session *s, int attribute);
static inline const struct assign_hashed *assign_hashed(struct assign_session *s, int attribute)
{
    if (attribute < 0)
        return NULL;
    const struct assign_hashed *h = &s->hashed[attribute];
    return !h->known ? assign_hash_value(s, attribute) : h->value ? h : NULL;
}
/* False: no hash value, or an unknown hash version. */
bool assign_bucket(struct assign_session *s, int seed, double *out);
bool assign_filtered_out(struct assign_session *s, const struct assign_filter *filters, uint32_t count);

/* feature.c: a prerequisite of what `up` is of */
enum assign_parents { PARENTS_MET, PARENTS_SKIP, PARENTS_GATE, PARENTS_CYCLE };
enum assign_parents assign_parents_met(struct assign_session *s, const struct assign_frame *up,
                                       const struct assign_parent *parents, uint32_t count);

/* trial.c */
void assign_trial_run(struct assign_session *s, const struct assign_trial *t, const struct assign_frame *up,
                      struct assign_run *out);

/* sticky.c: the variation that was assigned before, or -1; *blocked: in a version that is not wanted any more. */
int assign_sticky_find(struct assign_session *s, const struct assign_trial *t, bool *blocked);
void assign_sticky_save(struct assign_session *s, const struct assign_trial *t, int attribute,
                        struct assign_text variation);
