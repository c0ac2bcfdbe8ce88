/* lambda.h - gradients of LambdaMART: for each pair of documents of a query with different labels, how much nDCG would change if they changed places.
 *
 * For i above j by label, s the scores, g the gains, d(r) = 1 / log2(2 + r) of rank r from 0, Z the ideal DCG of the query:
 *
 *   delta = |g_i - g_j| |d(rank i) - d(rank j)| / Z      p = 1 / (1 + exp(s_i - s_j))
 * Where labels are not equally sure, delta is multiplied by 2 u v / (u + v) of both documents' evidence u and v: as the inverse of the variance of a difference.
 *
 *   gradient_i -= p delta, gradient_j += p delta; hessian of both += p (1 - p) delta
 *
 * (Burges, From RankNet to LambdaRank to LambdaMART, MSR-TR-2010-82.) All pairs with one of them among the first `truncation` count, none is drawn at random. Of a
 * query whose scores differ, delta is divided by 0.01 + |s_i - s_j|, and the sums of a query are scaled by log2(1 + Λ) / Λ, Λ being 2 Σ p delta: so a query with
 * many documents does not outweigh the others (as LightGBM's lambdarank_norm has it). Labels may be any numbers from 0: grades, or what clicks, weighed by propensities,
 * say of a document. Pure; sums go in the order of ranks, equal scores in the order of rows. */
#pragma once
#include "trainer/kernels/rank/rank_data.h"

enum rank_gain { RANK_EXPONENTIAL /* 2^label - 1 */, RANK_LINEAR, RANK_GAIN_COUNT };
extern const char *const rank_gain_names[RANK_GAIN_COUNT]; /* "exponential", "linear" */

struct lambda_rules {
    enum rank_gain gain;
    uint32_t truncation; /* of the ranks that pairs have one of, 1 or more */
    uint32_t k;          /* of nDCG */
};

/* What does not change from round to round. */
struct lambda;
struct lambda *lambda_new(const struct rank_data *d, const struct lambda_rules *rules);
void lambda_free(struct lambda *l);
/* scores, out_gradient, out_hessian: of all rows. The gradient is that of what is minimised. */
void lambda_gradients(struct lambda *l, const float *scores, float *out_gradient, float *out_hessian);
/* Mean nDCG@k over queries by their weights; one without any label above 0 scores 0. NaN: there is no query. */
double lambda_ndcg(struct lambda *l, const float *scores);
/* Of one query. */
double lambda_ndcg_query(struct lambda *l, uint32_t q, const float *scores);
