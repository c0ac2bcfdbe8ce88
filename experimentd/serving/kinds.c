#include "experimentd/serving/kinds.h"

#include <assert.h>

#include "model/boosts.h"
#include "model/catalogue.h"
#include "model/classifier.h"
#include "model/clicks.h"
#include "model/clusters.h"
#include "model/ranker.h"
#include "model/recommend.h"
#include "model/rewrite.h"
#include "model/vectors.h"

const char *const serving_view_names[] = { "none",   "recommender", "boosts",  "catalogue",  "rewrites",
                                           "ranker", "clusters",    "vectors", "classifier", "clicks" };
static_assert(COUNT_OF(serving_view_names) == SERVING_VIEW_COUNT, "one name each");

static const void *open_recommender(const struct artifact *a, struct arena *arena, struct err *err)
{
    struct recommender *r = arena_alloc(arena, sizeof *r);
    return recommender_open(a, r, arena, err) ? r : NULL;
}

static const void *open_boosts(const struct artifact *a, struct arena *arena, struct err *err)
{
    struct boosts *b = arena_alloc(arena, sizeof *b);
    return boosts_open(a, b, err) ? b : NULL;
}

static const void *open_catalogue(const struct artifact *a, struct arena *arena, struct err *err)
{
    struct catalogue *c = arena_alloc(arena, sizeof *c);
    return catalogue_read(a, c, err) ? c : NULL;
}

static const void *open_rewrites(const struct artifact *a, struct arena *arena, struct err *err)
{
    struct rewrites *r = arena_alloc(arena, sizeof *r);
    return rewrites_read(a, r, err) ? r : NULL;
}

static const void *open_ranker(const struct artifact *a, struct arena *arena, struct err *err)
{
    struct ranker *r = arena_alloc(arena, sizeof *r);
    return ranker_open(a, arena, r, err) ? r : NULL;
}

static const void *open_clusters(const struct artifact *a, struct arena *arena, struct err *err)
{
    struct clusters *c = arena_alloc(arena, sizeof *c);
    return clusters_open(a, arena, c, err) ? c : NULL;
}

static const void *open_vectors(const struct artifact *a, struct arena *arena, struct err *err)
{
    struct vectors *v = arena_alloc(arena, sizeof *v);
    return vectors_open(a, arena, v, err) ? v : NULL;
}

static const void *open_classifier(const struct artifact *a, struct arena *arena, struct err *err)
{
    struct classifier *c = arena_alloc(arena, sizeof *c);
    return classifier_open(a, c, err) ? c : NULL;
}

static const void *open_clicks(const struct artifact *a, struct arena *arena, struct err *err)
{
    struct clicks *c = arena_alloc(arena, sizeof *c);
    return clicks_open(a, c, err) ? c : NULL;
}

static const struct serving_kind kinds[] = {
    { "recommender", SERVING_RECOMMENDER, open_recommender },
    { "queries", SERVING_RECOMMENDER, open_recommender }, /* queries for a query, items for a query */
    { BOOSTS_KIND, SERVING_BOOSTS, open_boosts },
    { CATALOGUE_KIND, SERVING_CATALOGUE, open_catalogue },
    { REWRITES_KIND, SERVING_REWRITES, open_rewrites },
    { RANKER_KIND, SERVING_RANKER, open_ranker },
    { CLUSTERS_KIND, SERVING_CLUSTERS, open_clusters },
    { VECTORS_KIND, SERVING_VECTORS, open_vectors },
    { CLASSIFIER_KIND, SERVING_CLASSIFIER, open_classifier },
    { CLICKS_KIND, SERVING_CLICKS, open_clicks },
};

const struct serving_kind *serving_kind_of(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (str_eq_c(name, kinds[i].name))
            return &kinds[i];
    return NULL;
}
