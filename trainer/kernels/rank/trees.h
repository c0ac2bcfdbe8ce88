/* trees.h - LambdaMART: gradients of lambda.h, trees by XGBoost (hist), into a forest of model/ranker.h.
 *
 * Why not XGBoost's own rank objectives: those of 1.7 draw one pair for each document at random, with a generator for each thread; ours take all pairs that matter, and
 * labels that are no grades. Gradients and hessians are scaled so that the mean hessian of the first round is 1: min_child_weight is then about a count
 * of documents, whatever the size of queries. base_score is 0. Split values are moved to the middle between the two training values that they part, so that "<" and "<="
 * send every one of these to the same side. */
#pragma once
#include "model/ranker.h"
#include "trainer/kernels/rank/rank.h"

/* Called after each round; false ends it. */
typedef bool (*trees_tick_fn)(void *arg, struct err *err);
struct trees_watch {
    trees_tick_fn tick; /* NULL: nobody looks on */
    void *arg;
    const struct rank_data *judge; /* queries that are not learned from; NULL: none */
    double *curve;                 /* room for p->trees: nDCG@k of these after each round */
    uint32_t rounds; /* out: how many there were; fewer than p->trees when early_stopping of them brought nothing */
};
/* `d` has at least one row. The forest lies in the arena. */
bool trees_train(const struct rank_data *d, const struct rank_params *p, struct trees_watch *watch, struct arena *arena,
                 struct ranker_forest *out, struct err *err) MUSTCHECK;
/* Moves the thresholds of all trees. Values of one side that have no float between them and those of the other stay. */
void trees_midpoints(struct ranker_forest *f, const struct rank_data *d);
