/* kinds.h - how an artifact of each kind is opened for serving. To serve another kind: what it is opened as, and one row in kinds.c. */
#pragma once
#include "base/err.h"
#include "base/mem.h"
#include "model/artifact.h"

/* What an opened artifact is: the type of its view. */
enum serving_view {
    SERVING_NONE,        /* kept, not served */
    SERVING_RECOMMENDER, /* struct recommender: model/recommend.h */
    SERVING_BOOSTS,      /* struct boosts: model/boosts.h */
    SERVING_CATALOGUE,   /* struct catalogue: model/catalogue.h */
    SERVING_REWRITES,    /* struct rewrites: model/rewrite.h */
    SERVING_RANKER,      /* struct ranker: model/ranker.h */
    SERVING_CLUSTERS,    /* struct clusters: model/clusters.h */
    SERVING_VECTORS,     /* struct vectors: model/vectors.h */
    SERVING_CLASSIFIER,  /* struct classifier: model/classifier.h */
    SERVING_CLICKS,      /* struct clicks: model/clicks.h */
    SERVING_VIEW_COUNT
};
extern const char *const serving_view_names[SERVING_VIEW_COUNT]; /* "recommender", … */

struct serving_kind {
    const char *name; /* of the artifact's kind */
    enum serving_view view;
    /* In the arena, over the artifact's bytes. NULL with ERR_INVALID when a section is damaged. */
    const void *(*open)(const struct artifact *a, struct arena *arena, struct err *err);
};

/* NULL: a kind that is kept, not served. */
const struct serving_kind *serving_kind_of(struct str name);
