/* click_score.h - pure: what a click model says of searches that were held out, and of each document.
 *
 * Log-likelihood is that of what was clicked in each search, position by position given what was clicked above: Σ ln P(C_r | C_<r). Perplexity is of each
 * position by itself, without knowing of clicks: 2^(-mean log2 P(C_r)), as published comparisons have it. */
#pragma once
#include "trainer/kernels/click_models/click_query.h"

/* α and σ of each document of the query; of one that nothing is known of, what is assumed of all. `out`: docs_count. */
void click_params_of(const struct click_query *q, enum click_model m, const struct click_globals *g,
                     struct click_params *out);

/* Of all searches that are held out; *out_shown: how many documents they showed. `room`: docs_count × 2. */
double click_loglikelihood(const struct click_query *q, enum click_model m, const struct click_globals *g,
                           const struct click_params *p, double *room, uint64_t *out_shown);
/* Of a document: how relevant it is, from 0 to 1: attractiveness × satisfaction, and a 95 % interval: Beta with the mean and with as many observations as the
 * observed Fisher information is worth, what is shared taken as known. */
struct click_relevance {
    double relevance, attractiveness, satisfaction, low, high;
};
/* `out`: docs_count. gctr and rctr say nothing of documents (asserted). */
void click_relevance_of(const struct click_query *q, enum click_model m, const struct click_globals *g,
                        struct click_relevance *out);
