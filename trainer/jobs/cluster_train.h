/* cluster_train.h - documents into k groups, on workers: spherical k-means or bisecting k-means (kernels/clusters/kmeans.h), with k given or chosen.
 *
 * k-means: pass "NAME i" compares every document with the centres, for all k that are tried and all starts at once; seeds and centres are the coordinator's.
 * Bisecting: in pass "NAME level i" all groups that are to be split are, the largest first (Steinbach, Karypis, Kumar 2000; many at once as Spark does), then
 * every document goes to the nearest of their centres.
 *
 * k is chosen by score(k) = L(k) (1 - k_discount k / n), L the mean cosine of a document to its centre as it would be without it (kmeans_left_out): what a centre says of
 * documents that it was not made of, and with k_discount 1 a cluster for each document is worth nothing. Of more than CLUSTER_SAMPLE documents, k is chosen on so many. */
#pragma once
#include "trainer/jobs/job.h"
#include "trainer/kernels/clusters/kmeans.h"

enum { CLUSTER_SAMPLE = 20000, CLUSTER_TRIES_MAX = 100 };

struct cluster_plan {
    const char *name; /* of its passes */
    bool bisecting;
    bool farthest;                 /* seeds lie far apart: what belongs nowhere gets one */
    uint32_t k_min, k_max, k_step; /* k_min = k_max: that one */
    uint32_t starts, max_iterations, ranges;
    double k_discount;
    uint64_t seed, stream; /* of what is drawn: streams from here on */
};

struct cluster_try {
    uint32_t k;
    double cohesion, left_out, silhouette, score; /* cohesion: the mean cosine to the own centre */
};

struct cluster_result {
    uint32_t k; /* fewer than asked for when there are not so many different documents */
    uint32_t *cluster;
    uint32_t *sizes;
    struct cluster_try tries[CLUSTER_TRIES_MAX]; /* by k, the best start of each */
    uint32_t tries_count, chosen;                /* its number */
};

/* docs->count is at least plan->k_max. In the arena. */
bool cluster_train(struct run_context *run, struct arena *arena, const struct kdocs *docs,
                   const struct cluster_plan *plan, struct cluster_result *out, struct err *err) MUSTCHECK;

/* Each document's nearest of the centres: a pass of this name. out: docs->count. */
bool cluster_assign(struct run_context *run, struct arena *arena, const struct kdocs *docs, const struct kcentres *c,
                    uint32_t ranges, const char *name, struct knear *out, struct err *err) MUSTCHECK;
