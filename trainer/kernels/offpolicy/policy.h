/* policy.h - pure: with which probability the other policy shows each document of a query at a place.
 *
 * uniform: each of as many documents as may be shown. model: of an artifact of lists (recommender and queries: items_for_query; boosts: boosts), the
 * document at that place of the query's list, or, with a temperature T, each of the list with exp(score/T); of an artifact of kind "ranker", the
 * documents that were shown for the query in the order of their scores by the features that the artifact has itself (section "signals"), likewise. Each place
 * is a decision of its own. */
#pragma once
#include "model/lists.h"
#include "model/ranker.h"
#include "trainer/kernels/offpolicy/offpolicy.h"

enum { POLICY_LIST_MAX = 1000 };

struct policy {
    const struct offpolicy_params *params;
    bool is_ranker;
    struct ranker ranker;
    struct lists lists;
    /* Of the query under way. */
    uint32_t docs, order_count;
    uint32_t *order; /* best first: numbers of documents, UINT32_MAX: never shown */
    double *shares;  /* of each of the order, with a temperature */
};
/* `file`: of a model; else {NULL, 0}. ERR_INVALID: it says nothing about documents for queries. */
bool policy_open(struct policy *p, const struct offpolicy_params *params, struct str file, struct arena *arena,
                 struct err *err) MUSTCHECK;
/* The documents that were shown for it, sorted by bytes. False: the model says nothing of it. */
bool policy_query(struct policy *p, struct str query, const struct str *docs, uint32_t count, struct arena *arena);
/* Probabilities of the documents at a position from 1; *out_unsupported: of those that were never shown. */
void policy_at(const struct policy *p, uint32_t position, double *out, double *out_unsupported);
