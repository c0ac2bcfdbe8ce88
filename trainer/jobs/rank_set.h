/* rank_set.h - what a ranker is learned from and judged on: labels (a judgment set, or clicks) joined with values of a feature set, query by query.
 *
 * Queries are compared in the form of query_text.h. A labelled document without any value is left out, and counted. Which queries are held out: labels=judgments, the
 * share holdout_queries of them by their hash; labels=clicks, those of the holdout_days, whose labels are of these days. Features with source "signals" are counted from the
 * clicks of feature_days before the days of the labels (labels=judgments: up to as_of), so that no label is told by its own clicks. */
#pragma once
#include "trainer/jobs/rank_clicks.h"
#include "trainer/kernels/rank/rank.h"

struct rank_set_part {
    struct rank_data d;  /* its arrays are the arena's */
    uint64_t unlabelled; /* documents of its queries that have a label and no value */
    uint32_t learnable;  /* queries with different labels */
};
struct rank_set {
    struct run_context *run;
    struct arena *arena;
    struct str features_json; /* of the set's spec: a JSON array, for the section "features" */
    struct str *names;
    int8_t *monotone;
    float *defaults; /* NAN: none */
    int *signals;    /* of each feature the enum click_feature that it is, or -1 */
    uint32_t features, signals_count;
    bool from_clicks;
    struct query_window training, evaluation;
    struct rank_set_part train, held;
    uint64_t rows; /* of the feature set that were read */
};
bool rank_set_open(struct rank_set *s, struct run_context *run, struct arena *arena, struct err *err) MUSTCHECK;
int32_t rank_set_as_of(const struct rank_set *s); /* the last day of all */
/* Section "signals" of a ranker; *out_any: there is one. As of as_of. */
bool rank_set_signals(const struct rank_set *s, struct lists_out *out, bool *out_any, struct err *err) MUSTCHECK;
