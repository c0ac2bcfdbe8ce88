/* rank.h - kernels that learn and judge rankers, and what the job says to them.
 *
 *   "rank.train@1"    blob 0: the training data (rank_data.h). A split "fold I N" learns from the queries outside of part I of N and gives what nDCG was inside of it
 *                     after each tree (rank_curve); "all" learns from all and gives the section "ranker" of model/ranker.h
 *   "rank.judge@1"    blobs: data, candidate, champion or nothing: artifacts. A split "FROM UNTIL" gives the metrics of these queries (rank_judged)
 *   "rank.permute@1"  blobs: data, candidate. A split "FROM UNTIL" gives for each of these features by how much nDCG@k falls when its values change places (doubles)
 *
 * All is a function of params, blobs and split. XGBoost has as many threads as params say; its sums depend on how many these are. */
#pragma once
#include "stats/moments.h"
#include "trainer/kernels/rank/lambda.h"

#define RANK_TRAIN_KERNEL "rank.train@1"
#define RANK_JUDGE_KERNEL "rank.judge@1"
#define RANK_PERMUTE_KERNEL "rank.permute@1"

struct kernel;
extern const struct kernel kernel_rank_train, kernel_rank_judge, kernel_rank_permute;

enum rank_objective { RANK_LAMBDAMART, RANK_PAIRWISE, RANK_LISTWISE, RANK_OBJECTIVE_COUNT };
extern const char *const rank_objective_names[RANK_OBJECTIVE_COUNT]; /* "lambdamart", … */

struct rank_params {
    enum rank_objective objective;
    struct lambda_rules lambda;
    uint32_t trees, depth, leaves, early_stopping, threads,
        iterations; /* leaves 0: by depth; early_stopping 0: none; iterations: of linear models */
    double learning_rate, min_child_weight, subsample, colsample, l2;
    uint64_t seed;
    uint32_t features;
    struct str *names;
    int8_t *monotone; /* of each feature: -1, 0, 1 */
};
bool rank_params_write(const struct rank_params *p, struct arena *arena, struct str *out, struct err *err) MUSTCHECK;
bool rank_params_read(struct str json, struct arena *arena, struct rank_params *out, struct err *err) MUSTCHECK;

/* Of a fold: then doubles, nDCG@k after each of the rounds. */
struct rank_curve {
    uint64_t queries, rounds;
    double weight; /* of its queries */
};

enum rank_metric {
    RANK_NDCG_1,
    RANK_NDCG_5,
    RANK_NDCG_10,
    RANK_BURGES_1,
    RANK_BURGES_5,
    RANK_BURGES_10,
    RANK_MRR_10,
    RANK_MAP_10,
    RANK_PRECISION_10,
    RANK_METRICS
};
extern const char
    *const rank_metric_names[RANK_METRICS]; /* "ndcg@1", … "ndcg_burges@10", "mrr@10", … as stats/ranking has them */
struct rank_judged {
    struct moments2 m[RANK_METRICS]; /* x the candidate's, y the champion's; x again when there is none */
};
