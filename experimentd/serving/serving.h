/* serving.h - what workers read: which version of which model each alias names, mapped and opened. Published whole (base/rcu.h) by the store's
 * thread (store.h), never edited; valid until the callback returns. */
#pragma once
#include "base/err.h"
#include "base/mem.h"
#include "base/rcu.h"
#include "experimentd/serving/kinds.h"
#include "model/artifact.h"

#define SERVING_ALIAS "champion" /* of a request that names none */

/* An artifact in use. Counted and freed by the store's thread. */
struct served {
    struct artifact artifact;
    const struct serving_kind *kind; /* NULL: kept, not served */
    const void *view;                /* what kind->open made */
    struct arena arena;
    unsigned refs;
};

struct serving_entry {
    struct str model, alias, kind;
    enum serving_view view;
    int64_t version; /* that is served; 0: none yet */
    int64_t made_us; /* of its artifact */
    const struct served *served;
    int64_t wanted_version; /* what the registry says */
    struct str error;       /* why that is not served; {NULL, 0}: it is */
};

struct erased_unit {
    uint64_t hash; /* hash64 */
    int64_t at_us;
};

struct serving {
    struct rcu_object rcu;
    struct arena arena;
    struct serving_entry *entries; /* by model and alias, in the order of bytes */
    size_t entries_count;
    struct erased_unit *erased; /* by hash */
    size_t erased_count;
};

void serving_init(unsigned slots); /* before the workers start */
const struct serving *serving_get(void);
void serving_quiescent(unsigned slot);
void serving_leave(unsigned slot);
/* The store's thread. */
struct serving *serving_new(void);
void serving_publish(struct serving *next);
void serving_discard(struct serving *s); /* one that was not published */
void serving_collect(void);
void serving_shutdown(void);
/* One reference more, one less: the last one unmaps it. */
void served_hold(struct served *s);
void served_drop(struct served *s);

/* The entry of a model's alias, opened as `view`; `model` empty: the first that is, by name. ERR_NOT_FOUND names what is known; ERR_INVALID: the
 * model is of another kind; ERR_BUSY: it is known, but none of its versions could be had yet. */
const struct serving_entry *serving_find(const struct serving *s, enum serving_view view, struct str model,
                                         struct str alias, struct err *err);
const struct serving_entry *serving_entry_of(const struct serving *s, struct str model, struct str alias); /* or NULL */
/* Whether the unit was deleted after what this artifact was made of was read: the model is not to know it. */
bool serving_forgets(const struct serving *s, const struct serving_entry *e, struct str unit);
