/* linear.h - linear rankers: score = Σ w_k (x_k - mean_k) / scale_k, learned from pairs or from whole lists.
 *
 * Features are standardised by the rows that they are learned from; what is missing is at the mean. With gains g of the labels and s the scores, of each query with different labels
 *
 *   pairwise  Σ over pairs i above j of (g_i - g_j) log(1 + exp(s_j - s_i)), over the same sum without the logarithm (RankNet: Burges and others, ICML 2005)
 *             (a pair is multiplied by 2 u v / (u + v) of both documents' evidence, as in lambda.h)
 *   listwise  - Σ t_i log softmax(s)_i, t_i = g_i / Σ g (ListNet, top one: Cao and others, ICML 2007)
 *
 * and the mean over queries by their weights, plus l2/2 Σ w². Both are convex: one answer, whatever the way to it. The way is FISTA with restarts (Beck and Teboulle 2009,
 * O'Donoghue and Candès 2015) within the bounds of features that may only raise or lower a score. Sums go in the order of rows. Pure. */
#pragma once
#include "trainer/kernels/rank/rank.h"

struct linear {
    float *weights, *means, *scales; /* of each feature */
    double loss;                     /* with the penalty */
    uint32_t iterations;
};
/* `tick` is called in each iteration; NULL: nobody looks on. In the arena. */
bool linear_train(const struct rank_data *d, const struct rank_params *p, bool (*tick)(void *arg, struct err *err),
                  void *arg, struct arena *arena, struct linear *out, struct err *err) MUSTCHECK;
void linear_score(const struct linear *l, const struct rank_data *d, float *out_scores);
